import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  initIndexKeys,
  initKeyring,
  registerIndex,
  rotate,
  type IndexView,
  type Keyring,
  type KeyringOptions,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek, WrappedDek } from '../../src/keys/types.ts'
import { openKeyring } from './open.ts'
import { DENIAL, OUTAGE, troubledRoot } from './roots.ts'
import { testClock } from './support.ts'

const AGES = { maxAgeMs: 1000, maxStaleMs: 5000 }
const UNAVAILABLE = { code: 'ERR_KEY_UNAVAILABLE', retryable: true }
const DENIED = { code: 'ERR_ROOT_KEY_DISABLED', retryable: false }
const wrappedOf = ({ keyId, suite, wrapped }: Dek): WrappedDek => ({ keyId, suite, wrapped })

/** A keyring whose KEK is as old as the clock says, and one DEK under it. */
async function setUp(options: Partial<KeyringOptions> = {}) {
  const store = memoryKeyStore()
  const root = troubledRoot()
  const clock = testClock()
  const rootCalls = { maxOutages: 1000 } // the circuit breaker has tests of its own
  const open = (): Promise<Keyring> =>
    openKeyring({ root, store, clock, kekCache: AGES, rootCalls, ...options })
  const maker = await open()
  await initKeyring(maker)
  const [dek] = (await maker.forProtect(1)) as [Dek]
  const keyring = await open()
  const read = async (): Promise<boolean> => {
    const [key] = await keyring.forProcess([wrappedOf(dek)])
    return key!.equals(dek.key)
  }
  root.reset()
  return { store, root, clock, keyring, read, open, maker }
}

