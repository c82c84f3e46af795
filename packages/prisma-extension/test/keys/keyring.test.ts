import { createCipheriv, randomBytes, type KeyObject } from 'node:crypto'
import { setTimeout as pass } from 'node:timers/promises'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { KeyError } from '../../src/errors.ts'
import { activateKey, addKey, initKeyring, rotate, type Keyring } from '../../src/keys/index.ts'
import type { KeyringOptions } from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek, KeyRow, KeyState, WrappedDek } from '../../src/keys/types.ts'
import { moved } from '../../src/keys/lifecycle/states.ts'
import { commit, readNow } from '../../src/keys/lifecycle/versions.ts'
import { openKeyring } from './open.ts'
import { newRoot, testClock, watchedRoot, watchedStore } from './support.ts'

const via = { client: {}, transaction: { kind: 'itx', id: 'one' } }
const wrappedOf = ({ keyId, suite, wrapped }: Dek): WrappedDek => ({ keyId, suite, wrapped })
const code = (value: string): unknown => expect.objectContaining({ code: value })

/** A keyring on a store and a root key that count, with clocks that the test moves. */
async function setUp(options: Partial<KeyringOptions> = {}) {
  const backing = memoryKeyStore()
  const store = watchedStore(backing)
  const root = watchedRoot()
  const clock = testClock()
  const keyring = await openKeyring({ root, store, clock, ...options })
  await initKeyring(keyring)
  const reopen = (more: Partial<KeyringOptions> = {}): Promise<Keyring> =>
    openKeyring({ root, store, clock, ...options, ...more })
  return { backing, store, root, clock, keyring, reopen }
}

const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

describe('opening a keyring', () => {
  test('unwraps the active KEK', async () => {
    const { reopen, root } = await setUp()
    root.calls = 0
    const keyring = await reopen()
    expect(root.calls).toBe(1)
    expect(keyring.activeKeyId).toBe(1)
    expect(keyring.name).toBe('default')
  })

  test('with another root key is refused, naming both', async () => {
    const { backing } = await setUp()
    await expect(openKeyring({ root: newRoot(), store: backing })).rejects.toThrow(
      /made with root key local:\w{16}; the one given .* is local:\w{16}/,
    )
  })

  test('that does not exist yet works; its use says so, and looks again after a second', async () => {
    const store = watchedStore(memoryKeyStore())
    const clock = testClock()
    const root = newRoot()
    const keyring = await openKeyring({ root, store, clock })
    expect(keyring.activeKeyId).toBeNull()
    expect(keyring.keys()).toEqual([])
    expect(keyring.staleKeyIds()).toEqual([])
    expect([keyring.isStale(1), keyring.mayReplace(1)]).toEqual([false, false])
    expect(keyring.stats()).toMatchObject({ activeKeyId: null, revision: null, index: null })
    expect(keyring.toJSON()).toMatchObject({ activeKeyId: null, revision: null })
    await expect(keyring.verify()).rejects.toMatchObject({ code: 'ERR_KEYRING_MISSING' })
    await expect(keyring.forProtect(1)).rejects.toMatchObject({
      code: 'ERR_KEYRING_MISSING',
      fix: expect.stringContaining('npx rowseal init'),
    })
    const wanted = [{ keyId: 1, suite: 1, wrapped: randomBytes(60) }] as const
    await expect(keyring.forProcess(wanted)).rejects.toThrow(code('ERR_KEYRING_MISSING'))
    expect(store.reads).toBe(1)
    await initKeyring(await openKeyring({ root, store }))
    clock.pass(1001)
    expect(await keyring.forProtect(1)).toHaveLength(1)
  })

  test('while the store is out of reach is refused', async () => {
    const store = watchedStore(memoryKeyStore())
    store.error = new KeyError('ERR_KEY_UNAVAILABLE', 'Down.', { fix: 'Wait.', retryable: true })
    const opening = openKeyring({ root: newRoot(), store })
    await expect(opening).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
    store.error = new Error('a store of somebody else')
    await expect(openKeyring({ root: newRoot(), store })).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      retryable: true,
    })
  })

  test.each([
    ['no root', { root: undefined }],
    ['no store', { store: {} }],
    ['an empty name', { name: '' }],
    ['a name with a space', { name: 'a b' }],
    ['a fraction', { refreshMs: 1000.5 }],
    ['a refresh too often', { refreshMs: 99 }],
    ['an age below the refresh', { refreshMs: 20_000, maxAgeMs: 10_000 }],
    ['a text for a number', { maxAgeMs: '60000' }],
    ['too few KEKs', { kekCache: { entries: 0 } }],
    ['negative DEKs', { dekCache: { entries: -1 } }],
    ['an endless age', { dekCache: { maxAgeMs: Infinity } }],
  ])('with %s is misuse', async (_, wrong) => {
    const options = { root: newRoot(), store: memoryKeyStore(), ...wrong } as KeyringOptions
    await expect(openKeyring(options)).rejects.toThrow(TypeError)
  })
})

