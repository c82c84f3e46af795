import { randomBytes, type KeyObject } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  closeKeyring,
  destroyKeyring,
  initIndexKeys,
  initKeyring,
  rewrapKeys,
  rotate,
  type Keyring,
  type KeyringOptions,
} from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek, KeyRow, RootKey, WrappedDek } from '../../src/keys/types.ts'
import { openKeyring } from './open.ts'
import { DENIAL, OUTAGE, troubledRoot } from './roots.ts'
import { testClock, watchedStore } from './support.ts'

const UNAVAILABLE = { code: 'ERR_KEY_UNAVAILABLE', retryable: true }
const wrappedOf = ({ keyId, suite, wrapped }: Dek): WrappedDek => ({ keyId, suite, wrapped })
const same = (keys: readonly unknown[], deks: readonly Dek[]): boolean =>
  keys.length === deks.length && keys.every((key, i) => (key as KeyObject).equals(deks[i]!.key))

/** A keyring whose root key wraps the DEKs. */
async function setUp(options: Partial<KeyringOptions> = {}) {
  const store = watchedStore(memoryKeyStore())
  const root = troubledRoot()
  const clock = testClock()
  const open = (more: Partial<KeyringOptions> = {}): Promise<Keyring> =>
    openKeyring({ root, store, clock, wrapping: 'kms', ...options, ...more })
  const keyring = await open()
  await initKeyring(keyring)
  root.reset()
  return { store, root, clock, keyring, open }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn()
}

