import { Before, type Named } from './before.ts'
import { NOTHING_GIVEN, type Binding, type Given } from './binding.ts'
import { withDefaults } from './defaults.ts'
import { bindCreate } from './bound-create.ts'
import { bindUpdate } from './bound-update.ts'
import { namesCreated } from './bound-values.ts'
import { isFieldOf, type ModelPlan } from './compile.ts'
import { sealField, type Mode } from './field-data.ts'
import { mapSame, replace } from './copy-on-write.ts'
import { rewriteFilter, type FilterWalk } from './filter.ts'
import { NESTED_WRITES } from './matrix.ts'
import { assertNested, assertStays, named, naming, whereOf } from './named-records.ts'
import { isArguments, isIndexColumn, notData, unknownClause, unknownField } from './refuse.ts'
import { mayDuplicate } from './refuse-binding.ts'
import { RecordSlots, type SealSites, type WrittenRecord } from './sites.ts'
import { isAbsent, isPlainObject, type PlainObject } from './special.ts'
import { refuseUndefined } from './undefined.ts'
import { isWrapper } from './wrapper.ts'

/**
 * Walks over the arguments that write. They return the same object when nothing below it is sealed, and
 * else a copy whose sealed values `sites` will fill in. A `where` met on the way is rewritten.
 */

/** What a walk carries along. */
export interface WriteWalk extends FilterWalk {
  readonly sites: SealSites
}

/** `data` of a record that is created. @param above - bound foreign keys that it gets from a record above it. */
export function createData(
  walk: WriteWalk,
  model: ModelPlan,
  data: unknown,
  above: Given = NOTHING_GIVEN,
  slots = new RecordSlots(),
): unknown {
  const bind = (given: PlainObject): Binding => bindCreate(model, given, above)
  return writeData(walk, model, 'create', data, bind, slots)
}

/** `data` of an update of one record, or of one `updateMany`. */
function updateData(
  walk: WriteWalk,
  model: ModelPlan,
  data: unknown,
  before: Before,
  slots = new RecordSlots(),
): unknown {
  const bind = (given: PlainObject): Binding => bindUpdate(model, given, before)
  return writeData(walk, model, 'update', data, bind, slots)
}

