import { inspect } from 'node:util'
import { KeyError } from '../../errors.ts'
import { tampered } from './authentic.ts'
import { isIndexKeyring } from '../indexes/index-name.ts'
import { checkRecords } from '../indexes/index-records.ts'
import { endsIt, isKeyState, mayProcess } from '../lifecycle/states.ts'
import type { IndexRecord, KeyringHead, KeyringSnapshot, KeyRow, WrappedKey } from '../types.ts'

const MAX_KEY_ID = 0xffff_ffff
const CHECK_VALUE_BYTES = 32
const MAC_BYTES = 32
const SUITES: readonly number[] = [0x01, 0x02]

/** A keyring as the store gave it, checked and frozen. */
export interface Snapshot {
  readonly revision: number
  /** The version that seals; `deactivated` or `destroyed` where the keyring is closed. */
  readonly active: KeyRow
  readonly rows: ReadonlyMap<number, KeyRow>
  /** Ids of the versions that may open and are not active. */
  readonly stale: readonly number[]
  /** Blind indexes by id; none in a keyring of KEKs. */
  readonly indexes: ReadonlyMap<string, IndexRecord>
  readonly macKey: WrappedKey
}

/**
 * Check what a store gave. Stores are databases that people can edit: nothing is taken on trust.
 *
 * @throws {KeyError} `ERR_STORE_TAMPERED` naming key and column, `ERR_STORE_NEWER` for an unknown suite.
 */
export function checkSnapshot(keyring: string, { head, keys }: KeyringSnapshot): Snapshot {
  const rows = new Map<number, KeyRow>()
  for (const key of keys) {
    checkRow(keyring, key)
    if (rows.has(key.keyId)) throw unfit(keyring, `Key ${key.keyId} is there twice.`)
    rows.set(key.keyId, frozen(key))
  }
  const active = rows.get(head.activeKeyId)
  if (head.keyring !== keyring) throw unfit(keyring, 'Its head names another keyring.')
  if (!isCount(head.revision)) throw unfit(keyring, 'The revision of its head is not a number.')
  if (active === undefined) throw unfit(keyring, 'Its head names a key that is not there.')
  const isClosed = endsIt(active.state)
  for (const { keyId, state } of rows.values()) {
    if ((state === 'active') === (keyId === active.keyId && !isClosed)) continue
    throw unfit(keyring, `Key ${keyId} is ${state}, but the active key is ${active.keyId}.`)
  }
  checkHead(keyring, head)
  const stale = [...rows.values()].filter((row) => row !== active && mayProcess(row))
  const indexes = checkRecords(head.indexes, rows, (what) => unfit(keyring, what))
  if (indexes.size > 0 && !isIndexKeyring(keyring)) throw unfit(keyring, 'It has no index keys.')
  return {
    revision: head.revision,
    active,
    rows,
    stale: Object.freeze(stale.map(({ keyId }) => keyId)),
    indexes,
    macKey: Object.freeze({ ...head.macKey, wrapped: unprinted(head.macKey.wrapped) }),
  }
}

function checkHead(keyring: string, { digests, mac, macKey }: KeyringHead): void {
  const areDigests =
    Array.isArray(digests) &&
    (digests as unknown[]).every(
      (pair) => Array.isArray(pair) && isCount(pair[0]) && typeof pair[1] === 'string',
    )
  if (!areDigests) throw unfit(keyring, 'The digests of its head are no list.')
  if (mac.length === MAC_BYTES && macKey.wrapped.length > 0) return
  throw unfit(keyring, 'The MAC of its head or the key of the MAC has another length.')
}

function checkRow(keyring: string, row: KeyRow): void {
  const wrong = (column: string): KeyError => unfit(keyring, `Key ${row.keyId}: ${column}.`)
  if (!isCount(row.keyId) || row.keyId > MAX_KEY_ID) throw unfit(keyring, 'A key id is no uint32.')
  if (row.keyring !== keyring) throw wrong('keyring is another one')
  if (!isKeyState(row.state)) throw wrong('state is none of the known ones')
  if (!isCount(row.version)) throw wrong('version is not a number')
  if (row.checkValue.length !== CHECK_VALUE_BYTES) throw wrong('check value is not 32 bytes long')
  if ((row.state === 'destroyed') !== (row.wrappedKek.length === 0)) {
    throw wrong('wrapped KEK is empty, or should be')
  }
  if (!Number.isSafeInteger(row.uses) || row.uses < 0) throw wrong('uses is not a number')
  const time = timeOf(row)
  if (time !== undefined) throw wrong(`${time} is not a time`)
  if (!areKeyIds(row.rewrappedFrom)) throw wrong('rewrapped_from is no list of key ids')
  if (SUITES.includes(row.suite)) return
  throw new KeyError(
    'ERR_STORE_NEWER',
    `Key ${row.keyId} of keyring "${keyring}" is for suite ${row.suite}, which this version of Rowseal does not know.`,
    { fix: 'Update @rowseal/prisma-extension.' },
  )
}

const TIMES = [
  'createdAt',
  'activatedAt',
  'suspendedAt',
  'compromisedAt',
  'destroyAt',
  'stateAt',
] as const
const NEVER: readonly string[] = ['activatedAt', 'suspendedAt', 'compromisedAt', 'destroyAt']

/** The first column that holds no time. One beyond what a `Date` holds would have the digest of none. */
function timeOf(row: KeyRow): string | undefined {
  return TIMES.find((name) => {
    const time = row[name] as unknown
    if (time === null) return !NEVER.includes(name)
    return !(time instanceof Date) || Number.isNaN(time.getTime())
  })
}

function areKeyIds(list: unknown): boolean {
  return Array.isArray(list) && (list as unknown[]).every(isCount)
}

function unfit(keyring: string, what: string): KeyError {
  return tampered(keyring, what)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function frozen(row: KeyRow): KeyRow {
  return Object.freeze({
    ...row,
    rewrappedFrom: Object.freeze([...row.rewrappedFrom]),
    wrappedKek: unprinted(row.wrappedKek),
    checkValue: unprinted(row.checkValue),
  })
}

/** A copy of bytes that `inspect` and JSON show by their length only. */
function unprinted(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const show = { value: () => `<${bytes.length} bytes>` }
  return Object.defineProperties(copy, { [inspect.custom]: show, toJSON: show })
}
