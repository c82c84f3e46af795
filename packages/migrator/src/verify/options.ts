import type { UnreadableValues } from '../drain/destroyed.ts'
import type { UnplannedField } from '../keys/unplanned.ts'
import type { PauseEvent } from '../engine/control.ts'
import type { ModelEvent } from '../engine/events.ts'
import type { RunOptions } from '../engine/options.ts'
import type { ThrottleEvent } from '../pace/open.ts'
import type { PaceOptions } from '../pace/options.ts'
import type { Quarantined } from '../runs/quarantine.ts'

export interface VerifyOptions
  extends PaceOptions, Pick<RunOptions, 'models' | 'restart' | 'shard' | 'signal'> {
  /** Called while it runs. Must not throw. */
  readonly onEvent?: (event: VerifyEvent) => void
}

export type VerifyEvent =
  /** A model begins. `rows` with sealed fields that are not all NULL are counted before. */
  | ModelEvent
  /** Rows were read; `bad` of their fields do not open, or are wrong values of an index. */
  | {
      readonly type: 'batch'
      readonly model: string
      readonly rows: number
      readonly bad: number
    }
  | PauseEvent
  | ThrottleEvent

export interface FieldVerification {
  readonly model: string
  readonly field: string
  /** Values opened, by key version; elements for lists. */
  readonly opened: readonly {
    readonly keyId: number
    readonly version: number | null
    readonly count: number
  }[]
  /** Values that do not open, by the error's code. */
  readonly bad: readonly { readonly code: string; readonly count: number }[]
  /** Values that are no envelopes, where the field allows it. */
  readonly plaintext: number
}

export interface IndexVerification {
  readonly model: string
  /** `Model.column` of its first column. */
  readonly index: string
  /** Values that are what the field's value says. */
  readonly right: number
  /** Rows with a wrong value, none or one left over, by the code. */
  readonly bad: readonly { readonly code: string; readonly count: number }[]
}

/** What was found, an earlier worker's part of the same run included. */
export interface VerifyReport {
  /** `incomplete`: some value does not open, or some index is not what it should be. */
  readonly outcome: 'done' | 'incomplete' | 'stopped' | 'cancelled'
  readonly fields: readonly FieldVerification[]
  readonly indexes: readonly IndexVerification[]
  readonly rows: number
  readonly opened: number
  /** Values that do not open. */
  readonly bad: number
  /** Those of them that are under keys which were destroyed. */
  readonly unreadable: readonly UnreadableValues[]
  /** Sealed values of fields that left the plan, which nothing opens. Counted after a whole run over all models. */
  readonly unplanned: readonly UnplannedField[]
  /** Values of blind indexes that are wrong, missing or left over. */
  readonly badIndexes: number
  /** The first bad values that were met now, for a person to look at: where, never what. All are in rowseal_quarantine. */
  readonly samples: readonly Quarantined[]
  /** Since when what is counted here was looked at. ISO 8601. */
  readonly since: string
  /** Does it count what an earlier command has looked at, with which this one went on? */
  readonly isResumed: boolean
  readonly seconds: number
}
