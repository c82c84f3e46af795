import fc from 'fast-check'
import { flags, merged, someOf, under, without, type Args, type Arguments } from './arbitraries.ts'
import { filter, type Grammar } from './filters.ts'
import type { Field, Model } from './models.ts'
import { part } from './pages.ts'
import { Marked } from './special.ts'

/** `count`, `aggregate` and `groupBy`. */

const perhaps = (value: Args): Args => fc.oneof(fc.constant<Arguments>({}), value)

const filtered = (grammar: Grammar, model: Model): Args =>
  perhaps(filter(grammar, model, 2).map((where) => ({ where })))

/** A part of the rows; nothing is distinct in a count. */
const counted = (grammar: Grammar, model: Model): Args =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: without('distinct', part(grammar, model)) },
  )

export function count(grammar: Grammar, model: Model): Args {
  const select = under('select', flags(['_all', ...model.fields.map(({ name }) => name)], 4))
  return merged(filtered(grammar, model), counted(grammar, model), perhaps(select))
}

const isGrouping = ({ isSealed, isList, isUpdatedAt, type }: Field): boolean =>
  !isSealed && !isList && !isUpdatedAt && type !== 'Json' && type !== 'Bytes'
const isNumber = ({ type }: Field): boolean => ['Int', 'BigInt', 'Decimal'].includes(type)

/** `_count`, `_min` and the like: of plain fields, except for the count. */
function values(model: Model): Args {
  const plain = model.fields.filter(isGrouping).filter(({ type }) => type !== 'Boolean')
  const numbers = plain.filter(isNumber)
  const sealed = model.fields.filter(({ isSealed, isList }) => isSealed && !isList)
  const forms = [
    under('_count', flags(['_all', ...model.fields.map(({ name }) => name)], 2)),
    fc.constant<Arguments>({ _count: true }),
    under(
      '_min',
      flags(
        plain.map(({ name }) => name),
        2,
      ),
    ),
    under(
      '_max',
      flags(
        plain.map(({ name }) => name),
        2,
      ),
    ),
    ...(numbers.length === 0
      ? []
      : [
          under(
            '_sum',
            flags(
              numbers.map(({ name }) => name),
              2,
            ),
          ),
          under(
            '_avg',
            flags(
              numbers.map(({ name }) => name),
              2,
            ),
          ),
        ]),
  ].map((arbitrary) => ({ weight: 6, arbitrary }))
  const refused = fc
    .constantFrom('_min', '_max')
    .chain((key) =>
      fc
        .constantFrom(...sealed)
        .map(({ name }) => ({ [key]: { [name]: new Marked('aggregate', true) } })),
    )
  return fc.oneof(...forms, { weight: 1, arbitrary: refused })
}

export function aggregate(grammar: Grammar, model: Model): Args {
  return merged(filtered(grammar, model), counted(grammar, model), values(model), values(model))
}

export function groupBy(grammar: Grammar, model: Model): Args {
  const plain = model.fields.filter(isGrouping).map(({ name }) => name)
  const sealed = model.fields.filter(({ isSealed, isList }) => isSealed && !isList)
  const groups = someOf(plain, 1, 2).chain((by) => merged(fc.constant({ by }), groupOrder(by)))
  const refused = fc.constantFrom(...sealed).map(({ name }) => ({ by: [new Marked('by', name)] }))
  return merged(
    fc.oneof({ weight: 12, arbitrary: groups }, { weight: 1, arbitrary: refused }),
    filtered(grammar, model),
    perhaps(values(model)),
    fc.oneof(
      { weight: 5, arbitrary: fc.constant<Arguments>({}) },
      { weight: 2, arbitrary: having(model) },
    ),
  )
}

/** Over all that is grouped by, so that the order is total; or none. */
function groupOrder(by: readonly string[]): Args {
  const direction = fc.constantFrom('asc', 'desc')
  const all = fc.tuple(...by.map((name) => direction.map((dir) => ({ [name]: dir }))))
  const take = fc.record(
    { take: fc.constantFrom(1, 2, 5), skip: fc.constantFrom(0, 1) },
    { requiredKeys: [] },
  )
  return fc.oneof(
    fc.constant<Arguments>({}),
    all.map((orderBy) => ({ orderBy })),
    merged(
      all.map((orderBy) => ({ orderBy })),
      take,
    ),
  )
}

/** Prisma takes fields that are grouped by, and aggregates of any. */
function having(model: Model): Args {
  const plain = model.fields
    .filter(isGrouping)
    .filter(({ type }) => type !== 'Boolean' && type !== 'Kind')
  const sealed = model.fields.filter(({ isSealed, isList }) => isSealed && !isList)
  const counted = fc.constantFrom<unknown>({ _count: { gt: 1 } }, { _count: { equals: 1 } })
  return fc
    .oneof<fc.WeightedArbitrary<Arguments>[]>(
      {
        weight: 6,
        arbitrary: fc
          .constantFrom(...plain)
          .chain(({ name }) => counted.map((value) => ({ [name]: value }))),
      },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom(...sealed)
          .chain(({ name }) => counted.map((value) => ({ [name]: new Marked('having', value) }))),
      },
    )
    .map((having) => ({ having }))
}
