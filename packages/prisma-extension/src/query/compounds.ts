import type { ModelSource } from '../plan/index.ts'

/** A compound unique as an application names it: over encrypted fields, not over their indexes. */
export interface Compound {
  readonly fields: readonly string[]
  /** For each field the column that is really unique: its own, or the first of its blind index. */
  readonly columns: readonly string[]
}

/**
 * The keys that compound uniques have in a `where` where an encrypted field is among their fields: those
 * of the schema, and for a unique over an index column (`tenantId_emailIndex`) the one over its field
 * (`tenantId_email`), whether or not the schema declares that too.
 */
export function compoundsOf(source: ModelSource): ReadonlyMap<string, Compound> {
  const compounds = new Map<string, Compound>()
  for (const columns of Object.values(source.uniques)) {
    const fields = columns.map((name) => fieldOf(source, name) ?? name)
    const key = fields.join('_')
    const isOverIndex = fields.some((name, i) => name !== columns[i])
    if (isOverIndex && !isTaken(source, key)) compounds.set(key, { fields, columns })
  }
  for (const [key, fields] of Object.entries(source.uniques)) {
    if (!fields.some((name) => Object.hasOwn(source.sealed, name))) continue
    const columns = columnsOf(source, fields)
    if (columns !== null) compounds.set(key, { fields, columns })
  }
  return compounds
}

/** The key of the unique over these columns, in whatever order; null if there is none. */
export function keyOver(source: ModelSource, columns: readonly string[]): string | null {
  const wanted = [...columns].sort().join()
  const found = Object.entries(source.uniques).find(
    ([, fields]) => [...fields].sort().join() === wanted,
  )
  return found?.[0] ?? null
}

/** The columns of a unique that stands for one over encrypted fields, in the order of the fields. */
function columnsOf(source: ModelSource, fields: readonly string[]): readonly string[] | null {
  for (const unique of Object.values(source.uniques)) {
    const columns = fields.map((name) =>
      unique.find((column) => (fieldOf(source, column) ?? column) === name),
    )
    const isWhole = unique.length === fields.length && columns.every((name) => name !== undefined)
    if (isWhole && unique.every((name) => !Object.hasOwn(source.sealed, name))) return columns
  }
  return null
}

/** The field whose blind index has this as its first column. */
function fieldOf(source: ModelSource, column: string): string | undefined {
  const index = Object.hasOwn(source.indexes, column) ? source.indexes[column] : undefined
  return index?.slot === 1 ? index.field : undefined
}

function isTaken({ columns, relations, uniques }: ModelSource, key: string): boolean {
  return [columns, relations, uniques].some((names) => Object.hasOwn(names, key))
}
