import fc from 'fast-check'
import {
  merged,
  shared,
  someOf,
  sometimes,
  under,
  type Args,
  type Arguments,
} from './arbitraries.ts'
import { filter, keyOf, type Grammar } from './filters.ts'
import type { Field, Model } from './models.ts'
import { ABSENT, Marked } from './special.ts'

/**
 * Which rows of a list, and in which order. Whatever takes a part of them orders them totally: without
 * that, each of the twins may take others.
 */

/** `where`, `orderBy`, `cursor`, `take`, `skip`, `distinct` of a list. */
export const page = shared((grammar: Grammar, model: Model): Args => {
  const where = filter(grammar, model, 1)
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 5, arbitrary: where.map((where) => ({ where })) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(
          part(grammar, model),
          fc.oneof(
            fc.constant({}),
            where.map((where) => ({ where })),
          ),
        )
        .map(([a, b]) => ({ ...b, ...a })),
    },
  )
})

/** An order, and the part it serves. */
export const part = shared((grammar: Grammar, model: Model): Args => {
  return merged(
    totalOrder(grammar, model),
    optional('take', fc.constantFrom<unknown>(1, 2, 3, 5, -1, -2, 0, ABSENT)),
    optional('skip', fc.constantFrom<unknown>(0, 1, 1, 2, ABSENT)),
    optional('cursor', cursor(model)),
    optional('distinct', distinct(model)),
  )
})

const optional = (name: string, value: fc.Arbitrary<unknown>): Args =>
  sometimes(3, under(name, value))

/** Any orders, and then the id. */
export function totalOrder(grammar: Grammar, model: Model): Args {
  const last = fc
    .tuple(...model.id.map((name) => direction.map((dir) => ({ [name]: dir }))))
    .map((list) => list as unknown[])
  const before = fc.array(order(grammar, model), { maxLength: 2 })
  return fc.oneof(
    { weight: 2, arbitrary: last.map((orderBy) => ({ orderBy })) },
    { weight: 2, arbitrary: fc.tuple(before, last).map(([a, b]) => ({ orderBy: [...a, ...b] })) },
  )
}

const direction = fc.constantFrom('asc', 'desc')

function order({ provider, model: named }: Grammar, model: Model): Args {
  const plain = model.fields.filter(
    ({ isSealed, isUpdatedAt, isList, type }) =>
      !isSealed && !isUpdatedAt && !isList && type !== 'Json',
  )
  const sealed = model.fields.filter(({ isSealed, isList }) => isSealed && !isList)
  const withNulls = plain.filter(({ isNullable }) => isNullable && provider !== 'mysql')
  const forms: fc.WeightedArbitrary<Arguments>[] = [
    { weight: 12, arbitrary: byOne(plain, direction) },
    {
      weight: 1,
      arbitrary: byOne(
        sealed,
        direction.map((dir) => new Marked('order', dir)),
      ),
    },
    ...model.relations.map((relation): fc.WeightedArbitrary<Arguments> => {
      if (relation.isList) {
        return {
          weight: 1,
          arbitrary: direction.map((_count) => ({ [relation.name]: { _count } })),
        }
      }
      const ofOther = named(relation.model).fields.filter(
        ({ isSealed, isUpdatedAt, type }) => !isSealed && !isUpdatedAt && type !== 'Json',
      )
      return {
        weight: 1,
        arbitrary: byOne(ofOther, direction).map((by) => ({ [relation.name]: by })),
      }
    }),
  ]
  if (withNulls.length > 0) {
    const sort = fc.record({ sort: direction, nulls: fc.constantFrom('first', 'last') })
    forms.push({ weight: 2, arbitrary: byOne(withNulls, sort) })
  }
  return fc.oneof(...forms)
}

const byOne = (fields: readonly Field[], how: fc.Arbitrary<unknown>): Args =>
  fc.constantFrom(...fields).chain(({ name }) => how.map((value) => ({ [name]: value })))

function cursor(model: Model): fc.Arbitrary<unknown> {
  const uniques = model.fields.filter(({ isUnique }) => isUnique)
  return fc.oneof(
    { weight: 5, arbitrary: keyOf(model, model.id) },
    ...uniques.map(({ name }) => ({ weight: 2, arbitrary: keyOf(model, [name]) })),
    ...model.uniques.map((names) => ({ weight: 2, arbitrary: keyOf(model, names) })),
  )
}

/** A unique index stands under one key always. */
const distinctName = ({ name, index, isUnique }: Field): unknown =>
  index === undefined || isUnique ? name : new Marked('distinct while rotating', name)

/** A sealed field may be distinct by an index that changes nothing. */
function distinct(model: Model): fc.Arbitrary<unknown> {
  const usable = model.fields.filter(
    ({ isSealed, index, type, isList, isUpdatedAt }) =>
      !isList && !isUpdatedAt && type !== 'Json' && (!isSealed || index === 'exact'),
  )
  const unusable = model.fields.filter(
    ({ isSealed, index, type }) => isSealed && index === undefined && type === 'String',
  )
  return fc.oneof(
    { weight: 12, arbitrary: someOf(usable, 1, 2).map((fields) => fields.map(distinctName)) },
    { weight: 4, arbitrary: fc.constantFrom(...usable).map(distinctName) },
    ...unusable.map(({ name }) => ({
      weight: 1,
      arbitrary: fc.constant([new Marked('distinct', name)]),
    })),
  )
}
