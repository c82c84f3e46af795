import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Every instance follows a change of the key store within `maxAgeMs`. When a change was made is known for
 * keys, by the clock of another host perhaps; for all else only if this process made it. What is not known
 * counts from now.
 */

/** How far the clocks of two hosts may be apart. */
const MAX_SKEW_MS = 60_000

/** Changes that instances may not follow yet. */
export class Waits {
  /** When each has been followed, on the monotonic clock. */
  readonly #over = new Map<string, number>()

  /**
   * Milliseconds until a change is followed.
   *
   * @param change - its name, always the same for one change.
   * @param waitMs - how long instances may take.
   * @param at - when it was made; null if that is not known, then the first call counts.
   */
  left(change: string, waitMs: number, at: Date | null = null): number {
    const now = performance.now()
    let over = this.#over.get(change)
    if (over === undefined) {
      const past = at === null ? 0 : Date.now() - at.getTime() - MAX_SKEW_MS
      over = now + waitMs - Math.max(0, past)
      this.#over.set(change, over)
    }
    // To the microsecond first: a sum of fractions may be a little above the whole number it stands for.
    return Math.max(0, Math.ceil(Math.round((over - now) * 1000) / 1000))
  }

  knows(change: string): boolean {
    return this.#over.has(change)
  }

  /** This process has just made a change. */
  began(change: string, waitMs: number): void {
    this.#over.set(change, performance.now() + waitMs)
  }
}

/** Wait, unless told to stop. @returns false if so. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  const over = performance.now() + ms
  try {
    // A timer may fire a little early.
    for (let left = ms; left > 0; left = over - performance.now())
      await sleep(Math.ceil(left), undefined, signal === undefined ? {} : { signal })
    return true
  } catch (error) {
    if ((Object(error) as { name?: unknown }).name === 'AbortError') return false
    throw error
  }
}
