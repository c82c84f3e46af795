import { initIndexKeys, initKeyring, type Keyring } from '../../src/keys/index.ts'
import type { KeyringOptions } from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek, KeyRow, KeyStore, RootKey, WrappedDek } from '../../src/keys/types.ts'
import { commit, readNow } from '../../src/keys/lifecycle/versions.ts'
import { openKeyring } from './open.ts'
import { newRoot, testClock } from './support.ts'

export interface RingPlace {
  readonly store: KeyStore
  readonly root: RootKey
  readonly clock: ReturnType<typeof testClock>
  readonly keyring: Keyring
  /** Another instance. */
  reopen(options?: Partial<KeyringOptions>): Promise<Keyring>
}

/** A keyring and its index keys in memory, with clocks that the test moves. */
export async function ringPlace(options: Partial<KeyringOptions> = {}): Promise<RingPlace> {
  const { store = memoryKeyStore(), root = newRoot() } = options
  const clock = testClock()
  const reopen = (more: Partial<KeyringOptions> = {}): Promise<Keyring> =>
    openKeyring({ clock, ...options, root, store, ...more })
  const keyring = await reopen()
  await initKeyring(keyring)
  await initIndexKeys(keyring)
  return { store, root, clock, keyring, reopen }
}

export const wrappedOf = ({ keyId, suite, wrapped }: Dek): WrappedDek => ({ keyId, suite, wrapped })

/** Does each of these wrapped DEKs open as the key that it was? */
export async function openedBy(
  keyring: Keyring,
  wrapped: readonly unknown[],
  deks: readonly Dek[],
): Promise<boolean[]> {
  const keys = await keyring.forProcess(wrapped as WrappedDek[])
  return keys.map((key, i) => key.equals(deks[i]!.key))
}

/** States by key id. */
export function statesOf(keyring: Keyring): Record<number, string> {
  return Object.fromEntries(keyring.keys().map(({ keyId, state }) => [keyId, state]))
}

/** Change a row past what operators can do, rightly signed. */
export async function edited(
  keyring: Keyring,
  keyId: number,
  change: Partial<KeyRow>,
): Promise<void> {
  const now = await readNow(keyring)
  const rows = [{ ...now.rows.get(keyId)!, ...change }]
  if (!(await commit(keyring, now, { rows }))) throw new Error('was not changed')
  await keyring.refresh()
}
