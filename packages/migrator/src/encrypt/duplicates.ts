import type { SealedColumn } from '@rowseal/prisma-extension/sql'
import type { Duplicates } from '../engine/strategy.ts'
import { holdersOf } from '../reindex/duplicates.ts'
import type { Target } from '../targets.ts'
import type { ColumnWork, FieldWork } from './fields.ts'
import type { EncryptChange } from './seal-rows.ts'

/**
 * Two values that differ only by what the normalizers take away have one hash, which a unique index keeps
 * out. A field and its indexes change together, so a change has as many parts as fields with such an index.
 */
export function duplicates(
  target: Target,
  fields: readonly FieldWork[],
): Duplicates<EncryptChange> {
  const refusedAt = (change: EncryptChange): ReturnType<typeof guarded>[number] =>
    fields.flatMap((_, at) => guarded(fields, change, at))[0]!
  return {
    split: (change) => {
      const places = [...fields.keys()].filter((at) => change.swaps[at] !== null)
      const unique = places.filter((at) => guarded(fields, change, at).length > 0)
      const others = places.filter((at) => !unique.includes(at))
      const parts = [...(others.length === 0 ? [] : [others]), ...unique.map((at) => [at])]
      if (unique.length === 0 || parts.length === 1) return [change]
      return parts.map((part) => {
        const swaps = change.swaps.map((swap, at) => (part.includes(at) ? swap : null))
        return { ...change, swaps }
      })
    },
    refused: (change) => {
      const field = refusedAt(change).column.name
      return { row: change.row, field, code: 'ERR_INDEX_DUPLICATE' }
    },
    holders: (tx, change) => {
      const { column, value } = refusedAt(change)
      return holdersOf(tx, target, column, value, change.key)
    },
  }
}

/** The unique columns that a change fills for a field. NULL is never a duplicate. */
function guarded(
  fields: readonly FieldWork[],
  { swaps }: EncryptChange,
  at: number,
): { readonly column: ColumnWork & { readonly column: SealedColumn }; readonly value: string }[] {
  const [, ...next] = swaps[at]?.next ?? []
  return fields[at]!.columns.flatMap((column, i) => {
    const value = next[i] ?? null
    return column.index.isUnique && typeof value === 'string' ? [{ column, value }] : []
  })
}
