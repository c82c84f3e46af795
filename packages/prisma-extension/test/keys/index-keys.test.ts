import { hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { createSecretKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  initKeyring,
  registerIndex,
  retireIndexKeys,
  type IndexView,
  type Keyring,
  type KeyringOptions,
} from '../../src/keys/index.ts'
import { indexSubkey } from '../../src/keys/indexes/index-subkey.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { openKeyring } from './open.ts'
import { testClock, watchedRoot, watchedStore } from './support.ts'

const via = { client: {}, transaction: { kind: 'itx', id: 'one' } }
const id = 'User.emailIndex'
const vectors = JSON.parse(
  readFileSync(new URL('../../../../vectors/blind-index-v1.json', import.meta.url), 'utf8'),
) as {
  accept: { name: string; key: string; id: string; subkey: string }[]
  reject: { name: string; rule: string; id?: string }[]
}

/** A keyring with an index key, on a store and a root key that count, with clocks that the test moves. */
async function setUp(options: Partial<KeyringOptions> = {}) {
  const store = watchedStore(memoryKeyStore())
  const root = watchedRoot()
  const clock = testClock()
  const open = (more: Partial<KeyringOptions> = {}): Promise<Keyring> =>
    openKeyring({ root, store, clock, ...options, ...more })
  const keyring = await open()
  await initKeyring(keyring)
  await initIndexKeys(keyring)
  await registerIndex(keyring, { id, normalize: ['trim'], isUnique: false, complete: true })
  return { store, root, clock, keyring, open }
}

async function rotateIndexKey(keyring: Keyring): Promise<void> {
  await addIndexKey(keyring)
  await activateIndexKey(keyring)
}

/** The view, which must be there without waiting. */
function now(keyring: Keyring): IndexView {
  const view = keyring.index.view()
  expect(view).not.toBeInstanceOf(Promise)
  return view as IndexView
}

const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

describe('what a transaction read', () => {
  test('stands for the operation that read it, and for no other', async () => {
    const { keyring, store, clock } = await setUp()
    clock.pass(60_001)
    store.hold = new Promise(() => undefined) // no other connection is free
    void keyring.index.refresh()
    void keyring.refresh()
    store.hold = null
    const view = await keyring.index.view(via)
    expect(view.isFresh()).toBe(true)
    // Its transaction may have begun long ago, and see the store as it was then.
    expect(keyring.index.view()).toBeInstanceOf(Promise)
    expect(await keyring.forProtect(1, via)).toHaveLength(1)
    const other = keyring.forProtect(1).then(() => 'sealed')
    expect(await Promise.race([other, settled().then(() => 'waits')])).toBe('waits')
    clock.pass(60_001)
    expect(view.isFresh()).toBe(false)
  })
})

describe('a subkey', () => {
  test.each(vectors.accept)('is the one of the vector $name', (c) => {
    const key = createSecretKey(Buffer.from(c.key, 'hex'))
    expect(indexSubkey(key, c.id).export().toString('hex')).toBe(c.subkey)
  })

  test.each(vectors.reject.filter(({ rule }) => rule === 'index-id'))(
    'is refused for $name',
    (c) => {
      const key = createSecretKey(Buffer.alloc(32, 1))
      expect(() => indexSubkey(key, c.id!)).toThrow(TypeError)
    },
  )

  test('is made from the key that the store holds, and is another for each column and key', async () => {
    const { keyring, root } = await setUp()
    await rotateIndexKey(keyring)
    const view = await keyring.index.view()
    for (const row of keyring.index.keys()) {
      const context = { keyring: 'default/index', keyId: row.keyId, use: 'kek' } as const
      const raw = await root.unwrap(row.wrappedKek, row.rootKeyId, context)
      const info = Buffer.from(`rowseal/v1/index\0\0\0\u000f${id}`)
      const expected = Buffer.from(hkdfSync('sha256', raw, '', info, 32))
      const { keyId, key } = view.key(id, row.keyId)
      expect([keyId, key.export().equals(expected)]).toEqual([row.keyId, true])
    }
    const [a, b] = view.live as [number, number]
    const keys = [view.key(id, a), view.key(id, b), view.key('User.emailIndex2', a)]
    expect(new Set(keys.map(({ key }) => key.export().toString('hex'))).size).toBe(3)
  })

  test('is derived once', async () => {
    const { keyring } = await setUp()
    const before = now(keyring)
    await keyring.index.refresh()
    const after = now(keyring)
    expect(after).not.toBe(before)
    expect(after.key(id, after.active)).toBe(before.key(id, before.active))
  })
})

describe('a view', () => {
  test('holds keys and records of one moment', async () => {
    const { keyring } = await setUp()
    const before = now(keyring)
    expect(before).toMatchObject({ active: 2, live: [2], revision: 2 })
    expect(before.record(id)).toEqual({
      id,
      normalize: ['trim'],
      isUnique: false,
      complete: true,
      lookup: 1,
      writes: 'lookup',
      keys: [null, null],
    })
    expect(before.record('User.other')).toBeNull()
    await rotateIndexKey(keyring)
    expect(before).toMatchObject({ active: 2, live: [2], revision: 2 })
    expect(await keyring.index.view()).toMatchObject({ active: 3, live: [3, 2], revision: 4 })
  })

  test('matches a version before it is active, and no more once no value names it', async () => {
    const { keyring } = await setUp()
    await addIndexKey(keyring)
    expect(await keyring.index.view()).toMatchObject({ active: 2, live: [2, 3] })
    await activateIndexKey(keyring)
    expect(await keyring.index.view()).toMatchObject({ active: 3, live: [3, 2] })
    await retireIndexKeys(keyring, [2])
    const view = now(keyring)
    expect(view).toMatchObject({ active: 3, live: [3] })
    expect(() => view.key(id, 2)).toThrow(expect.objectContaining({ code: 'ERR_KEY_STATE' }))
    expect(() => view.key(id, 99)).toThrow(expect.objectContaining({ code: 'ERR_KEY_STATE' }))
  })

  test('waits for the store once, then for nothing', async () => {
    const { open, store, root } = await setUp()
    const cold = await open()
    const reads = store.reads
    root.calls = 0
    const views = Array.from({ length: 50 }, () => cold.index.view())
    for (const view of views) expect(view).toBeInstanceOf(Promise)
    const seen = await Promise.all(views.map((view) => Promise.resolve(view)))
    expect(new Set(seen).size).toBe(1)
    expect([store.reads - reads, root.calls]).toEqual([1, 1])
    expect(now(cold)).toBe(now(cold))
    expect([store.reads - reads, root.calls]).toEqual([1, 1])
  })

  test('of a keyring that has none says so, and looks again after a second', async () => {
    const store = watchedStore(memoryKeyStore())
    const clock = testClock()
    const root = watchedRoot()
    const keyring = await openKeyring({ root, store, clock })
    await initKeyring(keyring)
    const missing = {
      code: 'ERR_KEYRING_MISSING',
      message: expect.stringContaining('no keyring of index keys "default/index"'),
      fix: expect.stringContaining('npx rowseal init'),
    }
    await expect(keyring.index.view()).rejects.toMatchObject(missing)
    const { reads } = store
    await expect(keyring.index.view()).rejects.toMatchObject(missing)
    expect(store.reads).toBe(reads)
    expect([keyring.index.exists, keyring.index.keys(), keyring.index.records()]).toEqual([
      false,
      [],
      [],
    ])
    await initIndexKeys(await openKeyring({ root, store }))
    clock.pass(1001)
    expect(await keyring.index.view()).toMatchObject({ active: 2 })
    expect(keyring.index.exists).toBe(true)
  })

  test('is not read before it is needed', async () => {
    const { open, store } = await setUp()
    const keyring = await open()
    const { reads } = store
    await keyring.forProtect(1)
    expect([store.reads - reads, keyring.stats().index]).toEqual([0, null])
  })

  test('is read in the background, once refreshMs is over', async () => {
    const { open, keyring, store, clock } = await setUp()
    const late = await open()
    await late.index.view()
    await rotateIndexKey(keyring)
    store.reads = 0
    clock.pass(10_000)
    now(late)
    expect(store.reads).toBe(0)
    clock.pass(1)
    expect(now(late).active).toBe(2)
    expect(store.reads).toBe(1)
    await settled()
    expect(await late.index.view()).toMatchObject({ active: 3, live: [3, 2] })
    expect(store.reads).toBe(1)
  })

  test.each(['wall', 'monotonic'] as const)(
    'is refused while the store was not read for maxAgeMs on the %s clock',
    async (which) => {
      const { keyring, store, clock } = await setUp()
      store.error = new Error('down')
      clock.now[which] += 60_000
      now(keyring)
      await settled()
      clock.now[which] += 1
      await expect(keyring.index.view()).rejects.toMatchObject({
        code: 'ERR_KEY_UNAVAILABLE',
        retryable: true,
      })
      expect(keyring.stats().index).toMatchObject({ storeError: 'ERR_KEY_UNAVAILABLE' })
      store.error = null
      expect(await keyring.index.view()).toMatchObject({ active: 2 })
      expect(keyring.stats().index).toMatchObject({ storeError: null, storeAgeMs: 0 })
    },
  )

  test('inside a transaction reads through it and waits for no other read', async () => {
    const { keyring, store, clock } = await setUp()
    clock.pass(60_001)
    store.hold = new Promise(() => undefined) // the transaction holds the last connection
    void keyring.index.refresh()
    store.hold = null
    store.vias = []
    expect(await keyring.index.view(via)).toMatchObject({ active: 2 })
    expect(store.vias).toEqual([via])
  })

  test('follows a rotation that happens while its key is loaded', async () => {
    const { open, keyring, root } = await setUp()
    const late = await open()
    const unwrap = root.unwrap.bind(root)
    root.unwrap = async (...args) => {
      if (args[2].use === 'mac') return unwrap(...args)
      root.unwrap = unwrap
      await rotateIndexKey(keyring)
      await late.index.refresh()
      return unwrap(...args)
    }
    expect(await late.index.view()).toMatchObject({ active: 3, live: [3, 2] })
  })

  test('has all keys however small the cache of KEKs is', async () => {
    const { keyring } = await setUp({ kekCache: { entries: 1 } })
    await rotateIndexKey(keyring)
    await rotateIndexKey(keyring)
    await keyring.index.view()
    expect(now(keyring).live).toEqual([4, 2, 3])
  })
})

describe('index keys in memory', () => {
  test('are unwrapped again after kekCache.maxAgeMs, with new subkeys', async () => {
    const { keyring, root, clock } = await setUp({ kekCache: { maxAgeMs: 20_000 } })
    const before = now(keyring)
    const subkey = before.key(id, 2)
    root.calls = 0
    clock.pass(20_001)
    const again = keyring.index.view()
    expect(again).toBeInstanceOf(Promise)
    const after = await again
    expect(root.calls).toBe(1)
    expect(after.key(id, 2)).not.toBe(subkey)
    expect(after.key(id, 2).key.equals(subkey.key)).toBe(true)
  })

  test('stop serving after kekCache.maxStaleMs without the root key, and are not remembered as failed', async () => {
    const kekCache = { maxAgeMs: 20_000, maxStaleMs: 20_000 }
    const { keyring, root, clock } = await setUp({ kekCache })
    root.broken = true
    clock.pass(20_000)
    now(keyring)
    await settled()
    clock.pass(1)
    await expect(keyring.index.view()).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      retryable: true,
    })
    root.broken = false
    expect(await keyring.index.view()).toMatchObject({ active: 2 })
  })

  test('whose row was edited are refused', async () => {
    const { open, store } = await setUp()
    const keyring = await open()
    store.edit = ({ head, keys }) => ({
      head,
      keys: keys.map((row: object) => ({ ...row, checkValue: Buffer.alloc(32, 7) })),
    })
    await expect(keyring.index.view()).rejects.toMatchObject({ code: 'ERR_STORE_TAMPERED' })
  })

  test('are no KEKs: neither keyring opens with the key of the other', async () => {
    const { open, store, keyring } = await setUp()
    const [dek] = await keyring.forProtect(1)
    await expect(keyring.forProcess([{ ...dek!, keyId: 2 }])).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: expect.stringContaining('belongs to keyring "default/index"'),
    })
    await expect(open({ name: 'default/index' })).rejects.toThrow(TypeError)
    await expect(open({ name: 'a'.repeat(123) })).rejects.toThrow(TypeError)
    const long = await open({ name: 'a'.repeat(122), store: memoryKeyStore() })
    expect(await initIndexKeys(long)).toEqual({ created: true })
    expect(store.reads).toBeGreaterThan(0)
  })
})

