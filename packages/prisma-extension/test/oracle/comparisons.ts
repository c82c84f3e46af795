import fc from 'fast-check'
import { shared } from './arbitraries.ts'
import type { Provider } from '../../src/plan/index.ts'
import { delegateOf, isInUnique, type Field, type Model } from './models.ts'
import { sameAliases } from './pools.ts'
import {
  ABSENT,
  ANY_NULL,
  DB_NULL,
  Differing,
  fieldOf,
  JSON_NULL,
  Marked,
  UNDEFINED,
} from './special.ts'
import { lookedFor } from './values.ts'

/** What a filter may say of one field. */
export const fieldFilter = shared(
  (provider: Provider, model: Model, field: Field): fc.Arbitrary<unknown> => {
    const forms: fc.WeightedArbitrary<unknown>[] = [
      { weight: 1, arbitrary: fc.constantFrom<unknown>(ABSENT, { equals: ABSENT }, {}) },
    ]
    // A required field takes no null; the Json in its place is JSON null.
    if (field.isNullable && field.type === 'Json') forms.push({ weight: 12, arbitrary: JSON_NULLS })
    else if (field.isNullable) forms.push({ weight: 8, arbitrary: NULLS })
    if (!field.isSealed) forms.push({ weight: 24, arbitrary: plainFilter(model, field) })
    else if (field.index === 'exact') {
      forms.push({
        weight: 40,
        arbitrary: equality(lookedFor(field), isInUnique(model, field) ? unmarked : twice),
      })
      forms.push({ weight: 1, arbitrary: refusedWithIndex(provider, field) })
    } else if (field.index === 'folded') {
      forms.push({ weight: 40, arbitrary: foldedEquality(provider, field) })
    }
    if (field.isSealed) forms.push({ weight: 1, arbitrary: refused(model, field) })
    return fc.oneof(...forms)
  },
)

const NULLS = fc.constantFrom<unknown>(
  null,
  { equals: null },
  { not: null },
  { not: { equals: null } },
  { not: { not: null } },
)
const JSON_NULLS = fc.constantFrom<unknown>({ equals: DB_NULL }, { not: DB_NULL })

/** Values that look like comparisons. */
const OPERATORS_IN_JSON = fc.constantFrom<unknown>({}, [], { equals: {} }, { not: {} }, { in: [] })

