import { describe, expect, test } from 'vitest'
import {
  activateIndexKey,
  activateKey,
  addIndexKey,
  addKey,
  cancelKeyringEnd,
  closeKeyring,
  compromiseKey,
  destroyKey,
  destroyKeyring,
  initIndexKeys,
  initKeyring,
  registerIndex,
  resumeKey,
  retireKey,
  rotate,
  scheduleDestruction,
  suspendKey,
  unregisterIndex,
  type Keyring,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek } from '../../src/keys/types.ts'
import { openKeyring } from './open.ts'
import { newRoot } from './support.ts'

const INDEX = { id: 'User.login', normalize: [], isUnique: true, complete: true }
const PAST = new Date(Date.now() - 1000)

async function tenant(): Promise<{ keyring: Keyring; other: Keyring; dek: Dek }> {
  const options = { root: newRoot(), store: memoryKeyStore(), name: 'tenant/acme' }
  const keyring = await openKeyring(options)
  await initKeyring(keyring)
  await initIndexKeys(keyring)
  await registerIndex(keyring, INDEX)
  const [dek] = (await keyring.forProtect(1)) as [Dek]
  await rotate(keyring)
  return { keyring, dek, other: await openKeyring(options) }
}

const states = (keyring: Keyring): string[] =>
  [...keyring.keys(), ...keyring.index.keys()].map(({ state }) => state)

