import { isFieldOf, type CompiledPlan, type ModelPlan } from './compile.ts'
import { isArguments, refusal, unknownField, type Clause } from './refuse.ts'
import { fieldReference, isAbsent, isPlainObject, nullKind, type PlainObject } from './special.ts'

/**
 * Walks over the arguments that select, order and group rows. They change nothing: a clause on a sealed
 * field is refused, except a comparison with null, which means the same on a sealed column.
 */

const LOGICAL = new Set(['AND', 'OR', 'NOT'])
const RELATION_OPERATORS = ['some', 'every', 'none', 'is', 'isNot']

/** Check a `where`, of a filter or of a unique look-up. */
export function checkFilter(plan: CompiledPlan, model: ModelPlan, where: unknown): void {
  if (Array.isArray(where)) {
    for (const item of where) checkFilter(plan, model, item)
    return
  }
  if (!isArguments(where)) return
  for (const key of Object.keys(where)) {
    const value = where[key]
    if (isAbsent(value)) continue
    const relation = model.relations.get(key)
    const field = model.sealed.get(key)
    if (LOGICAL.has(key)) checkFilter(plan, model, value)
    if (field !== undefined) {
      if (!comparesWithNull(value, field.spec.type === 'Json')) throw refusal(field.label, 'where')
    } else if (relation !== undefined) checkRelationFilter(plan, relation, value)
    else if (key in model.source.columns) checkReferences(plan, value)
    else if (key in model.source.uniques) checkFilter(plan, model, value)
    else if (!LOGICAL.has(key)) throw unknownField(model.name, key)
  }
}

/** `orderBy`, `cursor`, `distinct` and `by`: the sealed fields they name are refused. */
export function checkNames(model: ModelPlan, names: unknown, clause: Clause): void {
  for (const name of Array.isArray(names) ? (names as unknown[]) : [names]) {
    if (typeof name !== 'string') {
      isArguments(name)
      continue
    }
    const field = model.sealed.get(name)
    if (field !== undefined) throw refusal(field.label, clause)
  }
}

export function checkOrder(model: ModelPlan, orderBy: unknown): void {
  for (const item of Array.isArray(orderBy) ? (orderBy as unknown[]) : [orderBy]) {
    if (!isArguments(item)) continue
    for (const key of Object.keys(item)) {
      if (isAbsent(item[key])) continue
      const field = model.sealed.get(key)
      if (field !== undefined) throw refusal(field.label, 'orderBy')
      const relation = model.relations.get(key)
      if (relation !== undefined) checkOrder(relation, item[key])
      else if (key.startsWith('_')) checkAggregateOrder(model, key, item[key])
    }
  }
}

export function checkCursor(plan: CompiledPlan, model: ModelPlan, cursor: unknown): void {
  if (!isArguments(cursor)) return
  for (const name of Object.keys(cursor)) checkNames(model, name, 'cursor')
  checkFilter(plan, model, cursor)
}

/** `having` filters by fields and by aggregates of fields. */
export function checkHaving(plan: CompiledPlan, model: ModelPlan, having: unknown): void {
  if (Array.isArray(having)) {
    for (const item of having) checkHaving(plan, model, item)
    return
  }
  if (!isArguments(having)) return
  for (const key of Object.keys(having)) {
    if (isAbsent(having[key])) continue
    checkNames(model, key, 'having')
    if (LOGICAL.has(key)) checkHaving(plan, model, having[key])
    else checkReferences(plan, having[key])
  }
}

/** `_min`, `_max`, `_sum`, `_avg` of a sealed field work on ciphertext; `_count` counts what is not NULL. */
export function checkAggregate(model: ModelPlan, fields: unknown): void {
  if (!isArguments(fields)) return
  for (const key of Object.keys(fields)) {
    if (!isAbsent(fields[key]) && fields[key] !== false) checkNames(model, key, 'aggregate')
  }
}

/** `orderBy: { _count: { field } }` counts; `_min` and the like order by values. */
function checkAggregateOrder(model: ModelPlan, key: string, fields: unknown): void {
  if (key !== '_count' && isArguments(fields)) {
    for (const name of Object.keys(fields)) checkNames(model, name, 'orderBy')
  }
  // `_relevance: { fields: [...] }` and whatever else names fields in a list.
  if (isArguments(fields)) checkNames(model, fields['fields'], 'orderBy')
}

function checkRelationFilter(plan: CompiledPlan, target: ModelPlan, value: unknown): void {
  if (!isArguments(value)) return
  const operators = RELATION_OPERATORS.filter((key) => Object.hasOwn(value, key))
  // A field may have the name of an operator: then both readings are checked.
  const clear = operators.filter((key) => !isFieldOf(target, key))
  checkFilter(plan, target, clear.length === 0 ? value : without(value, clear))
  for (const key of operators) checkFilter(plan, target, value[key])
}

function without(value: PlainObject, keys: readonly string[]): PlainObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
}

/** `null`, `{ equals: null }`, `{ not: null }`; for Json `Prisma.DbNull` in their place. */
function comparesWithNull(value: unknown, isJson: boolean): boolean {
  if (isJson ? nullKind(value) === 'DbNull' : value === null) return true
  if (!isPlainObject(value) || nullKind(value) !== null || fieldReference(value) !== null)
    return false
  return Object.keys(value).every(
    (key) =>
      isAbsent(value[key]) ||
      ((key === 'equals' || key === 'not') && comparesWithNull(value[key], isJson)),
  )
}

/** A plain field compared with a sealed one is a comparison with ciphertext. */
function checkReferences(plan: CompiledPlan, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const reference = fieldReference(value)
  if (reference !== null) {
    const field = plan.get(reference.modelName)?.sealed.get(reference.name)
    if (field !== undefined) throw refusal(field.label, 'reference')
  } else if (Array.isArray(value)) {
    for (const item of value) checkReferences(plan, item)
  } else if (isPlainObject(value)) {
    for (const key of Object.keys(value)) checkReferences(plan, value[key])
  }
}
