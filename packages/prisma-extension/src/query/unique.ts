import type { FieldPlan, IndexPlan, ModelPlan } from './compile.ts'
import { keyOver, type Compound } from './compounds.ts'
import type { IndexViews } from './index-views.ts'
import { preferred, uniqueLookupOf } from './lookup.ts'
import { isArguments, notData, notRegistered, refusal, unknownField } from './refuse.ts'
import { fieldReference, isAbsent, isPlainObject, type PlainObject } from './special.ts'

/** A key of a `where` that names one row, and its value. */
export interface Named {
  readonly key: string
  readonly value: unknown
}

/** `{ email: 'x' }` where email is unique by its blind index; null if it is a filter like any other. */
export function rewriteName(views: IndexViews, field: FieldPlan, value: unknown): Named | null {
  if (value === null || isPlainObject(value)) return null
  const index = preferred(field.indexes.filter(({ isUniqueAlone }) => isUniqueAlone))
  if (index === null) return null
  const { column, hashes } = uniqueLookupOf(views, index)
  return { key: column, value: hashes(value)[0] }
}

/**
 * `{ tenantId_email: { tenantId, email } }`, over the columns that stand for its encrypted fields now. What
 * is missing or NULL is left to Prisma, which refuses it.
 */
export function rewriteCompound(
  views: IndexViews,
  model: ModelPlan,
  { fields, columns }: Compound,
  value: unknown,
): Named {
  if (!isArguments(value)) throw notData(`A unique of ${model.name}`)
  const unknown = Object.keys(value).find((name) => !fields.includes(name))
  if (unknown !== undefined) throw unknownField(model.name, unknown)
  const out: PlainObject = {}
  const current = columns.map((column, i) => {
    const given = value[fields[i]!]
    const index = model.indexes.get(column)
    const part = index === undefined ? { key: column, value: given } : hashed(views, index, given)
    if (!isAbsent(given)) out[part.key] = part.value
    return part.key
  })
  const key = keyOver(model.source, current)
  if (key === null)
    throw notRegistered([...model.indexes.values()].find((index) => index.isUnique)!)
  return { key, value: out }
}

function hashed(views: IndexViews, index: IndexPlan, given: unknown): Named {
  if (fieldReference(given) !== null) throw refusal(index.field.label, 'reference')
  const { column, hashes } = uniqueLookupOf(views, index)
  return { key: column, value: isAbsent(given) || given === null ? given : hashes(given)[0] }
}
