import type { KeyState } from '@rowseal/prisma-extension/keys'
import type { PassCounts } from '../engine/counts.ts'
import type { RunOptions } from '../engine/options.ts'
import type { Outcome } from '../runs/store.ts'

export interface DrainOptions extends RunOptions {
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
  /** Former key versions that no value of any model is under any more: they may be retired, or destroyed if they leaked. */
  readonly drained: readonly {
    readonly keyring: string
    readonly keyId: number
    readonly state: KeyState
  }[]
  readonly seconds: number
}
