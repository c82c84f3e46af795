import { KeyError } from '../errors.ts'
import { indexRingOf, writeIndexes } from './index-write.ts'
import { openKek } from './kek.ts'
import type { Keyring } from './keyring.ts'
import type { KeyRow } from './types.ts'
import { addVersion, conflict, MAX_TRIES, newVersion, pendingOf, readNow } from './versions.ts'

// Rotation of index keys, as whoever leads it through sees it. Every step is one compare-and-set, so
// it may die between any two and be run again from the start:
//
//   1. addIndexKey        a version is stored, in `pre-activation`: look-ups match it
//      wait maxAgeMs      until every instance does
//   2. activateIndexKey   it becomes `active`, the former one `suspended`: writes use it
//      wait maxAgeMs      until nobody writes under the former one any more
//   3. per index          not unique: rewrite all values that are not under the active key
//                         unique:     moveIndex through its phases, see index-phases.ts
//   4. retireIndexKeys    the former ones become `deactivated`, once no value names them
//
// A version that waits in `pre-activation` is used before another is made.

/**
 * Make the first index key of a keyring, unless there is one. Two at once make one.
 *
 * @returns whether this call made it.
 * @throws {KeyError} `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH` if there is one and this
 *   root key does not open it, `ERR_STORE_NEWER`, `ERR_KEYRING_CONFLICT` (retryable)
 */
export async function initIndexKeys(keyring: Keyring): Promise<{ created: boolean }> {
  const ring = indexRingOf(keyring)
  await ring.store.init()
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (await keyring.index.refresh()) {
      await keyring.index.view()
      return { created: false }
    }
    if (!(await ring.store.create(await newVersion(ring, 1, 'active')))) continue
    await keyring.index.refresh()
    await keyring.index.view()
    return { created: true }
  }
  throw conflict(ring)
}

/**
 * Store the next index key, in `pre-activation`, unless one waits there already.
 *
 * @returns the version that waits.
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEYRING_MISSING`,
 *   `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`
 */
export async function addIndexKey(keyring: Keyring): Promise<KeyRow> {
  const ring = indexRingOf(keyring)
  const before = await readNow(ring)
  const pending = pendingOf(before) ?? pendingOf(await addVersion(ring, before))
  if (pending === undefined) throw conflict(ring)
  await keyring.index.refresh()
  return pending
}

/**
 * Make the waiting index key active; the former one becomes suspended in the same step. Instances
 * that did not read it yet would miss what is written under it: wait `maxAgeMs` first.
 *
 * @returns both versions as they now are.
 * @throws {KeyError} `ERR_KEY_STATE` if none waits; else as `addIndexKey`
 */
export async function activateIndexKey(keyring: Keyring): Promise<{ from: KeyRow; to: KeyRow }> {
  const now = await readNow(indexRingOf(keyring))
  const to = pendingOf(now)
  const from = now.active
  if (to === undefined) throw noneWaiting(keyring)
  await openKek(keyring.root, to) // as others will: from what the store holds, not from memory
  await writeIndexes(keyring, now, {
    activeKeyId: to.keyId,
    transitions: [
      { keyId: from.keyId, from: 'active', to: 'suspended' },
      { keyId: to.keyId, from: 'pre-activation', to: 'active' },
    ],
  })
  const after = (keyId: number): KeyRow => keyring.index.keys().find((row) => row.keyId === keyId)!
  return { from: after(from.keyId), to: after(to.keyId) }
}

/**
 * Deactivate suspended index keys: look-ups match them no more. Those that a record pins stay.
 *
 * @param verified - key ids that no stored value names, as found after nobody wrote under them any
 *   more. Others are left alone: somebody may have rotated since.
 * @returns the key ids that this call deactivated.
 * @throws {KeyError} as `addIndexKey`
 */
export async function retireIndexKeys(
  keyring: Keyring,
  verified: readonly number[],
): Promise<readonly number[]> {
  const now = await readNow(indexRingOf(keyring))
  const pinned = new Set([...now.indexes.values()].flatMap(({ keys }) => keys))
  const keyIds = [...now.rows.values()]
    .filter(({ keyId, state }) => state === 'suspended' && verified.includes(keyId))
    .map(({ keyId }) => keyId)
    .filter((keyId) => !pinned.has(keyId))
  if (keyIds.length === 0) return []
  const transitions = keyIds.map(
    (keyId) => ({ keyId, from: 'suspended', to: 'deactivated' }) as const,
  )
  await writeIndexes(keyring, now, { transitions })
  return keyIds
}

function noneWaiting(keyring: Keyring): KeyError {
  return new KeyError(
    'ERR_KEY_STATE',
    `Keyring "${keyring.index.name}" has no version that waits to become active.`,
    { fix: 'Store one first, and wait until every instance has read it.' },
  )
}
