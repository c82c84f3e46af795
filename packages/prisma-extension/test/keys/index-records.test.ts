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

  const broken: [string, unknown][] = [
    ['no list', null],
    ['an object for a list', {}],
    ['an entry that is null', [null]],
    ['an entry that is text', ['User.emailIndex']],
    ['an entry that is a list', [[]]],
    ['a missing field', [{ ...plain, complete: undefined, normalise: [] }]],
    ['a field too few', [without(plain, 'writes')]],
    ['a field too many', [{ ...plain, note: '' }]],
    ['an empty id', [{ ...plain, id: '' }]],
    ['an id that is a number', [{ ...plain, id: 1 }]],
    ['an id that is no Unicode', [{ ...plain, id: 'User.\ud800' }]],
    ['an id over 1000 bytes', [{ ...plain, id: 'ä'.repeat(501) }]],
    ['an id twice', [plain, plain]],
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
    ['no key for a unique index', [{ ...unique, keys: [null, null] }]],
    ['a key for another index', [{ ...plain, keys: [3, null] }]],
    ['a phase for another index', [{ ...plain, writes: 'both' }]],
    ['writes to a slot without a key', [{ ...unique, writes: 'both' }]],
    ['look-ups in a slot without a key', [{ ...unique, lookup: 2 }]],
    ['one key for both slots', [{ ...unique, writes: 'both', keys: [3, 3] }]],
    ['a key that is not there', [{ ...unique, keys: [99, null] }]],
    ["another keyring's key", [{ ...unique, keys: [1, null] }]],
    ['a key that is deactivated', [{ ...unique, keys: [2, null] }]],
    ['a deactivated key in the other slot', [{ ...unique, writes: 'both', keys: [3, 2] }]],
  ]
  test.each(broken)('with %s are refused', async (_, indexes) => {
    const { store, keyring } = await setUp()
    store.edit = withIndexes(indexes)
    await expect(keyring.index.refresh()).rejects.toMatchObject({
      code: 'ERR_STORE_TAMPERED',
      message: expect.stringContaining('keyring "default/index"'),
    })
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
