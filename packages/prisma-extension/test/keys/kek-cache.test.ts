import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { KekCache, type KekCacheLimits } from '../../src/keys/memory/kek-cache.ts'
import { createKek } from '../../src/keys/memory/kek.ts'
import type { KeyRow } from '../../src/keys/types.ts'
import { DENIAL, OUTAGE, troubledRoot } from './roots.ts'
import { rowOf, testClock } from './support.ts'

const UNAVAILABLE = { code: 'ERR_KEY_UNAVAILABLE', retryable: true }

/** A cache whose KEKs are served for 1000 ms, and through an outage for 5000 ms. */
async function setUp(limits: Partial<KekCacheLimits> = {}) {
  const root = troubledRoot()
  const clock = testClock()
  const denied: number[] = []
  const cache = new KekCache({
    root,
    limits: { entries: 10, maxAgeMs: 1000, maxStaleMs: 5000, ...limits },
    clock,
    onDenied: (keyId) => void denied.push(keyId),
  })
  const rowFor = async (keyId: number): Promise<KeyRow> => ({
    ...rowOf(keyId),
    ...(await createKek(root, { keyring: 'default', keyId, use: 'kek' })),
  })
  const row = await rowFor(7)
  root.reset()
  return { root, clock, denied, cache, rowFor, row }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn()
}

describe('the KEK cache', () => {
  test('counts what it gave out, and what it asked the root key', async () => {
    const { cache, row } = await setUp()
    expect([cache.get(row), cache.size, cache.hits]).toEqual([undefined, 0, 0])
    const kek = await cache.load(row)
    expect([kek.keyId, cache.size, cache.hits, cache.rootKeyCalls]).toEqual([7, 1, 0, 1])
    expect(await cache.load(row)).toBe(kek)
    expect(cache.get(row)).toBe(kek)
    expect([cache.hits, cache.rootKeyCalls]).toEqual([2, 1])
  })

  test('asks once for all who come at once', async () => {
    const { cache, root, row } = await setUp()
    const [one, two] = await Promise.all([cache.load(row), cache.load(row)])
    expect(one).toBe(two)
    expect([root.calls.kek, cache.rootKeyCalls]).toEqual([1, 1])
  })

  test('serves at the very end of its time, and a denial ends that', async () => {
    const { cache, root, clock, denied, row } = await setUp()
    await cache.load(row)
    root.trouble = DENIAL
    clock.pass(1000)
    expect(cache.get(row)?.keyId).toBe(7)
    await settled()
    expect([cache.get(row), cache.size, denied]).toEqual([undefined, 0, [7]])
  })

  test('serves a KEK unwrapped exactly maxStaleMs ago, if the root key gives no answer', async () => {
    const { cache, root, clock, denied, row } = await setUp()
    await cache.load(row)
    root.trouble = OUTAGE
    clock.pass(5000)
    expect((await cache.load(row)).keyId).toBe(7)
    expect(cache.get(row)?.keyId).toBe(7)
    clock.pass(1)
    await expect(cache.load(row)).rejects.toMatchObject(UNAVAILABLE)
    expect([cache.size, denied]).toEqual([0, []])
  })

  test('believes an outage for maxAgeMs, no longer', async () => {
    const { cache, root, clock, row } = await setUp()
    await cache.load(row)
    root.trouble = OUTAGE
    clock.pass(1001)
    await cache.load(row)
    root.hold = new Promise(() => undefined)
    clock.pass(1000)
    expect(cache.get(row)?.keyId).toBe(7)
    clock.pass(1)
    expect(cache.get(row)).toBeUndefined()
  })

  test('tries again after five seconds, however long a KEK may be served', async () => {
    const { cache, root, clock, row } = await setUp({ maxAgeMs: 100_000, maxStaleMs: 200_000 })
    await cache.load(row)
    root.trouble = OUTAGE
    clock.pass(100_001)
    await cache.load(row)
    clock.pass(5000)
    cache.get(row)
    expect(root.calls.kek).toBe(2)
    clock.pass(1)
    cache.get(row)
    expect(root.calls.kek).toBe(3)
    await settled()
  })

  test('keeps nothing of a load that failed, and tells a denial from an outage', async () => {
    const { cache, root, denied, row } = await setUp()
    root.trouble = OUTAGE
    await expect(cache.load(row)).rejects.toMatchObject(UNAVAILABLE)
    expect([cache.size, denied]).toEqual([0, []])
    root.trouble = DENIAL
    await expect(cache.load(row)).rejects.toBe(DENIAL)
    expect([cache.size, denied]).toEqual([0, [7]])
    root.trouble = null
    expect((await cache.load(row)).keyId).toBe(7)
  })

  test('rechecks what it holds, and only that', async () => {
    const { cache, root, denied, row } = await setUp()
    cache.recheck(row)
    expect(root.calls.kek).toBe(0)
    await cache.load(row)
    root.trouble = DENIAL
    cache.recheck(row)
    await settled()
    expect([root.calls.kek, cache.size, denied]).toEqual([2, 0, [7]])
  })

  test('lets go of what is past its time, of one key, of the least used, and of all', async () => {
    const { cache, clock, row, rowFor } = await setUp({ entries: 2 })
    await cache.load(row)
    clock.pass(5000)
    const other = await rowFor(8)
    await cache.load(other)
    cache.purge()
    expect(cache.size).toBe(2)
    clock.pass(1)
    cache.purge()
    expect([cache.size, cache.get(row)]).toEqual([1, undefined])
    expect([cache.drop(7), cache.drop(8), cache.size]).toEqual([false, true, 0])
    for (const one of [row, other, await rowFor(9)]) await cache.load(one)
    expect([cache.size, cache.get(row)]).toEqual([2, undefined])
    cache.clear()
    expect([cache.size, cache.get(other)]).toEqual([0, undefined])
  })
})
