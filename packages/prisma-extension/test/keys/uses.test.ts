import { describe, expect, test } from 'vitest'
import { MAX_USES, rotate } from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { KeyStore, Via } from '../../src/keys/types.ts'
import { ringPlace } from './rings.ts'

const settled = (): Promise<void> => new Promise((done) => setImmediate(done))
const usesOf = async (store: KeyStore, keyId = 1): Promise<number> =>
  (await store.read('default'))!.keys.find((row) => row.keyId === keyId)!.uses

/** A store that notes what is reserved, and can be cut off. */
function watched() {
  const store = memoryKeyStore()
  const reserve = store.reserve.bind(store)
  const asked: (readonly [count: number, via: boolean])[] = []
  const state = { store, asked, isDown: false, isSingleWriter: false }
  store.reserve = (keyId, count, limit, via) => {
    asked.push([count, via !== undefined])
    return state.isDown ? Promise.reject(new Error('down')) : reserve(keyId, count, limit, via)
  }
  return state
}

const via: Via = { client: {}, transaction: { kind: 'itx', id: 'one' } }

describe('the uses of a KEK', () => {
  test('are never counted below the truth, with several instances that come and go', async () => {
    const { store, reopen } = await ringPlace()
    let made = 0
    for (let round = 0; round < 12; round++) {
      const instances = await Promise.all([reopen(), reopen(), reopen()])
      for (const [i, keyring] of instances.entries()) {
        const count = 1 + ((round * 7 + i * 311) % 900)
        await keyring.forProtect(count)
        made += count
        expect(await usesOf(store)).toBeGreaterThanOrEqual(made)
      }
      await settled()
    } // each instance ends here, with what it did not use
    expect(await usesOf(store)).toBeGreaterThanOrEqual(made)
  })

  test('are stored before the first DEK is given out', async () => {
    const { store, asked } = watched()
    const { keyring } = await ringPlace({ store })
    expect([asked.length, await usesOf(store)]).toEqual([0, 0])
    const [first] = await Promise.all([keyring.forProtect(1), keyring.forProtect(700)])
    expect(first).toHaveLength(1)
    expect(await usesOf(store)).toBeGreaterThanOrEqual(701)
  })

  test('cost no write of the store once warm: blocks grow, and come before they are needed', async () => {
    const { store, asked } = watched()
    const { keyring } = await ringPlace({ store })
    for (let i = 0; i < 100; i++) {
      await keyring.forReencrypt(new Set(), 1000)
      await settled()
    }
    const blocks = asked.map(([count]) => count)
    expect(blocks.slice(0, 4)).toEqual([1024, 4096, 16_384, 65_536])
    expect(new Set(blocks.slice(4))).toEqual(new Set([65_536]))
    expect(blocks.length).toBeLessThan(8)
    expect(await usesOf(store)).toBeGreaterThanOrEqual(100_000)
  })

  test('of more than a block are reserved as they are', async () => {
    const { store, asked } = watched()
    const { keyring } = await ringPlace({ store })
    await keyring.forProtect(5000, undefined, false)
    expect(asked[0]).toEqual([5000, false])
    expect(await usesOf(store)).toBeGreaterThanOrEqual(5000)
  })

  test('go on from what is reserved while the store is down, and ask it seldom', async () => {
    const state = watched()
    const { keyring } = await ringPlace({ store: state.store })
    await keyring.forProtect(1)
    state.isDown = true
    state.asked.length = 0
    for (let i = 0; i < 1023; i++) {
      await keyring.forProtect(1)
      await settled()
    }
    expect(state.asked.length).toBeLessThan(12)
    await expect(keyring.forProtect(1)).rejects.toThrow('down')
    state.isDown = false
    expect(await keyring.forProtect(1)).toHaveLength(1)
    expect(await usesOf(state.store)).toBeGreaterThanOrEqual(1025)
  })

  test('end at 2^32: nothing is sealed beyond, and the last ones are not lost to the size of a block', async () => {
    const { store, keyring, reopen } = await ringPlace()
    await store.reserve(1, MAX_USES - 10, MAX_USES)
    expect(await keyring.forProtect(7)).toHaveLength(7)
    const exhausted = { code: 'ERR_KEY_EXHAUSTED', retryable: false }
    await expect(keyring.forProtect(4)).rejects.toMatchObject(exhausted)
    expect(await (await reopen()).forProtect(3)).toHaveLength(3)
    await expect(keyring.forProtect(1)).rejects.toMatchObject(exhausted)
    await expect(keyring.forProtect(1, via)).rejects.toMatchObject(exhausted)
    expect(await usesOf(store)).toBe(MAX_USES)
    await rotate(keyring)
    expect((await keyring.forProtect(4))[0]!.keyId).toBe(3)
    expect(await usesOf(store, 3)).toBeGreaterThanOrEqual(4)
  })

  test('of a version that can do no more do not end those of the next', async () => {
    const { store, keyring, reopen } = await ringPlace()
    await keyring.forProtect(1)
    await store.reserve(1, MAX_USES - 1024, MAX_USES)
    const reserve = store.reserve.bind(store)
    let release = (): void => undefined
    const held = new Promise<void>((done) => (release = done))
    store.reserve = async (keyId, ...others) => {
      if (keyId === 1) await held
      return reserve(keyId, ...others)
    }
    await keyring.forProtect(600) // past half of its block: there is no other
    await rotate(await reopen())
    await keyring.refresh()
    const next = keyring.forProtect(1)
    await settled()
    release()
    expect((await next)[0]!.keyId).toBe(3)
  })

  test('of several active versions in turn are each counted', async () => {
    const { store, keyring } = await ringPlace()
    const made = new Map<number, number>()
    for (let i = 0; i < 6; i++) {
      const deks = (await Promise.all([keyring.forProtect(600), keyring.forProtect(600)])).flat()
      for (const { keyId } of deks) made.set(keyId, (made.get(keyId) ?? 0) + 1)
      await rotate(keyring)
    }
    expect(made.size).toBe(6)
    for (const [keyId, count] of made)
      expect(await usesOf(store, keyId)).toBeGreaterThanOrEqual(count)
  })
})

describe('uses inside a transaction', () => {
  test('are taken from what is reserved; blocks come from beside it', async () => {
    const { store, asked } = watched()
    const { keyring } = await ringPlace({ store })
    await keyring.forProtect(1, via)
    await settled()
    for (let i = 0; i < 200; i++) {
      await keyring.forProtect(100, via, false)
      await settled()
    }
    expect(asked.filter(([, isVia]) => isVia)).toEqual([])
    expect(asked.length).toBeLessThan(8)
  })

  test('come from the transaction alone where a write beside it would hold it up', async () => {
    const { store, asked } = watched()
    Object.assign(store, { isSingleWriter: true })
    const { keyring } = await ringPlace({ store })
    for (let i = 0; i < 5; i++) await keyring.forProtect(3, via)
    await settled()
    expect(asked).toEqual(Array.from({ length: 5 }, () => [3, true]))
  })
})
