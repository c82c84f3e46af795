import fc from 'fast-check'
import { merged, shared, someOf, type Args } from './arbitraries.ts'
import type { Grammar } from './filters.ts'
import type { Field, Model, Relation } from './models.ts'
import { nestedWrite } from './nested-writes.ts'
import { Marked } from './special.ts'
import { created, updated } from './values.ts'

/** What a record is written with: its own fields, and beside them nested writes. */

/** Relations whose keys the surrounding write gives. */
export type Given = readonly Relation[]

/** `data` of a create. */
export function createData(grammar: Grammar, model: Model, depth: number, given: Given = []): Args {
  return withRelations(grammar, model, 'create', depth, given)
}

/** `data` of an update of one record. */
export function updateData(grammar: Grammar, model: Model, depth: number, given: Given = []): Args {
  return withRelations(grammar, model, 'update', depth, given)
}

/** `data` of a createMany: columns only. */
export const createColumns = (model: Model, given: Given = []): Args =>
  columns(model, 'create', keysOf(given))

/** `data` of an updateMany. */
export const updateColumns = (model: Model, given: Given = []): Args =>
  columns(model, 'update', keysOf(given))

const keysOf = (relations: Given): string[] => relations.flatMap(({ fields }) => fields ?? [])

/** Mixing columns of foreign keys with nested writes over the same keys is Prisma's error to report. */
const withRelations = shared(
  (
    grammar: Grammar,
    model: Model,
    mode: 'create' | 'update',
    depth: number,
    given: Given,
  ): Args => {
    const bare = columns(model, mode, keysOf(given))
    const free = model.relations.filter(({ name }) => !given.some((other) => other.name === name))
    if (depth === 0 || free.length === 0) return bare
    const away = free.filter(({ fields }) => fields === undefined)
    const here = free.filter(({ fields }) => fields !== undefined)
    const nested = (pool: readonly Relation[]): Args =>
      someOf(pool, 1, 2).chain((chosen) =>
        merged(...chosen.map((relation) => nestedWrite(grammar, model, relation, mode, depth - 1))),
      )
    const foreign = model.relations.flatMap(({ fields }) => fields ?? [])
    // Every foreign key by a nested write; a required one must then be given.
    const linked = merged(
      columns(model, mode, foreign),
      required(grammar, model, here, mode, depth - 1),
      nested(free),
    )
    return fc.oneof(
      { weight: 5, arbitrary: bare },
      ...(away.length === 0 ? [] : [{ weight: 4, arbitrary: merged(bare, nested(away)) }]),
      { weight: 3, arbitrary: linked },
    )
  },
)

function required(
  grammar: Grammar,
  model: Model,
  here: readonly Relation[],
  mode: 'create' | 'update',
  depth: number,
): Args {
  const needed = mode === 'create' ? here.filter(({ isOptional }) => !isOptional) : []
  return merged(...needed.map((relation) => nestedWrite(grammar, model, relation, mode, depth)))
}

const columns = shared(
  (model: Model, mode: 'create' | 'update', without: readonly string[]): Args => {
    const fields = model.fields.filter(
      ({ name, isUpdatedAt }) => !isUpdatedAt && !without.includes(name),
    )
    const chosen =
      mode === 'create'
        ? optionalOf(fields).map((optional) => [...fields.filter(isNeeded), ...optional])
        : someOf(
            fields.filter(({ name }) => !model.id.includes(name)),
            1,
            4,
          )
    const value = mode === 'create' ? created : updated
    const data = chosen.chain((list) =>
      fc.record(Object.fromEntries(list.map((field) => [field.name, value(model, field)]))),
    )
    return fc.oneof(
      { weight: 60, arbitrary: data },
      { weight: 1, arbitrary: merged(data, oddData(model)) },
      ...(mode === 'update'
        ? [
            { weight: 2, arbitrary: idChange(model) },
            { weight: 1, arbitrary: fc.constant({}) },
          ]
        : []),
    )
  },
)

const isNeeded = ({ isNullable, default: literal, isList }: Field): boolean =>
  !isNullable && literal === undefined && !isList

const optionalOf = (fields: readonly Field[]): fc.Arbitrary<Field[]> =>
  someOf(
    fields.filter((field) => !isNeeded(field)),
    0,
    4,
  )

const idChange = (model: Model): Args =>
  fc.constantFrom(...model.id).chain((name) =>
    created(
      model,
      model.fields.find((field) => field.name === name)!,
    ).map((id) => ({ [name]: id })),
  )

function oddData(model: Model): Args {
  const indexed = model.fields.find(({ index }) => index !== undefined)
  const unknown = fc.constant({ emial: new Marked('unknown name', 'x') })
  if (indexed === undefined) return unknown
  const column = { [`${indexed.name}Index`]: new Marked('index column', 'ri1.00000001.00') }
  return fc.oneof(unknown, fc.constant(column))
}
