import { inspect } from 'node:util'
import { KeyError } from '../errors.ts'
import { isIndexKeyring } from './index-name.ts'
import { checkRecords } from './index-records.ts'
import { isKeyState, PERMITTED } from './states.ts'
import type { IndexRecord, KeyringSnapshot, KeyRow } from './types.ts'

const MAX_KEY_ID = 0xffff_ffff
const CHECK_VALUE_BYTES = 32

/** A keyring as the store gave it, checked and frozen. */
export interface Snapshot {
  readonly revision: number
  readonly active: KeyRow
  readonly rows: ReadonlyMap<number, KeyRow>
  /** Ids of the versions that may open and are not active. */
  readonly stale: readonly number[]
  /** Blind indexes by id; none in a keyring of KEKs. */
  readonly indexes: ReadonlyMap<string, IndexRecord>
}

/**
 * Check what a store gave. Stores are databases that people can edit: nothing is taken on trust.
 *
 * @throws {KeyError} `ERR_KEY_MISMATCH` naming key and column, `ERR_STORE_NEWER` for an unknown suite.
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
  for (const { keyId, state } of rows.values()) {
    if ((state === 'active') === (keyId === active.keyId)) continue
    throw unfit(keyring, `Key ${keyId} is ${state}, but the active key is ${active.keyId}.`)
  }
  const stale = [...rows.values()].filter((row) => row !== active && PERMITTED[row.state].process)
  const indexes = checkRecords(head.indexes, rows, (what) => unfit(keyring, what))
  if (indexes.size > 0 && !isIndexKeyring(keyring)) throw unfit(keyring, 'It has no index keys.')
  return {
    revision: head.revision,
    active,
    rows,
    stale: Object.freeze(stale.map(({ keyId }) => keyId)),
    indexes,
  }
}

function checkRow(keyring: string, row: KeyRow): void {
  const wrong = (column: string): KeyError => unfit(keyring, `Key ${row.keyId}: ${column}.`)
  if (!isCount(row.keyId) || row.keyId > MAX_KEY_ID) throw unfit(keyring, 'A key id is no uint32.')
  if (row.keyring !== keyring) throw wrong('keyring is another one')
  if (!isKeyState(row.state)) throw wrong('state is none of the known ones')
  if (!isCount(row.version)) throw wrong('version is not a number')
  if (row.checkValue.length !== CHECK_VALUE_BYTES) throw wrong('check value is not 32 bytes long')
  if (row.state !== 'destroyed' && row.wrappedKek.length === 0) throw wrong('wrapped KEK is empty')
  if ((row.suite as number) === 0x01) return
  throw new KeyError(
    'ERR_STORE_NEWER',
    `Key ${row.keyId} of keyring "${keyring}" is for suite ${row.suite}, which this version of Rowseal does not know.`,
    { fix: 'Update @rowseal/prisma-extension.' },
  )
}

function unfit(keyring: string, what: string): KeyError {
  return new KeyError(
    'ERR_KEY_MISMATCH',
    `The key store's rows of keyring "${keyring}" do not fit. ${what}`,
    {
      fix: 'Somebody edited them: restore the key store from a backup.',
    },
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function frozen(row: KeyRow): KeyRow {
  return Object.freeze({
    ...row,
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