function writeData(
  walk: WriteWalk,
  model: ModelPlan,
  mode: Mode,
  written: unknown,
  bind: (given: PlainObject) => Binding,
  slots: RecordSlots,
): unknown {
  if (!model.reaches) return written
  if (!isArguments(written)) {
    if (written === null) return written
    throw notData(`The data of ${model.name}`)
  }
  const { data, boundTo, below } = bind(written)
  const record: WrittenRecord = { slots, boundTo }
  let out = data
  for (const key of Object.keys(data)) {
    const value = data[key]
    if (isAbsent(value)) continue
    const field = model.sealed.get(key)
    if (field !== undefined) {
      if (model.isStrict) refuseUndefined(field, value)
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
    const list = model.source.relations[key]?.list === true
    const nested = writeRelation(walk, relation, value, list, below(key))
    if (nested === value) continue
    if (out === data) out = { ...data }
    out[key] = nested
  }
  return mode === 'create' ? withDefaults(walk, model, record, data, out) : out
}

/** One record or a list of them, each with a DEK of its own. */
export function writeEach(
  walk: WriteWalk,
  model: ModelPlan,
  data: unknown,
  above?: Given,
): unknown {
  return mapSame(data, (item) => createData(walk, model, item, above))
}

/**
 * @param list - is the relation one to many?
 * @param above - bound foreign keys that the relation sets.
 */
type NestedWrite = (
  walk: WriteWalk,
  model: ModelPlan,
  value: unknown,
  list: boolean,
  above: Given,
) => unknown

/** The nested writes of a relation: what each of them holds. */
const NESTED: Readonly<Record<keyof typeof NESTED_WRITES, NestedWrite>> = {
  create: (walk, model, value, _, above) => writeEach(walk, model, value, above),
  createMany: (walk, model, value, _, above) => {
    assertNested(model, 'createMany', value)
    return replace(value, 'data', (data) => writeEach(walk, model, data, above))
  },
  connectOrCreate: (walk, model, value, _, above) => {
    assertStays(model, above, 'connectOrCreate')
    return mapSame(value, (item) => {
      const args = whereOf(walk, model, 'connectOrCreate', item, true)
      return replace(args, 'create', (data) => createData(walk, model, data))
    })
  },
  update: (walk, model, value, list, above) =>
    mapSame(value, (item) => writeNestedUpdate(walk, model, item, list, above)),
  updateMany: (walk, model, value) =>
    mapSame(value, (item) => {
      const args = whereOf(walk, model, 'updateMany', item, false)
      // Prisma finds the rows first, and then writes by their keys.
      return writeUpdate(walk, model, args, { isMany: true, isByKey: true })
    }),
  upsert: (walk, model, value, list, above) =>
    mapSame(value, (item) =>
      writeUpsert(walk, model, whereOf(walk, model, 'upsert', item, list), { above }),
    ),
  connect: naming('connect'),
  set: naming('set'),
  disconnect: naming('disconnect'),
  delete: named,
  deleteMany: (walk, model, value) => rewriteFilter(walk, model, value),
}

function isNestedWrite(key: string): key is keyof typeof NESTED_WRITES {
  return Object.hasOwn(NESTED_WRITES, key)
}

function writeRelation(
  walk: WriteWalk,
  model: ModelPlan,
  value: PlainObject,
  list: boolean,
  above: Given,
): PlainObject {
  let out = value
  for (const key of Object.keys(value)) {
    if (isAbsent(value[key])) continue
    if (!isNestedWrite(key)) throw unknownClause(model.name, `the nested write "${key}"`)
    const nested = NESTED[key](walk, model, value[key], list, above)
    if (nested === value[key]) continue
    if (out === value) out = { ...value }
    out[key] = nested
  }
  return out
}

/** How a record is named, but for its `where`. */
type Naming = Omit<Named, 'where'>

/** `{ where, data }`, whose `where` was rewritten. */
export function writeUpdate(
  walk: WriteWalk,
  model: ModelPlan,
  args: unknown,
  naming: Naming,
): unknown {
  if (!isPlainObject(args)) return args
  const before = new Before(model, { ...naming, where: args['where'] })
  const out = replace(args, 'data', (data) => updateData(walk, model, data, before))
  return before.constrain(out as PlainObject)
}

/** `create` and `update` of an upsert are the same record: whichever is used, one DEK serves. */
export function writeUpsert(
  walk: WriteWalk,
  model: ModelPlan,
  args: unknown,
  naming: Naming,
): unknown {
  if (!isPlainObject(args)) return args
  const slots = new RecordSlots()
  const before = new Before(model, { ...naming, where: args['where'] })
  const created = replace(args, 'create', (data) =>
    createData(walk, model, data, naming.above, slots),
  )
  const out = replace(created, 'update', (data) =>
    updateData(walk, model, data, before, slots),
  ) as PlainObject
  if (naming.current !== undefined) assertSameRecord(model, before, out)
  return before.constrain(out)
}

/**
 * An upsert whose `where` gets further conditions creates a record where they do not hold. That must be
 * the one that `where` names, so that it fails beside one that is there.
 */
function assertSameRecord(model: ModelPlan, { open }: Before, args: PlainObject): void {
  if (open.length > 0 && !namesCreated(model, args['where'], args['create'])) {
    throw mayDuplicate(model, open)
  }
}

/** A list's `{ where, data }`; a single relation takes that or the bare data. */
function writeNestedUpdate(
  walk: WriteWalk,
  model: ModelPlan,
  value: unknown,
  list: boolean,
  above: Given,
): unknown {
  if (!isArguments(value)) return value
  if (list || isWrapper(model, value)) {
    return writeUpdate(walk, model, whereOf(walk, model, 'update', value, list), { above })
  }
  // What the record above gives goes into a `where`, if that can be told from the data.
  const isClear = !isFieldOf(model, 'data') && !isFieldOf(model, 'where')
  const wrapped = writeUpdate(walk, model, { data: value }, isClear ? { above } : {}) as PlainObject
  return wrapped['where'] === undefined ? wrapped['data'] : wrapped
}
