import type { IndexPhase } from '@rowseal/prisma-extension/keys'
import type { PassCounts } from '../engine/counts.ts'
import type { RunOptions } from '../engine/options.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import type { ThrottleEvent } from '../pace/open.ts'
import type { PauseEvent } from '../engine/control.ts'
import type { ModelReport, PassEvent, WaitEvent } from '../engine/events.ts'

export interface ReindexOptions extends RunOptions {
  /**
   * Rotate unique indexes that have no second column too. Writes to their fields, and look-ups that take
   * one value, are refused meanwhile. Default: false.
   */
  readonly offline?: boolean
  /**
   * Compute every value anew and compare, instead of looking at its key id only. It opens every value.
   * Always done for an index that was never complete. Default: false.
   */
  readonly checkValues?: boolean
  /** Called while it runs. Must not throw. */
  readonly onEvent?: (event: ReindexEvent) => void
}

export type ReindexEvent =
  /** Rows of a model are gone over. `rows` is counted before. */
  | {
      readonly type: 'model'
      readonly model: string
      readonly indexes: readonly string[]
      readonly rows: number
      /** True if it goes on where an earlier run ended. */
      readonly isResumed: boolean
    }
  /** A batch was committed, of so many rows looked at. */
  | ({
      readonly type: 'batch'
      readonly model: string
      readonly pass: number
      readonly seen: number
    } & PassCounts)
  | PassEvent
  | WaitEvent
  | PauseEvent
  | ThrottleEvent
  /** A unique index has moved on. */
  | { readonly type: 'phase'; readonly index: string; readonly phase: IndexPhase }
  /** Every row has its value: look-ups are allowed. */
  | { readonly type: 'complete'; readonly index: string }

export interface IndexReport {
  /** `Model.column` of its first column. */
  readonly index: string
  readonly isUnique: boolean
  readonly isComplete: boolean
  /** Of a unique index. */
  readonly phase: IndexPhase | null
  /** Is all of it under the active index key, and nothing left to do? */
  readonly isDone: boolean
}

export interface IndexModelReport extends PassCounts {
  readonly model: string
  /** `incomplete`: a value is in quarantine, or rows were written by others each time. */
  readonly outcome: ModelReport['outcome']
  readonly passes: number
  readonly indexes: readonly IndexReport[]
  /** The first bad values, for a person to look at: where, never what. All are in rowseal_quarantine. */
  readonly samples: readonly Quarantined[]
}

export interface ReindexReport extends PassCounts {
  readonly outcome: IndexModelReport['outcome']
  readonly models: readonly IndexModelReport[]
  /** Index keys that no value names any more, and that look-ups match no more. */
  readonly retired: readonly { readonly keyring: string; readonly keyId: number }[]
  readonly seconds: number
}

/**
 * Whoever works on a part would have to wait, at each phase, until all other parts were clean.
 *
 * @throws {TypeError} for a shard or a queue.
 */
export function assertWhole({ shard, queue }: Pick<RunOptions, 'shard' | 'queue'>): void {
  const why = 'an index moves on when one pass over the whole table was clean, so reindex takes no'
  if (shard !== undefined) throw new TypeError(`shard: ${why} shards.`)
  if (queue !== undefined) throw new TypeError(`queue: ${why} queue.`)
}
