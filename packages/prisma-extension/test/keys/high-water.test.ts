import { describe, expect, test } from 'vitest'
import {
  initIndexKeys,
  initKeyring,
  registerIndex,
  rotate,
  suspendKey,
  type Keyring,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek, KeyringSnapshot } from '../../src/keys/types.ts'
import { openKeyring } from './open.ts'
import { troubledRoot } from './roots.ts'
import { testClock, watchedStore } from './support.ts'

// An older state of a keyring has a right MAC. What tells it from the present one, within a process and across starts.

const via = { client: {}, transaction: { kind: 'itx', id: 'one' } }
const refusal = { code: 'ERR_STORE_TAMPERED' }
const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

async function setUp() {
  const backing = memoryKeyStore()
  const store = watchedStore(backing)
  const [root, clock] = [troubledRoot(), testClock()]
  const keyring = await openKeyring({ root, store, clock })
  await initKeyring(keyring)
  const show = (snapshot: KeyringSnapshot | null): void => {
    store.edit = snapshot === null ? null : () => structuredClone(snapshot)
  }
  const read = async (name = 'default'): Promise<KeyringSnapshot> => (await backing.read(name))!
  /** Another operator, whom the store answers as it is. */
  const another = (): Promise<Keyring> => openKeyring({ root, store: backing })
  return { store, backing, root, clock, keyring, show, read, another }
}

