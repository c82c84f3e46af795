import type { DMMF } from '@prisma/generator-helper'
import type { BoundColumn, IdFunction, Provider, RelationField } from '../plan/plan.ts'
import { bindable } from './checks/bindable.ts'

/** The fields that sealed fields bind, by model. */
export type Binds = ReadonlyMap<string, ReadonlySet<string>>

/**
 * The columns of a model whose values run time must know: those that its own sealed fields bind, and those
 * that bound foreign keys of other models refer to.
 */
export function boundColumns(
  datamodel: DMMF.Datamodel,
  model: DMMF.Model,
  binds: Binds,
  provider: Provider,
): Record<string, BoundColumn> {
  const names = new Set(binds.get(model.name))
  for (const relation of model.fields) {
    const { boundThere = {} } = boundKeys(datamodel, model, relation, binds)
    for (const name of Object.values(boundThere)) names.add(name)
  }
  return Object.fromEntries(
    model.fields.flatMap((field): [string, BoundColumn][] => {
      const column = names.has(field.name) ? bindable(provider, field) : null
      return column === null ? [] : [[field.name, { ...column, ...filledIn(field) }]]
    }),
  )
}

/** The bound foreign keys that a relation sets, on either side. */
export function boundKeys(
  datamodel: DMMF.Datamodel,
  model: DMMF.Model,
  relation: DMMF.Field,
  binds: Binds,
): Pick<RelationField, 'boundHere' | 'boundThere'> {
  if (relation.kind !== 'object') return {}
  if ((relation.relationFromFields ?? []).length > 0) {
    const boundHere = keysOf(relation, binds.get(model.name))
    return boundHere === null ? {} : { boundHere }
  }
  const opposite = datamodel.models
    .find(({ name }) => name === relation.type)
    ?.fields.find(
      (field) =>
        field.relationName === relation.relationName &&
        field.type === model.name &&
        (field.relationFromFields ?? []).length > 0,
    )
  const boundThere = opposite === undefined ? null : keysOf(opposite, binds.get(relation.type))
  return boundThere === null ? {} : { boundThere }
}

function keysOf(
  { relationFromFields = [], relationToFields = [] }: DMMF.Field,
  bound: ReadonlySet<string> | undefined,
): Record<string, string> | null {
  const pairs = relationFromFields.flatMap((from, i): [string, string][] => {
    const to = relationToFields[i]
    return to !== undefined && bound?.has(from) === true ? [[from, to]] : []
  })
  return pairs.length === 0 ? null : Object.fromEntries(pairs)
}

function filledIn(field: DMMF.Field): Pick<BoundColumn, 'default' | 'generate'> {
  const generate = idFunction(field)
  if (generate !== null) return { generate }
  const { default: value } = field
  return ['string', 'number', 'boolean'].includes(typeof value)
    ? { default: value as string | number | boolean }
    : {}
}

const ID_FUNCTIONS: Readonly<Record<IdFunction['name'], readonly number[] | 'any'>> = {
  uuid: [4, 7],
  cuid: [1, 2],
  ulid: [],
  nanoid: 'any',
}

/** What makes the ids of a column, if Rowseal can do it; null if nothing does, or it cannot. */
export function idFunction({ default: value }: DMMF.Field): IdFunction | null {
  if (typeof value !== 'object' || !('name' in value)) return null
  const { name, args } = value
  if (!Object.hasOwn(ID_FUNCTIONS, name) || args.length > 1) return null
  const known = name as IdFunction['name']
  const [argument] = args
  if (argument === undefined) return { name: known }
  const allowed = ID_FUNCTIONS[known]
  const isKnown = allowed === 'any' ? true : allowed.includes(argument as number)
  return isKnown ? { name: known, argument: Number(argument) } : null
}
