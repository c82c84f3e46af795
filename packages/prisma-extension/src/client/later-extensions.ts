import { SchemaError } from '../errors.ts'
import { fromPlaintext, type ModelPlan } from '../query/index.ts'
import { NESTED_WRITES, OPERATIONS } from '../query/matrix.ts'
import { isAbsent, isPlainObject, nullKind } from '../query/special.ts'
import type { SealSites } from '../query/sites.ts'
import { fluentPath, handedDown } from './internals.ts'
import type { HookParams } from './operation.ts'

/**
 * Extensions applied after this one stand between it and the database: what they compare with a sealed
 * column finds nothing, and what they write there stays plaintext. Two things show that one does:
 *
 *   it passes on a value for a sealed field, or for an index column, that was not in the arguments it got,
 *   or writes another value than those into a column that encrypted values are bound to;
 *   it calls the extended client with what was sealed already, which would be sealed twice.
 */

const FIX = 'Apply that extension before rowseal({ plan, keyring }).'
const WRITTEN: ReadonlySet<string> = new Set(['data', 'create', 'update'])
const SELECTIONS: ReadonlySet<string> = new Set(['select', 'include', 'omit', '_count'])
const NAMES: ReadonlySet<string> = new Set(['distinct', 'by'])
/** Below these, every key is a field. */
const RECORDS: ReadonlySet<string> = new Set(['data', 'create'])
/** Keys that may be arguments, operators or nested writes elsewhere. */
const RESERVED: ReadonlySet<string> = new Set([
  ...Object.values(OPERATIONS).flatMap((operation) => Object.keys(operation.arguments)),
  ...Object.keys(NESTED_WRITES),
  ...['AND', 'OR', 'NOT', 'some', 'every', 'none', 'is', 'isNot'],
])

/**
 * An operation's `query`, watched while it runs. A fluent call's result is taken from the whole record.
 *
 * @param onRecord - gets that first.
 */
export function guardedQuery(
  underWay: Set<SealSites>,
  model: ModelPlan,
  { query, __internalParams }: HookParams,
  sealed: SealSites,
  onRecord: (record: unknown) => void,
): HookParams['query'] {
  return async (args) => {
    const check = (passedOn: unknown): void => refuseForeign(model, args, passedOn)
    if (sealed.sites.length > 0) underWay.add(sealed)
    try {
      let result = await query(args, handedDown(__internalParams, check))
      onRecord(result)
      for (const relation of fluentPath(__internalParams)) {
        result = (result as Record<string, unknown> | null)?.[relation] ?? null
      }
      return result
    } finally {
      underWay.delete(sealed)
    }
  }
}

/**
 * Compare what is about to reach the database with what this extension handed down.
 *
 * @throws {SchemaError} `ERR_EXTENSION_ORDER`, naming the field.
 */
function refuseForeign(model: ModelPlan, handedDown: unknown, passedOn: unknown): void {
  const known = new Set(leavesOf(model, handedDown))
  for (const leaf of leavesOf(model, passedOn)) {
    if (known.has(leaf)) continue
    const field = leaf.slice(0, leaf.indexOf('='))
    const does = leaf.startsWith(`${field}=bound:`)
      ? `sets ${field}, to which values are bound that are encrypted already`
      : `uses ${field}, of which the database has only ciphertext`
    throw new SchemaError('ERR_EXTENSION_ORDER', `An extension applied after Rowseal ${does}.`, {
      field,
      fix: FIX,
    })
  }
}

/**
 * Is one of these values the envelope that an operation under way has just made?
 *
 * @throws {SchemaError} `ERR_EXTENSION_ORDER`, naming the field.
 */
export function refuseResealing(underWay: ReadonlySet<SealSites>, { sites }: SealSites): void {
  if (underWay.size === 0) return
  for (const { field, plaintext } of sites) {
    if (!mayHoldEnvelope(plaintext)) continue
    const value = fromPlaintext(field, plaintext)
    if (![...underWay].some((other) => hasMade(other, value))) continue
    throw new SchemaError(
      'ERR_EXTENSION_ORDER',
      `An extension applied after Rowseal writes ${field.label} through the extended client, which would encrypt it twice.`,
      { field: field.label, fix: FIX },
    )
  }
}

/**
 * The values at sealed fields and index columns, each as `Model.field=value`. Null, which is stored as such,
 * is none. Bound columns only where they are written: filtering by them is harmless.
 */
function* leavesOf(
  model: ModelPlan,
  node: unknown,
  clause = '',
  isWritten = false,
): Generator<string> {
  if (Array.isArray(node)) {
    for (const element of node) yield* leavesOf(model, element, clause, isWritten)
    return
  }
  if (!isPlainObject(node)) {
    if (NAMES.has(clause) && typeof node === 'string' && isGuarded(model, node)) {
      yield `${model.name}.${node}=`
    }
    return
  }
  for (const [key, value] of Object.entries(node)) {
    const isChoice = SELECTIONS.has(clause) && typeof value === 'boolean'
    if (isGuarded(model, key) && !isChoice) yield* valuesAt(`${model.name}.${key}`, value)
    const isBound = isWritten && Object.hasOwn(model.source.bound, key)
    if (isBound) yield* valuesAt(`${model.name}.${key}`, value, 'bound:')
    const relation = model.relations.get(key)
    const isInData = key !== 'where' && (isWritten || WRITTEN.has(key))
    if (relation !== undefined) yield* leavesOf(relation, value, '', isWritten)
    else if (!isPlainJson(model, key, clause)) yield* leavesOf(model, value, key, isInData)
  }
}

function* valuesAt(label: string, value: unknown, mark = ''): Generator<string> {
  if (value === null || isAbsent(value) || nullKind(value) !== null) return
  if (ArrayBuffer.isView(value)) {
    yield `${label}=${mark}${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}`
  } else if (isPlainObject(value) || Array.isArray(value)) {
    const inner = Object.values(value)
    if (inner.length === 0) yield `${label}=${mark}{}`
    for (const element of inner) yield* valuesAt(label, element, mark)
  } else yield `${label}=${mark}${value instanceof Date ? value.toISOString() : (value as string)}`
}

/** Keys within a Json column are no fields, whatever they are called. */
function isPlainJson({ source }: ModelPlan, key: string, clause: string): boolean {
  return source.columns[key]?.type === 'Json' && (RECORDS.has(clause) || !RESERVED.has(key))
}

function isGuarded(model: ModelPlan, name: string): boolean {
  return model.sealed.has(name) || model.indexes.has(name)
}

/** A first look at the bytes: the codec tag, a length or a quote may come before an envelope's first letters. */
function mayHoldEnvelope(plaintext: Buffer): boolean {
  const start = plaintext.subarray(0, 10)
  return start.includes('rs1.') || start.includes('RS\x01')
}

function hasMade({ sites }: SealSites, value: unknown): boolean {
  return sites.some(({ target, key }) => {
    const envelope = target[key]
    return value instanceof Uint8Array && envelope instanceof Uint8Array
      ? Buffer.compare(value, envelope) === 0
      : value === envelope
  })
}
