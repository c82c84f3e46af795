/**
 * The commits of a pass, one after the other, while the pages after them are read and prepared:
 *
 *   read     n ── n+1 ───────── n+2 ──────
 *   prepare     n ───── n+1 ─────── n+2 ──
 *   commit   n-1 ──     n ───       n+1 ──
 *
 * A client of SQLite does one thing at a time: there page n is committed after page n+1 was read.
 */
export class Commits {
  readonly #isAlone: boolean
  #running: Promise<void> = Promise.resolve()
  #held: (() => Promise<void>) | null = null

  /** @param isAlone - nothing is read while something is committed. */
  constructor(isAlone: boolean) {
    this.#isAlone = isAlone
  }

  /** Waits for the commit before this one, so no more than two pages are under way. */
  async add(commit: () => Promise<void>): Promise<void> {
    if (this.#isAlone) {
      const held = this.#held
      this.#held = commit
      return held?.()
    }
    const before = this.#running
    this.#running = before.then(commit)
    // It is awaited later; until then it is nobody's unhandled rejection.
    this.#running.catch(() => undefined)
    await before
  }

  /** Waits for all of them. */
  async finish(): Promise<void> {
    await this.#running
    const held = this.#held
    this.#held = null
    await held?.()
  }

  /** Begins no other; waits for the one that is under way, however it ends. */
  async abandon(): Promise<void> {
    this.#held = null
    await this.#running.catch(() => undefined)
  }
}
