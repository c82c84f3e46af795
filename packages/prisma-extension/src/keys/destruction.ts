import type { Keyring } from './keyring.ts'
import { holderOf, holderWith, type Holder } from './lifecycle.ts'
import { moved } from './states.ts'
import { notFrom, versionIn } from './suspension.ts'
import type { KeyRow } from './types.ts'
import { commit, conflict, readNow } from './versions.ts'

// The end of a key version. Whoever calls these has proven, or decided, that no value names it:
//
//   retireKey             suspended → deactivated                it never seals again
//   scheduleDestruction   `destroyAt` is set                     nothing is opened any more
//   cancelDestruction     `destroyAt` is taken back              all as before
//   destroyKey            → destroyed, once `destroyAt` is over  the wrapped KEK is gone; the row stays
//
// A keyring is closed by `closeKeyring`: its active version is deactivated without a successor.

/**
 * Deactivate a suspended version: it never becomes active again.
 *
 * @param keyId - of a KEK or an index key that no value names, as found when nobody sealed under it any more.
 * @returns the version as it now is.
 * @throws {KeyError} `ERR_KEY_STATE` if it is not suspended, or a unique index is under it;
 *   `ERR_KEY_UNKNOWN`, `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEY_UNAVAILABLE` (retryable)
 */
export async function retireKey(keyring: Keyring, keyId: number): Promise<KeyRow> {
  return change(await holderWith(keyring, keyId), keyId, (row) => {
    if (row.state !== 'suspended') throw notFrom(row, 'deactivated', 'suspended')
    return moved(row, 'deactivated', new Date())
  })
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
): Promise<KeyRow> {
  if (Number.isNaN(at.getTime())) throw new TypeError('at must be a time')
  return change(await holderWith(keyring, keyId), keyId, (row) => {
    const mayEnd = row.state === 'deactivated' || row.state === 'compromised'
    if (!mayEnd) throw notFrom(row, 'destroyed', 'deactivated or compromised')
    return { ...row, destroyAt: at }
  })
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
 * Delete the wrapped KEK of a version whose waiting period is over, or that was never active. A tombstone stays, so that its key id is
 * never used again.
 *
 * @throws {KeyError} `ERR_KEY_STATE` if the period is not over, or was not begun; else as `retireKey`
 */
export async function destroyKey(
  keyring: Keyring,
  keyId: number,
  now = new Date(),
): Promise<KeyRow> {
  return change(await holderWith(keyring, keyId), keyId, (row) => {
    const { destroyAt } = row
    if (row.state === 'pre-activation') return moved(row, 'destroyed', now) // it never sealed anything
    if (destroyAt === null) throw notFrom(row, 'destroyed', 'scheduled for it before')
    if (destroyAt > now)
      throw notFrom(row, 'destroyed', `past its waiting period, ${destroyAt.toISOString()}`)
    return moved(row, 'destroyed', now)
  })
}

/**
 * Deactivate every version of a keyring and of its index keys that is not compromised or destroyed: nothing is
 * sealed under it any more. The way to shred what it protects, as a tenant's data. A rotation opens it again.
 *
 * @returns all its versions as they now are.
 * @throws {KeyError} as `retireKey`
 */
export async function closeKeyring(keyring: Keyring): Promise<readonly KeyRow[]> {
  const rows: KeyRow[] = []
  for (const what of ['keks', 'index'] as const) {
    const holder = holderOf(keyring, what)
    if (!(await holder.refresh())) continue
    const now = await readNow(holder.ring)
    const at = new Date()
    const closing = [...now.rows.values()].flatMap((row) => {
      if (row.state === 'pre-activation') return [moved(row, 'compromised', at)]
      const isLive = row.state === 'active' || row.state === 'suspended'
      return isLive ? [moved(row, 'deactivated', at)] : []
    })
    if (closing.length > 0 && !(await commit(holder.ring, now, { rows: closing })))
      throw conflict(holder.ring)
    await holder.refresh()
    rows.push(...holder.keys())
  }
  return rows
}

async function change(
  { ring, refresh, keys }: Holder,
  keyId: number,
  next: (row: KeyRow) => KeyRow,
): Promise<KeyRow> {
  const now = await readNow(ring)
  const row = next(versionIn(now, keyId))
  if (now.active.state === 'active') assertUnpinned(now.indexes.values(), row)
  if (!(await commit(ring, now, { rows: [row] }))) throw conflict(ring)
  await refresh()
  return keys().find((other) => other.keyId === keyId)!
}

/** A unique index that is under a key cannot do without it, unless its whole keyring ends. */
function assertUnpinned(
  indexes: Iterable<{ keys: readonly (number | null)[]; id: string }>,
  row: KeyRow,
): void {
  for (const { keys, id } of indexes) {
    if (keys.includes(row.keyId))
      throw notFrom(row, row.state, `free of index ${id}; rotate that first`)
  }
}
