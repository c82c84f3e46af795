import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  activateIndexKey,
  addIndexKey,
  closeKeyring,
  isTenantKeyring,
  openKeyrings,
  rotate,
  tenantKeyring,
  type KeyringsOptions,
  type Keyrings,
} from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { KeyStore, RootKey } from '../../src/keys/types.ts'
import type { Plan } from '../../src/plan/index.ts'
import { delegating } from './support.ts'

const root = localRootKey({ key: randomBytes(32) })

async function pool(
  names: readonly string[],
  options: Partial<KeyringsOptions> = {},
): Promise<{ keyrings: Keyrings; store: KeyStore; reads: string[]; fail: { code: Error | null } }> {
  const memory = memoryKeyStore()
  const reads: string[] = []
  const fail: { code: Error | null } = { code: null }
  const store: KeyStore = Object.assign(Object.create(memory) as KeyStore, {
    name: memory.name,
    read: async (name: string) => {
      reads.push(name)
      if (fail.code !== null) throw fail.code
      return memory.read(name)
    },
  })
  for (const method of ['init', 'write', 'reserve', 'keyringOf', 'keyrings', 'nextKeyId'] as const)
    Object.assign(store, { [method]: memory[method].bind(memory) })
  const first = openKeyrings({ root, store, ...options })
  for (const name of names) await first.create(name)
  const keyrings = openKeyrings({ root, store, ...options })
  reads.length = 0
  return { keyrings, store, reads, fail }
}

/** What `create` looks at, of one field that takes no plaintext. */
function planWith(indexes: object): Plan {
  const sealed = { email: { keyring: 'default', plaintext: 'refuse' } }
  return { models: { User: { sealed, indexes } } } as unknown as Plan
}

const MAIL = { id: 'User.mail', slot: 1, field: 'email', normalize: [], unique: false }

