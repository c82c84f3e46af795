import type { Keyring } from '../keyring.ts'
import { holderOf, type Holder } from './lifecycle.ts'
import type { Snapshot } from '../reading/snapshot.ts'
import { moved } from './states.ts'
import { notFrom } from './suspension.ts'
import type { KeyRow } from '../types.ts'
import { commit, conflict, readNow, type Change } from './versions.ts'

// The end of a whole keyring, KEKs and index keys: the way to shred what it protects, as a tenant's data.
//
//   closeKeyring          every version → deactivated        nothing is sealed any more
//                         with `destroyAt`                   nothing is opened any more either
//   cancelKeyringEnd      `destroyAt` is taken back          it opens, and stays closed until it is rotated
//   destroyKeyring        → destroyed, once it is over       the wrapped KEKs are gone; the rows stay
//
// Each is one step for the KEKs and one for the index keys. Cut off in between it is done by calling it again.

/**
 * Deactivate every version of a keyring and of its index keys that is not compromised or destroyed: nothing is
 * sealed under it any more. Its blind indexes are no longer registered, so no look-up misses anything if a
 * rotation opens it again.
 *
 * @param destroyAt - when all KEKs may be deleted: nothing is opened from now on, reversibly. Null for never.
 * @returns all its versions as they now are.
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEYRING_MISSING`, `ERR_KEY_UNAVAILABLE` (retryable)
 */
export function closeKeyring(
  keyring: Keyring,
  destroyAt: Date | null = null,
): Promise<readonly KeyRow[]> {
  const at = new Date()
  return changeAll(keyring, (row) => {
    if (row.state === 'destroyed') return row
    return { ...closed(row, at), destroyAt: row.destroyAt ?? destroyAt }
  })
}

/**
 * Let a keyring open again that is about to be destroyed. It seals again once it is rotated.
 *
 * @returns all its versions as they now are.
 * @throws as `closeKeyring`
 */
export function cancelKeyringEnd(keyring: Keyring): Promise<readonly KeyRow[]> {
  return changeAll(keyring, (row) => (row.destroyAt === null ? row : { ...row, destroyAt: null }))
}

/**
 * Delete the wrapped KEKs of a keyring whose waiting period is over. Tombstones stay.
 *
 * @throws {KeyError} `ERR_KEY_STATE` if the period of one of its versions is not over; else as `closeKeyring`
 */
export function destroyKeyring(keyring: Keyring, now = new Date()): Promise<readonly KeyRow[]> {
  return changeAll(keyring, (row) => {
    if (row.state === 'destroyed') return row
    if (row.destroyAt === null || row.destroyAt > now)
      throw notFrom(row, 'destroyed', 'past its waiting period')
    return moved(row, 'destroyed', now)
  })
}

function closed(row: KeyRow, at: Date): KeyRow {
  switch (row.state) {
    case 'active':
    case 'suspended':
      return moved(row, 'deactivated', at)
    case 'pre-activation': // it is given up, and no other state leads to its end
      return moved(row, 'compromised', at)
    default:
      return row
  }
}

async function changeAll(
  keyring: Keyring,
  next: (row: KeyRow) => KeyRow,
): Promise<readonly KeyRow[]> {
  const rows: KeyRow[] = []
  for (const what of ['keks', 'index'] as const) {
    const holder = holderOf(keyring, what)
    if (what === 'index' && !(await holder.refresh())) continue
    const now = await readNow(holder.ring)
    await write(holder, now, [...now.rows.values()].map(next))
    rows.push(...holder.keys())
  }
  return rows
}

async function write(
  { ring, refresh }: Holder,
  now: Snapshot,
  all: readonly KeyRow[],
): Promise<void> {
  const rows = all.filter((row) => isChanged(row, now))
  const isOpen = all.some(({ state }) => state === 'active')
  if (rows.length > 0) {
    const change: Change = isOpen ? { rows } : { rows, indexes: [] }
    if (!(await commit(ring, now, change))) throw conflict(ring)
  }
  await refresh()
}

function isChanged(row: KeyRow, now: Snapshot): boolean {
  const before = now.rows.get(row.keyId)!
  return row.state !== before.state || row.destroyAt?.getTime() !== before.destroyAt?.getTime()
}
