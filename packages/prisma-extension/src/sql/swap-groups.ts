import type { BatchUpdate } from './batch.ts'
import type { SqlTransaction } from './client.ts'
import { compare, oldParam, scalarParam, value } from './columns.ts'
import { isBoundTo } from './keys.ts'
import { updateIn } from './run-swap.ts'
import type { KeyColumn, SealedColumn, Table } from './table.ts'
import type { ColumnValue } from './values.ts'

/** Columns that change together or not at all, such as a sealed one and its blind indexes. */
export interface SwapGroup {
  readonly compared: readonly SealedColumn[]
  /** Of those. */
  readonly set: readonly SealedColumn[]
  /** Columns of the record that what is set is bound to, which are compared too. */
  readonly bound: readonly KeyColumn[]
}

/** What was read of a group, and what becomes of it. */
export interface GroupSwap {
  /** One for each column that is compared. */
  readonly old: readonly (ColumnValue | null)[]
  /** One for each column that is set. */
  readonly next: readonly (ColumnValue | null)[]
  /** One for each bound column, as `PageRow.bound` has them. */
  readonly bound: readonly string[]
}

/** A record to rewrite. */
export interface GroupSwapRow {
  /** Key values in text form (`keyText`), in the order of the table's key. */
  readonly key: readonly string[]
  /** One for each group of the statement; null leaves it, and is not compared. */
  readonly swaps: readonly (GroupSwap | null)[]
}

/**
 * Compare-and-swap groups of columns of a batch of records, in a transaction of the caller's, READ COMMITTED
 * where the database has it. A row of which any compared column is not what was read stays as it is,
 * whatever became of it: NULL is compared too. Rows that others have locked are left as they are; only a
 * unique index makes it wait for somebody who is about to take the same value.
 *
 * @param rows - at least one, no key twice.
 * @returns the number of rows rewritten.
 */
export function groupSwapIn(
  tx: SqlTransaction,
  table: Table,
  groups: readonly SwapGroup[],
  rows: readonly GroupSwapRow[],
): Promise<number> {
  return updateIn(tx, groupBatch(table, groups, rows))
}

function groupBatch(
  table: Table,
  groups: readonly SwapGroup[],
  rows: readonly GroupSwapRow[],
): BatchUpdate {
  const { provider } = table
  const match = groups.map(({ compared, bound }, g) => {
    const same = [
      ...compared.map((column, i) => isSame(table, column, `v.o${g}_${i}`)),
      ...bound.map((column, i) => isBoundTo(provider, column, `t.${column.name}`, `v.b${g}_${i}`)),
    ]
    return `(v.w${g} IS NULL OR ${same.join(' AND ')})`
  })
  const set = (target: string): string[] =>
    groups.flatMap(({ set: columns }, g) =>
      columns.map((column, i) => {
        const next = value(provider, column, `v.n${g}_${i}`)
        return `${target}${column.name} = CASE WHEN v.w${g} IS NULL THEN t.${column.name} ELSE ${next} END`
      }),
    )
  return {
    table,
    columns: groups.flatMap(({ set: columns }) => columns),
    names: groups.flatMap((group, g) => [
      `w${g}`,
      ...group.compared.map((_, i) => `o${g}_${i}`),
      ...group.set.map((_, i) => `n${g}_${i}`),
      ...group.bound.map((_, i) => `b${g}_${i}`),
    ]),
    rows: rows.map(({ key, swaps }) => ({
      key,
      cells: groups.flatMap((group, g) => cells(table, group, swaps[g] ?? null)),
    })),
    match: match.join(' AND '),
    set,
  }
}

/** Whether there is anything to compare, what was there, what comes, and what that is bound to. */
function cells(
  { provider }: Table,
  { compared, set, bound }: SwapGroup,
  swap: GroupSwap | null,
): unknown[] {
  const count = 1 + compared.length + set.length + bound.length
  if (swap === null) return Array.from({ length: count }, () => null)
  return [
    '1',
    ...compared.map((column, i) => oldParam(provider, column, swap.old[i] ?? null)),
    ...set.map((column, i) => scalarParam(provider, column, swap.next[i] ?? null)),
    ...bound.map((_, i) => swap.bound[i]),
  ]
}

function isSame({ provider }: Table, column: SealedColumn, sql: string): string {
  return `((t.${column.name} IS NULL AND ${sql} IS NULL) OR COALESCE(${compare(provider, column, sql)}, false))`
}
