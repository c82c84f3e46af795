import type { Outcome } from '../runs/store.ts'
import type { PassCounts } from './counts.ts'

export interface DrainOptions {
  /** Models to drain. Default: all with sealed fields. */
  readonly models?: readonly string[]
  /** Rows per statement and transaction. More are faster and hold their locks longer. 1 to 5,000. Default: 500. */
  readonly batchRows?: number
  /** Bound on the stored values of a batch together. Bytes, 1 to 268,435,456. Default: 4 MiB. */
  readonly batchBytes?: number
  /** How often a table is gone over at most until nothing stale is left. 1 to 1,000. Default: 10. */
  readonly maxPasses?: number
  /** Ends the run after the batch in hand. */
  readonly signal?: AbortSignal
  /** Called while it runs. Must not throw. */
  readonly onEvent?: (event: DrainEvent) => void
}

export type DrainEvent =
  /** A model begins. `staleRows` is counted before. */
  | {
      readonly type: 'model'
      readonly model: string
      readonly fields: readonly string[]
      readonly staleRows: number
      /** True if it goes on where an earlier run ended. */
      readonly isResumed: boolean
    }
  /** A batch was committed. */
  | ({ readonly type: 'batch'; readonly model: string; readonly pass: number } & PassCounts)
  /** A pass has come to the end of the table. */
  | ({ readonly type: 'pass'; readonly model: string; readonly pass: number } & PassCounts)

export interface ModelReport extends PassCounts {
  readonly model: string
  readonly fields: readonly string[]
  /** `done`: a whole pass met nothing stale. `incomplete`: something is quarantined or still stale. */
  readonly outcome: Exclude<Outcome, 'running' | 'failed'>
  readonly passes: number
}

export interface DrainReport extends PassCounts {
  readonly outcome: ModelReport['outcome']
  readonly models: readonly ModelReport[]
  readonly seconds: number
}

export interface CheckedDrainOptions {
  readonly batchRows: number
  readonly batchBytes: number
  readonly maxPasses: number
}

/** @throws {TypeError} naming the option. */
export function checkDrainOptions(options: DrainOptions): CheckedDrainOptions {
  return {
    batchRows: integer('batchRows', options.batchRows ?? 500, 5_000),
    batchBytes: integer('batchBytes', options.batchBytes ?? 4 * 1024 * 1024, 268_435_456),
    maxPasses: integer('maxPasses', options.maxPasses ?? 10, 1_000),
  }
}

export function integer(name: string, value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value
  throw new TypeError(`${name} must be a whole number from 1 to ${max}.`)
}
