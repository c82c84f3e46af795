import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  activateIndexKey,
  addIndexKey,
  completeIndex,
  incompleteIndex,
  INDEX_MOVES,
  initIndexKeys,
  initKeyring,
  moveIndex,
  openKeyring,
  phaseOf,
  registerIndex,
  retireIndexKeys,
  type IndexPhase,
  type IndexRecord,
  type Keyring,
  type KeyStore,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { newRoot, place, providers, watchedRoot, type Place } from './support.ts'

const id = 'User.emailIndex'
const unique = { id, normalize: ['trim', 'lowercase'], isUnique: true, complete: true }
const plain = { ...unique, id: 'User.phoneIndex', isUnique: false }
const conflict = { code: 'ERR_KEYRING_CONFLICT', retryable: true }
const refused = { code: 'ERR_INDEX_STATE', retryable: false }
const phases = Object.keys(INDEX_MOVES) as IndexPhase[]

/** Two instances of a keyring with an index key (2), in one store. */
async function setUp(store: KeyStore = memoryKeyStore()) {
  const root = newRoot()
  const one = await openKeyring({ root, store })
  await initKeyring(one)
  await initIndexKeys(one)
  const two = await openKeyring({ root, store })
  return { one, two, store, root }
}

async function rotateIndexKey(keyring: Keyring): Promise<number> {
  await addIndexKey(keyring)
  return (await activateIndexKey(keyring)).to.keyId
}

const recordOf = (keyring: Keyring, of = id): IndexRecord =>
  keyring.index.records().find((record) => record.id === of)!
const statesOf = (keyring: Keyring): string[] => keyring.index.keys().map(({ state }) => state)

/** A unique index (slot-1 under key 2) brought to a phase, with a key (3) to move to. */
async function indexIn(phase: IndexPhase): Promise<Keyring> {
  const { one } = await setUp()
  await registerIndex(one, unique)
  await rotateIndexKey(one)
  const paths: Record<IndexPhase, IndexPhase[]> = {
    'slot-1': [],
    'both-1': ['both-1'],
    'both-2': ['both-1', 'both-2'],
    'slot-2': ['both-1', 'both-2', 'slot-2'],
    offline: ['offline'],
  }
  for (const step of paths[phase]) await moveIndex(one, id, step)
  return one
}

/** Of two calls at once exactly one changes something; the other is told, or finds it done. */
async function race(first: () => Promise<unknown>, second: () => Promise<unknown>): Promise<void> {
  const results = await Promise.allSettled([first(), second()])
  const lost = results.filter((result) => result.status === 'rejected')
  expect(lost).toHaveLength(1)
  expect(lost[0]!.reason).toMatchObject(conflict)
}

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

describe('registerIndex', () => {
  test('puts a unique index under the active key, and any other under none', async () => {
    const { one } = await setUp()
    expect(await registerIndex(one, unique)).toEqual({ created: true, record: recordOf(one) })
    await registerIndex(one, plain)
    expect(one.index.records()).toEqual([
      { ...unique, lookup: 1, writes: 'lookup', keys: [2, null] },
      { ...plain, lookup: 1, writes: 'lookup', keys: [null, null] },
    ])
  })

  test('leaves one that is registered alone', async () => {
    const { one } = await setUp()
    await registerIndex(one, { ...unique, complete: false })
    const again = await registerIndex(one, unique)
    expect(again).toEqual({ created: false, record: recordOf(one) })
    expect(again.record.complete).toBe(false)
    expect(one.stats().index!.revision).toBe(2)
  })

  test('refuses other normalizers, or another order of them', async () => {
    const { one } = await setUp()
    await registerIndex(one, unique)
    for (const normalize of [[], ['trim'], ['lowercase', 'trim']]) {
      const registering = registerIndex(one, { ...unique, normalize })
      await expect(registering).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining(
          'Index User.emailIndex holds values normalised by [trim, lowercase]',
        ),
      })
    }
  })

  test('follows a column that becomes unique or ceases to be, while values are under one key', async () => {
    const { one } = await setUp()
    await registerIndex(one, { ...plain, complete: false })
    const { record } = await registerIndex(one, { ...plain, isUnique: true })
    expect(record).toMatchObject({ isUnique: true, complete: false, keys: [2, null] })
    await registerIndex(one, plain)
    expect(recordOf(one, plain.id)).toMatchObject({ isUnique: false, keys: [null, null] })
  })

  test('does not, while values may be under two', async () => {
    const { one } = await setUp()
    await registerIndex(one, unique)
    await registerIndex(one, plain)
    await addIndexKey(one)
    const changes = [
      { ...plain, isUnique: true },
      { ...unique, isUnique: false },
    ]
    for (const change of changes)
      await expect(registerIndex(one, change)).rejects.toMatchObject(refused)
    await activateIndexKey(one)
    for (const change of changes)
      await expect(registerIndex(one, change)).rejects.toMatchObject(refused)
    await moveIndex(one, id, 'offline')
    await moveIndex(one, id, 'slot-1')
    await retireIndexKeys(one, [2])
    for (const change of changes) expect((await registerIndex(one, change)).created).toBe(false)
  })

  test('without an index key says what to run', async () => {
    const keyring = await openKeyring({ root: newRoot(), store: memoryKeyStore() })
    await expect(registerIndex(keyring, unique)).rejects.toMatchObject({
      code: 'ERR_KEYRING_MISSING',
      fix: expect.stringContaining('rowseal init'),
    })
  })

  test.each([
    ['an empty id', { ...unique, id: '' }],
    ['an id that is no text', { ...unique, id: 1 as never }],
    ['no list of normalizers', { ...unique, normalize: 'trim' as never }],
    ['a normalizer that is no word', { ...unique, normalize: ['a, b'] }],
  ])('with %s is misuse', async (_, index) => {
    const { one } = await setUp()
    await expect(registerIndex(one, index)).rejects.toThrow(TypeError)
  })

  test('of two at once registers one, a hundred times', async () => {
    const { one, two } = await setUp()
    for (let i = 0; i < 100; i++) {
      const index = { ...unique, id: `User.index${i}` }
      await race(
        () => registerIndex(one, index),
        () => registerIndex(two, index),
      )
    }
    await one.index.refresh()
    expect(one.index.records()).toHaveLength(100)
  })

  test('never pins a key that another instance has just made the former one', async () => {
    const { one, two } = await setUp()
    await addIndexKey(one)
    await race(
      () => activateIndexKey(one),
      () => registerIndex(two, unique),
    )
    await one.index.refresh()
    const { active } = await one.index.view()
    expect(one.index.records().map(({ keys }) => keys)).toEqual(active === 2 ? [[2, null]] : [])
  })
})

