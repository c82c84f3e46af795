import type { Run, RunStore } from './store.ts'

const INTERVAL_MS = 3_000

/** Keeps a run from counting as abandoned while it reads or waits for long. */
export class Heartbeat {
  readonly #timer: NodeJS.Timeout
  #seenAt = performance.now()
  #beating: Promise<void> | null = null
  #isLost = false

  constructor(store: RunStore, run: Run) {
    this.#timer = setInterval(() => {
      if (this.#beating !== null || performance.now() - this.#seenAt < INTERVAL_MS) return
      this.#beating = store
        .beat(run)
        .then((isOurs) => {
          this.#isLost = !isOurs
          this.touch()
        })
        // The database may be away for a moment. Whether the run is still ours is told by the next commit.
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
