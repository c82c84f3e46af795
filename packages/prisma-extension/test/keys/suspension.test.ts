import { describe, expect, test } from 'vitest'
import {
  addKey,
  compromiseKey,
  destroyKey,
  resumeKey,
  retireKey,
  rotate,
  scheduleDestruction,
  suspendKey,
} from '../../src/keys/index.ts'
import type { Dek } from '../../src/keys/types.ts'
import { edited, ringPlace, statesOf, wrappedOf } from './rings.ts'

// Key 1 is the first KEK of each keyring, key 2 its index key.

const code = (code: string): object => ({ code })

describe('suspending the active version', () => {
  test('names a new version as its successor in the same step', async () => {
    const { keyring, store } = await ringPlace()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const [from, to] = await suspendKey(keyring, 1)
    expect([from!.keyId, from!.state, to!.keyId, to!.state]).toEqual([1, 'suspended', 3, 'active'])
    const { head } = (await store.read('default'))!
    expect([head.activeKeyId, head.revision]).toEqual([3, 3])
    expect((await keyring.forProtect(1))[0]!.keyId).toBe(3)
    expect((await keyring.forProcess([wrappedOf(dek)]))[0]!.equals(dek.key)).toBe(true)
  })

  test('takes the version that waits', async () => {
    const { keyring } = await ringPlace()
    await addKey(keyring)
    await suspendKey(keyring, 1)
    expect(statesOf(keyring)).toEqual({ 1: 'suspended', 3: 'active' })
  })

  test('takes the version that is named, waiting or suspended', async () => {
    const { keyring } = await ringPlace()
    await rotate(keyring)
    await addKey(keyring)
    await suspendKey(keyring, 3, 1)
    expect(statesOf(keyring)).toEqual({ 1: 'active', 3: 'suspended', 4: 'pre-activation' })
    await suspendKey(keyring, 1, 4)
    expect(statesOf(keyring)).toEqual({ 1: 'suspended', 3: 'suspended', 4: 'active' })
  })

  test('is refused for any other version, and leaves nothing behind', async () => {
    const { keyring, store } = await ringPlace()
    await rotate(keyring)
    const before = await store.read('default')
    await expect(suspendKey(keyring, 1)).rejects.toMatchObject(code('ERR_KEY_STATE'))
    await expect(suspendKey(keyring, 99)).rejects.toMatchObject(code('ERR_KEY_UNKNOWN'))
    await expect(suspendKey(keyring, 3, 3)).rejects.toMatchObject(code('ERR_KEY_STATE'))
    await expect(suspendKey(keyring, 3, 99)).rejects.toMatchObject(code('ERR_KEY_UNKNOWN'))
    await retireKey(keyring, 1)
    await expect(suspendKey(keyring, 3, 1)).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: expect.stringContaining('Key 1 of keyring "default" is deactivated'),
    })
    const after = (await store.read('default'))!
    expect(after.head.revision).toBe(before!.head.revision + 1)
    expect(after.keys).toHaveLength(2)
  })

  test('works on an index key too', async () => {
    const { keyring } = await ringPlace()
    const [from, to] = await suspendKey(keyring, 2)
    expect([from!.state, to!.state, to!.keyring]).toEqual(['suspended', 'active', 'default/index'])
    expect(statesOf(keyring)).toEqual({ 1: 'active' })
  })
})

describe('resuming', () => {
  test('rolls a rotation back, and back again', async () => {
    const { keyring } = await ringPlace()
    await rotate(keyring)
    await resumeKey(keyring, 1)
    expect(statesOf(keyring)).toEqual({ 1: 'active', 3: 'suspended' })
    expect(keyring.keys()[0]).toMatchObject({ suspendedAt: null })
    expect((await keyring.forProtect(1))[0]!.keyId).toBe(1)
    await resumeKey(keyring, 3)
    expect(statesOf(keyring)).toEqual({ 1: 'suspended', 3: 'active' })
  })

  test('is refused for what is not suspended', async () => {
    const { keyring } = await ringPlace()
    await rotate(keyring)
    await rotate(keyring)
    await retireKey(keyring, 1)
    await compromiseKey(keyring, 3)
    for (const keyId of [1, 3, 4]) {
      await expect(resumeKey(keyring, keyId)).rejects.toMatchObject(code('ERR_KEY_STATE'))
    }
    expect(statesOf(keyring)).toEqual({ 1: 'deactivated', 3: 'compromised', 4: 'active' })
  })
})

