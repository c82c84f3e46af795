import { KeyError, type RowsealError } from '../../errors.ts'
import type { Keyring } from '../keyring.ts'
import { unsettled } from '../keyring-errors.ts'
import { nameOf } from '../memory/dek-cache.ts'
import { refused } from '../memory/dek-wrap.ts'
import { openKek } from '../memory/kek.ts'
import { isSameKey, MAX_WRAPPED_BYTES, movedOn, unfit } from '../memory/kms-leases.ts'
import { refusalOf } from '../memory/kms-unwraps.ts'
import type { Snapshot } from '../reading/snapshot.ts'
import type { Batch } from '../root/guarded-root.ts'
import type { KeyRow, WrapContext, WrappedDek, WrappedKey } from '../types.ts'
import { mayProcess } from './states.ts'
import { commit, MAX_TRIES, readNow } from './versions.ts'

/** A DEK under the active key version, or why there is none. */
export type RewrappedDek = WrappedDek | RowsealError

/**
 * Bring DEKs of suite 0x02 under the active key version, by the root key itself, which gives none of them
 * out. First the key store is told whose DEKs the active version holds: who has those versions' has these.
 *
 * One call for each DEK that is another one, so many at a time as the keyring says.
 *
 * @param wanted - under former versions.
 * @returns one for each, in the same order; `ERR_ENVELOPE_AUTH` in the place of one that does not open.
 * @throws {KeyError} `ERR_KEY_STATE` if the root key does not wrap the DEKs of one of the versions or of the
 *   active one, if one is that or leaked (its values need fresh DEKs), is destroyed or about to be, or if the provider
 *   cannot; `ERR_KEY_UNKNOWN`, `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`, what the root key throws.
 */
export async function rewrapDeks(
  keyring: Keyring,
  wanted: readonly WrappedDek[],
): Promise<RewrappedDek[]> {
  const deks = new Map(wanted.map((dek) => [nameOf(dek), dek]))
  if (deks.size === 0) return []
  const from = [...new Set(wanted.map(({ keyId }) => keyId))].sort((a, b) => a - b)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const now = await noted(keyring, from)
    if (now === null) continue // somebody changed the keyring at that moment
    for (const keyId of from) await openKek(keyring.root, now.rows.get(keyId)!) // is it the root key?
    const batch: Batch = { failure: null }
    const done = await Promise.all(
      [...deks].map(async ([name, dek]) => {
        const moved = await keyring.root.limited(batch, () => rewrapped(keyring, now, dek))
        return [name, moved] as const
      }),
    )
    if (!keyring.isRecent) await keyring.refresh()
    if (keyring.activeKeyId !== now.active.keyId) continue
    const byName = new Map(done)
    return wanted.map((dek) => byName.get(nameOf(dek))!)
  }
  throw unsettled(keyring.name)
}

/** The keyring, in which the active version is known to hold DEKs of those others; null if it changed meanwhile. */
async function noted(keyring: Keyring, from: readonly number[]): Promise<Snapshot | null> {
  const now = await readNow(keyring)
  const { active } = now
  assertRootWraps(keyring, active)
  if (active.state !== 'active') throw cannot(active, `is ${active.state}`, CLOSED)
  for (const keyId of from) assertMovable(keyring, now, keyId)
  const missing = from.filter((keyId) => !active.rewrappedFrom.includes(keyId))
  if (missing.length > 0) {
    const rewrappedFrom = [...active.rewrappedFrom, ...missing].sort((a, b) => a - b)
    if (!(await commit(keyring, now, { rows: [{ ...active, rewrappedFrom }] }))) return null
  }
  await keyring.refresh()
  return now
}

async function rewrapped(
  keyring: Keyring,
  { active, rows }: Snapshot,
  { keyId, suite, wrapped }: WrappedDek,
): Promise<RewrappedDek> {
  if (suite !== 0x02) return refused() // under this version none was ever sealed
  const { root, name } = keyring
  const context = (version: number): WrapContext => ({ keyring: name, keyId: version, use: 'dek' })
  const { rootKeyId } = rows.get(keyId)!
  let to: WrappedKey
  try {
    to = await root.rebind!(wrapped, rootKeyId, context(keyId), context(active.keyId))
  } catch (error) {
    const ours = refusalOf(error)
    if (ours !== null) return ours
    throw error
  }
  if (!isSameKey(root, to.rootKeyId, active.rootKeyId)) throw movedOn(active, to.rootKeyId)
  if (to.wrapped.length < 1 || to.wrapped.length > MAX_WRAPPED_BYTES) throw unfit(active, root)
  return { keyId: active.keyId, suite, wrapped: to.wrapped }
}

function assertRootWraps({ root }: Keyring, row: KeyRow): void {
  if (row.suite !== 0x02)
    throw cannot(row, 'wraps its DEKs itself, not by the root key', 'Run `npx rowseal drain`.')
  if (root.rebind === undefined)
    throw cannot(row, `has a root key (${root.provider}) that cannot`, 'Run `npx rowseal drain`.')
}

function assertMovable(keyring: Keyring, { rows, active }: Snapshot, keyId: number): void {
  const row = rows.get(keyId)
  if (row === undefined)
    throw new KeyError('ERR_KEY_UNKNOWN', `Keyring "${keyring.name}" has no key ${keyId}.`, {
      fix: '`npx rowseal keys list` shows all keys.',
    })
  if (row === active) throw cannot(row, 'is the active one', 'Leave its values as they are.')
  assertRootWraps(keyring, row)
  if (row.state === 'compromised') throw cannot(row, 'leaked, and its DEKs with it', FRESH)
  if (!mayProcess(row)) throw cannot(row, 'opens nothing any more', FRESH)
}

const FRESH = 'Run `npx rowseal drain`, which re-encrypts under fresh DEKs.'
const CLOSED = 'Run `npx rowseal rotate` first, if the keyring is to be opened again.'

function cannot({ keyId, keyring }: KeyRow, why: string, fix: string): KeyError {
  const message = `DEKs cannot be re-wrapped: key ${keyId} of keyring "${keyring}" ${why}.`
  return new KeyError('ERR_KEY_STATE', message, { fix })
}
