import { randomBytes, randomInt } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { DekCache, nameOf, type DekCacheLimits } from '../../src/keys/memory/dek-cache.ts'
import { testClock } from './support.ts'

const newCache = (limits: Partial<DekCacheLimits>, clock = testClock()): DekCache =>
  new DekCache(
    { entries: 1000, maxAgeMs: 1000, maxUses: Infinity, maxBytes: 1e9, ...limits },
    clock,
  )

describe('the DEK cache', () => {
  test('never gives out another key than the one kept, however much comes and goes', () => {
    const clock = testClock()
    const cache = newCache({ entries: 50, maxAgeMs: 100 }, clock)
    const truth = new Map<string, Buffer>()
    let [hits, wrong, most] = [0, 0, 0]
    for (let i = 0; i < 20_000; i++) {
      const name = `name ${randomInt(200)}`
      if (randomInt(3) === 0) {
        const dek = truth.get(name) ?? randomBytes(32)
        truth.set(name, dek)
        cache.set(name, dek)
      } else {
        const key = cache.get(name)
        if (key !== undefined) {
          hits++
          if (!key.export().equals(truth.get(name)!)) wrong++
        }
      }
      if (randomInt(100) === 0) clock.pass(randomInt(60))
      most = Math.max(most, cache.size)
    }
    expect([wrong, most]).toEqual([0, 50])
    expect(hits).toBeGreaterThan(100)
    expect(cache.hits).toBe(hits)
  })

  test('holds more keys than one page has', () => {
    const cache = newCache({ entries: 3000, maxAgeMs: 1000 }, testClock())
    const deks = Array.from({ length: 3000 }, () => randomBytes(32))
    for (const [i, dek] of deks.entries()) cache.set(`${i}`, dek)
    expect(deks.filter((dek, i) => !cache.get(`${i}`)!.export().equals(dek))).toEqual([])
  })

  test('gives out the right key again, for more keys than it keeps ready', () => {
    const cache = newCache({ entries: 6000, maxAgeMs: 1000 }, testClock())
    const deks = Array.from({ length: 6000 }, () => randomBytes(32))
    for (const [i, dek] of deks.entries()) cache.set(`${i}`, dek)
    for (let round = 0; round < 2; round++) {
      expect(deks.filter((dek, i) => !cache.get(`${i}`)!.export().equals(dek))).toEqual([])
    }
    const latest = cache.get('5999')
    expect(cache.get('5999')).toBe(latest)
    const ready = deks.map((_, i) => cache.get(`${i}`)!) // the last 4096 are kept as they are
    expect(cache.get('1904')).toBe(ready[1904])
    expect(cache.get('1903')).not.toBe(ready[1903])
    expect(cache.get('1905')).toBe(ready[1905])
  })

  test('keeps the latest ready, from the first on', () => {
    const cache = newCache({ entries: 10 }, testClock())
    for (let i = 0; i < 10; i++) cache.set(`${i}`, randomBytes(32))
    const keys = Array.from({ length: 10 }, (_, i) => cache.get(`${i}`))
    for (const [i, key] of keys.entries()) expect(cache.get(`${i}`)).toBe(key)
  })

  test('keeps a copy', () => {
    const cache = newCache({ entries: 1, maxAgeMs: 1000 }, testClock())
    const dek = randomBytes(32)
    const before = Buffer.from(dek)
    cache.set('a', dek)
    dek.fill(0)
    expect(cache.get('a')!.export()).toEqual(before)
  })

  test('gives one out maxUses times, then not before it is put in again', () => {
    const cache = newCache({ maxUses: 3 })
    const dek = randomBytes(32)
    for (let round = 0; round < 2; round++) {
      cache.set('a', dek)
      expect(cache.get('a')!.export()).toEqual(dek)
      cache.set('a', dek) // changes nothing
      for (let use = 1; use < 3; use++) expect(cache.get('a')!.export()).toEqual(dek)
      expect([cache.get('a'), cache.size]).toEqual([undefined, 0])
    }
    expect(cache.hits).toBe(6)
  })

  test('counts the bytes of keys and names, and holds no more of them than maxBytes', () => {
    const pages = vi.spyOn(Buffer, 'alloc')
    const cache = newCache({ maxBytes: 10_000 })
    for (let i = 0; i < 100; i++) cache.set(`${i}`.padStart(1000), randomBytes(32))
    expect(cache.size).toBe(Math.floor(10_000 / (1000 + 32 + 160)))
    const large = randomBytes(32)
    for (const length of [10_000, 10_000 - 32 - 160 + 1]) {
      cache.set('b'.repeat(length), large)
      expect(cache.get('b'.repeat(length))).toBeUndefined()
    }
    expect((pages.mock.results[0]!.value as Buffer).includes(large)).toBe(false)
    expect(pages).toHaveBeenCalledTimes(1)
    pages.mockRestore()
    cache.set('c'.repeat(10_000 - 32 - 160), large)
    expect([cache.get('c'.repeat(10_000 - 32 - 160)) !== undefined, cache.size]).toEqual([true, 1])
    for (let i = 0; i < 2000; i++) cache.set(`${i}`, randomBytes(32))
    expect(cache.get('1999')).toBeDefined()
    expect(cache.size).toBeGreaterThan(45)
  })

  test('zeroes a key that leaves: by number, by age, by uses, or with its key id', () => {
    const pages = vi.spyOn(Buffer, 'alloc')
    const clock = testClock()
    const cache = newCache({ entries: 4, maxUses: 1 }, clock)
    const deks = Array.from({ length: 6 }, () => randomBytes(32))
    for (const [i, dek] of deks.entries()) cache.set(`${i % 2}.${i}`, dek)
    const page = pages.mock.results[0]!.value as Buffer
    pages.mockRestore()
    const there = (): number[] => [0, 1, 2, 3, 4, 5].filter((i) => page.includes(deks[i]!))
    expect(there()).toEqual([2, 3, 4, 5])
    cache.get('1.3')
    cache.get('1.3')
    expect(there()).toEqual([2, 4, 5])
    cache.drop(1)
    expect(there()).toEqual([2, 4])
    clock.pass(1001)
    cache.get('0.2')
    expect(there()).toEqual([4])
    cache.drop(0)
    expect(page.every((byte) => byte === 0)).toBe(true)
    cache.set('0.6', deks[0]!)
    expect(there()).toEqual([0])
    cache.clear()
    expect([page.every((byte) => byte === 0), cache.size]).toEqual([true, 0])
  })

  test('drops what is under a key id, and nothing else', () => {
    const cache = newCache({})
    const under = (keyId: number): string =>
      nameOf({ keyId, suite: 1, wrapped: Buffer.from('11.1.') })
    for (const keyId of [1, 11, 111]) cache.set(under(keyId), randomBytes(32))
    cache.drop(11)
    expect([1, 11, 111].map((keyId) => cache.get(under(keyId)) !== undefined)).toEqual([
      true,
      false,
      true,
    ])
  })

  test('of no entries keeps nothing', () => {
    const cache = newCache({ entries: 0, maxAgeMs: 1000 }, testClock())
    cache.set('a', randomBytes(32))
    expect(cache.get('a')).toBeUndefined()
    expect(cache.size).toBe(0)
    cache.drop(1)
    cache.clear()
    expect(cache.hits).toBe(0)
  })
})

