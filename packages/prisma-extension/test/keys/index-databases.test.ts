import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  moveIndex,
  openKeyring,
  registerIndex,
  retireIndexKeys,
  type Keyring,
} from '../../src/keys/index.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { conflict, id, plain, rotateIndexKey, setUp, statesOf, unique } from './index-support.ts'
import { place, providers, type Place } from './places.ts'

describe.each(await providers())('index keys on %s', (provider) => {
  let at: Place
  let one: Keyring
  let two: Keyring
  beforeAll(async () => {
    at = await place(provider)
    const store = sqlKeyStore(at.client())
    const setup = await setUp(store)
    one = setup.one
    // A second pool in this process only gets SQLITE_BUSY: see stores.test.ts.
    const another = provider === 'sqlite' ? store : sqlKeyStore(at.client())
    two = await openKeyring({ root: setup.root, store: another })
  })
  afterAll(() => at.drop())

  test('rotate there and back, with one instance leading and another following', async () => {
    await registerIndex(one, unique)
    await registerIndex(two, plain)
    for (const path of [
      ['both-1', 'both-2', 'slot-2'],
      ['both-2', 'both-1', 'slot-1'],
      ['offline', 'slot-1'],
    ] as const) {
      const former = (await one.index.view()).active
      await rotateIndexKey(one)
      for (const phase of path) {
        const record = await moveIndex(one, id, phase)
        await two.index.refresh()
        const view = await two.index.view()
        expect(view.record(id)).toEqual(record)
        for (const keyId of record.keys) {
          if (keyId === null) continue
          const theirs = (await one.index.view()).key(id, keyId)
          expect(view.key(id, keyId).key.equals(theirs.key)).toBe(true)
        }
      }
      expect(await retireIndexKeys(one, [former])).toEqual([former])
    }
    await two.index.refresh()
    expect(statesOf(two)).toEqual(['deactivated', 'deactivated', 'deactivated', 'active'])
  })

  test('of two changes at once keep exactly one, or one after the other', async () => {
    for (let round = 0; round < 10; round++) {
      const index = { ...plain, id: `User.index${round}` }
      const results = await Promise.allSettled([
        registerIndex(one, index),
        registerIndex(two, index),
      ])
      const made = results.filter((result) => result.status === 'fulfilled' && result.value.created)
      expect(made).toHaveLength(1)
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject(conflict)
      }
      await two.index.refresh()
      expect(two.index.records().filter((record) => record.id === index.id)).toHaveLength(1)
    }
  })
})