describe('DEKs that the root key wraps', () => {
  test('are a call for each record, of suite 0x02, and open again from memory', async () => {
    const { keyring, root } = await setUp()
    const deks = await keyring.forProtect(5)
    expect(deks.map(({ keyId, suite }) => [keyId, suite])).toEqual(Array(5).fill([1, 0x02]))
    expect(new Set(deks.map(({ wrapped }) => Buffer.from(wrapped).toString('hex'))).size).toBe(5)
    expect(root.calls).toEqual({ kek: 0, dek: 5, mac: 0 })
    expect(same(await keyring.forProcess(deks.map(wrappedOf)), deks)).toBe(true)
    expect(root.calls.dek).toBe(5)
    expect(keyring.stats()).toMatchObject({ wraps: 5, unwraps: 0, dekCache: { hits: 5 } })
  })

  test('open in another instance by a call for each, once', async () => {
    const { keyring, root, open, store } = await setUp()
    const deks = await keyring.forProtect(5)
    const other = await open()
    root.reset()
    store.reads = 0
    const wanted = [...deks, ...deks].map(wrappedOf)
    for (let i = 0; i < 2; i++) {
      expect(same(await other.forProcessEach(wanted), [...deks, ...deks])).toBe(true)
    }
    expect([root.calls, store.reads]).toEqual([{ kek: 0, dek: 5, mac: 0 }, 0])
    expect(other.stats()).toMatchObject({ unwraps: 5, rootKey: { calls: 7 } })
  })

  test('are opened by one call for a thousand cold readers, and one for the KEK', async () => {
    const { keyring, root, open, clock } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const cold = await open()
    clock.pass(3_600_001)
    root.reset()
    const readers = Array.from({ length: 1000 }, () => cold.forProcess([wrappedOf(dek)]))
    expect((await Promise.all(readers)).every(([key]) => key!.equals(dek.key))).toBe(true)
    expect(root.calls).toEqual({ kek: 1, dek: 1, mac: 0 })
  })

  test('are there in the same tick when they are in memory', async () => {
    const { keyring } = await setUp({ kms: { maxRecordsPerDek: 10 } })
    const deks = await keyring.forProtect(2)
    const order: string[] = []
    const reading = keyring.forProcess(deks.map(wrappedOf)).then(() => order.push('keys'))
    const sealing = keyring.forProtect(1).then(() => order.push('dek'))
    const tick = Promise.resolve().then(() => order.push('one microtask'))
    await Promise.all([reading, sealing, tick])
    expect(order).toEqual(['keys', 'dek', 'one microtask'])
  })

  test('go out so many at a time, of all operations together', async () => {
    const { keyring, root, open } = await setUp({ kms: { concurrency: 4 } })
    const both = await Promise.all([keyring.forProtect(30), keyring.forProtect(30)])
    expect(root.most).toBe(4)
    const other = await open()
    root.reset()
    await Promise.all(both.map((deks) => other.forProcess(deks.map(wrappedOf))))
    expect([root.calls.dek, root.most]).toEqual([60, 4])
  })

  test('stay out of the cache for a run that meets each once', async () => {
    const { keyring, root } = await setUp()
    const deks = await keyring.forProtect(3, undefined, false)
    const wanted = [...deks, ...deks].map(wrappedOf)
    const keys = await keyring.forProcessEach(wanted, undefined, false)
    expect(same(keys, [...deks, ...deks])).toBe(true)
    expect(keyring.stats()).toMatchObject({ unwraps: 3, dekCache: { entries: 0 } })
    expect(root.calls.dek).toBe(6)
  })

  test('are unwrapped again after so many uses, if the audit trail is to show them', async () => {
    const { keyring, root, open } = await setUp({ dekCache: { maxUses: 2 } })
    const [dek] = (await keyring.forProtect(1, undefined, false)) as [Dek]
    const other = await open()
    root.reset()
    for (let i = 0; i < 9; i++) await other.forProcess([wrappedOf(dek)])
    expect(root.calls.dek).toBe(3)
  })

  test('work without a cache', async () => {
    const { keyring, root } = await setUp({ dekCache: { entries: 0 } })
    const deks = await keyring.forProtect(3)
    expect(same(await keyring.forProcess(deks.map(wrappedOf)), deks)).toBe(true)
    expect(root.calls.dek).toBe(6)
  })

  test('that do not open are refused with the one opaque error, each in its place', async () => {
    const { keyring, root } = await setUp()
    const [good] = (await keyring.forProtect(1)) as [Dek]
    const bad = { ...wrappedOf(good), wrapped: randomBytes(60) }
    const long = { ...bad, wrapped: randomBytes(4096) }
    const [first, second, third] = await keyring.forProcessEach([bad, wrappedOf(good), long])
    expect(first).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    expect((second as KeyObject).equals(good.key)).toBe(true)
    expect(third).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    await expect(keyring.forProcess([bad])).rejects.toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    expect(root.calls).toEqual({ kek: 0, dek: 4, mac: 0 }) // and the KEK was not doubted for it
  })

  test('of suite 0x01 were never sealed under such a version, and no key is tried', async () => {
    const { keyring, root } = await setUp()
    const wanted = { keyId: 1, suite: 0x01, wrapped: randomBytes(60) } as const
    await expect(keyring.forProcess([wanted])).rejects.toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    expect(root.calls).toEqual({ kek: 0, dek: 0, mac: 0 })
  })

  test('are bound to their key version', async () => {
    const { keyring } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const { to } = await rotate(keyring)
    await expect(
      keyring.forProcess([{ ...wrappedOf(dek), keyId: to.keyId }]),
    ).rejects.toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
  })

  test.each<[string, (made: any) => void]>([
    ['an empty blob', (made) => (made.wrapped = Buffer.alloc(0))],
    ['a blob of 4097 bytes', (made) => (made.wrapped = randomBytes(4097))],
    ['16 bytes', (made) => (made.key = randomBytes(16))],
  ])('are refused when a provider makes %s, and zeroed', async (_, spoil) => {
    const { keyring, root } = await setUp()
    const create = root.create.bind(root)
    const given: Buffer[] = []
    root.create = async (context) => {
      const made = { ...(await create(context)) }
      spoil(made)
      given.push(made.key)
      return made
    }
    await expect(keyring.forProtect(1)).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
    expect(given[0]!.every((byte) => byte === 0)).toBe(true)
  })

  test('of a destroyed version are opened by the root key all the same, without the key store', async () => {
    const { keyring, root } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const [{ rootKeyId, keyId }] = keyring.keys() as [KeyRow]
    await closeKeyring(keyring, new Date(0))
    await destroyKeyring(keyring)
    await expect(keyring.forProcess([wrappedOf(dek)])).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
    })
    const bytes = await root.unwrap(dek.wrapped, rootKeyId, {
      keyring: 'default',
      keyId,
      use: 'dek',
    })
    expect(bytes.equals(dek.key.export())).toBe(true)
  })

  test('stay with their root key when KEKs are re-wrapped, and so does their version', async () => {
    const [former, now] = [randomBytes(32), randomBytes(32)]
    const moved = localRootKey({ key: now }, { former: [{ key: former }] })
    const { keyring, open } = await setUp({ root: localRootKey({ key: former }) })
    const deks = await keyring.forProtect(2)
    await rotate(await open({ wrapping: 'kek' }))
    const after = await open({ root: moved })
    const { rootKeyId: from } = after.keys()[0]!
    const { rootKeyId: to } = await moved.describe()
    expect(await rewrapKeys(after)).toEqual([
      { keyring: 'default', keyId: 1, from, to: from },
      { keyring: 'default', keyId: 2, from, to },
      { keyring: 'default', keyId: 0, from, to },
    ])
    expect(after.keys().map(({ rootKeyId }) => rootKeyId)).toEqual([from, to])
    expect(same(await (await open({ root: moved })).forProcess(deks.map(wrappedOf)), deks)).toBe(
      true,
    )
  })

  test('are not sealed with once another root key is behind the alias, until a rotation', async () => {
    const { keyring, root } = await setUp()
    root.rootKeyId = 'local:0000000000000000'
    await expect(keyring.forProtect(1)).rejects.toMatchObject({
      code: 'ERR_KEY_MISMATCH',
      message: expect.stringContaining('is now local:0000000000000000'),
      fix: expect.stringContaining('npx rowseal rotate'),
    })
  })

  test('may come from a replica of the root key in another region', async () => {
    const { open, root, store } = await setUp()
    const local = (await root.describe()).rootKeyId
    let arn = 'arn:aws:kms:eu-west-1:1:key/mrk-1'
    const regional: RootKey = {
      ...root,
      regionOf: (id) => id.split(':')[3] ?? null,
      create: async (context) => ({ ...(await root.create(context)), rootKeyId: arn }),
      unwrap: (wrapped, _, context) => root.unwrap(wrapped, local, context),
    }
    const keyring = await open({ root: regional, store, name: 'regional' })
    await initKeyring(keyring)
    arn = 'arn:aws:kms:eu-central-1:1:key/mrk-1'
    expect(await keyring.forProtect(1)).toHaveLength(1)
    arn = 'arn:aws:kms:eu-central-1:1:key/mrk-2'
    await expect(keyring.forProtect(1)).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
  })
})