describe('fresh DEKs', () => {
  test('are under the active version and open again, without unwrapping', async () => {
    const { keyring } = await setUp()
    const deks = await keyring.forProtect(3)
    const opened = await keyring.forProcess(deks.map(wrappedOf))
    expect(opened.map((key, i) => key.equals(deks[i]!.key))).toEqual([true, true, true])
    expect(keyring.stats()).toMatchObject({
      wraps: 3,
      unwraps: 0,
      dekCache: { entries: 3, hits: 3 },
    })
  })

  test('open in another instance', async () => {
    const { keyring, reopen } = await setUp()
    const deks = await keyring.forProtect(3)
    const opened = await (await reopen()).forProcess(deks.map(wrappedOf))
    expect(opened.map((key, i) => key.equals(deks[i]!.key))).toEqual([true, true, true])
  })

  test('may be sent while the read behind them is recent, however late that is asked', async () => {
    const { keyring, clock } = await setUp()
    const deks = await keyring.forProtect(1)
    const lease = keyring.lease(deks)
    clock.pass(60_000)
    expect([lease(), keyring.lease(deks)()]).toEqual([true, true])
    clock.pass(1) // as a process that was frozen in between
    expect([lease(), keyring.lease(deks)()]).toEqual([false, false])
    const inTransaction = keyring.lease(await keyring.forProtect(1, via), via)
    expect(inTransaction()).toBe(true)
    clock.pass(60_001)
    expect(inTransaction()).toBe(false)
  })

  test('may not be sent once another version is active, however recent the read', async () => {
    const { keyring, reopen } = await setUp()
    const deks = await keyring.forProtect(1)
    expect(keyring.lease(deks)()).toBe(true)
    await rotate(await reopen())
    await keyring.refresh()
    expect([keyring.lease(deks)(), keyring.lease([])()]).toEqual([false, true])
    expect(keyring.lease(await keyring.forProtect(1))()).toBe(true)
  })

  test('may be none', async () => {
    const keyring = await openKeyring({ root: newRoot(), store: memoryKeyStore() })
    expect(await keyring.forProtect(0)).toEqual([])
    expect(await keyring.forProcess([])).toEqual([])
  })

  test.each([-1, 1.5, NaN, 1_000_001, '1'])('for a count of %s are misuse', async (count) => {
    const { keyring } = await setUp()
    await expect(keyring.forProtect(count as number)).rejects.toThrow(TypeError)
  })
})