/** Until what runs in the background is over. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn()
}

describe('a KEK in use', () => {
  test('is not asked for again in the first three quarters of its time', async () => {
    const { root, clock, read } = await setUp()
    clock.pass(750)
    expect(await read()).toBe(true)
    await settled()
    expect(root.calls.kek).toBe(0)
  })

  test('is unwrapped again in the background before its time is over, and nobody waits', async () => {
    const { root, clock, read } = await setUp()
    let release = (): void => undefined
    root.hold = new Promise<void>((done) => (release = done))
    clock.pass(751)
    for (let i = 0; i < 10; i++) expect(await read()).toBe(true)
    expect(root.calls.kek).toBe(1)
    release()
    await settled()
    clock.pass(750)
    expect(await read()).toBe(true)
    expect(root.calls.kek).toBe(1)
  })

  test('counts from when its unwrap began, not from when it ended', async () => {
    const { root, clock, read } = await setUp()
    let release = (): void => undefined
    root.hold = new Promise<void>((done) => (release = done))
    clock.pass(751)
    await read()
    clock.pass(1001)
    root.hold = null
    release()
    await settled()
    root.trouble = DENIAL
    await expect(read()).rejects.toMatchObject(DENIED)
  })

  test.each(['wall', 'monotonic'] as const)('ages by the %s clock', async (which) => {
    const { root, clock, read } = await setUp()
    clock.now[which] += 1001
    root.trouble = DENIAL
    await expect(read()).rejects.toMatchObject(DENIED)
  })
})

describe('a thousand cold readers at once', () => {
  test('make one call of the root key', async () => {
    const { root, clock, keyring, read } = await setUp({ dekCache: { entries: 0 } })
    clock.pass(5001)
    const readers = await Promise.all(Array.from({ length: 1000 }, read))
    expect(readers.every(Boolean)).toBe(true)
    expect(root.calls).toEqual({ kek: 1, dek: 0, mac: 0 })
    expect(keyring.stats()).toMatchObject({ rootKey: { calls: 3 }, unwraps: 1000 })
  })

  test('make one call that fails, all with its error, and one when they come again', async () => {
    const { root, clock, read } = await setUp()
    clock.pass(5001)
    root.trouble = OUTAGE
    const failed = await Promise.allSettled(Array.from({ length: 1000 }, read))
    for (const { reason } of failed as PromiseRejectedResult[]) {
      expect(reason).toMatchObject(UNAVAILABLE)
    }
    expect(root.calls.kek).toBe(1)
    root.trouble = null
    await Promise.all(Array.from({ length: 1000 }, read))
    expect(root.calls.kek).toBe(2)
  })
})

describe('while the root key gives no answer', () => {
  test('a KEK serves for maxStaleMs, then reads and writes fail with a retryable error, and recover by themselves', async () => {
    const { root, clock, keyring, read } = await setUp()
    root.trouble = OUTAGE
    for (let age = 0; age + 100 <= 5000; age += 100) {
      clock.pass(100)
      expect(await read()).toBe(true)
      expect(await keyring.forProtect(1)).toHaveLength(1)
      await settled()
    }
    clock.pass(1)
    await expect(read()).rejects.toMatchObject(UNAVAILABLE)
    await expect(keyring.forProtect(1)).rejects.toMatchObject(UNAVAILABLE)
    root.trouble = null
    expect(await read()).toBe(true)
    expect(await keyring.forProtect(1)).toHaveLength(1)
  })

  test('the first use past maxAgeMs waits for a reload, further ones do not', async () => {
    const { root, clock, read } = await setUp()
    root.trouble = OUTAGE
    let release = (): void => undefined
    root.hold = new Promise<void>((done) => (release = done))
    clock.pass(1001)
    let isRead = false
    const first = read().then(() => (isRead = true))
    await settled()
    expect(isRead).toBe(false)
    release()
    await first
    root.hold = new Promise(() => undefined)
    clock.pass(251)
    expect(await read()).toBe(true)
    expect(root.calls.kek).toBe(2)
  })

  test('it is asked again once in a quarter of maxAgeMs, not at each use', async () => {
    const { root, clock, read } = await setUp()
    root.trouble = OUTAGE
    clock.pass(1001)
    for (let i = 0; i < 20; i++) {
      await read()
      await settled()
    }
    expect(root.calls.kek).toBe(1)
    clock.pass(250)
    await read()
    expect(root.calls.kek).toBe(1)
    clock.pass(1)
    await read()
    expect(root.calls.kek).toBe(2)
  })

  test('an outage seen more than maxAgeMs ago counts no more: the next use waits and is told', async () => {
    const { root, clock, read } = await setUp()
    root.trouble = OUTAGE
    clock.pass(1001)
    expect(await read()).toBe(true)
    root.trouble = DENIAL
    clock.pass(1001)
    await expect(read()).rejects.toMatchObject(DENIED)
  })

  test('keys of this process alone go on: another one cannot start', async () => {
    const { root, open } = await setUp()
    root.trouble = OUTAGE
    await expect(open()).rejects.toMatchObject(UNAVAILABLE)
  })
})

describe('when the root key refuses', () => {
  test('what is held serves until the next refresh, then nothing does, DEKs in memory included', async () => {
    const { root, clock, keyring, read } = await setUp()
    expect(await read()).toBe(true)
    root.trouble = DENIAL
    clock.pass(750)
    expect(await read()).toBe(true)
    clock.pass(1)
    expect(await read()).toBe(true)
    await settled()
    expect(keyring.stats()).toMatchObject({ dekCache: { entries: 0 }, kekCache: { entries: 0 } })
    await expect(read()).rejects.toMatchObject(DENIED)
    await expect(keyring.forProtect(1)).rejects.toMatchObject(DENIED)
    expect(keyring.stats().rootKey).toMatchObject({ lastError: 'ERR_ROOT_KEY_DISABLED' })
  })

  test('an outage before does not soften it', async () => {
    const { root, clock, read } = await setUp()
    root.trouble = OUTAGE
    clock.pass(1001)
    expect(await read()).toBe(true)
    root.trouble = DENIAL
    clock.pass(251)
    await read()
    await settled()
    await expect(read()).rejects.toMatchObject(DENIED)
  })

  test('an outage after it does not bring the KEK back', async () => {
    const { root, clock, read } = await setUp()
    root.trouble = DENIAL
    clock.pass(1001)
    await expect(read()).rejects.toMatchObject(DENIED)
    root.trouble = OUTAGE
    await expect(read()).rejects.toMatchObject(UNAVAILABLE)
  })

  test('it is not remembered: once it allows again, reads go on', async () => {
    const { root, clock, read } = await setUp()
    root.trouble = DENIAL
    clock.pass(1001)
    await expect(read()).rejects.toMatchObject(DENIED)
    root.trouble = null
    expect(await read()).toBe(true)
  })

  test('versions it did not refuse go on', async () => {
    const { root, clock, keyring, read, maker } = await setUp()
    await rotate(maker)
    await keyring.refresh()
    const [fresh] = (await keyring.forProtect(1)) as [Dek]
    clock.pass(500)
    expect(await read()).toBe(true)
    root.trouble = DENIAL
    clock.pass(300)
    expect(await read()).toBe(true)
    await settled()
    await expect(read()).rejects.toMatchObject(DENIED)
    expect(await keyring.forProcess([wrappedOf(fresh)])).toHaveLength(1)
  })
})

describe('a DEK in memory', () => {
  test('is given out only while its KEK may be used', async () => {
    const { root, clock, read } = await setUp()
    expect(await read()).toBe(true)
    clock.pass(5001)
    root.trouble = OUTAGE
    await expect(read()).rejects.toMatchObject(UNAVAILABLE)
    root.trouble = null
    expect(await read()).toBe(true)
  })
})

describe('index keys', () => {
  async function indexed() {
    const set = await setUp()
    await initIndexKeys(set.maker)
    const id = 'User.emailIndex'
    await registerIndex(set.maker, { id, normalize: [], isUnique: false, complete: true })
    const view = async (): Promise<IndexView> => set.keyring.index.view()
    await view()
    set.root.reset()
    return { ...set, view, id }
  }

  test('outlive an outage as KEKs do, and no longer', async () => {
    const { root, clock, view, id } = await indexed()
    root.trouble = OUTAGE
    for (let age = 0; age < 5000; age += 100) {
      clock.pass(100)
      expect((await view()).key(id, 2).keyId).toBe(2)
      await settled()
    }
    clock.pass(1)
    await expect(view()).rejects.toMatchObject(UNAVAILABLE)
    root.trouble = null
    expect((await view()).isFresh()).toBe(true)
  })

  test('end with a denial, and so does every view of them', async () => {
    const { root, clock, view } = await indexed()
    root.trouble = DENIAL
    clock.pass(751)
    const last = await view()
    expect(last.isFresh()).toBe(true)
    await settled()
    expect(last.isFresh()).toBe(false)
    await expect(view()).rejects.toMatchObject(DENIED)
    root.trouble = null
    const again = await view()
    expect([again.isFresh(), again === last]).toEqual([true, false])
  })
})
