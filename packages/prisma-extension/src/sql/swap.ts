import { batchUpdate } from './batch-update.ts'
import type { BatchUpdate } from './batch.ts'
import type { Statement } from './client.ts'
import { compare, oldParam, replaced, scalarParam } from './columns.ts'
import type { Table } from './table.ts'
import type { ColumnValue } from './values.ts'

/** A record to rewrite. `old` and `next` have one entry per field of the statement. */
export interface SwapRow {
  /** Key values in text form (`keyText`), in the order of the table's key. */
  readonly key: readonly string[]
  /** What was read, and is compared with byte by byte; null leaves this field of this row alone. */
  readonly old: readonly (ColumnValue | null)[]
  readonly next: readonly (ColumnValue | null)[]
}

/**
 * Compare-and-swap a batch of records in one statement. It reports how many rows it rewrote; a row of
 * which any given field differs from `old` stays as it is. Sets no other column. On PostgreSQL it waits
 * for nobody: rows that others have locked are left out as well. `swapIn` and `swapAlone` run it so that
 * this holds elsewhere too.
 *
 * @param fields - sealed fields of the table.
 * @param rows - at least one, no key twice.
 */
export function swapStatement(
  table: Table,
  fields: readonly string[],
  rows: readonly SwapRow[],
): Statement {
  return batchUpdate(swapBatch(table, fields, rows))
}

/** What `swapStatement` compares and sets. `v` has old values and new values besides the key. */
export function swapBatch(
  table: Table,
  fields: readonly string[],
  rows: readonly SwapRow[],
): BatchUpdate {
  const { provider } = table
  const columns = fields.map((field) => {
    const column = table.sealed.find((candidate) => candidate.field === field)
    if (column === undefined) throw new TypeError(`${field} is no sealed field of ${table.name}.`)
    return column
  })
  if (columns.length === 0) throw new TypeError('There is nothing to swap.')
  return {
    table,
    columns,
    names: [...columns.map((_, i) => `o${i}`), ...columns.map((_, i) => `n${i}`)],
    rows: rows.map(({ key, old, next }) => ({
      key,
      cells: [
        ...columns.map((column, i) => oldParam(provider, column, old[i] ?? null)),
        ...columns.map((column, i) => scalarParam(provider, column, next[i] ?? null)),
      ],
    })),
    match: columns
      .map((column, i) => `(v.o${i} IS NULL OR ${compare(provider, column, `v.o${i}`)})`)
      .join(' AND '),
    set: (target) =>
      columns.map(
        (column, i) => `${target}${column.name} = ${replaced(provider, column, `v.n${i}`)}`,
      ),
  }
}
