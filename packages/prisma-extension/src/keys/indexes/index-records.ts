/// <reference lib="es2024.string" />
// String.isWellFormed: in Node since 20.0.
import { phaseOf } from './index-phases.ts'
import { mayMatch } from '../lifecycle/states.ts'
import type { IndexRecord, KeyRow } from '../types.ts'

/** HKDF of Node takes up to 1024 bytes of info, of which the id is the largest part. */
const MAX_ID_BYTES = 1000
const NORMALIZER = /^[a-z][a-z0-9]*$/
const FIELDS = 'complete id isUnique keys lookup normalize writes'
const WRITES: readonly unknown[] = ['lookup', 'both', 'none']

/** The list of an index keyring's head, checked: by id, frozen. Throws what `unfit` makes. */
export function checkRecords(
  indexes: unknown,
  rows: ReadonlyMap<number, KeyRow>,
  unfit: (what: string) => Error,
): ReadonlyMap<string, IndexRecord> {
  if (!Array.isArray(indexes)) throw unfit('Its indexes are no list.')
  const records = new Map<string, IndexRecord>()
  for (const given of indexes as unknown[]) {
    if (!isRecord(given)) throw unfit('An index of it is not of the known shape.')
    if (records.has(given.id)) throw unfit(`Index ${given.id} is there twice.`)
    const fault = faultOf(given, rows)
    if (fault !== null) throw unfit(`Index ${given.id} ${fault}.`)
    records.set(given.id, frozen(given))
  }
  return records
}

/** Can this be the id of an index column: text in Unicode, 1 to 1000 bytes of UTF-8? */
export function isIndexId(id: unknown): id is string {
  return (
    typeof id === 'string' &&
    id !== '' &&
    id.isWellFormed() &&
    Buffer.byteLength(id) <= MAX_ID_BYTES
  )
}

/** Can these be names of normalizers? Which ones there are is for `envelope` to say. */
export function areNormalizers(names: unknown): names is readonly string[] {
  return (
    Array.isArray(names) && names.every((name) => typeof name === 'string' && NORMALIZER.test(name))
  )
}

function isRecord(given: unknown): given is IndexRecord {
  if (typeof given !== 'object' || given === null) return false
  if (Object.keys(given).sort().join(' ') !== FIELDS) return false
  const { id, normalize, isUnique, complete, lookup, writes, keys } = given as IndexRecord
  return (
    isIndexId(id) &&
    areNormalizers(normalize) &&
    typeof isUnique === 'boolean' &&
    typeof complete === 'boolean' &&
    (lookup === 1 || (lookup as number) === 2) &&
    WRITES.includes(writes) &&
    Array.isArray(keys) &&
    (keys as unknown[]).length === 2 &&
    (keys as unknown[]).every((keyId) => keyId === null || Number.isSafeInteger(keyId))
  )
}

function faultOf(record: IndexRecord, rows: ReadonlyMap<number, KeyRow>): string | null {
  const { isUnique, lookup, writes, keys } = record
  const pinned = keys.filter((keyId) => keyId !== null)
  if (!isUnique) {
    const isPlain = pinned.length === 0 && lookup === 1 && writes === 'lookup'
    return isPlain ? null : 'is not unique, and cannot be in such a phase'
  }
  if (phaseOf(record) === null) return 'is in none of the known phases'
  if (new Set(pinned).size < pinned.length) return 'has both slots under one key'
  const lost = pinned.find((keyId) => {
    const row = rows.get(keyId)
    return row === undefined || !mayMatch(row)
  })
  return lost === undefined ? null : `is under key ${lost}, which is not there or may not be used`
}

function frozen({
  id,
  normalize,
  isUnique,
  complete,
  lookup,
  writes,
  keys,
}: IndexRecord): IndexRecord {
  return Object.freeze({
    id,
    normalize: Object.freeze([...normalize]),
    isUnique,
    complete,
    lookup,
    writes,
    keys: Object.freeze([...keys] as const),
  })
}