describe('a compromise', () => {
  test('of the active version names its successor in the same step; what is under it still opens', async () => {
    const { keyring, reopen, store } = await ringPlace()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const changed = await compromiseKey(keyring, 1)
    expect(changed.map(({ keyId, state }) => [keyId, state])).toEqual([
      [1, 'compromised'],
      [3, 'active'],
    ])
    expect(changed[0]!.compromisedAt).toEqual(changed[0]!.stateAt)
    expect((await store.read('default'))!.head.revision).toBe(3)
    const late = await reopen()
    expect((await late.forProcess([wrappedOf(dek)]))[0]!.equals(dek.key)).toBe(true)
    expect(late.isStale(1)).toBe(true)
  })

  test('of a former version leaves the active one alone', async () => {
    const { keyring } = await ringPlace()
    await rotate(keyring)
    const changed = await compromiseKey(keyring, 1)
    expect(changed.map(({ keyId }) => keyId)).toEqual([1])
    expect(statesOf(keyring)).toEqual({ 1: 'compromised', 3: 'active' })
    expect(await compromiseKey(keyring, 1)).toEqual([])
  })

  test('takes along every version that holds DEKs re-wrapped from it, in turn, the active one too', async () => {
    const { keyring } = await ringPlace()
    for (let i = 0; i < 4; i++) await rotate(keyring) // 1, 3, 4, 5, active 6
    await edited(keyring, 4, { rewrappedFrom: [6] }) // a rotation that was rolled back in between
    await edited(keyring, 6, { rewrappedFrom: [1, 3] })
    const changed = await compromiseKey(keyring, 1)
    expect(statesOf(keyring)).toEqual({
      1: 'compromised',
      3: 'suspended',
      4: 'compromised',
      5: 'suspended',
      6: 'compromised',
      7: 'active',
    })
    expect(changed.map(({ keyId }) => keyId)).toEqual([1, 4, 6, 7])
  })

  test('does not make a version the successor that leaked with it', async () => {
    const { keyring } = await ringPlace()
    await addKey(keyring)
    await edited(keyring, 3, { rewrappedFrom: [1] })
    await expect(compromiseKey(keyring, 1, 3)).rejects.toMatchObject(code('ERR_KEY_STATE'))
    expect(statesOf(keyring)).toEqual({ 1: 'active', 3: 'pre-activation' })
    await compromiseKey(keyring, 1)
    expect(statesOf(keyring)).toEqual({ 1: 'compromised', 3: 'compromised', 4: 'active' })
  })

  test('of a version found through a destroyed one', async () => {
    const { keyring } = await ringPlace()
    await rotate(keyring)
    await rotate(keyring) // 1, 3, active 4
    await edited(keyring, 3, { rewrappedFrom: [1] })
    await edited(keyring, 4, { rewrappedFrom: [3] })
    await retireKey(keyring, 3)
    await scheduleDestruction(keyring, 3, new Date(0))
    await destroyKey(keyring, 3)
    await compromiseKey(keyring, 1)
    expect(statesOf(keyring)).toEqual({
      1: 'compromised',
      3: 'destroyed',
      4: 'compromised',
      5: 'active',
    })
    await expect(compromiseKey(keyring, 3)).rejects.toMatchObject(code('ERR_KEY_STATE'))
  })

  test('keeps what others changed while its successor was made', async () => {
    const { keyring, root, reopen } = await ringPlace()
    await rotate(keyring)
    await edited(keyring, 3, { rewrappedFrom: [1] })
    const other = await reopen()
    const create = root.create.bind(root)
    root.create = async (context) => {
      root.create = create
      await retireKey(other, 1)
      return create(context)
    }
    await expect(compromiseKey(keyring, 1)).rejects.toMatchObject(code('ERR_KEYRING_CONFLICT'))
    await keyring.refresh()
    expect(statesOf(keyring)).toEqual({ 1: 'deactivated', 3: 'active' })
    await compromiseKey(keyring, 1)
    expect(statesOf(keyring)).toEqual({ 1: 'compromised', 3: 'compromised', 4: 'active' })
  })

  test('does not touch the version that another operator made active meanwhile', async () => {
    const { keyring, store, reopen } = await ringPlace()
    const other = await reopen()
    const write = store.write.bind(store)
    store.write = async (change) => {
      store.write = write
      const isWritten = await write(change)
      await rotate(other) // makes the successor active that was just stored
      await addKey(other)
      return isWritten
    }
    await expect(compromiseKey(keyring, 1)).rejects.toMatchObject(code('ERR_KEYRING_CONFLICT'))
    await keyring.refresh()
    expect(statesOf(keyring)).toEqual({ 1: 'suspended', 3: 'active', 4: 'pre-activation' })
  })

  test('of a version whose destruction is under way keeps that under way', async () => {
    const { keyring } = await ringPlace()
    await rotate(keyring)
    await retireKey(keyring, 1)
    const at = new Date(1_800_000_000_000)
    await scheduleDestruction(keyring, 1, at)
    const [row] = await compromiseKey(keyring, 1)
    expect(row).toMatchObject({ state: 'compromised', destroyAt: at })
  })

  test('of two at once happens once', async () => {
    const { keyring, reopen } = await ringPlace()
    const other = await reopen()
    const results = await Promise.allSettled([compromiseKey(keyring, 1), compromiseKey(other, 1)])
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await keyring.refresh()
    expect(statesOf(keyring)).toEqual({ 1: 'compromised', 3: 'active' })
  })
})
