import type { PartInfo, RunId } from '../runs/parts.ts'
import { isEnd } from '../runs/progress.ts'
import type { QueueConnection } from './queue.ts'
import { taskOf } from './task.ts'

/** What was offered and nobody took is offered again: the queue may have lost it. */
const REPEAT_AFTER_MS = 30_000

/**
 * Keeps every part of a run that nobody has in the queue. A part that was given back has another epoch, so it is
 * another task; whatever is in the queue twice is dropped by whoever takes it.
 */
export class Offers {
  readonly #queue: QueueConnection
  readonly #offered = new Map<number, { readonly epoch: number; readonly at: number }>()

  constructor(queue: QueueConnection) {
    this.#queue = queue
  }

  /** @throws {MigrationError} `ERR_QUEUE_UNAVAILABLE` */
  async offer(run: RunId, parts: readonly PartInfo[]): Promise<void> {
    const free = parts.filter(({ progress, isAlive }) => !isEnd(progress) && !isAlive)
    if (free.length === 0) return
    const isLost = (await this.#queue.count()) === 0
    const at = performance.now()
    const due = free.filter(({ part, epoch }) => {
      const before = this.#offered.get(part)
      return isLost || before?.epoch !== epoch || at - before.at > REPEAT_AFTER_MS
    })
    if (due.length === 0) return
    const { model, kind, run: number } = run
    await this.#queue.add(
      due.map(({ part, epoch }) => taskOf({ model, kind, run: number, part, epoch })),
    )
    for (const { part, epoch } of due) this.#offered.set(part, { epoch, at })
  }

  /** While a run is paused its tasks are dropped. */
  forget(): void {
    this.#offered.clear()
  }
}
