import fc from 'fast-check'
import { flags, merged, shared, someOf, type Args, type Arguments } from './arbitraries.ts'
import { filter, type Grammar } from './filters.ts'
import type { Model, Relation } from './models.ts'
import { page } from './pages.ts'
import { ABSENT } from './special.ts'

/** `select`, `include`, `omit` or none of them. */
export const selection = shared((grammar: Grammar, model: Model, depth: number): Args => {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant({}) },
    { weight: 4, arbitrary: select(grammar, model, depth).map((select) => ({ select })) },
    ...(depth === 0
      ? []
      : [
          {
            weight: 5,
            arbitrary: relations(grammar, model, depth, 1).map((include) => ({ include })),
          },
        ]),
    { weight: 2, arbitrary: fieldFlags(model).map((omit) => ({ omit })) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Arguments>({ select: ABSENT }, { include: ABSENT, omit: ABSENT }),
    },
  )
})

const columnsOf = (model: Model): string[] => model.fields.map(({ name }) => name)

/** Never all of them: on the sealed side an omit of all leaves the index columns. */
const fieldFlags = (model: Model): Args =>
  flags(columnsOf(model), Math.min(3, model.fields.length - 1))

function select(grammar: Grammar, model: Model, depth: number): Args {
  const chosen = fieldFlags(model)
  const unchosen = fc.constantFrom(...columnsOf(model)).map((name) => ({ [name]: false }))
  return fc.oneof(
    { weight: 5, arbitrary: chosen },
    { weight: 1, arbitrary: merged(unchosen, chosen) },
    ...(depth === 0
      ? []
      : [
          {
            weight: 5,
            arbitrary: merged(chosen, relations(grammar, model, depth, 1)),
          },
        ]),
  )
}

/** Some relations, each `true` or with arguments of its own; and their counts. */
function relations(grammar: Grammar, model: Model, depth: number, min: number): Args {
  return someOf([...model.relations, null], min, 2).chain((chosen) =>
    merged(...chosen.map((relation) => oneRelation(grammar, model, relation, depth - 1))),
  )
}

function oneRelation(
  grammar: Grammar,
  model: Model,
  relation: Relation | null,
  depth: number,
): Args {
  if (relation === null) return counts(grammar, model)
  const target = grammar.model(relation.model)
  const args = relation.isList
    ? merged(selection(grammar, target, depth), page(grammar, target))
    : selection(grammar, target, depth)
  return fc.oneof(fc.constant(true), args).map((value) => ({ [relation.name]: value }))
}

/** `_count` of the relations that are lists. */
function counts(grammar: Grammar, model: Model): Args {
  const lists = model.relations.filter(({ isList }) => isList)
  if (lists.length === 0) return fc.constant({})
  const chosen = fc.constantFrom(...lists).chain((relation) =>
    fc
      .oneof(
        fc.constant(true),
        filter(grammar, grammar.model(relation.model), 1).map((where) => ({ where })),
      )
      .map((value) => ({ _count: { select: { [relation.name]: value } } })),
  )
  return fc.oneof<fc.Arbitrary<Arguments>[]>(fc.constant({ _count: true }), chosen)
}
