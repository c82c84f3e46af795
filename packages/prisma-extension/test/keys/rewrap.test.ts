import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  compromiseKey,
  destroyKey,
  registerIndex,
  rewrapKeys,
  rotate,
  scheduleDestruction,
} from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import type { Dek, RootKey } from '../../src/keys/types.ts'
import { openKeyring } from './open.ts'
import { delegating } from './support.ts'
import { ringPlace, statesOf, wrappedOf } from './rings.ts'

const [first, second] = [randomBytes(32), randomBytes(32)]
const oldRoot = (): RootKey => localRootKey({ key: first })
const newRoot = (): RootKey => localRootKey({ key: second })
const bothRoots = (): RootKey => localRootKey({ key: second }, { former: [{ key: first }] })

/** A keyring with a destroyed, a suspended and an active version, and index keys, under the first root key. */
async function filled() {
  const place = await ringPlace({ root: oldRoot() })
  const { keyring, store } = place
  await rotate(keyring)
  const [dek] = (await keyring.forProtect(1)) as [Dek]
  await rotate(keyring)
  await compromiseKey(keyring, 1)
  await scheduleDestruction(keyring, 1, new Date(0))
  await destroyKey(keyring, 1)
  await registerIndex(keyring, { id: 'a', normalize: [], isUnique: true, complete: true })
  expect(statesOf(keyring)).toEqual({ 1: 'destroyed', 3: 'suspended', 4: 'active' })
  const [{ rootKeyId: from }, { rootKeyId: to }] = [
    await oldRoot().describe(),
    await newRoot().describe(),
  ]
  return { ...place, dek, from, to, open: (root: RootKey) => openKeyring({ root, store }) }
}

describe('re-wrapping', () => {
  test('brings all keys and MAC keys under the new root key, and changes nothing else', async () => {
    const { open, store, dek, from, to } = await filled()
    const before = (await store.read('default'))!
    const keyring = await open(bothRoots())
    const done = await rewrapKeys(keyring)
    expect(done.map(({ keyring, keyId }) => [keyring, keyId])).toEqual([
      ['default', 3],
      ['default', 4],
      ['default', 0],
      ['default/index', 2],
      ['default/index', 0],
    ])
    expect(new Set(done.map((one) => `${one.from} ${one.to}`))).toEqual(new Set([`${from} ${to}`]))
    const after = (await store.read('default'))!
    expect(after.head.revision).toBe(before.head.revision + 1)
    for (const [i, row] of after.keys.entries()) {
      const { rootKeyId, wrappedKek, ...rest } = row
      expect(before.keys[i]).toMatchObject(rest)
      expect(rootKeyId).toBe(row.state === 'destroyed' ? from : to)
      expect(wrappedKek.length).toBe(row.state === 'destroyed' ? 0 : 60)
    }
    const late = await open(newRoot())
    expect((await late.forProcess([wrappedOf(dek)]))[0]!.equals(dek.key)).toBe(true)
    expect((await late.forProtect(1))[0]!.keyId).toBe(4)
    expect(await late.index.view()).toMatchObject({ revision: 3 })
    await expect(open(oldRoot())).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
  })

  test('is followed by an instance that runs, if it has both root keys', async () => {
    const { open, dek } = await filled()
    const running = await open(bothRoots())
    await rewrapKeys(await open(bothRoots()))
    await running.refresh()
    expect((await running.forProtect(1))[0]!.keyId).toBe(4)
    expect(await running.forProcess([wrappedOf(dek)])).toHaveLength(1)
  })

  test('again finds nothing to do, and writes nothing', async () => {
    const { open, store } = await filled()
    await rewrapKeys(await open(bothRoots()))
    const { revision } = (await store.read('default'))!.head
    expect(await rewrapKeys(await open(newRoot()))).toEqual([])
    expect((await store.read('default'))!.head.revision).toBe(revision)
  })

  test('that the root key refuses half way changes nothing', async () => {
    const { open, store } = await filled()
    const root = delegating(bothRoots())
    const keyring = await open(root)
    const before = await store.read('default')
    const rewrap = root.rewrap.bind(root)
    root.rewrap = async (...args) => {
      if (args[2].keyId === 4) throw new Error('out of reach')
      return rewrap(...args)
    }
    await expect(rewrapKeys(keyring)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    expect(await store.read('default')).toEqual(before)
  })

  test('beside a rotation changes all or nothing', async () => {
    const { open, store } = await filled()
    const root = delegating(bothRoots())
    const keyring = await open(root)
    const rewrap = root.rewrap.bind(root)
    root.rewrap = async (...args) => {
      root.rewrap = rewrap
      await rotate(await open(bothRoots()))
      return rewrap(...args)
    }
    await expect(rewrapKeys(keyring)).rejects.toMatchObject({ code: 'ERR_KEYRING_CONFLICT' })
    const { rootKeyId } = (await store.read('default'))!.keys[1]!
    expect(rootKeyId).toBe((await oldRoot().describe()).rootKeyId)
    expect((await rewrapKeys(keyring)).map(({ keyId }) => keyId)).toContain(3)
  })

  test('to a MAC key that is another one is refused before it is written', async () => {
    const { open, store } = await filled()
    const root = delegating(bothRoots())
    const keyring = await open(root)
    const before = await store.read('default')
    const rewrap = root.rewrap.bind(root)
    root.rewrap = async (...args) => {
      if (args[2].use !== 'mac') return rewrap(...args)
      const { key, ...wrapped } = await newRoot().create(args[2])
      key.fill(0)
      return wrapped
    }
    await expect(rewrapKeys(keyring)).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
    expect(await store.read('default')).toEqual(before)
  })
})