describe('one DEK for several records', () => {
  test('seals maxRecordsPerDek of them, over one operation or many', async () => {
    const { keyring, root } = await setUp({ kms: { maxRecordsPerDek: 4 } })
    const deks = [...(await keyring.forProtect(3)), ...(await keyring.forProtect(6))]
    const names = deks.map(({ wrapped }) => Buffer.from(wrapped).toString('hex'))
    expect(names.map((name) => names.indexOf(name))).toEqual([0, 0, 0, 0, 4, 4, 4, 4, 8])
    expect(root.calls.dek).toBe(3)
    expect(keyring.stats().wraps).toBe(3)
  })

  test('is one call for operations that come at once', async () => {
    const { keyring, root } = await setUp({ kms: { maxRecordsPerDek: 100 } })
    const deks = await Promise.all(Array.from({ length: 100 }, () => keyring.forProtect(1)))
    expect(root.calls.dek).toBe(1)
    expect(new Set(deks.flat()).size).toBe(1)
    await keyring.forProtect(1)
    expect(root.calls.dek).toBe(2)
  })

  test('seals none once it is as old as the cache allows', async () => {
    const { keyring, root, clock } = await setUp({
      kms: { maxRecordsPerDek: 100 },
      dekCache: { maxAgeMs: 5000 },
    })
    await keyring.forProtect(1)
    clock.pass(5000)
    await keyring.forProtect(1)
    expect(root.calls.dek).toBe(1)
    clock.pass(1)
    await keyring.forProtect(1)
    expect(root.calls.dek).toBe(2)
  })

  test('seals none of another key version', async () => {
    const { keyring, root } = await setUp({ kms: { maxRecordsPerDek: 100 } })
    const [before] = (await keyring.forProtect(1)) as [Dek]
    const { to } = await rotate(keyring)
    const [after] = (await keyring.forProtect(1)) as [Dek]
    expect([before.keyId, after.keyId]).toEqual([1, to.keyId])
    expect(root.calls.dek).toBe(2)
  })

  test('that could not be made is not remembered', async () => {
    const { keyring, root } = await setUp({ kms: { maxRecordsPerDek: 100 } })
    root.trouble = OUTAGE
    const calls = await Promise.allSettled([keyring.forProtect(1), keyring.forProtect(1)])
    for (const { reason } of calls as PromiseRejectedResult[]) {
      expect(reason).toMatchObject(UNAVAILABLE)
    }
    expect(root.calls.dek).toBe(1)
    root.trouble = null
    expect(await keyring.forProtect(1)).toHaveLength(1)
  })

  test('seals none once the root key refuses', async () => {
    const { keyring, root, clock } = await setUp({
      kms: { maxRecordsPerDek: 100 },
      kekCache: { maxAgeMs: 1000 },
    })
    await keyring.forProtect(1)
    root.trouble = DENIAL
    clock.pass(751)
    expect(await keyring.forProtect(1)).toHaveLength(1)
    await settled()
    await expect(keyring.forProtect(1)).rejects.toBe(DENIAL)
    root.trouble = null
    root.reset()
    await keyring.forProtect(1)
    expect(root.calls).toEqual({ kek: 1, dek: 1, mac: 0 })
  })
})

