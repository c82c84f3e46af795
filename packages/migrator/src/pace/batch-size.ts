/** What the size of batches goes by. */
export interface SizeLimits {
  readonly targetBatchMs: number
  readonly batchRows: number
  readonly minBatchRows: number
}

/** Of a table that nothing is known of yet. */
export const FIRST_ROWS = 100
/** At once by no more than this, up or down: one slow commit says little. */
const STEP = 2
/** After a conflict, for so many batches. */
const CAREFUL_STEP = 1.1
const CAREFUL_BATCHES = 20
/** Times this near to the target are as good as on it. */
const NEAR = 1.15

/**
 * How many rows a batch takes, so that it takes the target time.
 *
 *   quicker   rows × √(target / time)    half of the way, so that it does not overshoot where time grows
 *                                        faster than rows do
 *   slower    rows × target / time       all of the way: writers are waiting
 *   conflict  half, and growing slowly for a while
 *
 * By the rows that a batch had, not by the size that holds now: the next batch is read while the last one
 * commits. A batch much smaller than it might have been (the end of a table, few stale rows) that was quick
 * says nothing.
 */
export class BatchSize {
  #limits: SizeLimits
  #size: number
  #careful = 0

  constructor(limits: SizeLimits) {
    this.#limits = limits
    this.#size = FIRST_ROWS
  }

  get rows(): number {
    const { batchRows, minBatchRows } = this.#limits
    return Math.min(batchRows, Math.max(minBatchRows, Math.round(this.#size)))
  }

  committed(rows: number, ms: number): void {
    if (this.#careful > 0) this.#careful--
    const size = this.rows
    const speed = this.#limits.targetBatchMs / Math.max(ms, 0.1)
    if (speed < 1 / NEAR) {
      this.#size = Math.min(size, Math.max(rows * speed, size / STEP))
    } else if (speed > NEAR && rows >= size / 2) {
      const step = this.#careful > 0 ? CAREFUL_STEP : STEP
      this.#size = Math.max(size, Math.min(rows * Math.sqrt(speed), size * step))
    }
  }

  conflicted(): void {
    this.#size = this.rows / STEP
    this.#careful = CAREFUL_BATCHES
  }

  /** Another table begins. */
  restart(): void {
    this.#size = Math.min(this.#size, FIRST_ROWS)
    this.#careful = 0
  }

  change(limits: SizeLimits): void {
    // From where it stands, not from where former bounds held it back.
    this.#size = this.rows
    this.#limits = limits
  }
}
