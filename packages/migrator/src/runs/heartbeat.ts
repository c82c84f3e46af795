import type { Part, Parts } from './parts.ts'

const INTERVAL_MS = 3_000

/** Keeps a part from counting as abandoned while its worker reads or waits for long. */
export class Heartbeat {
  readonly #timer: NodeJS.Timeout
  #seenAt = performance.now()
  #beating: Promise<void> | null = null
  #isLost = false

  constructor(parts: Parts, part: Part) {
    this.#timer = setInterval(() => {
      if (this.#beating !== null || performance.now() - this.#seenAt < INTERVAL_MS) return
      this.#beating = parts
        .beat(part)
        .then((isOurs) => {
          this.#isLost = !isOurs
          this.touch()
        })
        // The database may be away for a moment. Whether the part is still ours is told by the next commit.
        .catch(() => undefined)
        .finally(() => (this.#beating = null))
    }, INTERVAL_MS / 2)
    this.#timer.unref()
  }

  /** Has somebody else taken over? */
  get isLost(): boolean {
    return this.#isLost
  }

  /** A commit has just said it already. */
  touch(): void {
    this.#seenAt = performance.now()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#beating
  }
}
