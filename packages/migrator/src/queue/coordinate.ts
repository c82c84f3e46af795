import type { MigratorConfig } from '../config.ts'
import { subtract, NOTHING, type PassCounts } from '../engine/counts.ts'
import type { ModelReport } from '../engine/events.ts'
import type { RunOptions } from '../engine/options.ts'
import { namesOf } from '../engine/job.ts'
import type { ModelJob } from '../engine/run.ts'
import { countRows } from '../targets.ts'
import { pause } from '../waits.ts'
import { noQueue } from './errors.ts'
import { Followed } from './followed.ts'
import type { QueueConnection } from './queue.ts'

const LOOK_EVERY_MS = 500

/** What keeps the parts of a run from being worked on. */
export interface QueueEvent {
  readonly type: 'queue'
  readonly model: string
  /** Null when it is over. */
  readonly problem: 'no worker' | 'out of reach' | null
}

/**
 * The queue of a run whose parts are handed out; null for one that is worked on here.
 *
 * @throws {MigrationError} `ERR_CONFIG_INVALID` if the configuration has none, `ERR_QUEUE_UNAVAILABLE`
 */
export async function connectQueue(
  config: MigratorConfig,
  { queue }: RunOptions,
): Promise<QueueConnection | null> {
  if (queue === undefined) return null
  if (config.queue === undefined) throw noQueue()
  return config.queue.connect()
}

/**
 * Begin runs over models, hand their parts out, and follow them until all are done. Who is killed in between and
 * started again goes on with the same runs.
 */
export async function handOut(
  jobs: readonly ModelJob[],
  queue: QueueConnection,
  signal: AbortSignal | undefined,
): Promise<ModelReport[]> {
  const runs: Followed[] = []
  for (const job of jobs) runs.push(await Followed.begin(job, queue))
  for (const run of runs) {
    const show = await Show.begin(run)
    for (;;) {
      show.tell(await look(runs))
      show.update()
      if (run.outcome !== null) break
      if (!(await pause(LOOK_EVERY_MS, signal))) return reportsOf(runs)
    }
  }
  return reportsOf(runs)
}

async function reportsOf(runs: readonly Followed[]): Promise<ModelReport[]> {
  const reports: ModelReport[] = []
  for (const run of runs) reports.push(await run.report())
  return reports
}

/** Workers go on while the queue is away, with what they have; the rest waits. */
async function look(runs: readonly Followed[]): Promise<QueueEvent['problem']> {
  try {
    for (const run of runs) if (run.outcome === null) await run.look()
  } catch (error) {
    if ((Object(error) as { code?: unknown }).code === 'ERR_QUEUE_UNAVAILABLE')
      return 'out of reach'
    throw error
  }
  const going = runs.filter(({ outcome }) => outcome === null)
  return going.length > 0 && going.every(({ isAlone }) => isAlone) ? 'no worker' : null
}

/** Tells of one run at a time, as if it were worked on here. */
class Show {
  readonly #run: Followed
  #counts: PassCounts
  #problem: QueueEvent['problem'] = null
  #isPaused = false

  private constructor(run: Followed) {
    this.#run = run
    this.#counts = run.counts
  }

  static async begin(run: Followed): Promise<Show> {
    const { context, direction, target, options } = run.job
    const show = new Show(run)
    if (options.onEvent === undefined) return show
    const { where } = await direction.next(context, target)
    const rows = await countRows(context, target, where)
    const { model } = target
    const isResumed = run.passes > 0
    options.onEvent({ type: 'model', model, fields: namesOf(target), rows, isResumed })
    return show
  }

  update(): void {
    const { job, counts, passes, paused } = this.#run
    const { model } = job.target
    const added = subtract(counts, this.#counts)
    this.#counts = counts
    if (Object.keys(NOTHING).some((name) => added[name as keyof PassCounts] !== 0))
      job.options.onEvent?.({ type: 'batch', model, pass: passes, ...added })
    if ((paused !== undefined) === this.#isPaused) return
    this.#isPaused = paused !== undefined
    const [type, reason] =
      paused === undefined ? ['resume' as const, null] : ['pause' as const, paused]
    job.options.onEvent?.({ type, model, reason })
  }

  tell(problem: QueueEvent['problem']): void {
    if (problem === this.#problem) return
    this.#problem = problem
    const { options, target } = this.#run.job
    options.onEvent?.({ type: 'queue', model: target.model, problem })
  }
}
