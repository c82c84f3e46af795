import { randomBytes, type KeyObject } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openKeyrings } from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { EveryTenant, NoTenant } from '../../src/keys/tenants/field-keyring.ts'
import type { Dek, Via, WrappedDek } from '../../src/keys/types.ts'
import { wrappedOf } from './rings.ts'
import { newRoot, watchedStore } from './support.ts'

const via: Via = { client: {}, transaction: { kind: 'itx', id: 'one' } }
const refusal = (fix: string): object => ({ code: 'ERR_TENANT', fix: expect.stringContaining(fix) })

/** Keyrings of so many tenants and one of nobody, a DEK of each, and all of them cold. */
async function setUp(tenants: number) {
  const store = watchedStore(memoryKeyStore())
  const root = newRoot()
  const maker = openKeyrings({ root, store })
  const names = Array.from({ length: tenants }, (_, i) => `tenant/t${i}`)
  const deks: Dek[] = []
  for (const name of [...names, 'default']) {
    const { keyring } = await maker.create(name)
    deks.push(...(await keyring.forProtect(1)))
  }
  const keyrings = openKeyrings({ root, store })
  return { store, deks, others: deks.pop()!, keyrings, every: new EveryTenant(keyrings) }
}

const same = (keys: readonly unknown[], deks: readonly Dek[]): boolean[] =>
  keys.map((key, i) => (key as KeyObject).equals(deks[i]!.key))

describe('all tenants as one', () => {
  test('open each value by the keyring of its tenant, in the order asked for', async () => {
    const { every, deks } = await setUp(3)
    const mixed = [deks[2]!, deks[0]!, deks[2]!, deks[1]!, deks[0]!]
    expect(same(await every.forProcess(mixed.map(wrappedOf)), mixed)).toEqual(Array(5).fill(true))
    expect(await every.forProcessEach([])).toEqual([])
  })

  test('have in its place why a value is not opened', async () => {
    const { every, deks, others } = await setUp(1)
    const unknown: WrappedDek = { keyId: 99, suite: 1, wrapped: randomBytes(60) }
    const wanted = [unknown, wrappedOf(deks[0]!), wrappedOf(others)]
    const [first, second, third] = await every.forProcessEach(wanted)
    expect(first).toMatchObject({
      code: 'ERR_KEY_UNKNOWN',
      message: expect.stringContaining('memory key store'),
      fix: expect.stringContaining('Connect the key store'),
    })
    expect(same([second], deks)).toEqual([true])
    expect(third).toMatchObject({
      code: 'ERR_KEY_STATE',
      message: expect.stringContaining('keyring "default"'),
      fix: expect.stringContaining('through keyring "default"'),
    })
    await expect(every.forProcess(wanted)).rejects.toBeInstanceOf(Error)
    await expect(every.forProcess(wanted.slice(1))).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
  })

  test.each([
    [8, undefined],
    [1, via],
  ] as const)('are read %i at a time', async (most, within) => {
    const { every, deks, store } = await setUp(10)
    const read = store.read.bind(store)
    let [now, highest] = [0, 0]
    const vias = new Set<unknown>()
    store.read = async (name, through) => {
      vias.add(through)
      highest = Math.max(highest, ++now)
      await turn()
      now--
      return read(name, through)
    }
    const keys = await every.forProcessEach(deks.map(wrappedOf), within)
    expect(same(keys, deks)).toEqual(Array(10).fill(true))
    expect([highest, [...vias]]).toEqual([most, [within]])
  })

  test('keep DEKs for the next time, or not, as they are asked', async () => {
    const { every, deks, keyrings } = await setUp(1)
    const keyring = await keyrings.get('tenant/t0')
    const wanted = deks.map(wrappedOf)
    await every.forProcessEach(wanted, undefined, false)
    expect(keyring.stats().dekCache.entries).toBe(0)
    await every.forProcessEach(wanted)
    expect(keyring.stats().dekCache.entries).toBe(1)
  })

  test('seal, search and re-encrypt nothing', async () => {
    const { every, deks } = await setUp(1)
    await expect(every.forProtect()).rejects.toMatchObject(refusal('Pass `tenant`'))
    expect(() => every.index.view()).toThrow(expect.objectContaining(refusal('Pass `tenant`')))
    expect([every.name, every.lease()(), every.isStale()]).toEqual(['tenant/*', false, false])
    expect(deks.map(({ keyId }) => keyId)).toHaveLength(1)
    expect([await every.refresh(), await every.index.refresh()]).toEqual([false, false])
  })
})

describe('no tenant', () => {
  const none = new NoTenant('There is no tenant here.')

  test('seals, opens and searches nothing, and says why', async () => {
    const told = { ...refusal('where `tenant` of rowseal'), message: expect.stringMatching(/^There is no/) } // prettier-ignore
    for (const call of [none.forProtect(), none.forProcess(), none.forProcessEach()])
      await expect(call).rejects.toMatchObject(told)
    expect(() => none.index.view()).toThrow(expect.objectContaining(told))
    expect(none.error('User.create').message).toMatch(/^User\.create: There is no tenant here\./)
    expect([none.name, none.lease()(), none.isStale()]).toEqual(['tenant', false, false])
    expect([await none.refresh(), await none.index.refresh()]).toEqual([false, false])
  })
})
