import { compareSealed } from './comparison.ts'
import { isFieldOf, type CompiledPlan, type FieldPlan, type ModelPlan } from './compile.ts'
import type { IndexViews } from './index-views.ts'
import { isArguments, isIndexColumn, refusal, unknownField, unsupported } from './refuse.ts'
import { fieldReference, isAbsent, isPlainObject } from './special.ts'
import { mapSame, Rewriting } from './copy-on-write.ts'
import { rewriteCompound, rewriteName } from './unique.ts'

/**
 * The walk over a `where`. Equality on a sealed field goes to its blind index, a comparison with null stays,
 * everything else is refused. Gives back the same object when there is nothing to change.
 */

/** What a walk over filters carries along. */
export interface FilterWalk {
  readonly plan: CompiledPlan
  readonly views: IndexViews
}

const LOGICAL = new Set(['AND', 'OR', 'NOT'])
const RELATION_OPERATORS = ['some', 'every', 'none', 'is', 'isNot']

/** A `where` that selects rows: an object, or a list of them. */
export function rewriteFilter(walk: FilterWalk, model: ModelPlan, where: unknown): unknown {
  return rewriteWhere(walk, model, where, false)
}

/** A `where` that names one row, which may have further filters beside the unique field. */
export function rewriteUnique(walk: FilterWalk, model: ModelPlan, where: unknown): unknown {
  return rewriteWhere(walk, model, where, true)
}

function rewriteWhere(
  walk: FilterWalk,
  model: ModelPlan,
  where: unknown,
  isUnique: boolean,
): unknown {
  if (Array.isArray(where)) {
    return mapSame(where, (item) => rewriteWhere(walk, model, item, isUnique))
  }
  if (!isArguments(where)) return where
  const out = new Rewriting(where)
  for (const key of Object.keys(where)) {
    const value = where[key]
    if (isAbsent(value)) continue
    const field = model.sealed.get(key)
    if (LOGICAL.has(key)) {
      if (isFieldOf(model, key)) throw ambiguous(model, key)
      out.set(key, rewriteFilter(walk, model, value))
    } else if (field !== undefined) rewriteSealed(walk, model, field, value, isUnique, out)
    else rewriteOther(walk, model, key, value, isUnique, out)
  }
  return out.result
}

function rewriteSealed(
  walk: FilterWalk,
  model: ModelPlan,
  field: FieldPlan,
  value: unknown,
  isUnique: boolean,
  out: Rewriting,
): void {
  const named = isUnique ? rewriteName(walk.views, field, value) : null
  if (named !== null) {
    out.remove(field.name)
    out.set(named.key, named.value)
    return
  }
  const compared = compareSealed(walk.views, model, field, value)
  if (compared === null) return
  if (compared.sealed === undefined) out.remove(field.name)
  else out.set(field.name, compared.sealed)
  for (const condition of compared.index) out.and(compared.column, condition)
}

/** Everything in a `where` that is no sealed field: relations, plain columns, compound uniques. */
function rewriteOther(
  walk: FilterWalk,
  model: ModelPlan,
  key: string,
  value: unknown,
  isUnique: boolean,
  out: Rewriting,
): void {
  const index = model.indexes.get(key)
  if (index !== undefined) throw isIndexColumn(index, `${model.name}.${key}`)
  const relation = model.relations.get(key)
  const compound = model.compounds.get(key)
  if (relation !== undefined) {
    if (relation.reaches) out.set(key, rewriteRelation(walk, relation, value))
  } else if (compound !== undefined && isUnique) {
    const named = rewriteCompound(walk.views, model, compound, value)
    out.remove(key)
    if (out.has(named.key)) throw unknownField(model.name, `${key}, a second time`)
    out.set(named.key, named.value)
  } else if (key in model.source.columns) checkReferences(walk.plan, value)
  else if (isUnique && key in model.source.uniques) assertPlain(walk, model, key, value)
  else throw unknownField(model.name, key)
}

/** A compound unique over plain fields, or named by its index columns, which only Rowseal does. */
function assertPlain(walk: FilterWalk, model: ModelPlan, key: string, value: unknown): void {
  const column = model.source.uniques[key]?.find((name) => model.indexes.has(name))
  if (column !== undefined) throw isIndexColumn(model.indexes.get(column)!, `${model.name}.${key}`)
  if (rewriteFilter(walk, model, value) !== value) throw unknownField(model.name, key)
}

/** `{ some: … }` and the like; for a single relation also the bare filter. */
function rewriteRelation(walk: FilterWalk, target: ModelPlan, value: unknown): unknown {
  if (!isArguments(value)) return value
  const operators = RELATION_OPERATORS.filter((key) => !isAbsent(value[key]))
  if (operators.length === 0) return rewriteFilter(walk, target, value)
  // A field may have the name of an operator: then it is read as both, and neither may need a change.
  const unclear = operators.find((key) => isFieldOf(target, key))
  const asBare = unclear === undefined ? value : rewriteFilter(walk, target, value)
  const beside = Object.keys(value).find((key) => !operators.includes(key) && !isAbsent(value[key]))
  if (unclear === undefined && beside !== undefined) {
    throw unknownField(`A relation filter of ${target.name}`, beside)
  }
  const out = new Rewriting(value)
  for (const key of operators) out.set(key, rewriteFilter(walk, target, value[key]))
  if (unclear !== undefined && (asBare !== value || out.result !== value)) {
    throw ambiguous(target, unclear)
  }
  return out.result
}

/** A plain field compared with a sealed one is a comparison with ciphertext. */
export function checkReferences(plan: CompiledPlan, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const reference = fieldReference(value)
  if (reference !== null) {
    const model = plan.get(reference.modelName)
    const field = model?.sealed.get(reference.name)
    if (field !== undefined) throw refusal(field.label, 'reference')
    const index = model?.indexes.get(reference.name)
    if (index !== undefined) throw isIndexColumn(index, `${reference.modelName}.${reference.name}`)
  } else if (Array.isArray(value)) {
    for (const item of value) checkReferences(plan, item)
  } else if (isPlainObject(value)) {
    for (const key of Object.keys(value)) checkReferences(plan, value[key])
  }
}

function ambiguous(model: ModelPlan, key: string): Error {
  return unsupported(
    `${model.name}.${key}`,
    `${model.name} has a field "${key}", which Prisma also has a meaning for in filters, so this filter can be read in two ways.`,
    'Give the field another name, with @map for the column.',
  )
}
