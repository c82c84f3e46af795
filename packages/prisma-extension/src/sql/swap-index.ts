import type { SqlTransaction } from './client.ts'
import { groupSwapIn } from './swap-groups.ts'
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
 * Compare-and-swap the index columns of a batch of records, as `groupSwapIn` does: where the sealed value and
 * the indexes are what was read. Sets nothing but index columns.
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
  const groups = columns.map(({ sealed, indexes }) => {
    return { compared: [sealed, ...indexes], set: indexes, bound: [] }
  })
  const swaps = rows.map((row) => ({
    key: row.key,
    swaps: row.swaps.map((swap) => {
      if (swap === null) return null
      return { old: [swap.sealed, ...swap.old], next: swap.next, bound: [] }
    }),
  }))
  return groupSwapIn(tx, table, groups, swaps)
}