describe('the end of a keyring', () => {
  test('closes its key versions and index keys, and nothing opens until it is cancelled', async () => {
    const { keyring, other, dek } = await tenant()
    await addKey(keyring)
    const at = new Date(Date.now() + 60_000)
    const rows = await closeKeyring(keyring, at)
    expect(rows.map(({ destroyAt }) => destroyAt)).toEqual([at, at, at, at])
    expect(states(keyring)).toEqual(['deactivated', 'deactivated', 'compromised', 'deactivated'])
    expect(keyring.index.records()).toEqual([])
    await other.refresh()
    await expect(other.forProcess([dek])).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await expect(other.forProtect(1)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await expect(destroyKeyring(keyring)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })

    await cancelKeyringEnd(keyring)
    await other.refresh()
    expect((await other.forProcess([dek]))[0]!.equals(dek.key)).toBe(true)
    await expect(other.forProtect(1)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
  })

  test('opens again by rotations, with its unique index under the new index key', async () => {
    const { keyring, dek } = await tenant()
    await closeKeyring(keyring, new Date(Date.now() + 60_000))
    await cancelKeyringEnd(keyring)
    await rotate(keyring)
    expect(await keyring.forProtect(1)).toHaveLength(1)
    expect(await keyring.forProcess([dek])).toHaveLength(1)
    const fix = expect.stringContaining('`npx rowseal rotate --index --keyring tenant/acme`')
    await expect(registerIndex(keyring, INDEX)).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      fix,
    })
    const { keyId } = await addIndexKey(keyring)
    await activateIndexKey(keyring)
    const { record } = await registerIndex(keyring, { ...INDEX, complete: false })
    expect(record).toMatchObject({ keys: [keyId, null], complete: false })
    expect((await keyring.index.view()).active).toBe(keyId)
  })

  test('is the end of an index key alone, too, which no index keeps', async () => {
    const { keyring } = await tenant()
    const [key] = keyring.index.keys()
    await closeKeyring(keyring)
    const { destroyAt } = await scheduleDestruction(keyring, key!.keyId, PAST)
    expect(destroyAt).toEqual(PAST)
    expect((await destroyKey(keyring, key!.keyId)).state).toBe('destroyed')
  })

  test('comes exactly when its time is over, and then once', async () => {
    const { keyring } = await tenant()
    const at = new Date(Date.now() + 60_000)
    await expect(destroyKeyring(keyring, at)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await closeKeyring(keyring, at)
    const early = new Date(at.getTime() - 1)
    await expect(destroyKeyring(keyring, early)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    const rows = await destroyKeyring(keyring, at)
    expect(rows.map(({ state, stateAt }) => [state, stateAt])).toEqual(
      Array(3).fill(['destroyed', at]),
    )
    const { revision } = keyring.stats()
    await destroyKeyring(keyring, at)
    await closeKeyring(keyring, at)
    expect(keyring.stats().revision).toBe(revision)
  })

  test('keeps the time that was set first, and gets one where it had none', async () => {
    const { keyring } = await tenant()
    const [first, second] = [new Date(Date.now() + 60_000), new Date(Date.now() + 120_000)]
    expect((await closeKeyring(keyring)).map(({ destroyAt }) => destroyAt)).toEqual([
      null,
      null,
      null,
    ])
    const { keyId } = keyring.keys()[0]!
    await scheduleDestruction(keyring, keyId, first)
    const rows = await closeKeyring(keyring, second)
    expect(rows.map(({ destroyAt }) => destroyAt)).toEqual([first, second, second])
    expect((await cancelKeyringEnd(keyring)).every(({ destroyAt }) => destroyAt === null)).toBe(
      true,
    )
  })

  test('of one index key, taken back, leaves an open keyring its indexes', async () => {
    const { keyring } = await tenant()
    await unregisterIndex(keyring, INDEX.id)
    await registerIndex(keyring, { ...INDEX, isUnique: false })
    const [former] = keyring.index.keys()
    await addIndexKey(keyring)
    await activateIndexKey(keyring)
    await retireKey(keyring, former!.keyId)
    await scheduleDestruction(keyring, former!.keyId, PAST)
    const rows = await cancelKeyringEnd(keyring)
    expect(rows.every(({ destroyAt }) => destroyAt === null)).toBe(true)
    expect(keyring.index.records()).toMatchObject([{ id: INDEX.id }])
    expect(states(keyring)).toEqual(['suspended', 'active', 'deactivated', 'active'])
  })

  test('needs no index keys', async () => {
    const keyring = await openKeyring({ root: newRoot(), store: memoryKeyStore() })
    await initKeyring(keyring)
    expect(await closeKeyring(keyring, PAST)).toMatchObject([{ state: 'deactivated' }])
    expect(await destroyKeyring(keyring)).toMatchObject([{ state: 'destroyed' }])
  })

  test('of two at once happens once', async () => {
    const { keyring, other } = await tenant()
    const results = await Promise.allSettled([closeKeyring(keyring), closeKeyring(other)])
    const lost = results.filter((result) => result.status === 'rejected')
    expect(lost.map(({ reason }) => (reason as { code: string }).code)).toEqual([
      'ERR_KEYRING_CONFLICT',
    ])
  })

  test('is not undone by a rotation, which says what would', async () => {
    const { keyring } = await tenant()
    await closeKeyring(keyring, new Date(Date.now() + 60_000))
    const refusal = { code: 'ERR_KEY_STATE', message: expect.stringContaining('--cancel') }
    await expect(rotate(keyring)).rejects.toMatchObject(refusal)
    await expect(addKey(keyring)).rejects.toMatchObject(refusal)
    expect(keyring.keys()).toHaveLength(2)
  })

  test('still takes note of a leak', async () => {
    const { keyring, other } = await tenant()
    const { activeKeyId } = keyring
    await closeKeyring(keyring)
    await compromiseKey(keyring, activeKeyId!)
    await other.refresh()
    expect(states(other)).toEqual(['deactivated', 'compromised'])
    await expect(other.forProtect(1)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await rotate(keyring)
    expect(await keyring.forProtect(1)).toHaveLength(1)
  })

  test('cut off between KEKs and index keys it is finished by the next call', async () => {
    const { keyring } = await tenant()
    const { store } = keyring
    const write = store.write.bind(store)
    let left = 1
    store.write = (change) => (left-- > 0 ? write(change) : Promise.reject(new Error('cut off')))
    await expect(closeKeyring(keyring, PAST)).rejects.toThrow('cut off')
    store.write = write
    await closeKeyring(keyring, PAST)
    await destroyKeyring(keyring)
    expect(new Set(states(keyring))).toEqual(new Set(['destroyed']))
    for (const { wrappedKek } of [...keyring.keys(), ...keyring.index.keys()])
      expect(wrappedKek).toHaveLength(0)
  })
})

describe('what was seen before', () => {
  test('a rotation is not begun, and not ended, once the active version is another one', async () => {
    const { keyring } = await tenant()
    const [first, second] = keyring.keys()
    const conflict = { code: 'ERR_KEYRING_CONFLICT' }
    await expect(addKey(keyring, first!.keyId)).rejects.toMatchObject(conflict)
    const { keyId } = await addKey(keyring, second!.keyId)
    const step = { from: first!.keyId, to: keyId }
    await expect(activateKey(keyring, step)).rejects.toMatchObject(conflict)
    expect((await activateKey(keyring, { ...step, from: second!.keyId })).to.keyId).toBe(keyId)
  })

  test('a version that was active in between is not retired', async () => {
    const { keyring } = await tenant()
    const [seen] = keyring.keys()
    await resumeKey(keyring, seen!.keyId)
    await new Promise((done) => setTimeout(done, 2))
    await suspendKey(keyring, seen!.keyId, keyring.keys()[1]!.keyId)
    await expect(retireKey(keyring, seen!.keyId, seen)).rejects.toMatchObject({
      code: 'ERR_KEYRING_CONFLICT',
    })
    expect((await retireKey(keyring, seen!.keyId, keyring.keys()[0])).state).toBe('deactivated')
  })

  test('nobody gets a successor for a version that is not active', async () => {
    const { keyring } = await tenant()
    const [first] = keyring.keys()
    await expect(suspendKey(keyring, first!.keyId)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    expect(keyring.keys()).toHaveLength(2)
  })
})

test('an index that is gone lets its key go', async () => {
  const { keyring } = await tenant()
  expect(await unregisterIndex(keyring, INDEX.id)).toBe(true)
  expect(await unregisterIndex(keyring, INDEX.id)).toBe(false)
  expect(keyring.index.records()).toEqual([])
})
