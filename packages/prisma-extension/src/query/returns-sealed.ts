import type { FieldPlan, ModelPlan } from './compile.ts'
import { OPERATIONS } from './matrix.ts'
import { isAbsent, isPlainObject, type PlainObject } from './special.ts'

/**
 * May an operation give back values of certain fields? Errs on yes: a selected name that is no field is one
 * that an extension computes, perhaps from them.
 *
 * @param isMeant - which fields.
 */
export function mayReturn(
  model: ModelPlan,
  operation: string,
  args: PlainObject,
  isMeant: (field: FieldPlan) => boolean,
): boolean {
  return OPERATIONS[operation]?.result === 'rows' && mayShow(model, args, isMeant)
}

function mayShow(
  model: ModelPlan,
  { select, include }: PlainObject,
  isMeant: (field: FieldPlan) => boolean,
): boolean {
  const hasOwn = [...model.sealed.values()].some(isMeant)
  if (hasOwn && !isPlainObject(select)) return true
  const chosen = isPlainObject(select) ? select : isPlainObject(include) ? include : {}
  return Object.entries(chosen).some(([name, value]) => {
    if (value === false || isAbsent(value) || name === '_count') return false
    const relation = model.relations.get(name)
    if (relation !== undefined)
      return relation.reaches && mayShow(relation, isPlainObject(value) ? value : {}, isMeant)
    const field = model.sealed.get(name)
    if (field !== undefined) return isMeant(field)
    return hasOwn && !Object.hasOwn(model.source.columns, name)
  })
}
