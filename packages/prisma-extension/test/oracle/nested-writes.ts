import fc from 'fast-check'
import { merged, shared, type Args, type Arguments } from './arbitraries.ts'
import { filter, uniqueFilter, type Grammar } from './filters.ts'
import type { Model, Relation } from './models.ts'
import { ABSENT } from './special.ts'
import { createColumns, createData, updateColumns, updateData } from './writes.ts'

type Mode = 'create' | 'update'

/** One relation of a write, with one or two nested writes in it. */
export const nestedWrite = shared(
  (grammar: Grammar, model: Model, relation: Relation, mode: Mode, depth: number): Args => {
    const target = grammar.model(relation.model)
    const back = target.relations.find(
      ({ name, label, inverse }) =>
        name === relation.inverse && inverse === relation.name && label === relation.label,
    )!
    const ends = { grammar, target, back, relation, depth }
    const forms = relation.isList ? ofMany(ends, mode) : ofOne(ends, mode)
    const one = fc.oneof(...forms)
    return fc
      .oneof(
        { weight: 12, arbitrary: one },
        {
          weight: relation.isList ? 3 : 0,
          arbitrary: merged(one, one),
        },
        { weight: 1, arbitrary: fc.constantFrom<unknown>(ABSENT, {}, { create: ABSENT }) },
      )
      .map((value) => ({ [relation.name]: value }))
  },
)

interface Ends {
  readonly grammar: Grammar
  readonly target: Model
  /** The relation at the other end: its keys are given by this one. */
  readonly back: Relation
  readonly relation: Relation
  readonly depth: number
}

type Weighted = fc.WeightedArbitrary<Arguments>

const oneOrSeveral = (value: Args): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 3, arbitrary: value },
    { weight: 1, arbitrary: fc.array(value, { maxLength: 2 }) },
  )

const as = (name: string, weight: number, value: fc.Arbitrary<unknown>): Weighted => ({
  weight,
  arbitrary: value.map((value) => ({ [name]: value })),
})

/** Both ends of a relation of many to many are lists; else the other end's keys follow from this record. */
const givenBy = ({ back }: Ends): readonly Relation[] => [back]

function connecting(ends: Ends): { create: Args; key: Args; connectOrCreate: Args } {
  const { grammar, target, depth } = ends
  const create = createData(grammar, target, depth, givenBy(ends))
  const key = uniqueFilter(grammar, target)
  return { create, key, connectOrCreate: fc.record({ where: key, create }) }
}

function ofMany(ends: Ends, mode: Mode): Weighted[] {
  const { grammar, target, back, depth } = ends
  const { create, key, connectOrCreate } = connecting(ends)
  const isJoined = back.isList
  const rows = fc.array(createColumns(target, [back]), { minLength: 1, maxLength: 3 })
  const createMany =
    grammar.provider === 'sqlite'
      ? fc.record({ data: rows })
      : fc.record({ data: rows, skipDuplicates: fc.boolean() }, { requiredKeys: ['data'] })
  const forms = [
    as('create', 6, oneOrSeveral(create)),
    as('connect', 4, oneOrSeveral(key)),
    as('connectOrCreate', 4, oneOrSeveral(connectOrCreate)),
    ...(isJoined ? [] : [as('createMany', 3, createMany)]),
  ]
  if (mode === 'create') return forms
  const some = filter(grammar, target, 1)
  const update = updateData(grammar, target, depth, [back])
  return [
    ...forms,
    ...(isJoined || back.isOptional
      ? [as('disconnect', 2, oneOrSeveral(key)), as('set', 3, fc.array(key, { maxLength: 2 }))]
      : [as('set', 0, fc.constant([]))]),
    as('update', 4, oneOrSeveral(fc.record({ where: key, data: update }))),
    as(
      'updateMany',
      4,
      oneOrSeveral(fc.record({ where: some, data: updateColumns(target, [back]) })),
    ),
    as('upsert', 4, oneOrSeveral(fc.record({ where: key, create, update }))),
    as('delete', 1, oneOrSeveral(key)),
    as('deleteMany', 2, oneOrSeveral(some)),
  ]
}

function ofOne(ends: Ends, mode: Mode): Weighted[] {
  const { grammar, target, relation, back, depth } = ends
  const { create, key, connectOrCreate } = connecting(ends)
  const forms = [
    as('create', 4, create),
    as('connect', 5, key),
    as('connectOrCreate', 4, connectOrCreate),
  ]
  if (mode === 'create') return forms
  const some = filter(grammar, target, 1)
  const data = updateData(grammar, target, depth, [back])
  const whether = fc.oneof(fc.constant(true), fc.constant(false), some)
  return [
    ...forms,
    as('update', 5, fc.oneof(data, fc.record({ where: some, data }, { requiredKeys: ['data'] }))),
    as(
      'upsert',
      4,
      fc.record({ create, update: data, where: some }, { requiredKeys: ['create', 'update'] }),
    ),
    ...(relation.isOptional
      ? [as('disconnect', 2, whether), as('delete', 1, whether)]
      : [as('disconnect', 0, whether)]),
  ]
}
