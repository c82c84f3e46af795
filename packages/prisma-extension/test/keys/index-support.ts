import { expect } from 'vitest'
import {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  initKeyring,
  type IndexRecord,
  type Keyring,
  type KeyStore,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { openKeyring } from './open.ts'
import { newRoot } from './support.ts'

export const id = 'User.emailIndex'
export const unique = { id, normalize: ['trim', 'lowercase'], isUnique: true, complete: true }
export const plain = { ...unique, id: 'User.phoneIndex', isUnique: false }
export const conflict = { code: 'ERR_KEYRING_CONFLICT', retryable: true }

/** Two instances of a keyring with an index key (2), in one store. */
export async function setUp(store: KeyStore = memoryKeyStore()) {
  const root = newRoot()
  const one = await openKeyring({ root, store })
  await initKeyring(one)
  await initIndexKeys(one)
  const two = await openKeyring({ root, store })
  return { one, two, store, root }
}

export async function rotateIndexKey(keyring: Keyring): Promise<number> {
  await addIndexKey(keyring)
  return (await activateIndexKey(keyring)).to.keyId
}

export const recordOf = (keyring: Keyring, of = id): IndexRecord =>
  keyring.index.records().find((record) => record.id === of)!
export const statesOf = (keyring: Keyring): string[] =>
  keyring.index.keys().map(({ state }) => state)

/** Of two calls at once exactly one changes something; the other is told. */
export async function race(
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<void> {
  const results = await Promise.allSettled([first(), second()])
  const lost = results.filter((result) => result.status === 'rejected')
  expect(lost).toHaveLength(1)
  expect(lost[0]!.reason).toMatchObject(conflict)
}
