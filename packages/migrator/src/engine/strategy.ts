import type {
  ColumnValue,
  PageRow,
  SealedColumn,
  SqlTransaction,
  StalenessLookup,
} from '@rowseal/prisma-extension/sql'
import type { TargetField } from '../targets.ts'

/** What a pass over a table does to the rows it is about. */
export interface Strategy<C extends Change = Change> {
  /** What it looks for, in a text that is another one whenever that is. A pass goes on only with its own. */
  readonly target: string
  /** What a page is read with, in the order of `PageRow.values`. */
  readonly columns: readonly SealedColumn[]
  /** A condition on `t`: the rows it is about. */
  readonly where: string
  /** How these are looked up where they are few; null or absent if they are not. */
  readonly lookups?: readonly StalenessLookup[] | null
  /** Work out what to write. Reads and writes nothing of the table. */
  prepare(rows: readonly PageRow[]): Promise<Batch<C>>
  /** Write some of the changes of a batch, by compare-and-swap. @returns the number of rows written. */
  write(tx: SqlTransaction, changes: readonly C[]): Promise<number>
  /** The sealed fields it is about, for what is counted and proved of each; absent if nothing is. */
  readonly fields?: readonly StrategyField<C>[]
  /** How a change of several fields is taken apart that the database refuses. Absent if each is of the first column. */
  readonly parts?: Parts<C>
  /** What a row is told whose change a unique blind index refuses; absent if none can. */
  readonly duplicates?: Duplicates<C>
}

export interface Parts<C extends Change> {
  /** One for each field that may change without the others; the change itself if it has one. */
  split(change: C): readonly C[]
  /** The sealed field, or the column of a blind index, that a change of one part writes. */
  fieldOf(change: C): string
}

/** A sealed field that a strategy is about. */
export interface StrategyField<C extends Change = Change> {
  readonly field: TargetField
  /** Places in `columns`: of the field's own one, then of the blind indexes that change with it. */
  readonly places: readonly number[]
  /** What a value becomes. */
  readonly becomes: 'sealed' | 'plaintext'
  /** What a change puts into these columns; null if it leaves the field alone. */
  next(change: C): readonly (ColumnValue | null)[] | null
  /** Gives what tells whether the index columns hold what belongs to a text. */
  indexProof?(): Promise<IndexProof>
}

export type IndexProof = (text: string, indexes: readonly (ColumnValue | null)[]) => boolean

export interface Duplicates<C extends Change> {
  /** Parts of a change, to be tried one by one; the change itself if it has none. */
  split(change: C): readonly C[]
  /** What is wrong with a row whose change has no parts and was refused; null if it writes no unique blind index. */
  refused(change: C): BadValue | null
  /** Keys of the rows because of which it was refused, in text form. */
  holders(tx: SqlTransaction, change: C): Promise<readonly (readonly string[])[]>
}

/** A page made ready for the database. */
export interface Batch<C extends Change> {
  /** In the order of the rows. */
  readonly changes: readonly C[]
  readonly bad: readonly BadValue[]
  /** Of a plan: calls of root keys that a run would make for it and that were not made. */
  readonly kmsCalls?: number
  /** What is counted besides, by name. */
  readonly tally?: Readonly<Record<string, number>>
}

/** A change of one row. */
export interface Change {
  /** Its place in the page. */
  readonly row: number
}

/** A value that something is wrong with. */
export interface BadValue {
  /** Place of the row in the page. */
  readonly row: number
  /** The sealed field, or the column of a blind index. */
  readonly field: string
  readonly code: string
}
