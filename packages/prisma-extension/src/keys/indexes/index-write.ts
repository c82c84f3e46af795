import type { Keyring } from '../keyring.ts'
import type { Snapshot } from '../reading/snapshot.ts'
import { commit, conflict, readNow, type Change, type Ring } from '../lifecycle/versions.ts'

/** A keyring's index keys, as a keyring of their own. */
export function indexRingOf({ index, store, root }: Keyring): Ring {
  return { name: index.name, store, root, mac: index.mac }
}

/**
 * Index keys and records as the store has them.
 *
 * @param seen - the revision that somebody has decided by.
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable) if they are at another by now.
 */
export async function readIndexes(keyring: Keyring, seen?: number): Promise<Snapshot> {
  const ring = indexRingOf(keyring)
  const now = await readNow(ring)
  if (seen !== undefined && now.revision !== seen) throw conflict(ring)
  return now
}

/**
 * Change index keys or records, and let this instance see it at once.
 *
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable) if they are not as `now` says any more.
 */
export async function writeIndexes(keyring: Keyring, now: Snapshot, change: Change): Promise<void> {
  const ring = indexRingOf(keyring)
  if (!(await commit(ring, now, change))) throw conflict(ring)
  await keyring.index.refresh()
}
