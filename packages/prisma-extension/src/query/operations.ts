import { checkAggregate, checkHaving, checkNames, checkOrder, rewriteDistinct } from './clauses.ts'
import type { ModelPlan } from './compile.ts'
import type { Current } from './current.ts'
import { writeEach, writeUpdate, writeUpsert, type WriteWalk } from './data.ts'
import { rewriteCursor } from './cursor.ts'
import { rewriteFilter, rewriteUnique, type FilterWalk } from './filter.ts'
import { OPERATIONS, type Operation, type Place } from './matrix.ts'
import { proofOf, type Proof } from './proof.ts'
import { unknownClause } from './refuse.ts'
import { walkSelection, type Hidden, type ReadWalk } from './selection.ts'
import { SealSites } from './sites.ts'
import { isAbsent, type PlainObject } from './special.ts'
import { isLeftOut } from './undefined.ts'

/** How an argument is rewritten, or checked, by what stands there. The others have walks of their own. */
const WALKS: Readonly<
  Record<
    Exclude<Place, 'data' | 'selection'>,
    ((walk: FilterWalk, model: ModelPlan, value: unknown) => unknown) | null
  >
> = {
  filter: rewriteFilter,
  unique: rewriteUnique,
  cursor: rewriteCursor,
  distinct: rewriteDistinct,
  order: checking((_, model, value) => checkOrder(model, value)),
  by: checking((_, model, value) => checkNames(model, value, 'by')),
  having: checking(checkHaving),
  aggregate: checking((_, model, value) => checkAggregate(model, value)),
  passed: null,
}

function checking(check: (walk: FilterWalk, model: ModelPlan, value: unknown) => void) {
  return (walk: FilterWalk, model: ModelPlan, value: unknown): unknown => {
    check(walk, model, value)
    return value
  }
}

/** What the walk over an operation carries along. */
export interface OperationWalk extends ReadWalk {
  /** The record that an update or upsert is about, if it had to be read. */
  readonly current: Current
}

/** An operation's arguments after the walk: what to send once `sites` are sealed. */
export interface Collected {
  readonly args: PlainObject
  readonly sites: SealSites
  readonly hidden: Hidden | null
  /** What tells that an update was done, where the database does not. */
  readonly proof: Proof | null
  readonly result: Operation['result']
}

/**
 * Walk the arguments of one operation: rewrite equality to blind indexes, refuse what would work on
 * ciphertext, find what must be sealed. Pure and synchronous. The same `args` come back when there is
 * nothing to change.
 *
 * @throws {QueryError} `ERR_QUERY_UNSUPPORTED`, `ERR_VALUE_INVALID`, `ERR_RECORD_BINDING`
 * @throws {KeyError} `ERR_INDEX_STATE`
 * @throws {ViewPending} if index keys must be read first.
 * @throws {RecordPending} if the record of an update must be read first.
 */
export function collectArguments(
  read: OperationWalk,
  model: ModelPlan,
  name: string,
  args: PlainObject,
): Collected {
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined
  if (operation === undefined) throw unknownClause(model.name, `the operation "${name}"`)
  assertOwn(model, args)
  let out = args
  for (const key of Object.keys(args)) {
    const value = args[key]
    if (isAbsent(value)) continue
    const place = Object.hasOwn(operation.arguments, key) ? operation.arguments[key] : undefined
    if (place === undefined) throw unknownClause(model.name, `the argument "${key}"`)
    const walk = place === 'data' || place === 'selection' ? null : WALKS[place]
    const walked = walk === null ? value : walk(read, model, value)
    if (walked === value) continue
    if (out === args) out = { ...args }
    out[key] = walked
  }
  const sites = new SealSites()
  const written = write({ ...read, sites }, read.current, model, name, out)
  if (operation.result === 'values')
    return { args: written, sites, hidden: null, proof: null, result: 'values' }
  const proof = proofOf(model, read.current, written)
  const shown = proof === null ? [] : [proof.field.name]
  const selection = walkSelection(read, model, written, shown)
  return { args: selection.args, sites, hidden: selection.hidden, proof, result: 'rows' }
}

/** Of an argument named `__proto__` Prisma's copy makes a prototype, out of which it takes some clauses and not others. */
function assertOwn(model: ModelPlan, args: PlainObject): void {
  for (const key in args) {
    if (!Object.hasOwn(args, key)) throw unknownClause(model.name, 'the argument "__proto__"')
  }
}

const NO_DATA: PlainObject = Object.freeze({})

function write(
  walk: WriteWalk,
  current: Current,
  model: ModelPlan,
  name: string,
  args: PlainObject,
): PlainObject {
  if (name === 'upsert') return writeUpsert(walk, model, args, { current }) as PlainObject
  if (!('data' in (OPERATIONS[name]?.arguments ?? {}))) return args
  if (name === 'update') return writeUpdate(walk, model, args, { current }) as PlainObject
  if (name.startsWith('update')) {
    const isByKey = !isAbsent(args['limit'])
    return writeUpdate(walk, model, args, { isMany: true, isByKey }) as PlainObject
  }
  // Prisma creates a record of defaults when `data` is left out, where nothing is required.
  const isBare = name === 'create' && isLeftOut(model, args, 'data')
  const given = isBare ? NO_DATA : args['data']
  if (isAbsent(given)) return args
  const data = writeEach(walk, model, given)
  return data === given ? args : { ...args, data }
}
