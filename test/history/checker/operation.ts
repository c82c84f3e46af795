/** What became of an operation. `indeterminate`: nobody was told, so it may have been done or not. */
export type Outcome = 'ok' | 'failed' | 'indeterminate'

/** A read or a write of one record. */
export interface Operation {
  readonly process: string
  readonly kind: 'read' | 'write'
  readonly record: string
  /** What was written, different for each write to a record; or what was read. */
  readonly value: string
  /** When it was sent. Microseconds on a clock that all processes share. */
  readonly start: number
  /** When the answer was there; Infinity if none came. */
  readonly end: number
  readonly outcome: Outcome
}

/** Something that must not be. */
export interface Violation {
  readonly check: string
  readonly what: string
  /** The operations or observations that show it. */
  readonly shown: readonly unknown[]
}
