import { describe, expect, test } from 'vitest'
import {
  addKey,
  cancelDestruction,
  closeKeyring,
  compromiseKey,
  destroyKey,
  destroyKeyring,
  registerIndex,
  retireKey,
  rotate,
  scheduleDestruction,
  type Keyring,
} from '../../src/keys/index.ts'
import type { Dek } from '../../src/keys/types.ts'
import { ringPlace, statesOf, wrappedOf, type RingPlace } from './rings.ts'

const state = { code: 'ERR_KEY_STATE' }
const at = new Date(1_800_000_000_000)
const before = new Date(at.getTime() - 1)
const index = { id: 'User.emailIndex', normalize: [], isUnique: true, complete: true }

/** Key 1 deactivated, key 3 active, a DEK under key 1. */
async function retired(): Promise<RingPlace & { dek: Dek }> {
  const place = await ringPlace()
  const [dek] = (await place.keyring.forProtect(1)) as [Dek]
  await rotate(place.keyring)
  await retireKey(place.keyring, 1)
  return { ...place, dek }
}

const opens = async (keyring: Keyring, dek: Dek): Promise<boolean> =>
  (await keyring.forProcess([wrappedOf(dek)]))[0]!.equals(dek.key)

describe('retiring', () => {
  test('deactivates a suspended version, which goes on opening', async () => {
    const { keyring, dek } = await retired()
    expect(statesOf(keyring)).toEqual({ 1: 'deactivated', 3: 'active' })
    expect(await opens(keyring, dek)).toBe(true)
  })

  test('is refused for any other version', async () => {
    const { keyring } = await retired()
    for (const keyId of [1, 3]) await expect(retireKey(keyring, keyId)).rejects.toMatchObject(state)
    await expect(retireKey(keyring, 99)).rejects.toMatchObject({ code: 'ERR_KEY_UNKNOWN' })
  })
})

describe('destruction', () => {
  test('begins with a time in which nothing is opened, and can be taken back until it is over', async () => {
    const { keyring, reopen, dek } = await retired()
    const cold = await reopen()
    expect(await scheduleDestruction(keyring, 1, at)).toMatchObject({
      destroyAt: at,
      state: 'deactivated',
    })
    for (const instance of [keyring, await reopen()]) {
      await expect(opens(instance, dek)).rejects.toMatchObject({
        ...state,
        message: expect.stringContaining('about to be destroyed'),
      })
      expect(instance.isStale(1)).toBe(false)
    }
    await cold.refresh()
    await expect(opens(cold, dek)).rejects.toMatchObject(state)
    expect(await cancelDestruction(keyring, 1)).toMatchObject({ destroyAt: null })
    await cold.refresh()
    expect([await opens(keyring, dek), await opens(cold, dek)]).toEqual([true, true])
    await expect(cancelDestruction(keyring, 1)).rejects.toMatchObject(state)
  })

  test('deletes the KEK once the time is over, and leaves a tombstone', async () => {
    const { keyring, store, dek, reopen } = await retired()
    await expect(destroyKey(keyring, 1, at)).rejects.toMatchObject(state)
    await scheduleDestruction(keyring, 1, at)
    await expect(destroyKey(keyring, 1, before)).rejects.toMatchObject({
      ...state,
      fix: expect.stringContaining(at.toISOString()),
    })
    expect(await destroyKey(keyring, 1, at)).toMatchObject({ state: 'destroyed', destroyAt: null })
    const row = (await store.read('default'))!.keys[0]!
    expect([row.wrappedKek.length, row.version, row.state]).toEqual([0, 1, 'destroyed'])
    for (const instance of [keyring, await reopen()])
      await expect(opens(instance, dek)).rejects.toMatchObject(state)
    expect(await store.nextKeyId()).toBe(4)
    for (const what of [cancelDestruction, destroyKey, retireKey])
      await expect(what(keyring, 1)).rejects.toMatchObject(state)
    await expect(scheduleDestruction(keyring, 1, at)).rejects.toMatchObject(state)
  })

  test('begins only for a deactivated or compromised version, at a time', async () => {
    const { keyring } = await ringPlace()
    await rotate(keyring)
    for (const keyId of [1, 3])
      await expect(scheduleDestruction(keyring, keyId, at)).rejects.toMatchObject(state)
    await compromiseKey(keyring, 1)
    await expect(scheduleDestruction(keyring, 1, new Date(NaN))).rejects.toThrow(TypeError)
    expect(await scheduleDestruction(keyring, 1, at)).toMatchObject({ destroyAt: at })
    expect(await destroyKey(keyring, 1, at)).toMatchObject({ state: 'destroyed' })
    expect(keyring.keys()[0]!.compromisedAt).not.toBeNull()
  })

  test('of a version that was never used needs no waiting', async () => {
    const { keyring } = await ringPlace()
    const { keyId } = await addKey(keyring)
    expect(await destroyKey(keyring, keyId, at)).toMatchObject({ state: 'destroyed', stateAt: at })
    expect(statesOf(keyring)).toEqual({ 1: 'active', 3: 'destroyed' })
  })

  test('says of each step from where it leads', async () => {
    const { keyring } = await retired()
    const told = (to: string, needed: string): object => ({
      code: 'ERR_KEY_STATE',
      message: expect.stringContaining(`and cannot become ${to}`),
      fix: expect.stringContaining(`would have to be ${needed}`),
    })
    await expect(retireKey(keyring, 3)).rejects.toMatchObject(told('deactivated', 'suspended'))
    await expect(scheduleDestruction(keyring, 3, at)).rejects.toMatchObject(
      told('destroyed', 'deactivated or compromised'),
    )
    await expect(cancelDestruction(keyring, 1)).rejects.toMatchObject(told('kept', 'about to be'))
    await expect(destroyKey(keyring, 1)).rejects.toMatchObject(told('destroyed', 'scheduled'))
    await scheduleDestruction(keyring, 1, at)
    await expect(destroyKey(keyring, 1, before)).rejects.toMatchObject(
      told('destroyed', 'past its'),
    )
    await expect(destroyKeyring(keyring, before)).rejects.toMatchObject(told('destroyed', 'past'))
  })

  test('goes by the version as it was seen, in every part of its state', async () => {
    const { keyring } = await retired()
    const seen = keyring.keys()[0]!
    for (const other of [
      { ...seen, state: 'suspended' as const },
      { ...seen, stateAt: new Date(seen.stateAt.getTime() + 1) },
      { ...seen, destroyAt: at },
    ])
      await expect(scheduleDestruction(keyring, 1, at, other)).rejects.toMatchObject({
        code: 'ERR_KEYRING_CONFLICT',
      })
    const scheduled = await scheduleDestruction(keyring, 1, at, seen)
    await expect(destroyKey(keyring, 1, at, seen)).rejects.toMatchObject({
      code: 'ERR_KEYRING_CONFLICT',
    })
    expect(await destroyKey(keyring, 1, at, scheduled)).toMatchObject({ state: 'destroyed' })
  })

  test('of two at once happens once', async () => {
    const { keyring, reopen } = await retired()
    const other = await reopen()
    const results = await Promise.allSettled([
      scheduleDestruction(keyring, 1, at),
      scheduleDestruction(other, 1, before),
    ])
    const lost = results.filter((result) => result.status === 'rejected')
    expect(lost.map(({ reason }) => (reason as { code: string }).code)).toEqual([
      'ERR_KEYRING_CONFLICT',
    ])
  })

  test('of an index key that a unique index is under is refused', async () => {
    const { keyring } = await ringPlace()
    await registerIndex(keyring, index)
    await compromiseKey(keyring, 2)
    await expect(scheduleDestruction(keyring, 2, at)).rejects.toMatchObject({
      ...state,
      message: expect.stringContaining('Index User.emailIndex is still written under key 2.'),
      fix: '`npx rowseal reindex` brings it under the active one.',
    })
  })
})

