import { createSecretKey, randomBytes, randomInt } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DekCache, nameOf, type DekCacheLimits } from '../../src/keys/dek-cache.ts'
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
    let hits = 0
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
          expect(key.equals(createSecretKey(truth.get(name)!))).toBe(true)
        }
      }
      if (randomInt(100) === 0) clock.pass(randomInt(60))
      expect(cache.size).toBeLessThanOrEqual(50)
    }
    expect(hits).toBeGreaterThan(100)
    expect(cache.hits).toBe(hits)
  })

  test('holds more keys than one page has', () => {
    const cache = newCache({ entries: 3000, maxAgeMs: 1000 }, testClock())
    const deks = Array.from({ length: 3000 }, () => randomBytes(32))
    for (const [i, dek] of deks.entries()) cache.set(`${i}`, dek)
    for (const [i, dek] of deks.entries()) {
      expect(cache.get(`${i}`)!.export().equals(dek)).toBe(true)
    }
  })

  test('gives out the right key again, for more keys than it keeps ready', () => {
    const cache = newCache({ entries: 6000, maxAgeMs: 1000 }, testClock())
    const deks = Array.from({ length: 6000 }, () => randomBytes(32))
    for (const [i, dek] of deks.entries()) cache.set(`${i}`, dek)
    for (let round = 0; round < 2; round++) {
      for (const [i, dek] of deks.entries()) {
        expect(cache.get(`${i}`)!.export().equals(dek)).toBe(true)
      }
    }
    expect(cache.get('5999')).toBe(cache.get('5999'))
  })

  test('keeps a copy', () => {
    const cache = newCache({ entries: 1, maxAgeMs: 1000 }, testClock())
    const dek = randomBytes(32)
    const before = Buffer.from(dek)
    cache.set('a', dek)
    dek.fill(0)
    expect(cache.get('a')!.export()).toEqual(before)
  })

  test('of no entries keeps nothing', () => {
    const cache = newCache({ entries: 0, maxAgeMs: 1000 }, testClock())
    cache.set('a', randomBytes(32))
    expect(cache.get('a')).toBeUndefined()
    expect(cache.size).toBe(0)
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

  test('is the same for a view and for a plain Uint8Array', () => {
    const larger = Buffer.concat([Buffer.alloc(3), wrapped, Buffer.alloc(3)])
    expect(nameOf({ keyId: 12, suite: 1, wrapped: larger.subarray(3, 63) })).toBe(name)
    expect(nameOf({ keyId: 12, suite: 1, wrapped: Uint8Array.from(wrapped) })).toBe(name)
  })
})
