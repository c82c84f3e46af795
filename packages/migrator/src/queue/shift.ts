import { add, NOTHING, type PassCounts } from '../engine/counts.ts'
import type { ModelReport } from '../engine/events.ts'
import { isEnd } from '../runs/progress.ts'
import { isActive } from '../runs/states.ts'
import { QUEUE_LAYOUT } from '../runs/run-row.ts'
import type { RunStore } from '../runs/store.ts'
import { pause } from '../waits.ts'
import type { PartWorker } from './part.ts'
import type { Again, QueueTask } from './queue.ts'
import { parseTask, taskOf, type PartTask } from './task.ts'

export type TaskEvent =
  /** A part was worked on, to its end or as far as it could be. */
  | ({
      readonly type: 'part'
      readonly model: string
      readonly part: number
      readonly outcome: ModelReport['outcome'] | 'waits'
    } & PassCounts)
  /** Something failed that may pass: the part is tried again. */
  | { readonly type: 'retry'; readonly model: string; readonly part: number; readonly code: string }

/** So many failures one after the other that may each pass, and the worker ends. */
const MAX_FAILURES = 5
const FIRST_DELAY_MS = 1_000
const LOOK_EVERY_MS = 1_000

/**
 * What a worker does from its start to its end:
 *
 *   a task is of no use          dropped
 *   its part is done             done with
 *   it waits for the fence       comes again after it
 *   the worker is told to stop   comes again at once, for somebody else
 *   it fails, and that may pass  comes again later
 *   it fails otherwise           comes again, and the worker ends with the error
 */
export class Shift {
  readonly #parts: PartWorker
  readonly #store: RunStore
  readonly #signal: AbortSignal
  readonly #end: AbortController
  readonly #onEvent: ((event: TaskEvent) => void) | undefined
  counts = NOTHING
  worked = 0
  #error: unknown = null
  #failures = 0
  #inHand = 0
  #busyAt = performance.now()

  /**
   * @param signal - ends it; `end` does too.
   * @param end - what it ends itself with.
   */
  constructor(
    parts: PartWorker,
    store: RunStore,
    signal: AbortSignal,
    end: AbortController,
    onEvent?: (event: TaskEvent) => void,
  ) {
    this.#parts = parts
    this.#store = store
    this.#signal = signal
    this.#end = end
    this.#onEvent = onEvent
  }

  /** @throws what the worker has ended with. */
  assertNoError(): void {
    if (this.#error !== null) throw this.#error as Error
  }

  /** As `QueueConnection.take` wants it. */
  readonly handle = async (task: QueueTask): Promise<Again | null> => {
    if (this.#signal.aborted) return { task, delayMs: 0 }
    this.#inHand++
    let part: PartTask | null = null
    try {
      part = parseTask(task.payload)
      return part === null ? null : await this.#work(part)
    } catch (error) {
      return await this.#failed(error, task, part)
    } finally {
      this.#inHand--
      this.#busyAt = performance.now()
    }
  }

  /** End when for so long nothing was in hand, and no run goes on whose parts are handed out. */
  async endWhenIdle(ms: number): Promise<void> {
    while (await pause(Math.min(ms, LOOK_EVERY_MS), this.#signal)) {
      const runs = await this.#store.list().catch(() => null)
      const isNeeded =
        runs?.some(({ layout, state }) => layout === QUEUE_LAYOUT && isActive(state)) ?? true
      if (isNeeded || this.#inHand > 0) this.#busyAt = performance.now()
      else if (performance.now() - this.#busyAt >= ms) this.#end.abort()
    }
  }

  async #work(task: PartTask): Promise<Again | null> {
    const handled = await this.#parts.handle(task)
    if (handled.is === 'dropped') return null
    const { report, waitMs } = handled
    const { rows, superseded, quarantined, model } = report
    this.#failures = 0
    this.worked++
    this.counts = add(this.counts, { rows, superseded, quarantined })
    const outcome = waitMs === null ? report.outcome : 'waits'
    const counts = { rows, superseded, quarantined }
    this.#onEvent?.({ type: 'part', model, part: task.part, outcome, ...counts })
    return report.outcome === 'stopped' ? this.#again(task, waitMs ?? 0) : null
  }

  /** With the epoch that the part has now. */
  async #again(task: PartTask, delayMs: number): Promise<Again | null> {
    const part = await this.#store.parts.find(task, task.part)
    if (part === null || isEnd(part.progress)) return null
    return { task: taskOf({ ...task, epoch: part.epoch }), delayMs }
  }

  async #failed(error: unknown, task: QueueTask, part: PartTask | null): Promise<Again | null> {
    const { code, retryable } = Object(error) as { code?: unknown; retryable?: unknown }
    // Somebody else has the part.
    if (code === 'ERR_RUN_STATE') return null
    let delayMs = FIRST_DELAY_MS
    if (retryable === true && part !== null && ++this.#failures <= MAX_FAILURES) {
      delayMs *= 2 ** (this.#failures - 1)
      this.#onEvent?.({ type: 'retry', model: part.model, part: part.part, code: String(code) })
    } else {
      this.#error ??= error
      this.#end.abort()
    }
    const same = { task, delayMs }
    return part === null ? same : this.#again(part, delayMs).catch(() => same)
  }
}