describe('the DEKs of stored values', () => {
  test('come in the order asked for, each unwrapped once', async () => {
    const { keyring, reopen } = await setUp()
    const [a, b] = (await keyring.forProtect(2)) as [Dek, Dek]
    const cold = await reopen()
    const keys = await cold.forProcess([b, a, b, b, a].map(wrappedOf))
    expect(keys.map((key) => key.equals(a.key))).toEqual([false, true, false, false, true])
    expect(cold.stats().unwraps).toBe(2)
  })

  test('are unwrapped once in a call even without a cache', async () => {
    const { keyring, reopen } = await setUp()
    const [a] = (await keyring.forProtect(1)) as [Dek]
    const bare = await reopen({ dekCache: { entries: 0 } })
    await bare.forProcess([a, a, a].map(wrappedOf))
    expect(bare.stats()).toMatchObject({ unwraps: 1, dekCache: { entries: 0, hits: 0 } })
  })

  test('are there in the same tick when all is in memory', async () => {
    const { keyring } = await setUp()
    const deks = await keyring.forProtect(2)
    const order: string[] = []
    const reading = keyring.forProcess(deks.map(wrappedOf)).then(() => order.push('keys'))
    const sealing = keyring.forProtect(1).then(() => order.push('dek'))
    const tick = Promise.resolve().then(() => order.push('one microtask'))
    await Promise.all([reading, sealing, tick])
    expect(order).toEqual(['keys', 'dek', 'one microtask'])
  })

  test('are refused when altered, with one opaque error', async () => {
    const { keyring } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const altered = Uint8Array.from(dek.wrapped)
    altered[30]! ^= 1
    await expect(keyring.forProcess([{ ...wrappedOf(dek), wrapped: altered }])).rejects.toThrow(
      code('ERR_ENVELOPE_AUTH'),
    )
  })

  test('of a suite the key version is not for are refused before any key is tried', async () => {
    const { keyring } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    await expect(keyring.forProcess([{ ...wrappedOf(dek), suite: 0x02 }])).rejects.toThrow(
      code('ERR_ENVELOPE_AUTH'),
    )
    expect(keyring.stats().unwraps).toBe(0)
  })

  test('can be had one by one, with the error of a bad value in its place', async () => {
    const { keyring } = await setUp()
    const [good] = (await keyring.forProtect(1)) as [Dek]
    const bad = { ...wrappedOf(good), wrapped: randomBytes(60) }
    const unknown = { ...bad, keyId: 99 }
    const [first, second, third] = await keyring.forProcessEach([bad, wrappedOf(good), unknown])
    expect(first).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    expect((second as KeyObject).equals(good.key)).toBe(true)
    expect(third).toMatchObject({ code: 'ERR_KEY_UNKNOWN' })
  })

  test('stay out of the cache for a run that meets each once', async () => {
    const { keyring } = await setUp()
    const deks = await keyring.forProtect(3, undefined, false)
    const wanted = deks.map(wrappedOf)
    const keys = await keyring.forProcessEach(wanted, undefined, false)
    expect(keys.map((key, i) => (key as KeyObject).equals(deks[i]!.key))).toEqual(
      Array(3).fill(true),
    )
    expect(keyring.stats()).toMatchObject({ unwraps: 3, dekCache: { entries: 0 } })
    await keyring.forProcessEach(wanted)
    expect(keyring.stats()).toMatchObject({ unwraps: 6, dekCache: { entries: 3 } })
  })

  test('stay in the cache for whoever reads on', async () => {
    const { keyring } = await setUp()
    const wanted = (await keyring.forProtect(2, undefined, false)).map(wrappedOf)
    for (let i = 0; i < 3; i++) await keyring.forProcess(wanted)
    expect(keyring.stats()).toMatchObject({ unwraps: 2, dekCache: { entries: 2, hits: 4 } })
  })

  test('leave the cache by age and by number', async () => {
    const { keyring, clock } = await setUp({ dekCache: { entries: 2, maxAgeMs: 5000 } })
    const deks = (await keyring.forProtect(3)).map(wrappedOf)
    expect(keyring.stats().dekCache.entries).toBe(2)
    await keyring.forProcess(deks.slice(1))
    expect(keyring.stats().unwraps).toBe(0)
    clock.pass(5001)
    await keyring.forProcess(deks.slice(1))
    expect(keyring.stats().unwraps).toBe(2)
  })
})

describe('KEKs', () => {
  test('are unwrapped once for a thousand readers that come at once', async () => {
    const { keyring, reopen, root, clock } = await setUp({ kekCache: { maxAgeMs: 1000 } })
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const cold = await reopen({ dekCache: { entries: 0 } })
    clock.pass(1001)
    root.calls = 0
    const readers = Array.from({ length: 1000 }, () => cold.forProcess([wrappedOf(dek)]))
    const keys = (await Promise.all(readers)).flat()
    expect(root.calls).toBe(1)
    expect(keys.every((key) => key.equals(dek.key))).toBe(true)
  })

  test('are not remembered as failed', async () => {
    const kekCache = { maxAgeMs: 1000, maxStaleMs: 1000 }
    const { keyring, root, clock } = await setUp({ kekCache })
    clock.pass(1001)
    root.broken = true
    root.calls = 0
    const attempts = await Promise.allSettled([keyring.forProtect(1), keyring.forProtect(1)])
    for (const { status, reason } of attempts as PromiseRejectedResult[]) {
      expect(status).toBe('rejected')
      expect(reason).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
    }
    expect(root.calls).toBe(1)
    root.broken = false
    expect(await keyring.forProtect(1)).toHaveLength(1)
  })

  test('are kept for all versions in use, and load again when the cache is too small', async () => {
    const { keyring } = await setUp({ kekCache: { entries: 1 }, dekCache: { entries: 0 } })
    const [a] = (await keyring.forProtect(1)) as [Dek]
    await rotate(keyring)
    const [b] = (await keyring.forProtect(1)) as [Dek]
    const keys = await keyring.forProcess([a, b, a, b].map(wrappedOf))
    expect(keys.map((key) => key.equals(a.key))).toEqual([true, false, true, false])
  })
})

