import fc from 'fast-check'
import { merged, sometimes, under, without, type Args, type Arguments } from './arbitraries.ts'
import { filter, uniqueFilter, type Grammar } from './filters.ts'
import { aggregate, count, groupBy } from './aggregates.ts'
import { modelsOf, type Model } from './models.ts'
import { page, part } from './pages.ts'
import { selection } from './selections.ts'
import { createColumns, createData, updateColumns, updateData } from './writes.ts'

/** One call of a client. */
export interface Operation {
  readonly model: string
  readonly name: string
  readonly args: Arguments
  /** Relations that the call goes along: `person.findUnique(…).boss({ select: … })`. */
  readonly path: readonly PathStep[]
}

export interface PathStep {
  readonly relation: string
  readonly args: Arguments
}

/** What a sequence is made of. */
export type Step =
  | { readonly kind: 'single'; readonly operation: Operation }
  | { readonly kind: 'batch'; readonly operations: readonly Operation[] }
  | {
      readonly kind: 'interactive'
      readonly operations: readonly Operation[]
      readonly isRolledBack: boolean
    }

const DEPTH = 2

interface Form {
  readonly weight: number
  readonly args: (grammar: Grammar, model: Model) => Args
  /** Which databases lack it. */
  readonly lacking?: readonly string[]
}

const limit = sometimes(1, fc.constantFrom({ limit: 0 }, { limit: 100 }))

const strategy = ({ hasJoins }: Grammar): Args =>
  hasJoins
    ? sometimes(6, under('relationLoadStrategy', fc.constantFrom('join', 'query')))
    : fc.constant({})
const one = (grammar: Grammar, model: Model): Args =>
  merged(
    under('where', uniqueFilter(grammar, model)),
    selection(grammar, model, DEPTH),
    strategy(grammar),
  )
const many = (grammar: Grammar, model: Model): Args =>
  merged(page(grammar, model), selection(grammar, model, DEPTH), strategy(grammar))
const first = (grammar: Grammar, model: Model): Args =>
  merged(
    without('take', part(grammar, model)),
    under('where', filter(grammar, model, 2)),
    selection(grammar, model, DEPTH),
  )
const rows = (grammar: Grammar, model: Model): Args =>
  merged(
    under(
      'data',
      fc.oneof(
        fc.array(createColumns(model), { minLength: 1, maxLength: 3 }),
        createColumns(model),
      ),
    ),
    grammar.provider === 'sqlite'
      ? fc.constant({})
      : sometimes(
          1,
          fc.boolean().map((skipDuplicates) => ({ skipDuplicates })),
        ),
  )
const changes = (grammar: Grammar, model: Model): Args =>
  merged(under('where', filter(grammar, model, 2)), under('data', updateColumns(model)), limit)

/** Every operation of Prisma on a SQL model. */
const FORMS: Readonly<Record<string, Form>> = {
  findUnique: { weight: 6, args: one },
  findUniqueOrThrow: { weight: 3, args: one },
  findFirst: { weight: 4, args: first },
  findFirstOrThrow: { weight: 2, args: first },
  findMany: { weight: 10, args: many },
  create: {
    weight: 12,
    args: (grammar, model) =>
      merged(under('data', createData(grammar, model, 3)), selection(grammar, model, 1)),
  },
  createMany: { weight: 4, args: rows },
  createManyAndReturn: {
    weight: 4,
    args: (grammar, model) => merged(rows(grammar, model), selection(grammar, model, 0)),
    lacking: ['mysql'],
  },
  update: {
    weight: 14,
    args: (grammar, model) =>
      merged(under('data', updateData(grammar, model, 3)), one(grammar, model)),
  },
  updateMany: { weight: 5, args: changes },
  updateManyAndReturn: {
    weight: 4,
    args: (grammar, model) => merged(changes(grammar, model), selection(grammar, model, 0)),
    lacking: ['mysql'],
  },
  upsert: {
    weight: 7,
    args: (grammar, model) =>
      merged(
        one(grammar, model),
        under('create', createData(grammar, model, 2)),
        under('update', updateData(grammar, model, 2)),
      ),
  },
  delete: { weight: 3, args: one },
  deleteMany: {
    weight: 2,
    args: (grammar, model) => merged(under('where', filter(grammar, model, 2)), limit),
  },
  count: { weight: 4, args: count },
  aggregate: { weight: 4, args: aggregate },
  groupBy: { weight: 4, args: groupBy },
}

export const operationNames = (grammar: Grammar): string[] =>
  Object.keys(FORMS).filter((name) => !FORMS[name]!.lacking?.includes(grammar.provider))

function operation(grammar: Grammar): fc.Arbitrary<Operation> {
  const models = modelsOf(grammar.provider)
  const model = fc.oneof(
    ...models.map((model) => ({
      weight: model.name === 'Person' ? 5 : 2,
      arbitrary: fc.constant(model),
    })),
  )
  const forms = operationNames(grammar).map((name) => ({
    weight: FORMS[name]!.weight,
    arbitrary: model.chain((model) =>
      FORMS[name]!.args(grammar, model).map((args): Operation => ({
        model: model.name,
        name,
        args,
        path: [],
      })),
    ),
  }))
  return fc.oneof(...forms, {
    weight: 2,
    arbitrary: model.chain((model) => fluent(grammar, model)),
  })
}

/** A call that goes along relations; its result is what lies at their end. */
function fluent(grammar: Grammar, model: Model): fc.Arbitrary<Operation> {
  const call = fc
    .constantFrom('findUnique', 'findUniqueOrThrow', 'update', 'delete')
    .chain((name) => {
      const where = under('where', uniqueFilter(grammar, model))
      const args = name === 'update' ? merged(where, under('data', updateColumns(model))) : where
      return args.map((args) => ({ name, args }))
    })
  return fc
    .tuple(call, path(grammar, model, 2))
    .map(([call, path]) => ({ model: model.name, ...call, path }))
}

/** One relation, or one more after a single one. Arguments are the last one's. */
function path(grammar: Grammar, model: Model, length: number): fc.Arbitrary<PathStep[]> {
  return fc.constantFrom(...model.relations).chain((relation) => {
    const target = grammar.model(relation.model)
    const chosen = selection(grammar, target, 1)
    const args = relation.isList
      ? sometimes(5, merged(page(grammar, target), chosen))
      : sometimes(5, chosen)
    const last = args.map((args) => [{ relation: relation.name, args }])
    if (relation.isList || length === 1) return last
    const further = path(grammar, target, length - 1)
    return fc.oneof(
      last,
      further.map((rest) => [{ relation: relation.name, args: {} }, ...rest]),
    )
  })
}

/** A sequence begins with the same records every time. */
export function sequence(grammar: Grammar): fc.Arbitrary<Step[]> {
  const single = operation(grammar)
  const unlinked = single.map((operation) => ({ ...operation, path: [] }))
  const some = fc.array(unlinked, { maxLength: 4, size: 'max' })
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 20, arbitrary: single.map((operation) => ({ kind: 'single' as const, operation })) },
    { weight: 1, arbitrary: some.map((operations) => ({ kind: 'batch' as const, operations })) },
    {
      weight: 1,
      arbitrary: fc.tuple(some, fc.boolean()).map(([operations, isRolledBack]) => ({
        kind: 'interactive' as const,
        operations,
        isRolledBack,
      })),
    },
  )
  return fc.array(step, { maxLength: 36, size: 'max' })
}
