import { openContext, type Context, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import type { PassCounts } from '../engine/counts.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { checkRunOptions, integer } from '../engine/options.ts'
import { noteFields } from '../keys/fields.ts'
import { openRunPace, type ThrottleEvent } from '../pace/open.ts'
import type { PaceOptions } from '../pace/options.ts'
import type { Pace } from '../pace/pace.ts'
import { CipherThreads } from '../threads/threads.ts'
import { Waits } from '../waits.ts'
import { noQueue } from './errors.ts'
import { PartWorker } from './part.ts'
import type { QueueConnection } from './queue.ts'
import { Shift, type TaskEvent } from './shift.ts'
import { shareOf, Slots } from './slots.ts'

export interface WorkOptions
  extends
    PaceOptions,
    Pick<
      RunDirectionOptions,
      'now' | 'maxTransactionMs' | 'maxPasses' | 'proof' | 'threads' | 'signal'
    > {
  /** Parts at the same time. One keeps a core busy; more are of use where the database is far. 1 to 64. Default: 1. */
  readonly concurrency?: number
  /**
   * End when there was nothing to do and no run whose parts are handed out for so long. Milliseconds, 1 to
   * 86,400,000. Default: never.
   */
  readonly exitWhenIdleMs?: number
  /** Called while it works. Must not throw. */
  readonly onEvent?: (event: WorkEvent) => void
}

export type WorkEvent =
  /** It begins to take parts. */
  | { readonly type: 'begin'; readonly queue: string }
  | ThrottleEvent
  | TaskEvent
  /** The queue is out of reach, or (null) there again. */
  | { readonly type: 'queue'; readonly problem: 'out of reach' | null }

/** What a worker did. */
export interface WorkReport extends PassCounts {
  /** `done`: nothing was left to do. `stopped`: told to by its signal. */
  readonly outcome: 'done' | 'stopped'
  /** How often it had a part. */
  readonly parts: number
  readonly seconds: number
}

/**
 * Take parts of runs from the queue and work on them, until told to stop. Each is given back as far as it came.
 *
 * @throws {MigrationError} `ERR_CONFIG_INVALID` without a queue, `ERR_QUEUE_UNAVAILABLE`, `ERR_CHECKPOINT_PLAN` for a
 *   run that was begun under another plan, `ERR_CHECKPOINT_NEWER`, and as a run.
 * @throws {KeyError} if the key store or the root key cannot be used.
 * @throws {TypeError} for an option out of bounds.
 */
export async function work(config: MigratorConfig, options: WorkOptions = {}): Promise<WorkReport> {
  const checked = checkRunOptions(options)
  const concurrency = integer('concurrency', options.concurrency ?? 1, 64)
  integer('exitWhenIdleMs', options.exitWhenIdleMs ?? 1, 86_400_000)
  if (config.queue === undefined) throw noQueue()
  const threads = new CipherThreads(checked.threads)
  const context = { ...(await openContext(config)), threads }
  const queue = await config.queue.connect()
  const goOn = 'start the worker again: it goes on where others are'
  const fail = (error: unknown): Error =>
    asMigrationError(error, context.plan.provider === 'sqlite', goOn)
  try {
    const store = await noteFields(context)
    const end = new AbortController()
    const signals = options.signal === undefined ? [end.signal] : [end.signal, options.signal]
    const signal = AbortSignal.any(signals)
    const slots = await openSlots(context, options, concurrency)
    const { onEvent, ...quiet } = options
    const all = { context, store, slots, options: quiet, checked, signal, waits: new Waits(), fail }
    onEvent?.({ type: 'begin', queue: config.queue.label })
    const shift = new Shift(new PartWorker(all), store, signal, end, onEvent)
    return await workUntil(signal, shift, queue, { ...options, concurrency })
  } catch (error) {
    throw fail(error)
  } finally {
    await threads.close()
    await queue.close()
  }
}

async function openSlots(context: Context, options: WorkOptions, count: number): Promise<Slots> {
  const paces: Pace[] = []
  while (paces.length < count) paces.push(await openRunPace(context, shareOf(options, count)))
  return new Slots(paces)
}

async function workUntil(
  signal: AbortSignal,
  shift: Shift,
  queue: QueueConnection,
  options: WorkOptions & { readonly concurrency: number },
): Promise<WorkReport> {
  const { concurrency, exitWhenIdleMs, onEvent } = options
  const began = performance.now()
  const idle = exitWhenIdleMs === undefined ? null : shift.endWhenIdle(exitWhenIdleMs)
  let isAway = false
  const onProblem = (error: Error | null): void => {
    if (isAway === (error !== null)) return
    isAway = error !== null
    onEvent?.({ type: 'queue', problem: isAway ? 'out of reach' : null })
  }
  await queue.take({ concurrency, signal, onProblem }, shift.handle)
  await idle
  shift.assertNoError()
  const outcome = options.signal?.aborted === true ? 'stopped' : 'done'
  const seconds = Math.round(performance.now() - began) / 1000
  return { outcome, parts: shift.worked, ...shift.counts, seconds }
}
