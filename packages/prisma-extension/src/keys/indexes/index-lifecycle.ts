import { indexRingOf, writeIndexes } from './index-write.ts'
import type { Keyring } from '../keyring.ts'
import { isSame } from '../lifecycle/destruction.ts'
import { activateIn, addTo, holderOf, type Step } from '../lifecycle/lifecycle.ts'
import { moved } from '../lifecycle/states.ts'
import type { KeyRow } from '../types.ts'
import { commitFirst, conflict, MAX_TRIES, newVersion, readNow } from '../lifecycle/versions.ts'

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
    if (!(await commitFirst(ring, await newVersion(ring, 1, 'active')))) continue
    await keyring.index.refresh()
    await keyring.index.view()
    return { created: true }
  }
  throw conflict(ring)
}

/**
 * Store the next index key, in `pre-activation`, unless one waits there already.
 *
 * @param activeKeyId - nothing is stored unless this is the active version.
 * @returns the version that waits.
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEYRING_MISSING`,
 *   `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`
 */
export function addIndexKey(keyring: Keyring, activeKeyId?: number): Promise<KeyRow> {
  return addTo(holderOf(keyring, 'index'), activeKeyId)
}

/**
 * Make the waiting index key active; the former one becomes suspended in the same step. Instances
 * that did not read it yet would miss what is written under it: wait `maxAgeMs` first.
 *
 * @param step - nothing is changed unless the first is active and the second waits.
 * @returns both versions as they now are.
 * @throws {KeyError} `ERR_KEY_STATE` if none waits; else as `addIndexKey`
 */
export function activateIndexKey(
  keyring: Keyring,
  step?: Step,
): Promise<{ from: KeyRow; to: KeyRow }> {
  return activateIn(holderOf(keyring, 'index'), step)
}

/**
 * Deactivate suspended index keys: look-ups match them no more. Those that a record pins stay.
 *
 * @param verified - key ids that no stored value names, as found after nobody wrote under them any
 *   more. Others are left alone: somebody may have rotated since.
 * @param seen - the versions as they were before that was looked for. One that was active again since is left
 *   alone: there may be values under it.
 * @returns the key ids that this call deactivated.
 * @throws {KeyError} as `addIndexKey`
 */
export async function retireIndexKeys(
  keyring: Keyring,
  verified: readonly number[],
  seen?: readonly KeyRow[],
): Promise<readonly number[]> {
  const now = await readNow(indexRingOf(keyring))
  const pinned = new Set([...now.indexes.values()].flatMap(({ keys }) => keys))
  const isAsSeen = (row: KeyRow): boolean =>
    seen?.some((one) => one.keyId === row.keyId && isSame(row, one)) ?? true
  const rows = [...now.rows.values()]
    .filter(({ keyId, state }) => state === 'suspended' && verified.includes(keyId))
    .filter(isAsSeen)
    .filter(({ keyId }) => !pinned.has(keyId))
  if (rows.length === 0) return []
  const at = new Date()
  await writeIndexes(keyring, now, { rows: rows.map((row) => moved(row, 'deactivated', at)) })
  return rows.map(({ keyId }) => keyId)
}