/** Every form of equality with these values. */
function equality(
  value: fc.Arbitrary<unknown>,
  mark: (filter: unknown) => unknown = unmarked,
): fc.Arbitrary<unknown> {
  const list = fc.array(value, { maxLength: 3 })
  const term = fc.oneof(
    value.map((equals) => ({ equals })),
    list.map((it) => ({ in: it })),
    list.map((notIn) => ({ notIn })),
    value.map((not) => ({ not })),
  )
  return fc.oneof(
    { weight: 8, arbitrary: value },
    { weight: 12, arbitrary: term },
    { weight: 4, arbitrary: term.map((not) => ('not' in not ? mark({ not }) : { not })) },
    { weight: 2, arbitrary: fc.tuple(term, term).map(([a, b]) => ({ ...a, ...b })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(term, term)
        .map(([a, b]) => ({ not: { ...a, ...b } }))
        .map(mark),
    },
    { weight: 1, arbitrary: term.map((it) => ({ ...it, not: null })) },
    { weight: 1, arbitrary: value.map((equals) => ({ equals, in: ABSENT, not: ABSENT })) },
    {
      weight: 1,
      arbitrary: value
        .map((equals) => ({ equals, in: UNDEFINED }))
        .chain((both) => fc.constantFrom(both, { not: both })),
    },
  )
}

const unmarked = (filter: unknown): unknown => filter
const twice = (filter: unknown): Marked => new Marked('comparisons in a not while rotating', filter)

/** A normalised index matches more, and its negations less: the plain twin is asked for all values that are the same to it. */
function foldedEquality(provider: Provider, field: Field): fc.Arbitrary<unknown> {
  const value = lookedFor(field)
  const list = fc.array(value, { maxLength: 3 })
  const differing = (sealed: unknown, operator: string, values: readonly unknown[]): Differing =>
    new Differing(sealed, { [operator]: sameAliases(values) })
  const insensitive = value.map((v) => differing({ equals: v, mode: 'insensitive' }, 'in', [v]))
  return fc.oneof(
    value.map((v) => differing(v, 'in', [v])),
    value.map((v) => differing({ equals: v }, 'in', [v])),
    list.map((vs) => differing({ in: vs }, 'in', vs)),
    list.map((vs) => differing({ notIn: vs }, 'notIn', vs)),
    value.map((v) => differing({ not: v }, 'notIn', [v])),
    value.map((v) => differing({ not: { equals: v } }, 'notIn', [v])),
    ...(provider === 'postgresql' ? [insensitive] : []),
  )
}

function plainFilter(model: Model, field: Field): fc.Arbitrary<unknown> {
  const value = lookedFor(field)
  if (field.isList) return value.map((has) => ({ has }))
  if (field.type === 'Json') return value.map((equals) => ({ equals }))
  if (field.type === 'Boolean')
    return fc.oneof(
      value,
      value.map((not) => ({ not })),
    )
  if (field.type === 'Kind') return equality(value)
  const ranges = fc
    .constantFrom('lt', 'lte', 'gt', 'gte')
    .chain((name) => value.map((v) => ({ [name]: v })))
  const parts = fc
    .constantFrom('contains', 'startsWith', 'endsWith')
    .chain((name) => fc.constantFrom('a', 'n', '').map((v) => ({ [name]: v })))
  const reference = fieldOf(delegateOf(model.name), field.name)
  return fc.oneof(
    { weight: 40, arbitrary: equality(value) },
    { weight: 15, arbitrary: ranges },
    ...(field.type === 'String' ? [{ weight: 10, arbitrary: parts }] : []),
    { weight: 4, arbitrary: fc.constantFrom({ equals: reference }, { lte: reference }) },
    ...sealedReference(model, field),
  )
}

/** A plain text compared with a sealed one of its model. */
function sealedReference(model: Model, field: Field): fc.WeightedArbitrary<unknown>[] {
  const sealed = model.fields.find((other) => other.isSealed && other.type === field.type)
  if (sealed === undefined) return []
  const reference = fieldOf(delegateOf(model.name), sealed.name)
  return [{ weight: 1, arbitrary: fc.constant({ equals: new Marked('reference', reference) }) }]
}

/** Of a field with an index, what it cannot answer. */
function refusedWithIndex(provider: Provider, field: Field): fc.Arbitrary<unknown> {
  const value = lookedFor(field)
  return fc.oneof(
    fc.constant(new Marked('null among values', { in: [null] })),
    value.map((v) => new Marked('not with null and a value', { not: { equals: v, not: null } })),
    fc.constant(new Marked('lone surrogate', '\ud800')),
    fc.constant(new Marked('wrong type', 5)),
    fc.constant('a\u0000'),
    ...(provider === 'postgresql'
      ? [
          value.map((equals) => ({ equals, mode: 'default' })),
          value.map(
            (v) =>
              new Marked('insensitive without folded index', { equals: v, mode: 'insensitive' }),
          ),
        ]
      : []),
  )
}

/** What no sealed field can answer. */
function refused(model: Model, field: Field): fc.Arbitrary<unknown> {
  const value = lookedFor(field)
  const reference = fieldOf(delegateOf(model.name), field.name)
  const references = fc.constant({ equals: new Marked('reference', reference) })
  if (field.isList) {
    return fc.oneof(
      value.map((has) => new Marked('list comparison', { has })),
      fc
        .constantFrom({ isEmpty: true }, { equals: [] })
        .map((v) => new Marked('list comparison', v)),
    )
  }
  if (field.type === 'Json') {
    return fc
      .oneof(
        value.map((equals) => ({ equals })),
        value.map((not) => ({ not })),
        fc.constantFrom<unknown>({ equals: JSON_NULL }, { not: JSON_NULL }, { equals: ANY_NULL }),
        fc.constantFrom<unknown>({ path: ['a'], equals: 1 }, { string_contains: 'x' }),
        fc
          .tuple(fc.constantFrom('equals', 'not'), OPERATORS_IN_JSON)
          .map(([operator, operand]) => ({ [operator]: operand })),
      )
      .map((v) => new Marked('Json comparison', v))
  }
  const comparison = field.type === 'Bytes' ? 'Bytes comparison' : 'equality without index'
  const equal =
    field.index === undefined ? [equality(value).map((v) => new Marked(comparison, v))] : []
  if (field.type === 'Bytes') return fc.oneof(...equal, references)
  return fc.oneof(
    ...equal,
    references,
    fc
      .constantFrom('contains', 'startsWith', 'endsWith')
      .map((name) => new Marked('text search', { [name]: 'a' })),
    fc.constantFrom('lt', 'lte', 'gt', 'gte').map((name) => new Marked('range', { [name]: 'm' })),
    fc.constant(new Marked('text search', { contains: 'a', not: UNDEFINED })),
  )
}
