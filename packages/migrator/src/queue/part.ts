import type { Context } from '../config.ts'
import type { CheckedOptions } from '../engine/options.ts'
import { workOnPart } from '../engine/run.ts'
import { withPart } from '../engine/work.ts'
import type { Pace } from '../pace/pace.ts'
import { overridden } from '../pace/stored.ts'
import type { PartReport } from '../proof/account.ts'
import { otherPlan } from '../runs/errors.ts'
import { isActive } from '../runs/states.ts'
import { QUEUE_LAYOUT } from '../runs/run-row.ts'
import type { RunRow, RunStore } from '../runs/store.ts'
import type { Target } from '../targets.ts'
import type { Waits } from '../waits.ts'
import { directionOf } from './directions.ts'
import { shareOf, type Slots } from './slots.ts'
import type { PartTask } from './task.ts'
import type { WorkOptions } from './work.ts'

/** What became of a task. */
export type Handled =
  /** Somebody else has the part, it is done, or the run is over or paused: the task is of no use. */
  | { readonly is: 'dropped' }
  | { readonly is: 'worked'; readonly report: PartReport; readonly waitMs: number | null }

const DROPPED: Handled = { is: 'dropped' }

export interface WorkerParts {
  readonly context: Context
  readonly store: RunStore
  readonly waits: Waits
  readonly slots: Slots
  readonly options: Omit<WorkOptions, 'onEvent'>
  readonly checked: CheckedOptions
  readonly signal: AbortSignal
  /** An error as it is thrown to others. */
  readonly fail: (error: unknown) => Error
}

/** Works on parts of runs that others have begun. */
export class PartWorker {
  readonly #with: WorkerParts
  readonly #targets = new Map<string, Promise<Target>>()

  constructor(parts: WorkerParts) {
    this.#with = parts
  }

  /**
   * Look whether the part is still to be worked on, and do so.
   *
   * @throws {MigrationError} `ERR_RUN_STATE` if somebody else took it, `ERR_CHECKPOINT_PLAN` if the run was begun
   *   under another plan than this worker has, `ERR_CHECKPOINT_NEWER`, and what a run throws.
   */
  async handle(task: PartTask): Promise<Handled> {
    try {
      return await this.#handle(task)
    } catch (error) {
      throw this.#with.fail(error)
    }
  }

  async #handle(task: PartTask): Promise<Handled> {
    const { store, slots } = this.#with
    const run = await store.find(task)
    if (run?.run !== task.run || run.layout !== QUEUE_LAYOUT) return DROPPED
    if (!isActive(run.state) || run.state === 'paused') return DROPPED
    const part = await store.parts.find(run, task.part)
    if (part?.epoch !== task.epoch || part.isAlive) return DROPPED
    if (run.plan !== this.#with.context.plan.digest) throw otherPlan(run)
    return slots.use((pace) => this.#work(run, task.part, pace))
  }

  async #work(run: RunRow, part: number, pace: Pace): Promise<Handled> {
    const { context, store, waits, slots, options, checked, signal } = this.#with
    const direction = directionOf(run)
    const target = await this.#targetOf(run)
    let waitMs: number | null = null
    const job = {
      ...{ context, store, direction, target, waits, pace, checked },
      options: { ...options, signal },
      paceOf: (text: string | null) => shareOf(overridden(options, text), slots.count),
      onFence: (ms: number) => {
        waitMs = ms
        return false
      },
    }
    const { target: text } = await direction.next(context, target)
    const report = await withPart(store, run, part, text, (work) => workOnPart(job, run, work))
    return report === null ? DROPPED : { is: 'worked', report, waitMs }
  }

  /** Tables and columns as they are when a run is met first. */
  #targetOf(run: RunRow): Promise<Target> {
    const id = `${run.model} ${run.kind} ${run.run}`
    const found = this.#targets.get(id) ?? this.#load(run)
    this.#targets.set(id, found)
    found.catch(() => this.#targets.delete(id))
    return found
  }

  async #load(run: RunRow): Promise<Target> {
    const [target] = await directionOf(run).targets(this.#with.context, [run.model])
    if (target === undefined) throw otherPlan(run)
    return target
  }
}
