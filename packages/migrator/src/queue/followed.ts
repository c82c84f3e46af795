import { add, NOTHING, type PassCounts } from '../engine/counts.ts'
import type { ModelReport } from '../engine/events.ts'
import { namesOf } from '../engine/job.ts'
import type { ModelJob } from '../engine/run.ts'
import { accounted } from '../proof/account.ts'
import { resumable, totalOf, type Checkpoint } from '../runs/checkpoint.ts'
import type { PartInfo } from '../runs/parts.ts'
import { isEnd } from '../runs/progress.ts'
import { settle } from '../runs/settle.ts'
import { isActive } from '../runs/states.ts'
import type { RunRow } from '../runs/store.ts'
import { beginQueued } from './begin.ts'
import { Offers } from './offers.ts'
import type { QueueConnection } from './queue.ts'

/** After so long without anybody who works on it, a run is said to have no worker. */
const ALONE_AFTER_MS = 5_000

/** A run whose parts are handed out, as its coordinator sees it. */
export class Followed {
  readonly job: ModelJob
  readonly #queue: QueueConnection
  #offers: Offers
  #run: RunRow
  #parts: readonly PartInfo[] = []
  #outcome: ModelReport['outcome'] | null = null
  /** Of the runs before, if the keys became others on the way. */
  #before = NOTHING
  #runs = 1
  #aliveAt = performance.now()

  private constructor(job: ModelJob, queue: QueueConnection, run: RunRow) {
    this.job = job
    this.#queue = queue
    this.#offers = new Offers(queue)
    this.#run = run
  }

  /** @throws as `beginQueued` */
  static async begin(job: ModelJob, queue: QueueConnection): Promise<Followed> {
    const followed = new Followed(job, queue, await beginQueued(job))
    followed.#parts = await job.store.parts.list(followed.#run)
    return followed
  }

  /** How it ended; null while it goes on. */
  get outcome(): ModelReport['outcome'] | null {
    return this.#outcome
  }

  /** What was done, whoever did it. */
  get counts(): PassCounts {
    return this.#parts.map(({ checkpoint }) => totalOf(checkpoint)).reduce(add, this.#before)
  }

  get passes(): number {
    const passes = this.#parts.map(({ checkpoint }) => passOf(checkpoint))
    return passes.reduce((most, pass) => Math.max(most, pass), 0)
  }

  /** The reason, if an operator has paused it; `undefined` if not. */
  get paused(): string | null | undefined {
    return this.#run.state === 'paused' ? this.#run.reason : undefined
  }

  /** Has nobody worked on it for a while although there is work? */
  get isAlone(): boolean {
    return performance.now() - this.#aliveAt > ALONE_AFTER_MS
  }

  /**
   * See how far it is, and offer what nobody has.
   *
   * @throws {MigrationError} `ERR_QUEUE_UNAVAILABLE`
   */
  async look(): Promise<void> {
    const { store } = this.job
    const [run, parts] = [await store.find(this.#run), await store.parts.list(this.#run)]
    if (run?.run !== this.#run.run || run.state === 'cancelled') {
      if (parts.length > 0) this.#parts = parts
      this.#outcome = 'cancelled'
      return
    }
    if (run.state === 'paused' || parts.some(({ isAlive }) => isAlive) || !hasOpen(parts))
      this.#aliveAt = performance.now()
    this.#run = run
    this.#parts = parts
    if (parts.every(({ progress }) => isEnd(progress))) await this.#end()
    else if (run.state === 'paused') this.#offers.forget()
    else if (isActive(run.state)) await this.#offers.offer(run, parts)
  }

  report(): Promise<ModelReport> {
    const { target } = this.job
    const { model } = target
    const outcome = this.#outcome ?? 'stopped'
    const report = { model, fields: namesOf(target), outcome, passes: this.passes, ...this.counts }
    return accounted(this.job, this.#run, report)
  }

  /** Parts that were done before another rotation have to be gone over once more. */
  async #end(): Promise<void> {
    const { context, store, direction, target, checked } = this.job
    // Whoever ended the last part may have gone before it could say so.
    await settle(store, this.#run)
    const left =
      this.counts.quarantined > 0 || this.#parts.some(({ progress }) => progress === 'left')
    const now = await direction.next(context, target)
    const isCurrent = this.#parts.every(
      ({ checkpoint }) => checkpoint === null || resumable(checkpoint, now.target) !== null,
    )
    if (isCurrent || this.#runs >= checked.maxPasses) {
      this.#outcome = left || !isCurrent ? 'incomplete' : 'done'
      return
    }
    this.#before = { ...this.counts, quarantined: 0 }
    this.#runs++
    this.#run = await beginQueued(this.job)
    this.#offers = new Offers(this.#queue)
    this.#parts = []
  }
}

function hasOpen(parts: readonly PartInfo[]): boolean {
  return parts.some(({ progress }) => progress === 'open')
}

function passOf(checkpoint: string | null): number {
  return checkpoint === null ? 0 : (JSON.parse(checkpoint) as Checkpoint).pass
}
