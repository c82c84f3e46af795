import { openKek } from '../memory/kek.ts'
import type { Keyring } from '../keyring.ts'
import { indexRingOf } from '../indexes/index-write.ts'
import type { Snapshot } from '../reading/snapshot.ts'
import { moved } from './states.ts'
import { KeyError } from '../../errors.ts'
import type { KeyRow, KeyState } from '../types.ts'
import {
  addVersion,
  assertNotEnding,
  commit,
  commitFirst,
  conflict,
  MAX_TRIES,
  newVersion,
  pendingOf,
  readNow,
  type Change,
  type Ring,
} from './versions.ts'

// Rotation is two writes, and may die between them:
//
//   1. addKey       the new version is stored, in `pre-activation`: everybody can open with it, nobody seals
//      wait         until every instance has had time to load it
//   2. activateKey  compare-and-set on the head: new version `active`, former one `suspended`
//
// The next rotation finds a version left in `pre-activation` and goes on with step 2.

/** A keyring's KEKs or its index keys, and how this instance sees a change of them at once. */
export interface Holder {
  readonly ring: Ring
  readonly refresh: () => Promise<boolean>
  readonly keys: () => readonly KeyRow[]
}

/** The KEKs of a keyring, or its index keys. */
export function holderOf(keyring: Keyring, what: 'keks' | 'index'): Holder {
  if (what === 'keks')
    return { ring: keyring, refresh: () => keyring.refresh(), keys: () => keyring.keys() }
  const { index } = keyring
  return { ring: indexRingOf(keyring), refresh: () => index.refresh(), keys: () => index.keys() }
}

/**
 * Which of the two has a key version.
 *
 * @throws {KeyError} `ERR_KEY_UNKNOWN` if neither has.
 */
export async function holderWith(keyring: Keyring, keyId: number): Promise<Holder> {
  for (const what of ['keks', 'index'] as const) {
    const holder = holderOf(keyring, what)
    await holder.refresh()
    if (holder.keys().some((row) => row.keyId === keyId)) return holder
  }
  throw new KeyError('ERR_KEY_UNKNOWN', `Keyring "${keyring.name}" has no key ${keyId}.`, {
    fix: '`npx rowseal keys list` shows all keys.',
  })
}

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
    if (!(await commitFirst(keyring, key))) continue
    await keyring.refresh()
    await keyring.verify()
    return { created: true }
  }
  throw conflict(keyring)
}

/**
 * Store the next key version, in `pre-activation`, unless one waits there already.
 *
 * @param activeKeyId - nothing is stored unless this is the active version: so that who decides by what they
 *   read decides about the version they read.
 * @returns the version that waits.
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEYRING_MISSING`,
 *   `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`, `ERR_STORE_TAMPERED`
 */
export function addKey(keyring: Keyring, activeKeyId?: number): Promise<KeyRow> {
  return addTo(holderOf(keyring, 'keks'), activeKeyId)
}

/** As `addKey`, to KEKs or index keys. */
export async function addTo({ ring, refresh }: Holder, activeKeyId?: number): Promise<KeyRow> {
  const before = await readNow(ring)
  if (before.active.keyId !== (activeKeyId ?? before.active.keyId)) throw conflict(ring)
  const pending = pendingOf(before) ?? pendingOf(await addVersion(ring, before))
  if (pending === undefined) throw conflict(ring)
  await refresh()
  return pending
}

/** The version that a rotation leaves and the one it leads to, by key id. */
export interface Step {
  readonly from: number
  readonly to: number
}

/**
 * Make the version that waits in `pre-activation` active; the former one becomes suspended in the same
 * step. Of two at once exactly one wins.
 *
 * @param step - nothing is changed unless the first is active and the second waits.
 * @returns both versions as they now are.
 * @throws {KeyError} `ERR_KEY_STATE` if none waits; else as `addKey`
 */
export function activateKey(keyring: Keyring, step?: Step): Promise<{ from: KeyRow; to: KeyRow }> {
  return activateIn(holderOf(keyring, 'keks'), step)
}

/** As `activateKey`, in KEKs or index keys. */
export async function activateIn(
  holder: Holder,
  step?: Step,
): Promise<{ from: KeyRow; to: KeyRow }> {
  const { ring } = holder
  const now = await readNow(ring)
  const to = pendingOf(now)
  const isAsSeen = step === undefined || (step.from === now.active.keyId && step.to === to?.keyId)
  if (!isAsSeen) throw conflict(ring)
  if (to !== undefined) return succeed(holder, now, to, 'suspended')
  throw new KeyError(
    'ERR_KEY_STATE',
    `Keyring "${ring.name}" has no version that waits to become active.`,
    { fix: 'Store one first, and wait until every instance has read it.' },
  )
}

/**
 * Make a new key version active; the former one becomes suspended in the same step. Values sealed
 * before are then stale. A rotation that was cut off after its first step is finished instead of
 * begun anew. Of two at once exactly one wins. Does not wait: an instance that has not loaded the new
 * version yet looks it up when it meets it.
 *
 * @param options.from - the version that is to be replaced, as whoever decided on the rotation saw it: so that
 *   of two schedulers that found it due, the later one does not rotate again. Default: whichever is active.
 * @returns both versions as they now are.
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable) if another version than `from` is active; as `addKey`
 */
export async function rotate(
  keyring: Keyring,
  options: { readonly from?: number } = {},
): Promise<{ from: KeyRow; to: KeyRow }> {
  const before = await readNow(keyring)
  if (before.active.keyId !== (options.from ?? before.active.keyId)) throw conflict(keyring)
  const stored = pendingOf(before) === undefined ? await addVersion(keyring, before) : before
  const to = pendingOf(stored)
  if (to === undefined || stored.active.keyId !== before.active.keyId) throw conflict(keyring)
  return succeed(holderOf(keyring, 'keks'), stored, to, 'suspended')
}

/**
 * Let another version take over from the active one.
 *
 * @param leaving - what becomes of the active one.
 * @param others - further versions that change in the same step.
 */
export async function succeed(
  { ring, refresh, keys }: Holder,
  now: Snapshot,
  to: KeyRow,
  leaving: KeyState,
  others: readonly KeyRow[] = [],
): Promise<{ from: KeyRow; to: KeyRow }> {
  assertNotEnding(now)
  await openKek(ring.root, to) // as others will: from what the store holds, not from memory
  const at = new Date()
  const isClosed = now.active.state !== 'active' // it opens again with this one
  const change: Change = {
    activeKeyId: to.keyId,
    rows: [
      isClosed ? now.active : moved(now.active, leaving, at),
      moved(to, 'active', at),
      ...others,
    ],
  }
  if (!(await commit(ring, now, change))) throw conflict(ring)
  await refresh()
  const after = (keyId: number): KeyRow => keys().find((row) => row.keyId === keyId)!
  return { from: after(now.active.keyId), to: after(to.keyId) }
}