describe('the name of a wrapped DEK', () => {
  const wrapped = randomBytes(60)
  const name = nameOf({ keyId: 12, suite: 1, wrapped })

  test('is another one for another key id, suite or byte', () => {
    const last = Uint8Array.from(wrapped)
    last[59]! ^= 0x80
    const others = [
      nameOf({ keyId: 1, suite: 2, wrapped }),
      nameOf({ keyId: 12, suite: 2, wrapped }),
      nameOf({ keyId: 12, suite: 1, wrapped: last }),
      nameOf({ keyId: 12, suite: 1, wrapped: wrapped.subarray(0, 59) }),
    ]
    expect(new Set([name, ...others]).size).toBe(5)
  })

  test('tells bytes apart that are no text', () => {
    const named = [0xfe, 0xff].map((byte) =>
      nameOf({ keyId: 1, suite: 2, wrapped: Buffer.of(byte) }),
    )
    expect(named[0]).not.toBe(named[1])
  })

  test('is the same for a view and for a plain Uint8Array', () => {
    const larger = Buffer.concat([Buffer.alloc(3), wrapped, Buffer.alloc(3)])
    expect(nameOf({ keyId: 12, suite: 1, wrapped: larger.subarray(3, 63) })).toBe(name)
    expect(nameOf({ keyId: 12, suite: 1, wrapped: Uint8Array.from(wrapped) })).toBe(name)
  })
})