describe('while the root key fails', () => {
  test('an outage ends writing at once; DEKs in memory go on opening', async () => {
    const { keyring, root, open } = await setUp()
    const deks = await keyring.forProtect(2)
    root.trouble = OUTAGE
    await expect(keyring.forProtect(1)).rejects.toMatchObject(UNAVAILABLE)
    expect(same(await keyring.forProcess(deks.map(wrappedOf)), deks)).toBe(true)
    root.trouble = null
    const cold = await open()
    root.trouble = OUTAGE
    await expect(cold.forProcessEach(deks.map(wrappedOf))).rejects.toMatchObject(UNAVAILABLE)
    root.trouble = null
    expect(same(await cold.forProcess(deks.map(wrappedOf)), deks)).toBe(true)
  })

  test('an operation on many records ends with the first call that fails', async () => {
    const { keyring, root, open } = await setUp({ kms: { concurrency: 4 } })
    const deks = await keyring.forProtect(100)
    const cold = await open()
    root.reset()
    root.trouble = DENIAL
    await expect(keyring.forProtect(100)).rejects.toBe(DENIAL)
    await settled()
    expect(root.calls.dek).toBe(4)
    await expect(cold.forProcess(deks.map(wrappedOf))).rejects.toBe(DENIAL)
    await settled()
    expect(root.calls.dek).toBe(8)
  })

  test('an operation that ends so does not end others that ask for the same', async () => {
    const { keyring, root, open } = await setUp({ kms: { concurrency: 1 } })
    const [first, known] = (await keyring.forProtect(2)) as [Dek, Dek]
    await rotate(keyring)
    const [second] = (await keyring.forProtect(1)) as [Dek]
    const cold = await open()
    await cold.forProcess([wrappedOf(known)]) // with both KEKs in memory
    let release = (): void => undefined
    const held = new Promise<void>((done) => (release = done))
    const unwrap = root.unwrap.bind(root)
    root.unwrap = async (...args) => {
      const { use, keyId } = args[2]
      if (use === 'dek' && keyId === first.keyId) {
        await held
        throw DENIAL
      }
      return unwrap(...args)
    }
    const both = cold.forProcess([wrappedOf(first), wrappedOf(second)])
    const other = cold.forProcess([wrappedOf(second)])
    await settled()
    release()
    await expect(both).rejects.toBe(DENIAL)
    expect(same(await other, [second])).toBe(true)
  })

  test('a denied DEK has the KEK asked for at once, so that what is in memory stops too', async () => {
    const { keyring, root, open } = await setUp()
    const [a, b] = (await keyring.forProtect(2)) as [Dek, Dek]
    const other = await open()
    await other.forProcess([wrappedOf(a)])
    root.trouble = DENIAL
    await expect(other.forProcess([wrappedOf(b)])).rejects.toBe(DENIAL)
    await settled()
    await expect(other.forProcess([wrappedOf(a)])).rejects.toBe(DENIAL)
    expect(other.stats().dekCache.entries).toBe(0)
  })

  test('a DEK that is made while the KEK is refused seals nothing', async () => {
    const { keyring, root, clock } = await setUp({ kekCache: { maxAgeMs: 1000 } })
    const create = root.create.bind(root)
    root.create = async (context) => {
      const made = await create(context)
      await settled()
      return made
    }
    clock.pass(751)
    const unwrap = root.unwrap.bind(root)
    root.unwrap = async (...args) => {
      if (args[2].use === 'kek') throw DENIAL
      return unwrap(...args)
    }
    await expect(keyring.forProtect(1)).rejects.toBe(DENIAL)
    expect(root.calls.dek).toBe(1)
    expect(keyring.stats().dekCache.entries).toBe(0)
  })

  test('a DEK that arrives after the KEK was refused is neither given out nor kept', async () => {
    const { keyring, root, open, clock } = await setUp({ kekCache: { maxAgeMs: 1000 } })
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const cold = await open()
    let release = (): void => undefined
    const held = new Promise<void>((done) => (release = done))
    const unwrap = root.unwrap.bind(root)
    root.unwrap = async (...args) => {
      if (args[2].use === 'kek') throw DENIAL
      await held
      return unwrap(...args)
    }
    const before = cold.forProcess([wrappedOf(dek)])
    clock.pass(751)
    const readers = Promise.allSettled([before, cold.forProcess([wrappedOf(dek)])])
    await settled()
    release()
    for (const { reason } of (await readers) as PromiseRejectedResult[]) expect(reason).toBe(DENIAL)
    expect(cold.stats().dekCache.entries).toBe(0)
  })
})