describe('completeIndex and incompleteIndex', () => {
  test('say whether an index may be searched, as often as they are asked', async () => {
    const { one, two } = await setUp()
    await registerIndex(one, { ...plain, complete: false })
    expect(await completeIndex(one, plain.id)).toMatchObject({ complete: true })
    const { revision } = one.stats().index!
    expect(await completeIndex(one, plain.id)).toMatchObject({ complete: true })
    expect(one.stats().index!.revision).toBe(revision)
    expect(await incompleteIndex(two, plain.id)).toMatchObject({ complete: false })
    await one.index.refresh()
    expect((await one.index.view()).record(plain.id)!.complete).toBe(false)
  })

  test('of an index that is not registered are refused', async () => {
    const { one } = await setUp()
    for (const change of [completeIndex, incompleteIndex]) {
      await expect(change(one, id)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('Index User.emailIndex is not registered'),
      })
    }
  })

  test('of two that differ let one through', async () => {
    const { one, two } = await setUp()
    await registerIndex(one, plain)
    await registerIndex(one, { ...unique, complete: false })
    await race(
      () => incompleteIndex(one, plain.id),
      () => completeIndex(two, id),
    )
  })
})

describe('moveIndex', () => {
  const arrows = phases.flatMap((from) => phases.map((to) => [from, to] as const))
  test.each(arrows)('goes from %s to %s if and only if the table says so', async (from, to) => {
    const keyring = await indexIn(from)
    const before = recordOf(keyring)
    expect(phaseOf(before)).toBe(from)
    if (from === to) {
      expect(await moveIndex(keyring, id, to)).toEqual(before)
    } else if (INDEX_MOVES[from][to] === undefined) {
      await expect(moveIndex(keyring, id, to)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining(`cannot go from ${from} to ${to}`),
      })
      await keyring.index.refresh()
      expect(recordOf(keyring)).toEqual(before)
    } else if (from === 'slot-2') {
      // Its key is the active one: the next rotation has not begun.
      await expect(moveIndex(keyring, id, to)).rejects.toMatchObject(refused)
    } else {
      const after = await moveIndex(keyring, id, to)
      expect(phaseOf(after)).toBe(to)
      expect(recordOf(keyring)).toEqual(after)
    }
  })

  test('leads through two rotations, there and back, each under the key that is then active', async () => {
    const { one } = await setUp()
    await registerIndex(one, unique)
    const seen: unknown[] = []
    for (const path of [
      ['both-1', 'both-2', 'slot-2'],
      ['both-2', 'both-1', 'slot-1'],
    ] as const) {
      const former = (await rotateIndexKey(one)) - 1
      for (const phase of path) seen.push((await moveIndex(one, id, phase)).keys)
      expect(await retireIndexKeys(one, [former])).toEqual([former])
    }
    expect(seen).toEqual([
      [2, 3],
      [2, 3],
      [null, 3],
      [4, 3],
      [4, 3],
      [4, null],
    ])
    expect(statesOf(one)).toEqual(['deactivated', 'deactivated', 'active'])
  })

  test('begins no rotation while the index is under the active key', async () => {
    const { one } = await setUp()
    await registerIndex(one, unique)
    for (const phase of ['both-1', 'offline'] as const) {
      await expect(moveIndex(one, id, phase)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('under the active index key already'),
      })
    }
  })

  test('of an index that is not unique, or not registered, is refused', async () => {
    const { one } = await setUp()
    await registerIndex(one, plain)
    await expect(moveIndex(one, plain.id, 'both-1')).rejects.toMatchObject(refused)
    await expect(moveIndex(one, id, 'both-1')).rejects.toMatchObject(refused)
  })

  test('of two at once lets one through', async () => {
    const { one, two } = await setUp()
    await registerIndex(one, unique)
    await rotateIndexKey(one)
    await race(
      () => moveIndex(one, id, 'both-1'),
      () => moveIndex(two, id, 'offline'),
    )
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
      const methods = { add: store.add.bind(store), change: store.change.bind(store) }
      store.add = (row) => (writes++ === cut ? dead() : methods.add(row))
      store.change = (change) => (writes++ === cut ? dead() : methods.change(change))
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

  test('of two at once lets one through', async () => {
    const { one, two } = await setUp()
    await rotateIndexKey(one)
    await race(
      () => retireIndexKeys(one, [2]),
      () => retireIndexKeys(two, [2]),
    )
  })
})

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
