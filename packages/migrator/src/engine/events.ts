import type { ThrottleEvent } from '../pace/open.ts'
import type { After } from '../proof/after.ts'
import type { FieldReport } from '../proof/reconcile.ts'
import type { QueueEvent } from '../queue/coordinate.ts'
import type { UnreadableValues } from '../drain/destroyed.ts'
import type { UnknownValues } from '../drain/unknown.ts'
import type { PauseEvent } from './control.ts'
import type { PassCounts } from './counts.ts'
import type { RunOptions } from './options.ts'

export interface RunDirectionOptions extends RunOptions {
  /**
   * Open every value again, from the very bytes that are to be written and with its DEK unwrapped anew, compare
   * it with what was read, and read it back from the database before the write is committed. Takes about twice
   * the cryptography, and one more read for each batch; with `wrapping: 'kms'` up to two more KMS calls for each
   * record. Default: false.
   */
  readonly proof?: boolean
  /** Called while it runs. Must not throw. */
  readonly onEvent?: (event: RunEvent) => void
}

export type RunEvent =
  /** A model begins. `rows` that something is to be done to are counted before. */
  | ModelEvent
  /** A batch was committed. */
  | ({ readonly type: 'batch'; readonly model: string; readonly pass: number } & PassCounts)
  | PassEvent
  | WaitEvent
  | PauseEvent
  | ThrottleEvent
  | QueueEvent

export interface ModelEvent {
  readonly type: 'model'
  readonly model: string
  readonly fields: readonly string[]
  readonly rows: number
  /** True if it goes on where an earlier run ended. */
  readonly isResumed: boolean
}

/** A pass has come to the end of the table. */
export interface PassEvent extends PassCounts {
  readonly type: 'pass'
  readonly model: string
  readonly pass: number
}

/** The run waits until every instance follows. */
export interface WaitEvent {
  readonly type: 'wait'
  readonly ms: number
  readonly reason: string
}

export interface ModelReport extends PassCounts {
  readonly model: string
  readonly fields: readonly string[]
  /**
   * `done`: a whole pass, begun after the fence, met nothing to do. `incomplete`: something is quarantined or
   * still to be done. `stopped`: told to by its signal. `cancelled`: by an operator.
   */
  readonly outcome: 'done' | 'incomplete' | 'stopped' | 'cancelled'
  readonly passes: number
  /**
   * What became of each field, since the run began: by whichever worker, on whichever machine, however often
   * it was killed.
   */
  readonly reconciliation: readonly FieldReport[]
  /** What the table holds after the run; null if it is not over: stopped, or other shards go on. */
  readonly after: After | null
}

export interface RunReport extends PassCounts {
  readonly direction: string
  readonly outcome: ModelReport['outcome']
  readonly models: readonly ModelReport[]
  readonly seconds: number
  /** Values under keys that were destroyed: they open no more, so they are in quarantine. */
  readonly unreadable: readonly UnreadableValues[]
  /** Values under keys that the keyring of their field does not have, as after a key store was put back. */
  readonly unknown: readonly UnknownValues[]
  /** Did workers do it, through a queue? What was done is then that of the whole run, since it began. */
  readonly isHandedOut?: true
}

/** @param isStopped - before all models were gone over. */
export function worstOf(
  models: readonly Pick<ModelReport, 'outcome'>[],
  isStopped: boolean,
): ModelReport['outcome'] {
  const has = (outcome: ModelReport['outcome']): boolean =>
    models.some((model) => model.outcome === outcome)
  if (has('cancelled')) return 'cancelled'
  if (isStopped || has('stopped')) return 'stopped'
  return has('incomplete') ? 'incomplete' : 'done'
}
