import type { SealedColumn, Table } from './table.ts'

/** A statement that compares and sets many rows of a table, `t`, by what they bring along, `v`. */
export interface BatchUpdate {
  readonly table: Table
  /** Names of what the rows bring along in `v`, besides their keys. */
  readonly names: readonly string[]
  /** At least one, no key twice. */
  readonly rows: readonly BatchRow[]
  /** Condition on `t` and `v`: the row is still what it was. */
  readonly match: string
  /** What is set. */
  readonly columns: readonly SealedColumn[]
  /** How; the column's name is preceded by this. */
  readonly set: (target: string) => readonly string[]
}

export interface BatchRow {
  /** Key values in text form (`keyText`), in the order of the table's key. */
  readonly key: readonly string[]
  /** In the order of `names`, in the form in which they travel. */
  readonly cells: readonly unknown[]
}

/** Columns the database itself moves with every update are set to themselves. */
export function assignments({ table, set }: BatchUpdate, target: string): string {
  return [...set(target), ...table.moving.map((name) => `${target}${name} = t.${name}`)].join(', ')
}
