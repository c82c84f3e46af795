import { describe, expect, test } from 'vitest'
import {
  activateKey,
  addIndexKey,
  addKey,
  closeKeyring,
  destroyKey,
  initKeyring,
  retireKey,
  rotate,
  suspendKey,
  type Keyring,
} from '../../src/keys/index.ts'
import {
  addVersion,
  commit,
  newVersion,
  pendingOf,
  readNow,
} from '../../src/keys/lifecycle/versions.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { KeyStore } from '../../src/keys/types.ts'
import { openKeyring } from './open.ts'
import { DENIAL, troubledRoot } from './roots.ts'
import { ringPlace, statesOf } from './rings.ts'
import { newRoot } from './support.ts'

// What operators do while others change the keyring between two of their steps.

const conflict = {
  code: 'ERR_KEYRING_CONFLICT',
  retryable: true,
  fix: expect.stringContaining('npx rowseal status'),
}

/** Do something once, right after the next write of the store. */
function afterWrite(store: KeyStore, then: () => Promise<unknown>): void {
  const write = store.write.bind(store)
  store.write = async (change) => {
    store.write = write
    const isWritten = await write(change)
    await then()
    return isWritten
  }
}

describe('a new keyring', () => {
  test('is given up after five writes that others were before', async () => {
    const store = memoryKeyStore()
    const keyring = await openKeyring({ root: newRoot(), store })
    let writes = 0
    store.write = () => Promise.resolve(++writes < 0)
    await expect(initKeyring(keyring)).rejects.toMatchObject(conflict)
    expect(writes).toBe(5)
  })

  test('is not there for a root key that makes keys and does not unwrap them', async () => {
    const root = troubledRoot()
    const keyring = await openKeyring({ root, store: memoryKeyStore() })
    const unwrap = root.unwrap.bind(root)
    root.unwrap = (...args) => (args[2].use === 'kek' ? Promise.reject(DENIAL) : unwrap(...args))
    await expect(initKeyring(keyring)).rejects.toBe(DENIAL)
    await expect(initKeyring(keyring)).rejects.toBe(DENIAL)
  })
})

describe('a new version', () => {
  test('is one more than the highest, and has not been active', async () => {
    const { keyring } = await ringPlace()
    const made = await newVersion(keyring, 7, 'pre-activation')
    expect(made).toMatchObject({ keyId: 3, version: 7, suite: 0x01, uses: 0, rewrappedFrom: [] })
    expect([made.activatedAt, made.suspendedAt, made.destroyAt]).toEqual([null, null, null])
    expect(made.stateAt).toEqual(made.createdAt)
    const active = await newVersion(keyring, 7, 'active')
    expect(active.activatedAt).toEqual(active.createdAt)
    await rotate(keyring)
    await suspendKey(keyring, 3, 1)
    expect((await addKey(keyring)).version).toBe(3)
  })

  test('waits as this instance sees at once, and is stored once', async () => {
    const { keyring } = await ringPlace()
    const added = await addKey(keyring)
    expect(statesOf(keyring)).toEqual({ 1: 'active', 3: 'pre-activation' })
    expect((await addKey(keyring)).keyId).toBe(added.keyId)
  })

  test('is looked for five times where others take its key id', async () => {
    const { keyring, store } = await ringPlace()
    let asked = 0
    store.nextKeyId = () => {
      asked++
      return Promise.resolve(2) // of its index keys
    }
    await expect(addVersion(keyring, await readNow(keyring))).rejects.toMatchObject(conflict)
    expect(asked).toBe(5)
  })

  test('that another operator made active meanwhile waits no more', async () => {
    const suspend = (keyring: Keyring): Promise<unknown> => suspendKey(keyring, 1)
    for (const step of [addKey, rotate, suspend]) {
      const { keyring, store, reopen } = await ringPlace()
      const other = await reopen()
      afterWrite(store, () => rotate(other))
      await expect(step(keyring)).rejects.toMatchObject(conflict)
      await keyring.refresh()
      expect(statesOf(keyring)).toEqual({ 1: 'suspended', 3: 'active' })
    }
  })

  test('is not the one to rotate to if another is active by then', async () => {
    const { keyring, store, reopen } = await ringPlace()
    const other = await reopen()
    afterWrite(store, async () => {
      await rotate(other)
      await addKey(other)
    })
    await expect(rotate(keyring)).rejects.toMatchObject(conflict)
    await keyring.refresh()
    expect(statesOf(keyring)).toEqual({ 1: 'suspended', 3: 'active', 4: 'pre-activation' })
  })

  test('that another operator gave up meanwhile is not the one to rotate to', async () => {
    const { keyring, store, reopen } = await ringPlace()
    const other = await reopen()
    afterWrite(store, () => destroyKey(other, 3))
    await expect(rotate(keyring)).rejects.toMatchObject(conflict)
    await keyring.refresh()
    expect(statesOf(keyring)).toEqual({ 1: 'active', 3: 'destroyed' })
  })

  test('is made active only if it is the one that was seen waiting', async () => {
    const { keyring } = await ringPlace()
    await expect(activateKey(keyring, { from: 1, to: 3 })).rejects.toMatchObject(conflict)
    const { keyId } = await addKey(keyring)
    await expect(activateKey(keyring, { from: 1, to: 99 })).rejects.toMatchObject(conflict)
    expect((await activateKey(keyring, { from: 1, to: keyId })).to.keyId).toBe(keyId)
  })

  test('of several that wait is the newest', async () => {
    const { keyring } = await ringPlace()
    for (const version of [3, 4, 2]) {
      const now = await readNow(keyring)
      const row = await newVersion(keyring, version, 'pre-activation')
      expect(await commit(keyring, now, { rows: [row] })).toBe(true)
    }
    expect(pendingOf(await readNow(keyring))).toMatchObject({ version: 4 })
    expect((await rotate(keyring)).to.version).toBe(4)
  })
})

describe('what an operator is told', () => {
  test('when no version waits', async () => {
    const { keyring } = await ringPlace()
    await expect(activateKey(keyring)).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      fix: expect.stringContaining('Store one first'),
    })
  })

  test('of a key that nobody has', async () => {
    const { keyring } = await ringPlace()
    const unknown = {
      code: 'ERR_KEY_UNKNOWN',
      fix: expect.stringContaining('npx rowseal keys list'),
    }
    await expect(retireKey(keyring, 99)).rejects.toMatchObject(unknown)
    await expect(suspendKey(keyring, 1, 99)).rejects.toMatchObject(unknown)
  })

  test('of a keyring that is about to be destroyed, by the name that it takes back', async () => {
    const { keyring } = await ringPlace({ name: 'tenant/acme' })
    await closeKeyring(keyring, new Date(1_900_000_000_000))
    for (const add of [addKey, addIndexKey])
      await expect(add(keyring)).rejects.toMatchObject({
        code: 'ERR_KEY_STATE',
        fix: expect.stringContaining('--keyring tenant/acme --cancel`'),
      })
  })
})
