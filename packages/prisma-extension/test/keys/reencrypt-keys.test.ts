import { randomBytes, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { KeyError } from '../../src/errors.ts'
import {
  closeKeyring,
  compromiseKey,
  destroyKey,
  initKeyring,
  rotate,
  scheduleDestruction,
  type Keyring,
} from '../../src/keys/index.ts'
import { unwrapDek, type Kek } from '../../src/keys/memory/dek-wrap.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek, KeyStore, WrappedDek } from '../../src/keys/types.ts'
import { openKeyring } from './open.ts'
import { ringPlace, wrappedOf } from './rings.ts'
import { newRoot, testClock, watchedStore } from './support.ts'

// Key 1 is the first KEK of each keyring, key 2 its index key.

const usesOf = async (store: KeyStore, keyId: number): Promise<number> =>
  (await store.read('default'))!.keys.find((row) => row.keyId === keyId)!.uses
const unknown = (keyId: number): WrappedDek => ({ keyId, suite: 1, wrapped: randomBytes(60) })

describe('the keys that re-encryption takes', () => {
  test('are the KEKs to open with and the active one, with a use for each record', async () => {
    const { keyring, reopen, store } = await ringPlace()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    await rotate(keyring)
    for (const instance of [keyring, await reopen()]) {
      const { wraps, unwraps } = instance.stats()
      const { opening, sealing } = (await instance.forReencrypt(new Set([1]), 2000))!
      expect([opening.size, sealing.keyId]).toEqual([1, 3])
      expect(unwrapDek(opening.get(1) as Kek, dek.wrapped).equals(dek.key)).toBe(true)
      expect(instance.stats()).toMatchObject({ wraps: wraps + 2000, unwraps: unwraps + 2000 })
    }
    expect(await usesOf(store, 3)).toBeGreaterThanOrEqual(4000)
  })

  test('of a version that another instance made are looked up', async () => {
    const { keyring, reopen } = await ringPlace()
    const late = await reopen()
    await rotate(keyring)
    const { opening } = (await late.forReencrypt(new Set([3, 1]), 1))!
    expect([...opening.keys()].sort()).toEqual([1, 3])
  })

  test('of a version that is known are read from no store', async () => {
    const store = watchedStore(memoryKeyStore())
    const kekCache = { maxAgeMs: 1000, maxStaleMs: 1000 }
    const { keyring, clock } = await ringPlace({ store, kekCache })
    clock.pass(1001)
    store.reads = 0
    expect((await keyring.forReencrypt(new Set([1]), 1))!.opening.size).toBe(1)
    expect(store.reads).toBe(0)
  })

  test('are none where a root key wraps the DEKs, on either side', async () => {
    const { keyring, reopen } = await ringPlace({ wrapping: 'kms' })
    const kek = await reopen({ wrapping: 'kek' })
    await rotate(kek)
    const before = kek.stats()
    expect(await kek.forReencrypt(new Set([1]), 1)).toBeNull()
    expect(kek.stats()).toMatchObject({ wraps: before.wraps, unwraps: before.unwraps })
    await rotate(keyring)
    const { wraps } = keyring.stats()
    expect(await keyring.forReencrypt(new Set([3]), 1)).toBeNull()
    expect(keyring.stats().wraps).toBe(wraps)
  })

  test('have in their place why a value is not opened', async () => {
    const { keyring } = await ringPlace()
    await rotate(keyring)
    await compromiseKey(keyring, 1)
    await scheduleDestruction(keyring, 1, new Date(0))
    const ending = await keyring.forReencrypt(new Set([1, 99]), 1)
    expect(ending!.opening.get(1)).toMatchObject({
      code: 'ERR_KEY_STATE',
      fix: expect.stringContaining('keys destroy 1 --cancel` before 1970-01-01'),
    })
    expect(ending!.opening.get(99)).toMatchObject({ code: 'ERR_KEY_UNKNOWN' })
    await destroyKey(keyring, 1)
    const gone = await keyring.forReencrypt(new Set([1]), 1)
    expect(gone!.opening.get(1)).toMatchObject({
      code: 'ERR_KEY_STATE',
      message: expect.stringContaining('Key 1 of keyring "default" is destroyed'),
      fix: expect.stringContaining('Restore the value'),
    })
  })

  test('are refused by a closed keyring', async () => {
    const { keyring } = await ringPlace()
    await closeKeyring(keyring)
    await expect(keyring.forReencrypt(new Set([1]), 1)).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: expect.stringContaining('is closed'),
    })
  })
})