describe('what is shown of index keys', () => {
  test('holds no key material', async () => {
    const { keyring, root } = await setUp()
    await rotateIndexKey(keyring)
    const view = await keyring.index.view()
    const secrets = [
      ...view.live.map((keyId) => view.key(id, keyId).key.export()),
      ...keyring.index.keys().flatMap(({ wrappedKek, checkValue }) => [wrappedKek, checkValue]),
    ]
    for (const { wrappedKek, rootKeyId, keyId } of keyring.index.keys()) {
      secrets.push(
        await root.unwrap(wrappedKek, rootKeyId, { keyring: 'default/index', keyId, use: 'kek' }),
      )
    }
    const things = [
      keyring,
      keyring.index,
      view,
      view.key(id, 2),
      keyring.index.keys(),
      keyring.stats(),
    ]
    const error = catching(() => view.key(id, 99))
    const shown = [...things, error].flatMap((thing) => [
      inspect(thing, { depth: 9, showHidden: true }),
      JSON.stringify(thing),
    ])
    for (const text of shown) {
      for (const secret of secrets) {
        const bytes = Buffer.from(secret)
        expect(text).not.toContain(bytes.toString('hex').slice(0, 16))
        expect(text).not.toContain(bytes.toString('base64').slice(0, 12))
        expect(text).not.toContain([...bytes.subarray(0, 4)].join(','))
        expect(text).not.toContain([...bytes.subarray(0, 4)].join(', '))
      }
    }
  })

  test('is enough for an operator', async () => {
    const { keyring } = await setUp()
    await keyring.index.view()
    expect(keyring.stats().index).toEqual({
      activeKeyId: 2,
      revision: 2,
      storeAgeMs: 0,
      storeReads: 3,
      storeFailures: 0,
      storeError: null,
      rootKeyCalls: 1,
    })
    expect(keyring.index.keys()).toMatchObject([{ keyId: 2, keyring: 'default/index', version: 1 }])
    expect(keyring.index.records()).toMatchObject([{ id }])
    expect([keyring.index.name, keyring.index.maxAgeMs]).toEqual(['default/index', 60_000])
  })
})

function catching(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}
