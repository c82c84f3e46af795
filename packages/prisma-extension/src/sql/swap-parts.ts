import { compare, oldParam, scalarParam, value } from './columns.ts'
import type { SealedColumn, Table } from './table.ts'
import type { ColumnValue } from './values.ts'

/** A record to rewrite. `old` and `next` have one entry per field of the statement. */
export interface SwapRow {
  /** Key values in text form (`keyText`), in the order of the table's key. */
  readonly key: readonly string[]
  /** What was read, and is compared with byte by byte; null leaves this field of this row alone. */
  readonly old: readonly (ColumnValue | null)[]
  readonly next: readonly (ColumnValue | null)[]
}

export type Columns = readonly SealedColumn[]

/** Names of what the rows of a batch bring along, `v`: key values, old values, new values. */
export function names(table: Table, columns: Columns): string[] {
  return [
    ...table.key.map((_, i) => `k${i}`),
    ...columns.map((_, i) => `o${i}`),
    ...columns.map((_, i) => `n${i}`),
  ]
}

/** A row in the order of `names`, in the form in which it travels. */
export function cells(table: Table, columns: Columns, row: SwapRow): unknown[] {
  const { provider } = table
  return [
    ...row.key,
    ...columns.map((column, i) => oldParam(provider, column, row.old[i] ?? null)),
    ...columns.map((column, i) => scalarParam(provider, column, row.next[i] ?? null)),
  ]
}

/** `(v.o0 IS NULL OR t.a = v.o0) AND …` */
export function matchOld(table: Table, columns: Columns): string {
  return columns
    .map((column, i) => `(v.o${i} IS NULL OR ${compare(table.provider, column, `v.o${i}`)})`)
    .join(' AND ')
}

/** @param target - what a column to set is called, `t.` or nothing. */
export function assignments(table: Table, columns: Columns, target = ''): string {
  const set = columns.map((column, i) => {
    const next = value(table.provider, column, `v.n${i}`)
    return `${target}${column.name} = CASE WHEN v.n${i} IS NULL THEN t.${column.name} ELSE ${next} END`
  })
  return [...set, ...table.moving.map((name) => `${target}${name} = t.${name}`)].join(', ')
}
