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
  const uniques = Object.entries(source.uniques).filter(
    ([, names]) => !hasSecondSlot(source, names),
  )
  const declared = uniques.filter(([, names]) => names.some((name) => isSealed(source, name)))
  for (const [key, fields] of declared) {
    const columns = best(source, uniques, fields)
    if (columns !== null) compounds.set(key, { fields, columns })
  }
  for (const [, names] of uniques) {
    const fields = names.map((name) => fieldOf(source, name) ?? name)
    const key = fields.join('_')
    const isOverIndex = fields.some((name, i) => name !== names[i])
    const isDeclared = declared.some(([, others]) => isSameSet(others, fields))
    if (!isOverIndex || isDeclared || isTaken(source, key)) continue
    const columns = best(source, uniques, fields)
    if (columns !== null) compounds.set(key, { fields, columns })
  }
  return compounds
}

type Uniques = readonly (readonly [string, readonly string[]])[]

/**
 * The columns of the unique that stands for one over these fields, in their order: of several the one whose
 * indexes change nothing, as everywhere.
 */
function best(
  source: ModelSource,
  uniques: Uniques,
  fields: readonly string[],
): readonly string[] | null {
  const fitting = uniques.flatMap(([, names]) => {
    const columns = fields.map((field) =>
      names.find((name) => (fieldOf(source, name) ?? name) === field),
    )
    const isWhole = names.length === fields.length && columns.every((name) => name !== undefined)
    return isWhole && !names.some((name) => isSealed(source, name)) ? [columns] : []
  })
  const changes = (columns: readonly string[]): number =>
    columns.filter((name) => (source.indexes[name]?.normalize.length ?? 0) > 0).length
  return [...fitting].sort((a, b) => changes(a) - changes(b))[0] ?? null
}

function hasSecondSlot(source: ModelSource, names: readonly string[]): boolean {
  return names.some(
    (name) => Object.hasOwn(source.indexes, name) && source.indexes[name]?.slot === 2,
  )
}

function isSealed(source: ModelSource, name: string): boolean {
  return Object.hasOwn(source.sealed, name)
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name))
}

/** The key of the unique over these columns, in whatever order; null if there is none. */
export function keyOver(source: ModelSource, columns: readonly string[]): string | null {
  const wanted = [...columns].sort().join()
  const found = Object.entries(source.uniques).find(
    ([, fields]) => [...fields].sort().join() === wanted,
  )
  return found?.[0] ?? null
}

/** The field whose blind index has this as its first column. */
function fieldOf(source: ModelSource, column: string): string | undefined {
  const index = Object.hasOwn(source.indexes, column) ? source.indexes[column] : undefined
  return index?.slot === 1 ? index.field : undefined
}

function isTaken({ columns, relations, uniques }: ModelSource, key: string): boolean {
  return [columns, relations, uniques].some((names) => Object.hasOwn(names, key))
}
