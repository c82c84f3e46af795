import { isFieldOf, type FieldPlan, type ModelPlan } from './compile.ts'
import { sealField, type Mode } from './field-data.ts'
import { mapSame, replace } from './copy-on-write.ts'
import { rewriteFilter, rewriteUnique, type FilterWalk } from './filter.ts'
import { NESTED_WRITES } from './matrix.ts'
import { isArguments, isIndexColumn, notData, unknownClause, unknownField } from './refuse.ts'
import { RecordSlots, type SealSites } from './sites.ts'
import { isAbsent, type PlainObject } from './special.ts'
import { QueryError } from '../errors.ts'

/**
 * Walks over the arguments that write. They return the same object when nothing below it is sealed, and
 * else a copy whose sealed values `sites` will fill in. A `where` met on the way is rewritten.
 */

/** What a walk carries along. */
export interface WriteWalk extends FilterWalk {
  readonly sites: SealSites
}

/** `data` of a create or an update of one record, or of one `updateMany`. */
export function writeData(
  walk: WriteWalk,
  model: ModelPlan,
  mode: Mode,
  data: unknown,
  record = new RecordSlots(),
): unknown {
  if (!model.reaches) return data
  if (!isArguments(data)) {
    if (data === null) return data
    throw notData(`The data of ${model.name}`)
  }
  let out = data
  for (const key of Object.keys(data)) {
    const value = data[key]
    if (isAbsent(value)) continue
    const field = model.sealed.get(key)
    if (field !== undefined) {
      if (out === data) out = { ...data }
      sealField(walk, record, field, mode, out, value)
      continue
    }
    const relation = model.relations.get(key)
    if (relation === undefined) {
      const index = model.indexes.get(key)
      if (index !== undefined) throw isIndexColumn(index, `${model.name}.${key}`)
      if (key in model.source.columns) continue
      throw unknownField(model.name, key)
    }
    if (!relation.reaches || value === null) continue
    if (!isArguments(value)) throw notData(`${model.name}.${key}`)
    const nested = writeRelation(walk, relation, value, model.source.relations[key]?.list === true)
    if (nested === value) continue
    if (out === data) out = { ...data }
    out[key] = nested
  }
  return mode === 'create' ? withDefaults(walk, model, record, data, out) : out
}

/** One record or a list of them, each with a DEK of its own. */
export function writeEach(walk: WriteWalk, model: ModelPlan, data: unknown): unknown {
  return mapSame(data, (item) => writeData(walk, model, 'create', item))
}

/** The engine fills defaults after the hooks, in the clear: so a sealed field's default is written here. */
function withDefaults(
  walk: WriteWalk,
  model: ModelPlan,
  record: RecordSlots,
  data: PlainObject,
  copied: PlainObject,
): PlainObject {
  let out = copied
  for (const field of model.defaults) {
    const isGiven = Object.hasOwn(data, field.name) && !isAbsent(data[field.name])
    // A default that stays in the clear is the engine's, but an index over it is not.
    const isPlain = field.spec.seal === 'off' && field.indexes.length === 0
    if (isPlain || isGiven) continue
    if (out === data) out = { ...data }
    sealField(walk, record, field, 'create', out, defaultOf(field))
  }
  return out
}

function defaultOf(field: FieldPlan): unknown {
  const parse = (text: string): unknown => (field.spec.type === 'Json' ? JSON.parse(text) : text)
  const literal = field.spec.default
  return typeof literal === 'string' ? parse(literal) : literal?.map(parse)
}

type NestedWrite = (walk: WriteWalk, model: ModelPlan, value: unknown, list: boolean) => unknown