describe('a store put back to an older state', () => {
  test('ends sealing with the read in the background that finds it, long before maxAgeMs', async () => {
    const { keyring, clock, show, read } = await setUp()
    const old = await read()
    await rotate(keyring)
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    show(old)
    clock.pass(10_001)
    await keyring.forProtect(1)
    await settled()
    await expect(keyring.forProtect(1)).rejects.toMatchObject(refusal)
    expect(keyring.stats()).toMatchObject({ activeKeyId: 2, storeError: 'ERR_STORE_TAMPERED' })
    expect(await keyring.forProcess([dek])).toHaveLength(1)
    show(null)
    expect(await keyring.forProtect(1)).toHaveLength(1)
  })

  test('ends sealing inside transactions too, also in one that began before and sees nothing of it', async () => {
    const { keyring, clock, show, read } = await setUp()
    const old = await read()
    await rotate(keyring)
    const now = await read()
    show(old)
    await expect(keyring.refresh()).rejects.toMatchObject(refusal)
    show(now)
    await expect(keyring.forProtect(1, via)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    clock.pass(1)
    await keyring.refresh(via)
    await expect(keyring.forProtect(1, via)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    await keyring.refresh()
    expect(await keyring.forProtect(1, via)).toHaveLength(1)
  })

  test('is not cleared by a read that began before it was found', async () => {
    const { keyring, clock, show, store, read } = await setUp()
    const old = await read()
    await rotate(keyring)
    let release = (): void => undefined
    store.hold = new Promise((done) => (release = done))
    const slow = keyring.refresh()
    clock.pass(60_001) // it hangs, and another one begins
    store.hold = null
    await keyring.refresh()
    clock.pass(1)
    show(old)
    await expect(keyring.refresh()).rejects.toMatchObject(refusal)
    show(null)
    release()
    await slow
    show(old)
    await expect(keyring.forProtect(1)).rejects.toMatchObject(refusal)
  })

  test('ends sealing and searching that waits for its key, too', async () => {
    const { keyring, root, show, read } = await setUp()
    await initIndexKeys(keyring)
    const old = { keks: await read(), index: await read('default/index') }
    await rotate(keyring)
    const index = { id: 'User.emailIndex', normalize: [], isUnique: false, complete: true }
    await registerIndex(keyring, index)
    keyring.forget()
    let release = (): void => undefined
    root.hold = new Promise<void>((done) => (release = done))
    const waiting = [keyring.forProtect(1), Promise.resolve(keyring.index.view())]
    const ended = Promise.all(waiting.map((one) => expect(one).rejects.toMatchObject(refusal)))
    show(old.index)
    await expect(keyring.index.refresh()).rejects.toMatchObject(refusal)
    show(old.keks)
    await expect(keyring.refresh()).rejects.toMatchObject(refusal)
    keyring.store.read = (name) =>
      Promise.resolve(structuredClone(name === 'default' ? old.keks : old.index))
    release()
    await ended
  })

  test('is changed by no operator who knew the newer one', async () => {
    const { keyring, show, read } = await setUp()
    await rotate(keyring)
    const old = await read()
    await rotate(keyring)
    show(old)
    await expect(rotate(keyring)).rejects.toMatchObject(refusal)
    await expect(suspendKey(keyring, 3)).rejects.toMatchObject(refusal)
  })

  test('and changed by others since is told at the same revision', async () => {
    const { keyring, store, root, show, read, another } = await setUp()
    const old = await read()
    const elsewhere = memoryKeyStore()
    await rotate(keyring) // revision 3, key 2
    Object.assign(store, { read: elsewhere.read.bind(elsewhere) })
    await seeded(elsewhere, old)
    await rotate(await openKeyring({ root, store: elsewhere })) // revision 3, another key 2
    await expect(keyring.refresh()).rejects.toMatchObject({
      ...refusal,
      message: expect.stringContaining('is another one than was read before at revision 3'),
    })
    show(null)
    expect((await (await another()).forProtect(1))[0]!.keyId).toBe(2)
  })

  test('or to a store of the same root key and name is told by its MAC key', async () => {
    const { keyring, store, root } = await setUp()
    const elsewhere = memoryKeyStore()
    const other = await openKeyring({ root, store: elsewhere })
    await initKeyring(other)
    for (let i = 0; i < 3; i++) await rotate(other)
    Object.assign(store, { read: elsewhere.read.bind(elsewhere) })
    await expect(keyring.refresh()).rejects.toMatchObject({
      ...refusal,
      message: expect.stringContaining('under another MAC key'),
    })
    await expect(keyring.forProtect(1)).rejects.toMatchObject(refusal)
  })

  test('is caught at start-up by an anchor, and by nothing else', async () => {
    const { keyring, backing, root, store, show, read } = await setUp()
    const old = await read()
    await rotate(keyring)
    const minRevision = keyring.stats().revision!
    show(old)
    expect((await openKeyring({ root, store })).activeKeyId).toBe(1)
    await expect(openKeyring({ root, store, minRevision })).rejects.toMatchObject({
      ...refusal,
      message: expect.stringContaining('at revision 1, and was at 3'),
    })
    expect((await openKeyring({ root, store: backing, minRevision })).activeKeyId).toBe(2)
  })

  test('is caught for index keys likewise', async () => {
    const { keyring, root, store, show, read } = await setUp()
    await initIndexKeys(keyring)
    const old = await read('default/index')
    const index = { id: 'User.emailIndex', normalize: [], isUnique: false, complete: true }
    await registerIndex(keyring, index)
    show(old)
    await expect(keyring.index.refresh()).rejects.toMatchObject(refusal)
    await expect(Promise.resolve(keyring.index.view())).rejects.toMatchObject(refusal)
    store.edit = (now: KeyringSnapshot) => (now.head.keyring === 'default' ? now : old)
    const late = await openKeyring({ root, store, minIndexRevision: 2 })
    await expect(Promise.resolve(late.index.view())).rejects.toMatchObject(refusal)
  })
})

/** The first state of a keyring, in another store. */
async function seeded(
  store: ReturnType<typeof memoryKeyStore>,
  first: KeyringSnapshot,
): Promise<void> {
  const { head, keys } = first
  const rows = keys.map((row) => ({ from: null, row }))
  const { keyring } = head
  const write = { keyring, expectedRevision: 0, formerKeyId: null, head, rows }
  expect(await store.write(write)).toBe(true)
}