describe('a key row that was edited', () => {
  const edits: [string, string, (row: KeyRow, all: KeyRow[]) => Partial<KeyRow>][] = [
    ['wrapped KEK', 'ERR_STORE_TAMPERED', () => ({ wrappedKek: randomBytes(60) })],
    ['wrapped KEK, emptied', 'ERR_STORE_TAMPERED', () => ({ wrappedKek: new Uint8Array() })],
    [
      "another row's wrapped KEK",
      'ERR_STORE_TAMPERED',
      (_, all) => ({ wrappedKek: all[1]!.wrappedKek }),
    ],
    ['check value', 'ERR_STORE_TAMPERED', () => ({ checkValue: randomBytes(32) })],
    [
      'check value, cut',
      'ERR_STORE_TAMPERED',
      (row) => ({ checkValue: row.checkValue.subarray(1) }),
    ],
    ['root key id', 'ERR_STORE_TAMPERED', () => ({ rootKeyId: 'local:0000000000000000' })],
    ['keyring', 'ERR_STORE_TAMPERED', () => ({ keyring: 'other' })],
    ['key id', 'ERR_STORE_TAMPERED', () => ({ keyId: 77 })],
    ['key id, beyond 32 bits', 'ERR_STORE_TAMPERED', () => ({ keyId: 2 ** 32 })],
    ['version', 'ERR_STORE_TAMPERED', () => ({ version: 0 })],
    ['state', 'ERR_STORE_TAMPERED', () => ({ state: 'toString' as KeyState })],
    ['state, no longer active', 'ERR_STORE_TAMPERED', () => ({ state: 'suspended' })],
    ['suite', 'ERR_STORE_TAMPERED', () => ({ suite: 0x02 })],
    ['suite, to none known', 'ERR_STORE_NEWER', () => ({ suite: 0x03 as never })],
  ]
  test.each(edits)('in %s is refused when the keyring opens', async (_, expected, edit) => {
    const { keyring, store, reopen } = await setUp()
    await rotate(keyring)
    store.edit = ({ head, keys }: { head: object; keys: KeyRow[] }) => ({
      head,
      keys: keys.map((row) =>
        row.state === 'active' ? { ...row, ...edit(row, [row, keys[0]!]) } : row,
      ),
    })
    await expect(reopen()).rejects.toThrow(code(expected))
  })

  test.each([
    ['two active versions', (keys: KeyRow[]) => keys.map((row) => ({ ...row, state: 'active' }))],
    ['one row twice', (keys: KeyRow[]) => [...keys, keys[0]!]],
    ['no rows', () => []],
  ])('so that there are %s is refused', async (_, edit) => {
    const { keyring, store, reopen } = await setUp()
    await rotate(keyring)
    store.edit = ({ head, keys }) => ({ head, keys: edit(keys) })
    await expect(reopen()).rejects.toThrow(code('ERR_STORE_TAMPERED'))
  })
})

