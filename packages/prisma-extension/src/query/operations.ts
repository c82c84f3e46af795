import type { CompiledPlan, ModelPlan } from './compile.ts'
import { replace, writeData, writeEach, writeUpsert, type WriteWalk } from './data.ts'
import { checkAggregate, checkHaving, checkNames } from './filter.ts'
import { unknownClause } from './refuse.ts'
import { checkRead, walkSelection, type Hidden, type ReadWalk } from './selection.ts'
import { SealSites } from './sites.ts'
import { isAbsent, type PlainObject } from './special.ts'

/** What an operation writes and what it gives back. */
interface Operation {
  readonly write?: (walk: WriteWalk, model: ModelPlan, args: PlainObject) => unknown
  /** `rows`: records, whose fields are opened. `values`: counts and aggregates of plain fields. */
  readonly result: 'rows' | 'values'
  /** Prisma builds the selection itself. Given one all the same, it would take its place. */
  readonly selects?: false
}

/** Prisma creates a record of defaults when `data` is left out, where nothing is required. */
const create: Operation['write'] = (walk, model, args) => {
  if (!isAbsent(args['data'])) return createMany(walk, model, args)
  const data = writeEach(walk, model, NO_DATA)
  return data === NO_DATA ? args : { ...args, data }
}
const createMany = (walk: WriteWalk, model: ModelPlan, args: PlainObject): unknown =>
  replace(args, 'data', (data) => writeEach(walk, model, data))
const update: Operation['write'] = (walk, model, args) =>
  replace(args, 'data', (data) => writeData(walk, model, 'update', data))

const NO_DATA: PlainObject = Object.freeze({})
const SELECTION: readonly string[] = ['select', 'include', 'omit']

/** Every operation Prisma 7.10 has on a SQL model. One that is not here is refused. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  findUnique: { result: 'rows' },
  findUniqueOrThrow: { result: 'rows' },
  findFirst: { result: 'rows' },
  findFirstOrThrow: { result: 'rows' },
  findMany: { result: 'rows' },
  create: { write: create, result: 'rows' },
  createMany: { write: createMany, result: 'values' },
  createManyAndReturn: { write: createMany, result: 'rows' },
  update: { write: update, result: 'rows' },
  updateMany: { write: update, result: 'values' },
  updateManyAndReturn: { write: update, result: 'rows' },
  upsert: { write: writeUpsert, result: 'rows' },
  delete: { result: 'rows' },
  deleteMany: { result: 'values' },
  count: { result: 'values' },
  aggregate: { result: 'values', selects: false },
  groupBy: { result: 'values', selects: false },
}

/** Every top-level argument: who looks at it. An argument that is not here is refused. */
const ARGUMENTS: Readonly<
  Record<string, ((plan: CompiledPlan, model: ModelPlan, value: unknown) => void) | null>
> = {
  where: null, // with orderBy, cursor and distinct: checkRead
  orderBy: null,
  cursor: null,
  distinct: null,
  data: null, // with create and update: Operation.write
  create: null,
  update: null,
  select: null, // with include and omit: walkSelection
  include: null,
  omit: null,
  take: null,
  skip: null,
  limit: null,
  skipDuplicates: null,
  relationLoadStrategy: null,
  by: (_plan, model, names) => checkNames(model, names, 'by'),
  having: checkHaving,
  _count: null,
  _min: (_plan, model, fields) => checkAggregate(model, fields),
  _max: (_plan, model, fields) => checkAggregate(model, fields),
  _sum: (_plan, model, fields) => checkAggregate(model, fields),
  _avg: (_plan, model, fields) => checkAggregate(model, fields),
}

/** An operation's arguments after the walk: what to send once `sites` are sealed. */
export interface Collected {
  readonly args: PlainObject
  readonly sites: SealSites
  readonly hidden: Hidden | null
  readonly result: Operation['result']
}

/**
 * Walk the arguments of one operation: refuse what would work on ciphertext, find what must be sealed.
 * Pure and synchronous. The same `args` come back when there is nothing to change.
 *
 * @throws {QueryError} `ERR_QUERY_UNSUPPORTED`, `ERR_VALUE_INVALID`
 */
export function collectArguments(
  read: ReadWalk,
  model: ModelPlan,
  name: string,
  args: PlainObject,
): Collected {
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined
  if (operation === undefined) throw unknownClause(model.name, `the operation "${name}"`)
  for (const key of Object.keys(args)) {
    if (isAbsent(args[key])) continue
    const check = Object.hasOwn(ARGUMENTS, key) ? ARGUMENTS[key] : undefined
    const isRefused = operation.selects === false && SELECTION.includes(key)
    if (check === undefined || isRefused) throw unknownClause(model.name, `the argument "${key}"`)
    check?.(read.plan, model, args[key])
  }
  checkRead(read.plan, model, args)
  const sites = new SealSites()
  const written = (operation.write?.({ plan: read.plan, sites }, model, args) ??
    args) as PlainObject
  // The `select` of a count names fields to count.
  if (operation.result === 'values') return { args: written, sites, hidden: null, result: 'values' }
  const selection = walkSelection(read, model, written)
  return { args: selection.args, sites, hidden: selection.hidden, result: 'rows' }
}
