/**
 * A token bucket without a store of tokens: a batch is never held back for what it will cost, and all after
 * it wait until that is paid. So what is spent within any time is at most cap × time + one batch, however
 * long nothing was spent before.
 */
export class RateCap {
  #perSecond: number | null
  /** Spent and not yet paid. */
  #debt = 0
  #at = 0

  /** @param perSecond - null for no cap. */
  constructor(perSecond: number | null) {
    this.#perSecond = perSecond
  }

  get perSecond(): number | null {
    return this.#perSecond
  }

  /** @param now - milliseconds on a clock that never goes back. */
  spend(amount: number, now: number): void {
    this.#pay(now)
    this.#debt += amount
  }

  /** Milliseconds until everything is paid. */
  waitMs(now: number): number {
    this.#pay(now)
    return this.#perSecond === null ? 0 : Math.ceil((this.#debt / this.#perSecond) * 1000)
  }

  /** What was spent before is paid at the new rate from now on. */
  change(perSecond: number | null, now: number): void {
    this.#pay(now)
    this.#perSecond = perSecond
  }

  #pay(now: number): void {
    const paid = this.#perSecond === null ? Infinity : (this.#perSecond * (now - this.#at)) / 1000
    this.#debt = Math.max(0, this.#debt - paid)
    this.#at = now
  }
}