describe('a key id', () => {
  test('that is new is found by all who ask at once, with two reads at the most', async () => {
    const { keyring, reopen, store } = await setUp()
    const late = await reopen()
    await rotate(keyring)
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    store.reads = 0
    const readers = Array.from({ length: 50 }, () => late.forProcess([wrappedOf(dek)]))
    for (const [key] of await Promise.all(readers)) expect(key!.equals(dek.key)).toBe(true)
    expect(store.reads).toBeLessThanOrEqual(2)
  })

  test('that is new is found although a read began before it was stored', async () => {
    const { keyring, reopen, store } = await setUp()
    const late = await reopen()
    let release = (): void => undefined
    store.hold = new Promise((done) => (release = done))
    const before = late.refresh()
    store.hold = null
    const old = await store.read('default')
    await rotate(keyring)
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const opening = late.forProcess([wrappedOf(dek)])
    store.edit = () => ((store.edit = null), old)
    release()
    await before
    expect((await opening)[0]!.equals(dek.key)).toBe(true)
  })

  test('that is new is found although an earlier read hangs, and whoever waits behind that', async () => {
    const { keyring, reopen, store, clock } = await setUp()
    const late = await reopen()
    store.hold = new Promise(() => undefined)
    void late.refresh()
    void late.refresh()
    clock.pass(60_001)
    let release = (): void => undefined
    store.hold = new Promise((done) => (release = done))
    void late.refresh()
    const opening = late.refresh().then(() => 'has read')
    store.hold = null
    await rotate(keyring)
    release()
    expect(await Promise.race([opening, pass(500, 'waits')])).toBe('has read')
    expect(late.activeKeyId).toBe(2)
  })

  test('that nobody has is refused, and asked for at most once a second', async () => {
    const { keyring, store, clock } = await setUp()
    const wanted = (keyId: number): WrappedDek[] => [{ keyId, suite: 1, wrapped: randomBytes(60) }]
    store.reads = 0
    await expect(keyring.forProcess(wanted(99))).rejects.toMatchObject({
      code: 'ERR_KEY_UNKNOWN',
      retryable: false,
    })
    for (let i = 0; i < 20; i++) {
      await expect(keyring.forProcess(wanted(100 + i))).rejects.toMatchObject({
        code: 'ERR_KEY_UNKNOWN',
        retryable: true,
      })
    }
    expect(store.reads).toBe(1)
    clock.pass(1001)
    await expect(keyring.forProcess(wanted(99))).rejects.toMatchObject({ retryable: false })
    expect(store.reads).toBe(2)
  })

  test('of another keyring is refused by name, and from then on without asking', async () => {
    const { keyring, reopen, store } = await setUp()
    const other = await reopen({ name: 'tenant/acme' })
    await initKeyring(other)
    const [dek] = (await other.forProtect(1)) as [Dek]
    const refusal = expect.objectContaining({
      code: 'ERR_KEY_STATE',
      message: expect.stringContaining('belongs to keyring "tenant/acme", not to "default"'),
    })
    await expect(keyring.forProcess([wrappedOf(dek)])).rejects.toThrow(refusal)
    const { reads } = store
    await expect(keyring.forProcess([wrappedOf(dek)])).rejects.toThrow(refusal)
    expect(store.reads).toBe(reads)
  })

  test('of a destroyed version is refused although its DEK is in memory', async () => {
    const { keyring } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const { from } = await rotate(keyring)
    await moveAlong(keyring, from.keyId, ['suspended', 'deactivated', 'destroyed'])
    expect(await keyring.forProcess([wrappedOf(dek)])).toHaveLength(1)
    await keyring.refresh()
    await expect(keyring.forProcess([wrappedOf(dek)])).rejects.toThrow(code('ERR_KEY_STATE'))
    expect(keyring.isStale(from.keyId)).toBe(false)
  })

  test('of a destroyed version has no DEK in memory, its KEK having left before or not', async () => {
    const { keyring } = await setUp({ kekCache: { entries: 1 } })
    await keyring.forProtect(2)
    const { from } = await rotate(keyring)
    await keyring.forProtect(1)
    expect(keyring.stats()).toMatchObject({ kekCache: { entries: 1 }, dekCache: { entries: 3 } })
    await moveAlong(keyring, from.keyId, ['suspended', 'deactivated', 'destroyed'])
    await keyring.refresh()
    expect(keyring.stats().dekCache.entries).toBe(1)
  })

  test.each<[KeyState, KeyState[]]>([
    ['suspended', ['suspended']],
    ['deactivated', ['suspended', 'deactivated']],
    ['compromised', ['suspended', 'compromised']],
  ])('of a %s version opens and is stale', async (_, path) => {
    const { keyring } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const { from, to } = await rotate(keyring)
    await moveAlong(keyring, from.keyId, path)
    await keyring.refresh()
    expect(await keyring.forProcess([wrappedOf(dek)])).toHaveLength(1)
    expect(keyring.isStale(from.keyId)).toBe(true)
    expect(keyring.staleKeyIds()).toEqual([from.keyId])
    expect([keyring.isStale(to.keyId), keyring.isStale(99)]).toEqual([false, false])
  })
})

