import { describe, expect, test } from 'vitest'
import {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  initKeyring,
  registerIndex,
  retireIndexKeys,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { IndexRecord, KeyringSnapshot } from '../../src/keys/types.ts'
import { indexRingOf } from '../../src/keys/indexes/index-write.ts'
import { commit, readNow } from '../../src/keys/lifecycle/versions.ts'
import { openKeyring } from './open.ts'
import { newRoot, watchedStore } from './support.ts'

const plain: IndexRecord = {
  id: 'User.phoneIndex',
  normalize: ['digits'],
  isUnique: false,
  complete: false,
  lookup: 1,
  writes: 'lookup',
  keys: [null, null],
}
const unique: IndexRecord = { ...plain, id: 'User.emailIndex', isUnique: true, keys: [3, null] }

/** A keyring with a retired, a suspended and an active index key: 2, 3 and 4. */
async function setUp() {
  const store = watchedStore(memoryKeyStore())
  const root = newRoot()
  const keyring = await openKeyring({ root, store })
  await initKeyring(keyring)
  await initIndexKeys(keyring)
  for (let i = 0; i < 2; i++) {
    await addIndexKey(keyring)
    await activateIndexKey(keyring)
  }
  await retireIndexKeys(keyring, [2])
  return { store, root, keyring }
}

const withIndexes =
  (indexes: unknown) =>
  ({ head, keys }: KeyringSnapshot): object => ({ head: { ...head, indexes }, keys })

describe('the records of an index keyring', () => {
  test('are taken as they were written', async () => {
    const { keyring } = await setUp()
    const moving: IndexRecord = { ...unique, lookup: 2, writes: 'both', keys: [4, 3] }
    const ring = indexRingOf(keyring)
    expect(await commit(ring, await readNow(ring), { indexes: [plain, moving] })).toBe(true)
    await keyring.index.refresh()
    expect(keyring.index.records()).toEqual([plain, moving])
  })

  test('cannot be changed by who reads them', async () => {
    const { keyring } = await setUp()
    await registerIndex(keyring, plain)
    const [record] = keyring.index.records() as [IndexRecord]
    for (const [target, change] of [
      [record, { complete: true }],
      [record.keys, [9, 9]],
      [record.normalize, ['trim']],
    ] as const) {
      expect(() => Object.assign(target, change)).toThrow(TypeError)
    }
  })

  /** By what is wrong with them: each is refused by its own check, not only by the MAC that does not fit. */
  const broken: Readonly<Record<string, readonly [string, unknown][]>> = {
    'Its indexes are no list.': [
      ['no list', null],
      ['an object for a list', {}],
    ],
    'An index of it is not of the known shape.': [
      ['an entry that is null', [null]],
      ['an entry that is undefined', [undefined]],
      ['an entry that is text', ['User.emailIndex']],
      ['an entry that is a list', [[]]],
      ['a missing field', [{ ...plain, complete: undefined, normalise: [] }]],
      ['a field too few', [without(plain, 'writes')]],
      ['a field too many', [{ ...plain, note: '' }]],
      ['an empty id', [{ ...plain, id: '' }]],
      ['an id that is a number', [{ ...plain, id: 1 }]],
      ['an id that is no Unicode', [{ ...plain, id: 'User.\ud800' }]],
      ['an id over 1000 bytes', [{ ...plain, id: 'ä'.repeat(501) }]],
      ['normalizers that are text', [{ ...plain, normalize: 'trim' }]],
      ['a normalizer that is no word', [{ ...plain, normalize: ['trim,lowercase'] }]],
      ['a normalizer that is a number', [{ ...plain, normalize: [1] }]],
      ['isUnique as a number', [{ ...plain, isUnique: 0 }]],
      ['complete as text', [{ ...plain, complete: 'false' }]],
      ['a third slot', [{ ...unique, lookup: 3 }]],
      ['a slot as text', [{ ...unique, lookup: '1' }]],
      ['other writes', [{ ...unique, writes: 'all' }]],
      ['one key', [{ ...unique, keys: [3] }]],
      ['three keys', [{ ...unique, keys: [3, null, null] }]],
      ['a key id as text', [{ ...unique, keys: ['3', null] }]],
      ['a key id that is a fraction', [{ ...unique, keys: [3.5, null] }]],
    ],
    'Index User.phoneIndex is there twice.': [['an id twice', [plain, plain]]],
    'Index User.phoneIndex is not unique, and cannot be in such a phase.': [
      ['a key for another index', [{ ...plain, keys: [3, null] }]],
      ['look-ups in the second slot of another index', [{ ...plain, lookup: 2 }]],
      ['a phase for another index', [{ ...plain, writes: 'both' }]],
    ],
    'Index User.emailIndex is in none of the known phases.': [
      ['no key for a unique index', [{ ...unique, keys: [null, null] }]],
      ['writes to a slot without a key', [{ ...unique, writes: 'both' }]],
      ['look-ups in a slot without a key', [{ ...unique, lookup: 2 }]],
    ],
    'Index User.emailIndex has both slots under one key.': [
      ['one key for both slots', [{ ...unique, writes: 'both', keys: [3, 3] }]],
    ],
    'which is not there or may not be used.': [
      ['a key that is not there', [{ ...unique, keys: [99, null] }]],
      ["another keyring's key", [{ ...unique, keys: [1, null] }]],
      ['a key that is deactivated', [{ ...unique, keys: [2, null] }]],
      ['a deactivated key in the other slot', [{ ...unique, writes: 'both', keys: [3, 2] }]],
    ],
  }
  const cases = Object.entries(broken).flatMap(([reason, all]) =>
    all.map(([name, indexes]) => [name, reason, indexes] as const),
  )
  test.each(cases)('with %s are refused: %s', async (_, reason, indexes) => {
    const { store, keyring } = await setUp()
    store.edit = withIndexes(indexes)
    const refreshing = keyring.index.refresh()
    await expect(refreshing).rejects.toMatchObject({
      code: 'ERR_STORE_TAMPERED',
      message: expect.stringContaining('keyring "default/index"'),
    })
    await expect(refreshing).rejects.toThrow(reason)
    expect(keyring.index.records()).toEqual([])
  })

  test('are refused where there are no index keys, as in a keyring of KEKs', async () => {
    const { store, root } = await setUp()
    store.edit = withIndexes([plain])
    await expect(openKeyring({ root, store })).rejects.toMatchObject({ code: 'ERR_STORE_TAMPERED' })
    store.edit = withIndexes(undefined)
    await expect(openKeyring({ root, store })).rejects.toMatchObject({ code: 'ERR_STORE_TAMPERED' })
  })
})

function without(record: IndexRecord, field: keyof IndexRecord): object {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== field))
}