/** The nested writes of a relation (`list`: to many): what each of them holds. */
const NESTED: Readonly<Record<keyof typeof NESTED_WRITES, NestedWrite>> = {
  create: (walk, model, value) => writeEach(walk, model, value),
  createMany: (walk, model, value) =>
    replace(value, 'data', (data) => writeEach(walk, model, data)),
  connectOrCreate: (walk, model, value) =>
    mapSame(value, (item) =>
      replace(whereOf(walk, model, item, true), 'create', (data) =>
        writeData(walk, model, 'create', data),
      ),
    ),
  update: (walk, model, value, list) =>
    mapSame(value, (item) => writeNestedUpdate(walk, model, item, list)),
  updateMany: (walk, model, value) =>
    mapSame(value, (item) =>
      replace(whereOf(walk, model, item, false), 'data', (data) =>
        writeData(walk, model, 'update', data),
      ),
    ),
  upsert: (walk, model, value, list) =>
    mapSame(value, (item) => writeUpsert(walk, model, whereOf(walk, model, item, list))),
  connect: (walk, model, value) => rewriteUnique(walk, model, value),
  set: (walk, model, value) => rewriteUnique(walk, model, value),
  disconnect: naming,
  delete: naming,
  deleteMany: (walk, model, value) => rewriteFilter(walk, model, value),
}

/** Rows of a list are named; of a single relation there is one, which a filter may hold against. */
function naming(walk: WriteWalk, model: ModelPlan, value: unknown, list: boolean): unknown {
  return list ? rewriteUnique(walk, model, value) : rewriteFilter(walk, model, value)
}

function isNestedWrite(key: string): key is keyof typeof NESTED_WRITES {
  return Object.hasOwn(NESTED_WRITES, key)
}

function writeRelation(
  walk: WriteWalk,
  model: ModelPlan,
  value: PlainObject,
  list: boolean,
): PlainObject {
  let out = value
  for (const key of Object.keys(value)) {
    if (isAbsent(value[key])) continue
    if (!isNestedWrite(key)) throw unknownClause(model.name, `the nested write "${key}"`)
    const nested = NESTED[key](walk, model, value[key], list)
    if (nested === value[key]) continue
    if (out === value) out = { ...value }
    out[key] = nested
  }
  return out
}

/** `create` and `update` of an upsert are the same record: whichever is used, one DEK serves. */
export function writeUpsert(walk: WriteWalk, model: ModelPlan, args: unknown): unknown {
  const record = new RecordSlots()
  const created = replace(args, 'create', (data) => writeData(walk, model, 'create', data, record))
  return replace(created, 'update', (data) => writeData(walk, model, 'update', data, record))
}

/** A list's `{ where, data }`; a single relation takes that or the bare data. */
function writeNestedUpdate(
  walk: WriteWalk,
  model: ModelPlan,
  value: unknown,
  list: boolean,
): unknown {
  if (!isArguments(value)) return value
  if (!list && !isWrapper(model, value)) return writeData(walk, model, 'update', value)
  return replace(whereOf(walk, model, value, list), 'data', (data) =>
    writeData(walk, model, 'update', data),
  )
}

/**
 * @throws {QueryError} `ERR_QUERY_UNSUPPORTED` if fields of the model are named so that it may be either.
 */
function isWrapper(model: ModelPlan, value: PlainObject): boolean {
  const keys = Object.keys(value).filter((key) => !isAbsent(value[key]))
  if (!keys.includes('data')) return false
  if (!isFieldOf(model, 'data') || !model.reaches) return true
  if (!keys.every((key) => key === 'data' || key === 'where')) return false
  if (keys.length === 2 && !isFieldOf(model, 'where')) return true
  throw new QueryError(
    'ERR_QUERY_UNSUPPORTED',
    `${model.name} has a field named "data", so a nested update that holds ${keys.length === 1 ? 'only "data"' : '"where" and "data"'} can be read in two ways.`,
    {
      fix: isFieldOf(model, 'where')
        ? `Update ${model.name} by itself.`
        : 'Write { where: {}, data: {...} } if "data" holds the update.',
    },
  )
}

function whereOf(walk: WriteWalk, model: ModelPlan, value: unknown, isUnique: boolean): unknown {
  const rewrite = isUnique ? rewriteUnique : rewriteFilter
  return replace(value, 'where', (where) => rewrite(walk, model, where))
}
