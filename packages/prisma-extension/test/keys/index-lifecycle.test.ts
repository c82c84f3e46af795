import { describe, expect, test } from 'vitest'
import {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  initKeyring,
  moveIndex,
  phaseOf,
  registerIndex,
  retireIndexKeys,
  type IndexPhase,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import {
  id,
  plain,
  race,
  recordOf,
  rotateIndexKey,
  setUp,
  statesOf,
  unique,
} from './index-support.ts'
import { openKeyring } from './open.ts'
import { newRoot, watchedRoot } from './support.ts'

describe('initIndexKeys', () => {
  test('makes the first index key beside the KEKs, and says so once', async () => {
    const store = memoryKeyStore()
    const keyring = await openKeyring({ root: newRoot(), store })
    await initKeyring(keyring)
    expect(await initIndexKeys(keyring)).toEqual({ created: true })
    expect(await initIndexKeys(keyring)).toEqual({ created: false })
    expect(keyring.index.keys()).toMatchObject([
      { keyId: 2, version: 1, state: 'active', keyring: 'default/index' },
    ])
    expect(keyring.keys()).toMatchObject([{ keyId: 1, state: 'active' }])
    expect(await keyring.index.view()).toMatchObject({ active: 2, live: [2] })
  })

  test('twenty at once make one', async () => {
    const store = memoryKeyStore()
    const root = newRoot()
    const keyrings = await Promise.all(
      Array.from({ length: 20 }, () => openKeyring({ root, store })),
    )
    const made = await Promise.all(keyrings.map(initIndexKeys))
    expect(made.filter(({ created }) => created)).toHaveLength(1)
    const views = await Promise.all(keyrings.map(async ({ index }) => index.view()))
    for (const view of views) {
      expect(view.key(id, view.active).key.equals(views[0]!.key(id, view.active).key)).toBe(true)
    }
  })

  test('with another root key than the one that made it is refused', async () => {
    const store = memoryKeyStore()
    const late = await openKeyring({ root: newRoot(), store })
    await setUp(store)
    await expect(initIndexKeys(late)).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
  })
})

describe('the rotation of index keys', () => {
  test('stores, activates and retires', async () => {
    const { one } = await setUp()
    await registerIndex(one, plain)
    expect(await addIndexKey(one)).toMatchObject({ keyId: 3, version: 2, state: 'pre-activation' })
    const { from, to } = await activateIndexKey(one)
    expect([from, to]).toMatchObject([
      { keyId: 2, state: 'suspended' },
      { keyId: 3, state: 'active' },
    ])
    expect(await retireIndexKeys(one, [2])).toEqual([2])
    expect(await retireIndexKeys(one, [2])).toEqual([])
    expect(statesOf(one)).toEqual(['deactivated', 'active'])
    expect(recordOf(one, plain.id)).toMatchObject({ keys: [null, null] })
  })

  test('that was cut off uses the version that waits', async () => {
    const { one, two } = await setUp()
    const waiting = await addIndexKey(one)
    expect(await addIndexKey(two)).toEqual(waiting)
    expect((await activateIndexKey(two)).to.keyId).toBe(waiting.keyId)
    expect(statesOf(two)).toEqual(['suspended', 'active'])
  })

  test('does not activate twice', async () => {
    const { one } = await setUp()
    await rotateIndexKey(one)
    await expect(activateIndexKey(one)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    expect((await one.index.view()).active).toBe(3)
  })

  test('cut off at any write can be done again from the start', async () => {
    for (let cut = 0; cut < 7; cut++) {
      const store = memoryKeyStore()
      const { one } = await setUp(store)
      await registerIndex(one, unique)
      let writes = 0
      const write = store.write.bind(store)
      store.write = (change) => (writes++ === cut ? dead() : write(change))
      const steps = async (): Promise<void> => {
        const isRotated = one.index.keys().some(({ state }) => state === 'suspended')
        if (!isRotated && statesOf(one).at(-1) !== 'deactivated') await rotateIndexKey(one)
        for (const phase of rest(phaseOf(recordOf(one))!)) await moveIndex(one, id, phase)
        await retireIndexKeys(one, [2])
      }
      await steps().catch((error: unknown) => expect(String(error)).toContain('cut off'))
      await one.index.refresh()
      if (statesOf(one)[0] !== 'deactivated') await steps()
      expect(statesOf(one)).toEqual(['deactivated', 'active'])
      expect(recordOf(one)).toMatchObject({ keys: [null, 3], lookup: 2, writes: 'lookup' })
    }
  })

  const rest = (phase: IndexPhase): IndexPhase[] => {
    const path: IndexPhase[] = ['slot-1', 'both-1', 'both-2', 'slot-2']
    return path.slice(path.indexOf(phase) + 1)
  }
  const dead = (): Promise<never> => Promise.reject(new Error('cut off'))

  test.each(['addIndexKey', 'activateIndexKey'] as const)(
    'of two %s at once lets one through',
    async (step) => {
      const run = { addIndexKey, activateIndexKey }[step]
      const { one, two } = await setUp()
      for (let round = 0; round < 20; round++) {
        if (step === 'activateIndexKey') await addIndexKey(one)
        await race(
          () => run(one),
          () => run(two),
        )
        if (step === 'addIndexKey') await activateIndexKey(one)
        await one.index.refresh()
        expect(statesOf(one).filter((state) => state === 'active')).toHaveLength(1)
        expect(one.index.keys()).toHaveLength(round + 2)
      }
    },
  )

  test('while the root key is out of reach changes nothing', async () => {
    const store = memoryKeyStore()
    const root = watchedRoot()
    const keyring = await openKeyring({ root, store })
    await initIndexKeys(keyring)
    const create = root.create
    root.create = () => Promise.reject(new Error('out of reach'))
    await expect(addIndexKey(keyring)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    root.create = create
    await addIndexKey(keyring)
    root.broken = true
    await expect(activateIndexKey(keyring)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    expect((await store.read('default/index'))!.keys).toMatchObject([
      { state: 'active' },
      { state: 'pre-activation' },
    ])
  })

  test('leaves the KEKs alone', async () => {
    const { one } = await setUp()
    await rotateIndexKey(one)
    await one.refresh()
    expect(one.keys()).toMatchObject([{ keyId: 1, state: 'active' }])
    expect(one.stats().revision).toBe(1)
  })
})

describe('retireIndexKeys', () => {
  test('keeps what a record pins, in either slot', async () => {
    const { one } = await setUp()
    await registerIndex(one, unique)
    await rotateIndexKey(one)
    expect(await retireIndexKeys(one, [2])).toEqual([])
    await moveIndex(one, id, 'both-1')
    await rotateIndexKey(one)
    expect(await retireIndexKeys(one, [2, 3])).toEqual([])
    await moveIndex(one, id, 'slot-1')
    expect(await retireIndexKeys(one, [2, 3])).toEqual([3])
    expect(await one.index.view()).toMatchObject({ active: 4, live: [4, 2] })
  })

  test('keeps what was not found to be unused, also if it was suspended meanwhile', async () => {
    const { one, two } = await setUp()
    await rotateIndexKey(one)
    await rotateIndexKey(two)
    expect(await retireIndexKeys(one, [2])).toEqual([2])
    expect(statesOf(one)).toEqual(['deactivated', 'suspended', 'active'])
  })

  test('keeps the active and a waiting version, whatever it is told', async () => {
    const { one } = await setUp()
    await addIndexKey(one)
    expect(await retireIndexKeys(one, [1, 2, 3, 99])).toEqual([])
    expect(statesOf(one)).toEqual(['active', 'pre-activation'])
  })

  test('keeps what was active again since it was looked for, and only that', async () => {
    const { one } = await setUp()
    await rotateIndexKey(one)
    await rotateIndexKey(one)
    const seen = one.index.keys()
    const former = seen.map((row) => {
      return row.keyId === 2 ? { ...row, stateAt: new Date(row.stateAt.getTime() - 1) } : row
    })
    expect(await retireIndexKeys(one, [2], former)).toEqual([])
    expect(await retireIndexKeys(one, [2], [])).toEqual([])
    expect(await retireIndexKeys(one, [2, 3], former)).toEqual([3])
    expect(await retireIndexKeys(one, [2, 3], seen)).toEqual([2])
    expect(statesOf(one)).toEqual(['deactivated', 'deactivated', 'active'])
  })

  test('that has nothing to retire writes nothing', async () => {
    const { one } = await setUp()
    await rotateIndexKey(one)
    const { revision } = one.stats().index!
    expect(await retireIndexKeys(one, [3])).toEqual([])
    await one.index.refresh()
    expect(one.stats().index!.revision).toBe(revision)
  })

  test('of two at once lets one through', async () => {
    const { one, two } = await setUp()
    await rotateIndexKey(one)
    await race(
      () => retireIndexKeys(one, [2]),
      () => retireIndexKeys(two, [2]),
    )
  })
})