describe('a keyring of both kinds', () => {
  test('goes from the one to the other and back, and opens all of it', async () => {
    const { keyring, open, root } = await setUp()
    const versions = [keyring, await open({ wrapping: 'kek' }), await open()]
    const deks = [...(await keyring.forProtect(2))]
    for (const one of versions.slice(1)) {
      await rotate(one)
      deks.push(...(await one.forProtect(2)))
    }
    expect(deks.map(({ suite }) => suite)).toEqual([2, 2, 1, 1, 2, 2])
    expect(versions[2]!.keys().map(({ suite, state }) => [suite, state])).toEqual([
      [2, 'suspended'],
      [1, 'suspended'],
      [2, 'active'],
    ])
    const mixed = [...deks.filter((_, i) => i % 2 === 0), ...deks.filter((_, i) => i % 2 === 1)]
    root.reset()
    const cold = await open()
    expect(same(await cold.forProcess(mixed.map(wrappedOf)), mixed)).toBe(true)
    expect(root.calls).toEqual({ kek: 3, dek: 4, mac: 1 })
  })

  test('follows a version that another instance made, whatever its own option says', async () => {
    const { keyring, open, clock } = await setUp()
    const other = await open({ wrapping: 'kek' })
    const late = await open()
    await rotate(other)
    const deks = await other.forProtect(1)
    expect(same(await late.forProcess(deks.map(wrappedOf)), deks)).toBe(true)
    clock.pass(60_001)
    expect((await keyring.forProtect(1))[0]!.suite).toBe(1)
  })

  test('has index keys that wrap nothing', async () => {
    const { keyring } = await setUp()
    await initIndexKeys(keyring)
    expect(keyring.index.keys().map(({ suite }) => suite)).toEqual([1])
  })

  test.each([
    ['another wrapping', { wrapping: 'hsm' }],
    ['no concurrency', { kms: { concurrency: 0 } }],
    ['no records for a DEK', { kms: { maxRecordsPerDek: 0 } }],
    ['staleness below age', { kekCache: { maxAgeMs: 2000, maxStaleMs: 1999 } }],
    ['no time for calls', { rootCalls: { timeoutMs: 0 } }],
    ['half a use', { dekCache: { maxUses: 0.5 } }],
    ['no bytes', { dekCache: { maxBytes: 0 } }],
  ])('with %s is misuse', async (_, wrong) => {
    await expect(setUp(wrong as Partial<KeyringOptions>)).rejects.toThrow(TypeError)
  })
})
