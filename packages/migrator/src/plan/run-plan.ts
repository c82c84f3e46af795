import type { StalenessState } from '@rowseal/prisma-extension/sql'
import type { UnreadableValues } from '../drain/destroyed.ts'
import type { UnknownValues } from '../drain/unknown.ts'
import type { FieldAfter } from '../proof/after.ts'

/** What a run would do. */
export interface RunPlan {
  readonly direction: string
  readonly models: readonly ModelPlan[]
  /** Rows that would be rewritten. */
  readonly rows: number
  /** Values under keys that were destroyed: they open no more, so they would be put into quarantine. */
  readonly unreadable: readonly UnreadableValues[]
  /** Values under keys that the keyring of their field does not have. */
  readonly unknown: readonly UnknownValues[]
}

/** What a run would do to one model. */
export interface ModelPlan {
  readonly model: string
  readonly fields: readonly string[]
  readonly rows: number
  /** Of `batchRows`: the least there would be. */
  readonly batches: number
  /** What the table holds, and what would become of it. In the order of `fields`. */
  readonly byField: readonly FieldPlan[]
  /** Triggers that will fire for each row rewritten. */
  readonly triggers: readonly string[]
  /** Staleness indexes, in the order of `fields`. */
  readonly stalenessIndexes: readonly StalenessState[]
  /** Null if no row would be rewritten. */
  readonly estimate: Estimate | null
}

export interface FieldPlan extends Omit<FieldAfter, 'left'> {
  /** Values that would change; elements for lists. */
  readonly changing: number
  /** Stored size of those now and then, with their blind indexes; by the sample. Null if it met none. */
  readonly bytes: { readonly before: number; readonly after: number } | null
  /** Null if the column has no bound, or values do not become longer. */
  readonly room: Room | null
}

/** Do the values fit into their column? Those that do not are put into quarantine. */
export interface Room {
  /** As the column is declared: characters of text, or bytes. */
  readonly maxLength: number
  /** The longest value that fits once it is sealed, in bytes (of UTF-8). Null if a KMS wraps the DEKs, which have no fixed size. */
  readonly fitsBytes: number | null
  readonly tooLong: number
  /** `table`: the database has looked at every value. `sample`: as many of all as of those of the sample. */
  readonly by: 'table' | 'sample'
}

/** By the first rows there are, which were read, opened and sealed; what came of that was thrown away. */
export interface Estimate {
  readonly sampledRows: number
  /**
   * For reading and cryptography, or what a rate cap makes of it: the least that a run takes. It writes at the
   * same time, which mostly takes longer.
   */
  readonly seconds: number
  /** Of root keys. With `proof`, up to two more for each record under `wrapping: 'kms'`. */
  readonly kmsCalls: number
}