async function moveAlong(keyring: Keyring, keyId: number, path: KeyState[]): Promise<void> {
  for (const to of path.slice(1)) {
    const now = await readNow(keyring)
    const rows = [moved(now.rows.get(keyId)!, to, new Date())]
    expect(await commit(keyring, now, { rows })).toBe(true)
  }
}

describe('reading the store', () => {
  test('happens on use, in the background, once refreshMs is over', async () => {
    const { keyring, reopen, store, clock } = await setUp()
    const late = await reopen()
    await rotate(keyring)
    store.reads = 0
    clock.pass(10_000)
    await late.forProtect(1)
    expect(store.reads).toBe(0)
    clock.pass(1)
    const [under] = (await late.forProtect(1)) as [Dek]
    expect([store.reads, under.keyId]).toEqual([1, 1])
    await settled()
    const [next] = (await late.forProtect(1)) as [Dek]
    expect([store.reads, next.keyId]).toEqual([1, 2])
  })

  test('is one read however many ask', async () => {
    const { keyring, store, clock } = await setUp()
    clock.pass(60_001)
    store.reads = 0
    await Promise.all(Array.from({ length: 100 }, () => keyring.forProtect(1)))
    expect(store.reads).toBe(1)
  })

  test('that fails in the background disturbs nobody, is counted, and is tried again', async () => {
    const { keyring, store, clock } = await setUp()
    store.error = new Error('down')
    clock.pass(10_001)
    for (let i = 0; i < 10; i++) await keyring.forProtect(1)
    await settled()
    expect(keyring.stats()).toMatchObject({ storeFailures: 1, storeError: 'ERR_KEY_UNAVAILABLE' })
    await keyring.forProtect(1)
    expect(keyring.stats().storeFailures).toBe(1)
    store.error = null
    clock.pass(1001)
    await keyring.forProtect(1)
    await settled()
    expect(keyring.stats()).toMatchObject({ storeError: null, storeAgeMs: 0 })
  })

  test.each(['wall', 'monotonic'] as const)(
    'must have worked within maxAgeMs on the %s clock to seal; opening goes on',
    async (which) => {
      const { keyring, store, clock } = await setUp()
      const [dek] = (await keyring.forProtect(1)) as [Dek]
      store.error = new Error('down')
      clock.now[which] += 60_001
      await expect(keyring.forProtect(1)).rejects.toMatchObject({
        code: 'ERR_KEY_UNAVAILABLE',
        retryable: true,
      })
      expect(await keyring.forProcess([wrappedOf(dek)])).toHaveLength(1)
      store.error = null
      expect(await keyring.forProtect(1)).toHaveLength(1)
    },
  )

  test('counts from when it began, not from when it ended', async () => {
    const { keyring, store, clock } = await setUp()
    let release = (): void => undefined
    store.hold = new Promise((done) => (release = done))
    const refresh = keyring.refresh()
    clock.pass(60_001)
    release()
    await refresh
    store.error = new Error('down')
    await expect(keyring.forProtect(1)).rejects.toThrow(code('ERR_KEY_UNAVAILABLE'))
  })

  test('inside a transaction goes through it and waits for no other read', async () => {
    const { keyring, store, clock } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    clock.pass(60_001)
    store.hold = new Promise(() => undefined) // the transaction holds the last connection
    const outside = keyring.refresh()
    store.hold = null
    store.vias = []
    const wanted = { ...wrappedOf(dek), keyId: 99 }
    expect(await keyring.forProtect(1, via)).toHaveLength(1)
    await expect(keyring.forProcess([wanted], via)).rejects.toThrow(code('ERR_KEY_UNKNOWN'))
    expect(store.vias.length).toBeGreaterThan(0)
    expect(store.vias.every((given) => given === via)).toBe(true)
    void outside
  })

  test('through a transaction that began before a rotation does not turn it back', async () => {
    const { keyring, store, clock } = await setUp()
    const old = await store.read('default')
    await rotate(keyring)
    store.edit = () => old
    await keyring.refresh(via)
    expect(keyring.activeKeyId).toBe(2)
    clock.pass(60_001)
    await expect(keyring.forProtect(1, via)).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      retryable: true,
    })
  })

  test('that gives an older revision than before is refused', async () => {
    const { keyring, store, clock } = await setUp()
    const old = await store.read('default')
    await rotate(keyring)
    store.edit = () => old
    clock.pass(1)
    await expect(keyring.refresh()).rejects.toMatchObject({
      code: 'ERR_STORE_TAMPERED',
      message: expect.stringContaining('at revision 1, and was at 3'),
    })
    expect(keyring.activeKeyId).toBe(2)
  })

  test('that finds the keyring gone keeps what was read, and stops sealing in time', async () => {
    const { keyring, store, clock } = await setUp()
    store.edit = () => null
    await expect(keyring.refresh()).rejects.toThrow(code('ERR_KEYRING_MISSING'))
    expect(await keyring.forProtect(1)).toHaveLength(1)
    clock.pass(60_001)
    await expect(keyring.forProtect(1)).rejects.toThrow(code('ERR_KEYRING_MISSING'))
  })
})