describe('the keyrings of one store', () => {
  it('are each opened once, however many ask at the same time', async () => {
    const { keyrings, reads } = await pool(['tenant/a', 'tenant/b'])
    const asked = await Promise.all(
      Array.from({ length: 100 }, (_, i) => keyrings.get(i % 2 === 0 ? 'tenant/a' : 'tenant/b')),
    )
    expect(new Set(asked).size).toBe(2)
    expect(reads.sort()).toEqual(['tenant/a', 'tenant/b'])
    expect(keyrings.stats()).toEqual({ open: 2, opening: 0, opened: 2, evicted: 0 })
  })

  it('are opened anew after a failure, which is not kept', async () => {
    const { keyrings, fail, reads } = await pool(['tenant/a'])
    fail.code = new Error('down')
    const both = await Promise.allSettled([keyrings.get('tenant/a'), keyrings.get('tenant/a')])
    expect(both).toMatchObject([
      { status: 'rejected', reason: { code: 'ERR_KEY_UNAVAILABLE', retryable: true } },
      { status: 'rejected', reason: { code: 'ERR_KEY_UNAVAILABLE', retryable: true } },
    ])
    expect(reads).toHaveLength(1)
    fail.code = null
    expect((await keyrings.get('tenant/a')).name).toBe('tenant/a')
  })

  it('do not hold one that does not exist, so that guessed names push nobody out', async () => {
    const { keyrings, store } = await pool(['tenant/a'], { entries: 1 })
    const a = await keyrings.get('tenant/a')
    await expect(keyrings.get('tenant/x')).rejects.toMatchObject({ code: 'ERR_KEYRING_MISSING' })
    expect(keyrings.peek('tenant/a')).toBe(a)
    await openKeyrings({ root, store }).create('tenant/x')
    expect((await keyrings.get('tenant/x')).activeKeyId).toBe(2)
  })

  it('make room for each other, the one that was not used for longest first, and let go of its keys', async () => {
    const { keyrings } = await pool(['tenant/a', 'tenant/b', 'tenant/c'], { entries: 2 })
    const a = await keyrings.get('tenant/a')
    const b = await keyrings.get('tenant/b')
    await keyrings.get('tenant/a')
    const [dek] = await b.forProtect(1)
    expect([b.stats().kekCache.entries, b.stats().dekCache.entries]).toEqual([1, 1])
    await keyrings.get('tenant/c')
    expect(keyrings.peek('tenant/a')).toBe(a)
    expect(keyrings.peek('tenant/b')).toBeNull()
    expect([b.stats().kekCache.entries, b.stats().dekCache.entries]).toEqual([0, 0])
    expect(keyrings.stats()).toMatchObject({ open: 2, evicted: 1 })
    // Whoever was using it goes on.
    expect(await b.forProcess([dek!])).toHaveLength(1)
    expect(await keyrings.get('tenant/b')).not.toBe(b)
  })

  it.each(['pushed out', 'closed'])(
    'do not believe an older state of one that was %s meanwhile',
    async (how) => {
      const { keyrings, store } = await pool(['tenant/a', 'tenant/b'], { entries: 1 })
      const old = await store.read('tenant/a')
      await rotate(await openKeyrings({ root, store }).get('tenant/a'))
      expect((await keyrings.get('tenant/a')).activeKeyId).toBe(3)
      if (how === 'closed') keyrings.close('tenant/a')
      else await keyrings.get('tenant/b')
      const read = store.read.bind(store)
      store.read = async (name, via) => (name === 'tenant/a' ? old : read(name, via))
      await expect(keyrings.get('tenant/a')).rejects.toMatchObject({ code: 'ERR_STORE_TAMPERED' })
      store.read = read
      expect((await keyrings.get('tenant/a')).activeKeyId).toBe(3)
    },
  )

  it('do not believe an older state of index keys either, whenever they were read', async () => {
    const { keyrings, store } = await pool([])
    const { keyring } = await keyrings.create('tenant/a', planWith({ mail: MAIL }))
    const old = await store.read('tenant/a/index')
    await activateIndexKey(keyring, { from: 1, to: (await addIndexKey(keyring)).keyId })
    keyrings.close('tenant/a')
    await keyrings.get('tenant/a') // and nobody asks for its index keys
    keyrings.close('tenant/a')
    const { index } = await keyrings.get('tenant/a')
    const read = store.read.bind(store)
    store.read = async (name, via) => (name === 'tenant/a/index' ? old : read(name, via))
    await expect(index.refresh()).rejects.toMatchObject({ code: 'ERR_STORE_TAMPERED' })
  })

  it('read one anew that was not used for long, before it serves once more', async () => {
    let now = 1e6
    const clock = { wall: () => now, monotonic: () => now }
    const { keyrings, store, reads, fail } = await pool(['tenant/a'], { clock })
    const a = await keyrings.get('tenant/a')
    await rotate(await openKeyrings({ root, store }).get('tenant/a'))
    now += 60_001
    expect(keyrings.peek('tenant/a')).toBeNull()
    expect(await keyrings.get('tenant/a')).toBe(a)
    expect(a.activeKeyId).toBe(2)
    now += 60_001
    fail.code = new Error('down')
    reads.length = 0
    // What it may still do is for the keyring to say; the store is asked once in a while.
    expect(await keyrings.get('tenant/a')).toBe(a)
    expect(await keyrings.get('tenant/a')).toBe(a)
    expect(reads).toEqual(['tenant/a'])
  })

  it('serve nobody who comes while one is read anew', async () => {
    let now = 1e6
    const clock = { wall: () => now, monotonic: () => now }
    const { keyrings, store } = await pool(['tenant/a'], { clock })
    const [dek] = await (await keyrings.get('tenant/a')).forProtect(1)
    const operator = await openKeyrings({ root, store }).get('tenant/a')
    await closeKeyring(operator, new Date(Date.now() + 60_000))
    now += 60_001
    const both = [keyrings.get('tenant/a'), keyrings.get('tenant/a')]
    expect(keyrings.peek('tenant/a')).toBeNull()
    for (const asked of both.reverse())
      await expect(asked.then((one) => one.forProcess([dek!]))).rejects.toMatchObject({
        code: 'ERR_KEY_STATE',
      })
  })

  it('have root keys and regions of their own', async () => {
    const roots = new Map<string, RootKey>()
    const rootOf = (name: string): RootKey => {
      let found = roots.get(name)
      if (found === undefined) roots.set(name, (found = localRootKey({ key: randomBytes(32) })))
      return found
    }
    const { keyrings, store } = await pool(['tenant/a', 'tenant/b'], { root: rootOf })
    await (await keyrings.get('tenant/a')).verify()
    const swapped = openKeyrings({ root: () => rootOf('tenant/b'), store })
    await expect(swapped.get('tenant/a')).rejects.toMatchObject({ name: 'KeyError' })
    const bounded = openKeyrings({
      root: rootOf,
      store,
      allowedRegions: (name) => (name === 'tenant/a' ? ['eu-central-1'] : undefined),
    })
    await expect(bounded.get('tenant/a')).rejects.toMatchObject({ code: 'ERR_ROOT_KEY_REGION' })
    await expect(bounded.get('tenant/b')).resolves.toMatchObject({ name: 'tenant/b' })
  })

  it('ask for a root key by name when that keyring is opened, and not before', async () => {
    const asked: string[] = []
    const rootOf = (name: string): RootKey => (asked.push(name), root)
    const { store } = await pool(['tenant/a', 'tenant/b'])
    const keyrings = openKeyrings({ root: rootOf, store })
    expect(asked).toEqual([])
    await keyrings.get('tenant/b')
    expect(asked).toEqual(['tenant/b'])
    const broken = openKeyrings({ root: () => null as never, store })
    await expect(broken.get('tenant/a')).rejects.toThrow(/^root must have/)
  })

  it('under one root key share what is known of its outages', async () => {
    const { store } = await pool(['tenant/a', 'tenant/b'])
    let calls = 0
    const down = {
      ...delegating(root),
      unwrap: () => {
        calls++
        return Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }))
      },
    }
    const keyrings = openKeyrings({ root: down, store, rootCalls: { maxOutages: 1 } })
    await expect(keyrings.get('tenant/a')).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    const before = calls
    await expect(keyrings.get('tenant/b')).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    expect([before, calls]).toEqual([1, 1])
  })

  it('are listed, the latest used first, and their key ids are known without asking', async () => {
    const { keyrings } = await pool([])
    await keyrings.create('tenant/a', planWith({ mail: MAIL }))
    await keyrings.create('tenant/b')
    await keyrings.get('tenant/a')
    expect([...keyrings.open()].map(({ name }) => name)).toEqual(['tenant/a', 'tenant/b'])
    const { keyring } = await keyrings.create('tenant/a')
    const ids = keyring.keys().map(({ keyId }) => keyId)
    expect(ids.map((keyId) => keyrings.peekOwner(keyId))).toEqual(ids.map(() => 'tenant/a'))
    expect(await keyrings.names()).toEqual(['tenant/a', 'tenant/b'])
  })

  it('know which of them a key id belongs to', async () => {
    const { keyrings } = await pool(['default', 'tenant/a'])
    expect(await keyrings.ownerOf(2)).toBe('tenant/a')
    expect(await keyrings.ownerOf(9)).toBeNull()
    expect([keyrings.peekOwner(2), keyrings.peekOwner(1)]).toEqual(['tenant/a', null])
    expect(await keyrings.names('tenant/')).toEqual(['tenant/a'])
    expect(await keyrings.names()).toEqual(['default', 'tenant/a'])
  })

  it('made by several at once are made once', async () => {
    const { keyrings, store } = await pool([])
    const made = await Promise.all(
      Array.from({ length: 5 }, () => openKeyrings({ root, store }).create('tenant/a')),
    )
    expect(made.filter(({ created }) => created)).toHaveLength(1)
    expect((await keyrings.get('tenant/a')).keys()).toHaveLength(1)
  })

  it.each(['kek', 'kms'] as const)(
    'call no index complete that came after values were sealed, with wrapping: %s',
    async (wrapping) => {
      const { keyrings } = await pool([], { wrapping })
      const { keyring } = await keyrings.create('tenant/a', planWith({}))
      await keyring.forProtect(1)
      const again = await keyrings.create('tenant/a', planWith({ mail: MAIL }))
      await again.keyring.index.refresh()
      const records = again.keyring.index.records()
      expect(records).toMatchObject([{ id: 'User.mail', complete: false }])
    },
  )

  it('refuse options out of bounds, and names that cannot be', async () => {
    const store = memoryKeyStore()
    expect(() => openKeyrings({ root, store, entries: 0 })).toThrow(/entries must be/)
    expect(() => openKeyrings({ root, store, refreshMs: 1 })).toThrow(/refreshMs/)
    expect(() => openKeyrings({ root: () => root, store, refreshMs: 1 })).toThrow(/refreshMs/)
    expect(() => openKeyrings({ root: {} as never, store })).toThrow(/root must have/)
    const keyrings = openKeyrings({ root, store })
    await expect(keyrings.get('tenant/a/index')).rejects.toThrow(/must not end in \/index/)
    expect(inspect(keyrings)).toMatch(/^Keyrings \{\s+store: 'memory key store',\s+open: 0/)
    for (const tenant of ['', 'a/b', 'a b', 'é', 'x'.repeat(116), 'index'])
      expect(() => tenantKeyring(tenant)).toThrow(expect.objectContaining({ code: 'ERR_TENANT' }))
    expect(tenantKeyring('f47ac10b-58cc')).toBe('tenant/f47ac10b-58cc')
    expect(isTenantKeyring('tenant/index')).toBe(false) // the index keys of keyring `tenant`
  })
})
