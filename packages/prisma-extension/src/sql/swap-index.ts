import type { BatchUpdate } from './batch.ts'
import type { SqlTransaction } from './client.ts'
import { compare, oldParam, value } from './columns.ts'
import { updateIn } from './run-swap.ts'
import type { SealedColumn, Table } from './table.ts'

/** A sealed column and the columns of its blind indexes, whatever their slots. */
export interface IndexedColumn {
  readonly sealed: SealedColumn
  readonly indexes: readonly SealedColumn[]
}

/** What was read of an indexed column, and what its indexes become. `old` and `next` have one entry per index. */
export interface IndexSwap {
  readonly sealed: string | null
  readonly old: readonly (string | null)[]
  readonly next: readonly (string | null)[]
}

/** A record to rewrite. */
export interface IndexSwapRow {
  /** Key values in text form (`keyText`), in the order of the table's key. */
  readonly key: readonly string[]
  /** One entry per indexed column of the statement; null leaves it, and is not compared. */
  readonly swaps: readonly (IndexSwap | null)[]
}

/**
 * Compare-and-swap the index columns of a batch of records, in a transaction of the caller's, READ
 * COMMITTED where the database has it. A row of which the sealed value or an index is not what was read
 * stays as it is, whatever became of it: NULL is compared too. Rows that others have locked are left as
 * they are; only a unique index makes it wait for somebody who is about to take the same value. Sets
 * nothing but index columns.
 *
 * @param rows - at least one, no key twice.
 * @returns the number of rows rewritten.
 */
export function indexSwapIn(
  tx: SqlTransaction,
  table: Table,
  columns: readonly IndexedColumn[],
  rows: readonly IndexSwapRow[],
): Promise<number> {
  return updateIn(tx, indexBatch(table, columns, rows))
}

function indexBatch(
  table: Table,
  columns: readonly IndexedColumn[],
  rows: readonly IndexSwapRow[],
): BatchUpdate {
  const { provider } = table
  const match = columns.map(({ sealed, indexes }, c) => {
    const same = [
      isSame(table, sealed, `v.s${c}`),
      ...indexes.map((index, i) => isSame(table, index, `v.o${c}_${i}`)),
    ]
    return `(v.w${c} IS NULL OR ${same.join(' AND ')})`
  })
  const set = (target: string): string[] =>
    columns.flatMap(({ indexes }, c) =>
      indexes.map((index, i) => {
        const next = value(provider, index, `v.n${c}_${i}`)
        return `${target}${index.name} = CASE WHEN v.w${c} IS NULL THEN t.${index.name} ELSE ${next} END`
      }),
    )
  return {
    table,
    names: columns.flatMap(({ indexes }, c) => [
      `w${c}`,
      `s${c}`,
      ...indexes.map((_, i) => `o${c}_${i}`),
      ...indexes.map((_, i) => `n${c}_${i}`),
    ]),
    rows: rows.map(({ key, swaps }) => ({
      key,
      cells: columns.flatMap((column, c) => cells(table, column, swaps[c] ?? null)),
    })),
    match: match.join(' AND '),
    set,
  }
}

/** Whether there is anything to compare, what was sealed, what was there, what comes. */
function cells(
  { provider }: Table,
  { sealed, indexes }: IndexedColumn,
  swap: IndexSwap | null,
): unknown[] {
  if (swap === null) return Array.from({ length: 2 + 2 * indexes.length }, () => null)
  const old = indexes.map((index, i) => oldParam(provider, index, swap.old[i] ?? null))
  return ['1', oldParam(provider, sealed, swap.sealed), ...old, ...swap.next]
}

function isSame({ provider }: Table, column: SealedColumn, sql: string): string {
  return `((t.${column.name} IS NULL AND ${sql} IS NULL) OR COALESCE(${compare(provider, column, sql)}, false))`
}