describe('a version of a keyring', () => {
  test('is stale if it may open and is not active, and replaced unless it waits to be', async () => {
    const { keyring } = await setUp()
    const looks = (): unknown[] =>
      [1, 2, 3].map((keyId) => [keyring.isStale(keyId), keyring.mayReplace(keyId)])
    expect(looks()[0]).toEqual([false, false])
    const waiting = await addKey(keyring)
    expect(looks().slice(0, 2)).toEqual([
      [false, false],
      [true, false],
    ])
    await activateKey(keyring, { from: 1, to: waiting.keyId })
    expect(looks()).toEqual([
      [true, true],
      [false, false],
      [false, false],
    ])
  })
})

describe('what is shown of a keyring', () => {
  test('holds no key material', async () => {
    const { keyring } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const secrets = [
      dek.key.export(),
      dek.wrapped,
      ...keyring.keys().flatMap((row) => [row.wrappedKek, row.checkValue]),
    ]
    const shown = [keyring, keyring.keys(), keyring.stats(), { ...keyring.keys()[0] }].flatMap(
      (value) => [inspect(value, { depth: 9, showHidden: true }), JSON.stringify(value)],
    )
    for (const text of shown) {
      for (const secret of secrets) {
        const bytes = Buffer.from(secret)
        expect(text).not.toContain(bytes.toString('hex').slice(0, 16))
        expect(text).not.toContain(bytes.toString('base64').slice(0, 12))
        expect(text).not.toContain([...bytes.subarray(0, 4)].join(','))
        expect(text).not.toContain([...bytes.subarray(0, 4)].join(', '))
      }
    }
    expect(inspect(keyring)).toContain('Keyring')
    expect(JSON.parse(JSON.stringify(keyring))).toEqual({
      name: 'default',
      store: 'memory key store',
      root: 'local',
      activeKeyId: 1,
      revision: 1,
    })
    expect(inspect(keyring.keys())).toContain('<60 bytes>')
  })

  test('lets nobody change its rows', async () => {
    const { keyring } = await setUp()
    expect(() => Object.assign(keyring.keys()[0]!, { state: 'destroyed' })).toThrow(TypeError)
  })

  test('are errors without key material, too', async () => {
    const { keyring, root } = await setUp()
    const row = keyring.keys()[0]!
    const kek = await root.unwrap(row.wrappedKek, row.rootKeyId, {
      keyring: 'default',
      keyId: 1,
      use: 'kek',
    })
    const cipher = createCipheriv('aes-256-gcm', kek, randomBytes(12))
    const wrong = Buffer.concat([randomBytes(12), cipher.update(randomBytes(32)), randomBytes(16)])
    const error = await keyring
      .forProcess([{ keyId: 1, suite: 1, wrapped: wrong }])
      .catch((thrown: unknown) => thrown)
    for (const bytes of [kek, wrong]) {
      expect(inspect(error, { depth: 9 })).not.toContain(bytes.toString('hex').slice(0, 12))
      expect(inspect(error, { depth: 9 })).not.toContain([...bytes.subarray(0, 4)].join(', '))
    }
  })
})
