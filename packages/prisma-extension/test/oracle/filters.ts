import fc from 'fast-check'
import type { Provider } from '../../src/plan/index.ts'
import { merged, shared, under, type Args, type Arguments } from './arbitraries.ts'
import { fieldFilter } from './comparisons.ts'
import { modelsOf, type Model, type Relation } from './models.ts'
import { ABSENT, Marked } from './special.ts'
import { lookedFor } from './values.ts'

/** Everything the generators share: one for each kind of database. */
export interface Grammar {
  readonly provider: Provider
  /** Does the client take `relationLoadStrategy`? */
  readonly hasJoins: boolean
  readonly model: (name: string) => Model
}

export function grammarOf(provider: Provider, hasJoins = false): Grammar {
  const byName = new Map(modelsOf(provider).map((model) => [model.name, model]))
  return { provider, hasJoins, model: (name) => byName.get(name)! }
}

/** A `where` that selects rows. */
export const filter = shared((grammar: Grammar, model: Model, depth: number): Args => {
  const clauses = clause(grammar, model, depth)
  return fc.oneof(
    { weight: 6, arbitrary: clauses },
    { weight: 1, arbitrary: fc.constant({}) },
    { weight: 3, arbitrary: merged(clauses, clauses) },
  )
})

function clause(grammar: Grammar, model: Model, depth: number): Args {
  const inner = (): Args => filter(grammar, model, depth - 1)
  const fields = fc
    .constantFrom(...model.fields.filter(({ isUpdatedAt }) => !isUpdatedAt))
    .chain((field) => under(field.name, fieldFilter(grammar.provider, model, field)))
  const nested: fc.WeightedArbitrary<Arguments>[] =
    depth === 0
      ? []
      : [
          {
            weight: 16,
            arbitrary: fc
              .constantFrom(...model.relations)
              .chain((relation) =>
                under(relation.name, relationFilter(grammar, relation, depth - 1)),
              ),
          },
          { weight: 12, arbitrary: logical(inner()) },
        ]
  return fc.oneof({ weight: 48, arbitrary: fields }, ...nested, {
    weight: 1,
    arbitrary: oddClause(model),
  })
}

function logical(inner: Args): Args {
  const list = fc.array(inner, { maxLength: 3 })
  return fc.oneof(
    under('AND', fc.oneof(inner, list)),
    under('OR', list),
    under('NOT', fc.oneof(inner, list)),
  )
}

function relationFilter(
  grammar: Grammar,
  { model, isList, isOptional }: Relation,
  depth: number,
): fc.Arbitrary<unknown> {
  const inner = filter(grammar, grammar.model(model), depth)
  if (isList) {
    return fc.constantFrom('some', 'every', 'none').chain((name) => under(name, inner))
  }
  const some = isOptional ? fc.oneof(inner, fc.constant(null)) : inner
  return fc.oneof(
    inner,
    fc.constantFrom('is', 'isNot').chain((name) => under(name, some)),
    ...(isOptional ? [fc.constant(null)] : []),
  )
}

/** Names that are not a filter's. */
function oddClause(model: Model): Args {
  const indexed = model.fields.filter(({ index }) => index !== undefined)
  const column = indexed.map((field) =>
    fc.constant({ [`${field.name}Index`]: new Marked('index column', 'ri1.00000001.00') }),
  )
  return fc.oneof(
    fc.constant({ emial: new Marked('unknown name', 'a@x.ch') }),
    fc.constant({ [model.fields[0]!.name]: ABSENT }),
    ...column,
  )
}

/** A `where` that names one row: by its id, or by another unique. */
export const uniqueFilter = shared((grammar: Grammar, model: Model): Args => {
  const sole = fc.oneof(
    { weight: 5, arbitrary: keyOf(model, model.id) },
    ...model.fields
      .filter(({ isUnique }) => isUnique)
      .map((field) => ({ weight: 3, arbitrary: keyOf(model, [field.name]) })),
    ...model.uniques.map((names) => ({ weight: 3, arbitrary: keyOf(model, names) })),
  )
  const more = merged(filter(grammar, model, 1), sole)
  const aside = fc.tuple(sole, filter(grammar, model, 1)).map(([a, b]) => ({ ...a, AND: [b] }))
  return fc.oneof(
    { weight: 16, arbitrary: sole },
    { weight: 1, arbitrary: more },
    { weight: 1, arbitrary: aside },
  )
})

/** `{ id }` or `{ tenantId_code: { tenantId, code } }`. */
export function keyOf(model: Model, names: readonly string[]): Args {
  const values = fc.record(
    Object.fromEntries(
      names.map((name) => [name, lookedFor(model.fields.find((field) => field.name === name)!)]),
    ),
  )
  return names.length === 1 ? values : values.map((value) => ({ [names.join('_')]: value }))
}
