import { openKek } from './kek.ts'
import type { Keyring } from './keyring.ts'
import type { KeyRow } from './types.ts'
import { addVersion, conflict, MAX_TRIES, newVersion, pendingOf, readNow } from './versions.ts'

// Rotation is two writes, and may die between them:
//
//   1. add     the new version is stored, in `pre-activation`: everybody can open with it, nobody seals
//   2. change  compare-and-set on the head: new version `active`, former one `suspended`
//
// The next rotation finds a version left in `pre-activation` and goes on with step 2.

/**
 * Make the key store's tables and the keyring's first key version, unless they are there. Two at
 * once make one keyring.
 *
 * @returns whether this call created the keyring.
 * @throws {KeyError} `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH` if the keyring exists
 *   and this root key does not open it, `ERR_STORE_NEWER`, `ERR_KEYRING_CONFLICT` (retryable)
 */
export async function initKeyring(keyring: Keyring): Promise<{ created: boolean }> {
  await keyring.store.init()
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (await keyring.refresh()) {
      await keyring.verify()
      return { created: false }
    }
    const key = await newVersion(keyring, 1, 'active')
    if (!(await keyring.store.create(key))) continue
    await keyring.refresh()
    await keyring.verify()
    return { created: true }
  }
  throw conflict(keyring)
}

/**
 * Make a new key version active; the former one becomes suspended in the same step. Values sealed
 * before are then stale. A rotation that was cut off after its first step is finished instead of
 * begun anew. Of two at once exactly one wins.
 *
 * @returns both versions as they now are.
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable) if somebody else changed the keyring,
 *   `ERR_KEYRING_MISSING`, `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`
 */
export async function rotate(keyring: Keyring): Promise<{ from: KeyRow; to: KeyRow }> {
  const before = await readNow(keyring)
  const stored = pendingOf(before) === undefined ? await addVersion(keyring, before) : before
  const to = pendingOf(stored)
  const from = stored.active
  if (to === undefined || from.keyId !== before.active.keyId) throw conflict(keyring)
  await openKek(keyring.root, to) // as others will: from what the store holds, not from memory
  const isChanged = await keyring.store.change({
    keyring: keyring.name,
    expectedRevision: stored.revision,
    activeKeyId: to.keyId,
    transitions: [
      { keyId: from.keyId, from: 'active', to: 'suspended' },
      { keyId: to.keyId, from: 'pre-activation', to: 'active' },
    ],
    at: new Date(),
  })
  if (!isChanged) throw conflict(keyring)
  await keyring.refresh()
  const after = (keyId: number): KeyRow => keyring.keys().find((row) => row.keyId === keyId)!
  return { from: after(from.keyId), to: after(to.keyId) }
}
