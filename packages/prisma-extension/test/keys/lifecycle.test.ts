import { describe, expect, test } from 'vitest'
import { initKeyring, rotate, type Keyring } from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek, KeyRow, KeyStore } from '../../src/keys/types.ts'
import { commit, readNow } from '../../src/keys/lifecycle/versions.ts'
import { openKeyring } from './open.ts'
import { newRoot, watchedRoot } from './support.ts'

async function keyringOf(store: KeyStore = memoryKeyStore(), root = newRoot()): Promise<Keyring> {
  const keyring = await openKeyring({ root, store })
  await initKeyring(keyring)
  return keyring
}

/** Let so many writes through, and none after. @returns the method to put back. */
function cutOff(store: KeyStore, writes: number): KeyStore['write'] {
  const write = store.write.bind(store)
  let left = writes
  store.write = (change) => (left-- > 0 ? write(change) : Promise.reject(new Error('cut off')))
  return write
}

const statesOf = (keyring: Keyring): string[] => keyring.keys().map(({ state }) => state)

describe('initKeyring', () => {
  test('makes the first version active and says so once', async () => {
    const keyring = await openKeyring({ root: newRoot(), store: memoryKeyStore() })
    expect(await initKeyring(keyring)).toEqual({ created: true })
    expect(keyring.keys()).toMatchObject([{ keyId: 1, version: 1, state: 'active', suite: 1 }])
    expect(await initKeyring(keyring)).toEqual({ created: false })
    expect(keyring.keys()).toHaveLength(1)
  })

  test('twenty at once make one keyring', async () => {
    const store = memoryKeyStore()
    const root = newRoot()
    const keyrings = await Promise.all(
      Array.from({ length: 20 }, () => openKeyring({ root, store })),
    )
    const made = await Promise.all(keyrings.map(initKeyring))
    expect(made.filter(({ created }) => created)).toHaveLength(1)
    const [dek] = (await keyrings[0]!.forProtect(1)) as [Dek]
    for (const keyring of keyrings) {
      expect((await keyring.forProcess([dek]))[0]!.equals(dek.key)).toBe(true)
    }
  })

  test('gives every keyring of a store key ids of its own, two at once too', async () => {
    const store = memoryKeyStore()
    const root = newRoot()
    const names = ['a', 'b', 'c']
    const keyrings = await Promise.all(names.map((name) => openKeyring({ root, store, name })))
    await Promise.all(keyrings.map(initKeyring))
    await Promise.all(keyrings.map((keyring) => rotate(keyring)))
    const ids = keyrings.flatMap((keyring) => keyring.keys().map(({ keyId }) => keyId))
    expect(new Set(ids).size).toBe(6)
  })

  test('with another root key than the one that made it is refused', async () => {
    const store = memoryKeyStore()
    const late = await openKeyring({ root: newRoot(), store })
    await keyringOf(store)
    await expect(initKeyring(late)).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
  })
})

