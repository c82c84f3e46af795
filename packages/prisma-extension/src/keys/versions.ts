import { KeyError } from '../errors.ts'
import { createKek } from './kek.ts'
import { keyringMissing } from './reader.ts'
import { checkSnapshot, type Snapshot } from './snapshot.ts'
import type { KeyRow, KeyState, KeyStore, RootKey } from './types.ts'

/** How often a key id that another keyring took in the meantime is replaced by the next one. */
export const MAX_TRIES = 5

/** Whose key versions these are, and what makes them: a `Keyring`, or its index keys. */
export interface Ring {
  readonly name: string
  readonly store: KeyStore
  readonly root: RootKey
}

/** The store as it is now, not as anybody last saw it. */
export async function readNow({ name, store }: Ring): Promise<Snapshot> {
  const raw = await store.read(name)
  if (raw !== null) return checkSnapshot(name, raw)
  throw keyringMissing(name, store)
}

/** A key version that is not stored yet. Its key is in nobody's memory. */
export async function newVersion(ring: Ring, version: number, state: KeyState): Promise<KeyRow> {
  const keyId = await ring.store.nextKeyId()
  const kek = await createKek(ring.root, { keyring: ring.name, keyId, use: 'kek' })
  const createdAt = new Date()
  return {
    ...kek,
    keyId,
    keyring: ring.name,
    version,
    state,
    suite: 0x01,
    createdAt,
    activatedAt: state === 'active' ? createdAt : null,
    suspendedAt: null,
  }
}

/** Store the next version, in `pre-activation`. Its number is what two at once collide on. */
export async function addVersion(ring: Ring, before: Snapshot): Promise<Snapshot> {
  const version = 1 + Math.max(...[...before.rows.values()].map((row) => row.version))
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const isAdded = await ring.store.add(await newVersion(ring, version, 'pre-activation'))
    const now = await readNow(ring)
    if (isAdded) return now
    if (now.revision !== before.revision) throw conflict(ring)
  }
  throw conflict(ring)
}

/** The newest version waiting to become active. */
export function pendingOf(snapshot: Snapshot): KeyRow | undefined {
  const waiting = [...snapshot.rows.values()].filter(({ state }) => state === 'pre-activation')
  return waiting.sort((a, b) => b.version - a.version)[0]
}

export function conflict({ name }: Ring): KeyError {
  return new KeyError(
    'ERR_KEYRING_CONFLICT',
    `Somebody else changed keyring "${name}" at the same time.`,
    { fix: 'Look at `npx rowseal status`, then try again if it is still needed.', retryable: true },
  )
}
