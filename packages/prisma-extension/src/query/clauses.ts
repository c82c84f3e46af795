import { indexFor, lookupOf } from './lookup.ts'
import type { FieldPlan, ModelPlan } from './compile.ts'
import { mapSame } from './copy-on-write.ts'
import { checkReferences, rewriteFilter, type FilterWalk } from './filter.ts'
import { isArguments, isIndexColumn, noIndex, refusal, unsupported, type Clause } from './refuse.ts'
import { isAbsent } from './special.ts'

/** The clauses that order, group and aggregate. Only `distinct` can go to a blind index. */

/** Names of fields, of which sealed ones and indexes are refused. */
export function checkNames(model: ModelPlan, names: unknown, clause: Clause): void {
  for (const name of Array.isArray(names) ? (names as unknown[]) : [names]) {
    if (typeof name === 'string') checkName(model, name, clause)
    else isArguments(name)
  }
}

function checkName(model: ModelPlan, name: string, clause: Clause): void {
  const field = model.sealed.get(name)
  if (field !== undefined) throw refusal(field.label, clause)
  const index = model.indexes.get(name)
  if (index !== undefined) throw isIndexColumn(index, `${model.name}.${name}`)
}

export function checkOrder(model: ModelPlan, orderBy: unknown): void {
  for (const item of Array.isArray(orderBy) ? (orderBy as unknown[]) : [orderBy]) {
    if (!isArguments(item)) continue
    for (const key of Object.keys(item)) {
      if (isAbsent(item[key])) continue
      checkName(model, key, 'orderBy')
      const relation = model.relations.get(key)
      if (relation !== undefined) checkOrder(relation, item[key])
      else if (key.startsWith('_')) checkAggregateOrder(model, key, item[key])
    }
  }
}

/** `orderBy: { _count: { field } }` counts; `_min` and the like order by values. */
function checkAggregateOrder(model: ModelPlan, key: string, fields: unknown): void {
  if (key !== '_count' && isArguments(fields)) checkNames(model, Object.keys(fields), 'orderBy')
  // `_relevance: { fields: [...] }` and whatever else names fields in a list.
  if (isArguments(fields)) checkNames(model, fields['fields'], 'orderBy')
}

/** `distinct`: a sealed field's place is taken by the column of its index. */
export function rewriteDistinct({ views }: FilterWalk, model: ModelPlan, names: unknown): unknown {
  return mapSame(names, (name) => {
    if (typeof name !== 'string') {
      isArguments(name)
      return name
    }
    const index = model.indexes.get(name)
    if (index !== undefined) throw isIndexColumn(index, `${model.name}.${name}`)
    const field = model.sealed.get(name)
    return field === undefined ? name : distinctColumn(views, field)
  })
}

function distinctColumn(views: FilterWalk['views'], field: FieldPlan): string {
  const index = indexFor(field)
  if (index === null) throw noIndex(field, 'distinct')
  const { column, hashes } = lookupOf(views, index)
  if (hashes('').length === 1) return column
  throw unsupported(
    field.label,
    `${field.label} cannot be used in distinct while its blind index ${index.label} rotates: equal values have different hashes.`,
    'Try again when `npx rowseal reindex` has ended, or remove duplicates after reading.',
  )
}

const LOGICAL = new Set(['AND', 'OR', 'NOT'])

/** `having` filters by fields and by aggregates of fields. */
export function checkHaving(walk: FilterWalk, model: ModelPlan, having: unknown): void {
  if (Array.isArray(having)) {
    for (const item of having) checkHaving(walk, model, item)
    return
  }
  if (!isArguments(having)) return
  for (const key of Object.keys(having)) {
    if (isAbsent(having[key])) continue
    checkName(model, key, 'having')
    if (LOGICAL.has(key)) checkHaving(walk, model, having[key])
    else checkReferences(walk.plan, having[key])
  }
}

/** `_min`, `_max`, `_sum`, `_avg` of a sealed field work on ciphertext; `_count` counts what is not NULL. */
export function checkAggregate(model: ModelPlan, fields: unknown): void {
  if (!isArguments(fields)) return
  for (const key of Object.keys(fields)) {
    if (!isAbsent(fields[key]) && fields[key] !== false) checkNames(model, key, 'aggregate')
  }
}

/** `_count: { select: { relation: { where } } }`, in a selection. */
export function rewriteCount(walk: FilterWalk, model: ModelPlan, count: unknown): unknown {
  if (!isArguments(count) || !isArguments(count['select'])) return count
  const chosen = count['select']
  let out = chosen
  for (const name of Object.keys(chosen)) {
    const relation = model.relations.get(name)
    const value = chosen[name]
    if (relation === undefined || !isArguments(value)) continue
    const where = rewriteFilter(walk, relation, value['where'])
    if (where === value['where']) continue
    if (out === chosen) out = { ...chosen }
    out[name] = { ...value, where }
  }
  return out === chosen ? count : { ...count, select: out }
}
