import type { SealedColumn } from '@rowseal/prisma-extension/sql'
import type { Duplicates, Parts } from '../engine/strategy.ts'
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
  const refusedAt = (change: EncryptChange): ReturnType<typeof guarded>[number] | undefined =>
    fields.flatMap((_, at) => guarded(fields, change, at))[0]
  return {
    split: (change) => {
      const places = [...fields.keys()].filter((at) => change.swaps[at] !== null)
      const unique = places.filter((at) => guarded(fields, change, at).length > 0)
      const others = places.filter((at) => !unique.includes(at))
      const parts = [...(others.length === 0 ? [] : [others]), ...unique.map((at) => [at])]
      if (unique.length === 0 || parts.length === 1) return [change]
      return parts.map((part) => only(change, part))
    },
    refused: (change) => {
      const field = refusedAt(change)?.column.name
      return field === undefined ? null : { row: change.row, field, code: 'ERR_INDEX_DUPLICATE' }
    },
    holders: (tx, change) => {
      const { column, value } = refusedAt(change)!
      return holdersOf(tx, target, column, value, change.key)
    },
  }
}

/** A field and its indexes are one part. */
export function parts(fields: readonly FieldWork[]): Parts<EncryptChange> {
  const places = ({ swaps }: EncryptChange): number[] =>
    [...fields.keys()].filter((at) => swaps[at] !== null)
  return {
    split: (change) => places(change).map((at) => only(change, [at])),
    fieldOf: (change) => fields[places(change)[0]!]!.field.name,
  }
}

/** A change of some of its fields. */
function only(change: EncryptChange, places: readonly number[]): EncryptChange {
  const swaps = change.swaps.map((swap, at) => (places.includes(at) ? swap : null))
  return { ...change, swaps }
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
