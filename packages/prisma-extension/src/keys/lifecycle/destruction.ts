import { KeyError } from '../../errors.ts'
import type { Keyring } from '../keyring.ts'
import { holderWith, type Holder } from './lifecycle.ts'
import { moved } from './states.ts'
import { notFrom, versionIn } from './suspension.ts'
import type { KeyRow } from '../types.ts'
import { commit, conflict, readNow } from './versions.ts'

// The end of a key version. Whoever calls these has proven, or decided, that no value names it:
//
//   retireKey             suspended → deactivated                it never seals again
//   scheduleDestruction   `destroyAt` is set                     nothing is opened any more
//   cancelDestruction     `destroyAt` is taken back              all as before
//   destroyKey            → destroyed, once `destroyAt` is over  the wrapped KEK is gone; the row stays
//
// Whoever decides by what they saw of a version gives it as `seen`: nothing is changed if it is another by now.
//
// A whole keyring ends in keyring-end.ts.

/**
 * Deactivate a suspended version: it never becomes active again.
 *
 * @param keyId - of a KEK or an index key that no value names, as found when nobody sealed under it any more.
 * @param seen - the version as it was then.
 * @returns the version as it now is.
 * @throws {KeyError} `ERR_KEY_STATE` if it is not suspended, or a unique index is under it;
 *   `ERR_KEY_UNKNOWN`, `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEY_UNAVAILABLE` (retryable)
 */
export async function retireKey(keyring: Keyring, keyId: number, seen?: KeyRow): Promise<KeyRow> {
  const next = (row: KeyRow): KeyRow => {
    if (row.state !== 'suspended') throw notFrom(row, 'deactivated', 'suspended')
    return moved(row, 'deactivated', new Date())
  }
  return change(await holderWith(keyring, keyId), keyId, next, seen)
}

/**
 * Begin the waiting period: from now on the version opens nothing, reversibly.
 *
 * @param keyId - of a deactivated or compromised version that no value names.
 * @param at - when the KEK may be deleted.
 * @throws as `retireKey`
 */
export async function scheduleDestruction(
  keyring: Keyring,
  keyId: number,
  at: Date,
  seen?: KeyRow,
): Promise<KeyRow> {
  if (Number.isNaN(at.getTime())) throw new TypeError('at must be a time')
  const next = (row: KeyRow): KeyRow => {
    const mayEnd = row.state === 'deactivated' || row.state === 'compromised'
    if (!mayEnd) throw notFrom(row, 'destroyed', 'deactivated or compromised')
    return { ...row, destroyAt: at }
  }
  return change(await holderWith(keyring, keyId), keyId, next, seen)
}

/**
 * Let a version open again whose destruction is under way.
 *
 * @throws {KeyError} `ERR_KEY_STATE` if it is not; else as `retireKey`
 */
export async function cancelDestruction(keyring: Keyring, keyId: number): Promise<KeyRow> {
  return change(await holderWith(keyring, keyId), keyId, (row) => {
    if (row.destroyAt === null) throw notFrom(row, 'kept', 'about to be destroyed')
    return { ...row, destroyAt: null }
  })
}

/**
 * Delete the wrapped KEK of a version whose waiting period is over, or that was never active. A tombstone
 * stays, so that its key id is never used again.
 *
 * @throws {KeyError} `ERR_KEY_STATE` if the period is not over, or was not begun; else as `retireKey`
 */
export async function destroyKey(
  keyring: Keyring,
  keyId: number,
  now = new Date(),
  seen?: KeyRow,
): Promise<KeyRow> {
  const next = (row: KeyRow): KeyRow => {
    const { destroyAt } = row
    if (row.state === 'pre-activation') return moved(row, 'destroyed', now) // it never sealed anything
    if (destroyAt === null) throw notFrom(row, 'destroyed', 'scheduled for it before')
    if (destroyAt > now)
      throw notFrom(row, 'destroyed', `past its waiting period, ${destroyAt.toISOString()}`)
    return moved(row, 'destroyed', now)
  }
  return change(await holderWith(keyring, keyId), keyId, next, seen)
}

async function change(
  { ring, refresh, keys }: Holder,
  keyId: number,
  next: (row: KeyRow) => KeyRow,
  seen?: KeyRow,
): Promise<KeyRow> {
  const now = await readNow(ring)
  const before = versionIn(now, keyId)
  if (seen !== undefined && !isSame(before, seen)) throw conflict(ring)
  const row = next(before)
  assertUnpinned(now.indexes.values(), row)
  if (!(await commit(ring, now, { rows: [row] }))) throw conflict(ring)
  await refresh()
  return keys().find((other) => other.keyId === keyId)!
}

/** Is a version where it was, without having been elsewhere meanwhile? */
export function isSame(row: KeyRow, seen: KeyRow): boolean {
  return (
    row.state === seen.state &&
    row.stateAt.getTime() === seen.stateAt.getTime() &&
    row.destroyAt?.getTime() === seen.destroyAt?.getTime()
  )
}

/** A unique index that is under a key cannot do without it. */
function assertUnpinned(
  indexes: Iterable<{ keys: readonly (number | null)[]; id: string }>,
  { keyId }: KeyRow,
): void {
  for (const { keys, id } of indexes) {
    if (!keys.includes(keyId)) continue
    throw new KeyError('ERR_KEY_STATE', `Index ${id} is still written under key ${keyId}.`, {
      fix: '`npx rowseal reindex` brings it under the active one.',
    })
  }
}
