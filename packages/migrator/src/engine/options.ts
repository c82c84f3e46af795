/** What every run over tables takes. */
export interface RunOptions {
  /** Names of models. Default: all that the run can be about. */
  readonly models?: readonly string[]
  /** Rows per statement and transaction. More are faster and hold their locks longer. 1 to 5,000. Default: 500. */
  readonly batchRows?: number
  /** Bound on the stored values of a batch together. Bytes, 1 to 268,435,456. Default: 4 MiB. */
  readonly batchBytes?: number
  /** How often a table is gone over at most until nothing is left to do. 1 to 1,000. Default: 10. */
  readonly maxPasses?: number
  /** Ends the run after the batch in hand. */
  readonly signal?: AbortSignal
}

export interface CheckedOptions {
  readonly batchRows: number
  readonly batchBytes: number
  readonly maxPasses: number
}

/** @throws {TypeError} naming the option. */
export function checkRunOptions(options: RunOptions): CheckedOptions {
  return {
    batchRows: integer('batchRows', options.batchRows ?? 500, 5_000),
    batchBytes: integer('batchBytes', options.batchBytes ?? 4 * 1024 * 1024, 268_435_456),
    maxPasses: integer('maxPasses', options.maxPasses ?? 10, 1_000),
  }
}

export function integer(name: string, value: number, max: number, min = 1): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new TypeError(`${name} must be a whole number from ${min} to ${max}.`)
}