describe('sealing while the keyring changes', () => {
  /** A keyring whose active version is rotated away whenever it reserves uses, so many times. */
  async function restless(times: number) {
    const { keyring, reopen, store } = await ringPlace()
    const other = await reopen()
    const reserve = store.reserve.bind(store)
    const reserved: number[] = []
    store.reserve = async (keyId, ...rest) => {
      reserved.push(keyId)
      if (reserved.length <= times) {
        await rotate(other)
        await keyring.refresh()
      }
      return reserve(keyId, ...rest)
    }
    return { keyring, reserved }
  }

  test('takes the version that is active in the end', async () => {
    for (const seal of [
      async (keyring: Keyring) => (await keyring.forProtect(1))[0]!.keyId,
      async (keyring: Keyring) => (await keyring.forReencrypt(new Set(), 1))!.sealing.keyId,
    ]) {
      const { keyring, reserved } = await restless(2)
      expect(await seal(keyring)).toBe(4)
      expect(reserved).toEqual([1, 3, 4])
    }
  })

  test('gives up after three, and says that it may be tried again', async () => {
    const { keyring, reserved } = await restless(3)
    await expect(keyring.forProtect(1)).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      message: expect.stringContaining('changed while it was read'),
      retryable: true,
    })
    expect(reserved).toEqual([1, 3, 4])
    expect((await keyring.forProtect(1))[0]!.keyId).toBe(5)
  })

  test('reads again where reserving took longer than what was read may be believed', async () => {
    const { keyring, store, clock } = await ringPlace()
    const reserve = store.reserve.bind(store)
    store.reserve = (...args) => {
      clock.pass(60_001)
      return reserve(...args)
    }
    const reads = keyring.stats().storeReads
    expect(await keyring.forProtect(1)).toHaveLength(1)
    expect(keyring.stats().storeReads).toBe(reads + 1)
  })

  test('of a million records reaches the store, of one more it does not', async () => {
    const { keyring, store } = await ringPlace()
    await store.reserve(1, 2 ** 32 - 10, 2 ** 32)
    await expect(keyring.forProtect(1_000_000)).rejects.toMatchObject({ code: 'ERR_KEY_EXHAUSTED' })
    await expect(keyring.forProtect(1_000_001)).rejects.toThrow(TypeError)
  })
})

describe('key ids that a keyring does not have', () => {
  async function setUp() {
    const store = watchedStore(memoryKeyStore())
    const [root, clock] = [newRoot(), testClock()]
    const asked: number[] = []
    const keyringOf = store.keyringOf.bind(store)
    store.keyringOf = (keyId, via) => {
      asked.push(keyId)
      return keyringOf(keyId, via)
    }
    const open = async (name: string): Promise<Keyring> => {
      const keyring = await openKeyring({ root, store, clock, name })
      await initKeyring(keyring)
      return keyring
    }
    return { store, root, clock, asked, open, keyring: await open('default') }
  }

  test('are asked for by the eight, in one call', async () => {
    const { keyring, asked } = await setUp()
    const keys = await keyring.forProcessEach(Array.from({ length: 10 }, (_, i) => unknown(90 + i)))
    expect(asked).toEqual([90, 91, 92, 93, 94, 95, 96, 97])
    for (const key of keys)
      expect(key).toMatchObject({
        code: 'ERR_KEY_UNKNOWN',
        retryable: false,
        fix: expect.stringContaining('restore keyring "default"'),
      })
    await expect(keyring.forProcess([unknown(90)])).rejects.toMatchObject({
      code: 'ERR_KEY_UNKNOWN',
      retryable: true,
      fix: expect.stringContaining('less than a second ago'),
    })
  })

  test('are asked for again after a second, however often they were in between', async () => {
    const { keyring, clock } = await setUp()
    const isFinal = async (): Promise<boolean> => {
      const [error] = await keyring.forProcessEach([unknown(99)])
      return !(error as KeyError).retryable
    }
    const final = [await isFinal()]
    for (const ms of [600, 401, 1]) {
      clock.pass(ms)
      final.push(await isFinal())
    }
    expect(final).toEqual([true, false, true, false])
  })

  test('that another instance made meanwhile have no owner to be asked for', async () => {
    const { store, root, clock, keyring, asked } = await setUp()
    const other = await openKeyring({ root, store, clock })
    await rotate(other)
    const [third] = (await other.forProtect(1)) as [Dek]
    await rotate(other)
    await compromiseKey(other, third.keyId)
    await scheduleDestruction(other, third.keyId, new Date(0))
    await destroyKey(other, third.keyId)
    const [fresh] = (await other.forProtect(1)) as [Dek]
    const [gone, found] = await keyring.forProcessEach([third, fresh].map(wrappedOf))
    expect(gone).toMatchObject({ code: 'ERR_KEY_STATE' })
    expect((found as KeyObject).equals(fresh.key)).toBe(true)
    expect(asked).toEqual([])
  })

  test('may be of a version that was made after it was read: that is tried again', async () => {
    const { keyring, store, asked } = await setUp()
    store.keyringOf = (keyId) => {
      asked.push(keyId)
      return Promise.resolve('default')
    }
    await expect(keyring.forProcess([unknown(99)])).rejects.toMatchObject({
      code: 'ERR_KEY_UNKNOWN',
      retryable: true,
    })
    expect(asked).toEqual([99])
  })

  test("are another tenant's, or of another kind of keyring", async () => {
    const { keyring, open } = await setUp()
    const [acme, bolt] = [await open('tenant/acme'), await open('tenant/bolt')]
    const [dek] = (await acme.forProtect(1)) as [Dek]
    const refusal = (code: string): object => ({
      code,
      fix: expect.stringContaining('through keyring "tenant/acme"'),
    })
    await expect(bolt.forProcess([dek])).rejects.toMatchObject(refusal('ERR_TENANT'))
    await expect(keyring.forProcess([dek])).rejects.toMatchObject(refusal('ERR_KEY_STATE'))
    const [own] = (await keyring.forProtect(1)) as [Dek]
    await expect(acme.forProcess([own])).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
  })

  test('leave the others of the call alone', async () => {
    const { keyring } = await setUp()
    const [dek] = (await keyring.forProtect(1)) as [Dek]
    const [first, second] = await keyring.forProcessEach([unknown(99), wrappedOf(dek)])
    expect(first).toMatchObject({ code: 'ERR_KEY_UNKNOWN' })
    expect((second as KeyObject).equals(dek.key)).toBe(true)
  })
})
