import type { Keyring } from './keyring.ts'
import type { Snapshot } from './snapshot.ts'
import type { KeyringChange } from './types.ts'
import { conflict, type Ring } from './versions.ts'

/** A keyring's index keys, as a keyring of their own. */
export function indexRingOf({ index, store, root }: Keyring): Ring {
  return { name: index.name, store, root }
}

/**
 * Change index keys or records, and let this instance see it at once.
 *
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable) if they are not as `now` says any more.
 */
export async function writeIndexes(
  keyring: Keyring,
  now: Snapshot,
  change: Partial<Pick<KeyringChange, 'activeKeyId' | 'transitions' | 'indexes'>>,
): Promise<void> {
  const ring = indexRingOf(keyring)
  const isChanged = await keyring.store.change({
    keyring: ring.name,
    expectedRevision: now.revision,
    activeKeyId: now.active.keyId,
    transitions: [],
    ...change,
    at: new Date(),
  })
  if (!isChanged) throw conflict(ring)
  await keyring.index.refresh()
}
