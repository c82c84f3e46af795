import { describe, expect, test } from 'vitest'
import {
  activateIndexKey,
  addIndexKey,
  completeIndex,
  incompleteIndex,
  INDEX_MOVES,
  moveIndex,
  phaseOf,
  registerIndex,
  retireIndexKeys,
  unregisterIndex,
  type IndexPhase,
  type Keyring,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import {
  conflict,
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
import { newRoot } from './support.ts'

const refused = { code: 'ERR_INDEX_STATE', retryable: false }
const phases = Object.keys(INDEX_MOVES) as IndexPhase[]

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

  test('does not, while an index is in its second slot, though one key is left', async () => {
    const one = await indexIn('slot-2')
    await retireIndexKeys(one, [2])
    expect(statesOf(one)).toEqual(['deactivated', 'active'])
    const change = registerIndex(one, { ...unique, isUnique: false })
    await expect(change).rejects.toMatchObject({ ...refused, fix: expect.any(String) })
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

describe('unregisterIndex', () => {
  test('forgets that index and no other, and says whether there was one', async () => {
    const { one } = await setUp()
    for (const index of [plain, unique, { ...plain, id: 'User.nameIndex' }])
      await registerIndex(one, index)
    expect(await unregisterIndex(one, id)).toBe(true)
    expect(one.index.records().map((record) => record.id)).toEqual([plain.id, 'User.nameIndex'])
    const { revision } = one.stats().index!
    expect(await unregisterIndex(one, id)).toBe(false)
    expect(one.stats().index!.revision).toBe(revision)
  })
})

describe('what was found at a revision', () => {
  test('changes nothing once another one is there', async () => {
    const { one, two } = await setUp()
    await registerIndex(one, { ...unique, complete: false })
    await rotateIndexKey(one)
    const { revision } = one.stats().index!
    await registerIndex(two, plain)
    await expect(completeIndex(one, id, revision)).rejects.toMatchObject(conflict)
    await expect(moveIndex(one, id, 'both-1', revision)).rejects.toMatchObject(conflict)
    await one.index.refresh()
    expect(recordOf(one)).toMatchObject({ complete: false, writes: 'lookup' })
    expect(await completeIndex(one, id, revision + 1)).toMatchObject({ complete: true })
    expect(await moveIndex(one, id, 'both-1', revision + 2)).toMatchObject({ writes: 'both' })
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
