import type { Context } from '../config.ts'
import type { Leaves } from '../proof/after.ts'
import type { Target } from '../targets.ts'
import type { Waits } from '../waits.ts'
import type { Strategy } from './strategy.ts'

/** What a run does, whatever the model. */
export interface Direction {
  /** As `rowseal_runs` has it; `commandOf` gives the words of the command line. */
  readonly name: string
  /**
   * The models it is about, each with the fields and columns that it reads and writes.
   *
   * @throws what makes it impossible, before anything is changed.
   */
  readonly targets: (
    context: Context,
    models: readonly string[] | undefined,
  ) => Promise<readonly Target[]>
  /** What to look for in the pass that comes, as the key store says now. */
  readonly next: (context: Context, target: Target) => Promise<Strategy>
  /** The same two, where a plan looks for less, or they would note something that it leaves alone. */
  readonly dry?: Pick<Direction, 'targets' | 'next'>
  /** What no value is to be in the end, for the count after the run. Absent where nothing is counted. */
  readonly leaves?: Leaves
  /** Milliseconds until nobody writes any more what is to be met. Absent if nobody knows. */
  fence?(target: Target, waits: Waits, maxTransactionMs: number): number
}
