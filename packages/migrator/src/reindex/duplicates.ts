import {
  holdersStatement,
  type IndexSwapRow,
  type SqlTransaction,
} from '@rowseal/prisma-extension/sql'
import type { Change, Duplicates, Parts } from '../engine/strategy.ts'
import type { Target, TargetIndex, TargetIndexColumn } from '../targets.ts'

/** What `indexSwapIn` writes into one row. */
export interface IndexChange extends Change, IndexSwapRow {}

interface Column extends TargetIndexColumn {
  readonly index: TargetIndex
}

/**
 * Two values that differ only by what the normalizers take away have one hash, which a unique index keeps
 * out. Which of a row's columns that is shows when each is written alone.
 *
 * @param columns - of each indexed field, in the order of a change's swaps.
 */
export function duplicates(
  target: Target,
  columns: readonly (readonly Column[])[],
): Duplicates<IndexChange> {
  const refusedAt = (change: IndexChange): Place | undefined => guarded(columns, change)[0]
  return {
    split: (change) => {
      const unique = guarded(columns, change)
      const all = written(change)
      if (all.length <= 1 || unique.length === 0) return [change]
      const others = all.filter((one) => !unique.some((other) => isSame(one, other)))
      const parts = [...(others.length === 0 ? [] : [others]), ...unique.map((one) => [one])]
      return parts.length === 1 ? [change] : parts.map((part) => onlyOf(change, part))
    },
    refused: (change) => {
      const at = refusedAt(change)
      if (at === undefined) return null
      return { row: change.row, field: nameOf(columns, at), code: 'ERR_INDEX_DUPLICATE' }
    },
    holders: (tx, change) => {
      const [field, at] = refusedAt(change)!
      const value = change.swaps[field]!.next[at]!
      return holdersOf(tx, target, columns[field]![at]!, value, change.key)
    },
  }
}

/** Each column is one part. */
export function parts(columns: readonly (readonly Column[])[]): Parts<IndexChange> {
  return {
    split: (change) => written(change).map((place) => onlyOf(change, [place])),
    fieldOf: (change) => nameOf(columns, written(change)[0]!),
  }
}

/** Keys of the rows because of which a row cannot have a value in a unique column of an index. */
export async function holdersOf(
  tx: SqlTransaction,
  { source, table }: Target,
  { name, column }: TargetIndexColumn,
  value: string,
  key: readonly string[],
): Promise<string[][]> {
  const others = Object.values(source.constraints)
    .filter((fields) => fields.includes(name))
    .map((fields) => fields.filter((one) => one !== name))
    .map((fields) => fields.map((one) => source.columns[one]?.column ?? one))
  const { sql, params } = holdersStatement(table, column, value, key, others)
  const rows = await tx.$queryRawUnsafe<Record<string, string>[]>(sql, ...params)
  return rows.map((row) => table.key.map((_, i) => row[`k${i}`]!))
}

/** Field and column of something a change writes. */
type Place = readonly [field: number, column: number]

function nameOf(columns: readonly (readonly Column[])[], [field, column]: Place): string {
  return columns[field]![column]!.name
}

function written({ swaps }: IndexChange): Place[] {
  return swaps.flatMap((swap, field) =>
    (swap?.next ?? []).flatMap((value, column): Place[] =>
      value === swap!.old[column] ? [] : [[field, column]],
    ),
  )
}

/** NULL is never a duplicate. */
function guarded(columns: readonly (readonly Column[])[], change: IndexChange): Place[] {
  return written(change).filter(
    ([field, column]) =>
      columns[field]![column]!.index.isUnique && change.swaps[field]!.next[column] !== null,
  )
}

function onlyOf(change: IndexChange, places: readonly Place[]): IndexChange {
  const swaps = change.swaps.map((swap, field) => {
    if (swap === null || !places.some((place) => place[0] === field)) return null
    const next = swap.next.map((value, column) =>
      places.some((place) => isSame(place, [field, column])) ? value : swap.old[column]!,
    )
    return { ...swap, next }
  })
  return { ...change, swaps }
}

function isSame([a, b]: Place, [c, d]: Place): boolean {
  return a === c && b === d
}