describe('closing a keyring', () => {
  test('ends sealing and searching under all its versions; what is there still opens', async () => {
    const { keyring, reopen, dek } = await retired()
    await registerIndex(keyring, index)
    const other = await reopen()
    const [fresh] = (await keyring.forProtect(1)) as [Dek]
    const rows = await closeKeyring(keyring)
    expect(rows.map(({ keyId, state }) => [keyId, state])).toEqual([
      [1, 'deactivated'],
      [3, 'deactivated'],
      [2, 'deactivated'],
    ])
    await other.refresh()
    for (const instance of [keyring, other, await reopen()]) {
      await expect(instance.forProtect(1)).rejects.toMatchObject({
        ...state,
        message: expect.stringContaining('is closed'),
      })
      await instance.index.refresh()
      await expect(Promise.resolve(instance.index.view())).rejects.toMatchObject(state)
      expect([await opens(instance, dek), await opens(instance, fresh)]).toEqual([true, true])
    }
  })

  test('lets all of its versions be destroyed, those of unique indexes too: nothing of it opens then', async () => {
    const { keyring, reopen } = await ringPlace()
    await registerIndex(keyring, index)
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const rows = await closeKeyring(keyring)
    for (const { keyId } of rows) {
      await scheduleDestruction(keyring, keyId, at)
      await destroyKey(keyring, keyId, at)
    }
    const late = await reopen()
    expect(statesOf(late)).toEqual({ 1: 'destroyed' })
    await expect(opens(late, dek)).rejects.toMatchObject(state)
    await expect(late.forProtect(1)).rejects.toMatchObject(state)
  })

  test('is undone by a rotation, whatever is left of its versions', async () => {
    const { keyring, reopen } = await ringPlace()
    await registerIndex(keyring, index)
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    await closeKeyring(keyring)
    await rotate(keyring)
    expect(statesOf(keyring)).toEqual({ 1: 'deactivated', 3: 'active' })
    expect((await keyring.forProtect(1))[0]!.keyId).toBe(3)
    expect(await opens(await reopen(), dek)).toBe(true)
    await closeKeyring(keyring)
    for (const keyId of [1, 3]) {
      await scheduleDestruction(keyring, keyId, at)
      await destroyKey(keyring, keyId, at)
    }
    await rotate(keyring)
    expect(statesOf(await reopen())).toEqual({ 1: 'destroyed', 3: 'destroyed', 4: 'active' })
  })

  test('and opening its index keys again leaves its indexes to be registered and filled anew', async () => {
    const { keyring, reopen } = await ringPlace()
    await registerIndex(keyring, index)
    await closeKeyring(keyring)
    const { activateIndexKey, addIndexKey } = await import('../../src/keys/index.ts')
    await addIndexKey(keyring)
    await activateIndexKey(keyring)
    const late = await reopen()
    await late.index.refresh()
    expect(late.index.records()).toEqual([])
  })

  test('leaves compromised and destroyed versions as they are, and gives up one that waits', async () => {
    const { keyring } = await retired()
    await rotate(keyring)
    await compromiseKey(keyring, 3)
    const { addKey } = await import('../../src/keys/index.ts')
    await addKey(keyring)
    await closeKeyring(keyring)
    expect(Object.values(statesOf(keyring))).toEqual([
      'deactivated',
      'compromised',
      'deactivated',
      'compromised',
    ])
    const revision = keyring.stats().revision
    await closeKeyring(keyring)
    expect(keyring.stats().revision).toBe(revision)
  })
})