describe('rotate', () => {
  test('makes a new version active and suspends the former in one step', async () => {
    const keyring = await keyringOf()
    const before = await keyring.forProtect(1)
    const { from, to } = await rotate(keyring)
    expect(from).toMatchObject({ keyId: 1, state: 'suspended', version: 1 })
    expect(to).toMatchObject({ keyId: 2, state: 'active', version: 2, suspendedAt: null })
    expect(from.suspendedAt).toEqual(to.activatedAt)
    expect(keyring.activeKeyId).toBe(2)
    const after = await keyring.forProtect(1)
    expect([before[0]!.keyId, after[0]!.keyId]).toEqual([1, 2])
    expect(await keyring.forProcess([...before, ...after])).toHaveLength(2)
  })

  test('of a keyring that does not exist is refused', async () => {
    const keyring = await openKeyring({ root: newRoot(), store: memoryKeyStore() })
    await expect(rotate(keyring)).rejects.toMatchObject({ code: 'ERR_KEYRING_MISSING' })
  })

  test('acts on the store as it is now, not as it was last read', async () => {
    const store = memoryKeyStore()
    const root = newRoot()
    const late = await keyringOf(store, root)
    await rotate(await openKeyring({ root, store }))
    expect((await rotate(late)).from.keyId).toBe(2)
  })

  test('of a version that is not active any more is refused', async () => {
    const keyring = await keyringOf()
    expect((await rotate(keyring, { from: 1 })).to.keyId).toBe(2)
    await expect(rotate(keyring, { from: 1 })).rejects.toMatchObject({
      code: 'ERR_KEYRING_CONFLICT',
    })
    expect(statesOf(keyring)).toEqual(['suspended', 'active'])
  })

  test('of two at once lets exactly one through, twenty times', async () => {
    const store = memoryKeyStore()
    const root = newRoot()
    const one = await keyringOf(store, root)
    const two = await openKeyring({ root, store })
    for (let round = 1; round <= 20; round++) {
      const results = await Promise.allSettled([rotate(one), rotate(two)])
      const lost = results.filter((result) => result.status === 'rejected')
      expect(lost).toHaveLength(1)
      expect(lost[0]!.reason).toMatchObject({ code: 'ERR_KEYRING_CONFLICT', retryable: true })
      await one.refresh()
      expect(statesOf(one).filter((state) => state === 'active')).toHaveLength(1)
      expect(one.keys()).toHaveLength(round + 1)
    }
  })

  test('goes on with the version that one cut off had stored', async () => {
    const store = memoryKeyStore()
    const keyring = await keyringOf(store)
    const write = cutOff(store, 1)
    await expect(rotate(keyring)).rejects.toThrow('cut off')
    store.write = write
    await keyring.refresh()
    expect(statesOf(keyring)).toEqual(['active', 'pre-activation'])
    expect((await keyring.forProtect(1))[0]!.keyId).toBe(1)
    expect((await rotate(keyring)).to.keyId).toBe(2)
    expect(statesOf(keyring)).toEqual(['suspended', 'active'])
  })

  test('of two at once that both find a version waiting lets exactly one through', async () => {
    const store = memoryKeyStore()
    const root = newRoot()
    const one = await keyringOf(store, root)
    const two = await openKeyring({ root, store })
    const write = cutOff(store, 1)
    await expect(rotate(one)).rejects.toThrow('cut off')
    store.write = write
    const results = await Promise.allSettled([rotate(one), rotate(two)])
    const lost = results.filter((result) => result.status === 'rejected')
    expect(lost).toHaveLength(1)
    expect(lost[0]!.reason).toMatchObject({ code: 'ERR_KEYRING_CONFLICT', retryable: true })
  })

  test('does not activate a version whose KEK does not unwrap', async () => {
    const store = memoryKeyStore()
    const keyring = await keyringOf(store)
    const row: KeyRow = { ...keyring.keys()[0]!, keyId: 9, version: 2, state: 'pre-activation' }
    await commit(keyring, await readNow(keyring), { rows: [row] })
    await expect(rotate(keyring)).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
    await keyring.refresh()
    expect(keyring.activeKeyId).toBe(1)
  })

  test('while the root key is out of reach changes nothing', async () => {
    const store = memoryKeyStore()
    const root = watchedRoot()
    const keyring = await keyringOf(store, root)
    root.create = () => Promise.reject(new Error('out of reach'))
    await expect(rotate(keyring)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    expect((await store.read('default'))!.keys).toHaveLength(1)
  })
})

test('what no reader would take is not written', async () => {
  const store = memoryKeyStore()
  const keyring = await keyringOf(store)
  const now = await readNow(keyring)
  const before = await store.read('default')
  const wrong = { ...keyring.keys()[0]!, destroyAt: new Date(NaN) }
  await expect(commit(keyring, now, { rows: [wrong] })).rejects.toThrow('not a time')
  expect(await store.read('default')).toEqual(before)
})
