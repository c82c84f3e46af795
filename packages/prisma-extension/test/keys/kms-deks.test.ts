import { randomBytes, type KeyObject } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { DekLeases, isSameKey } from '../../src/keys/memory/kms-leases.ts'
import { DekUnwraps, type Sealed } from '../../src/keys/memory/kms-unwraps.ts'
import { GuardedRoot } from '../../src/keys/root/guarded-root.ts'
import type { Dek, RootKey } from '../../src/keys/types.ts'
import { DENIAL, OUTAGE, troubledRoot } from './roots.ts'
import { delegating, newRoot, rowOf, testClock } from './support.ts'

const LIMITS = { timeoutMs: 60_000, maxOutages: 1000, pauseMs: 1000, concurrency: 10 }
const row = rowOf(7, { suite: 0x02 })
const unfit = { code: 'ERR_KEY_MISMATCH', fix: expect.stringContaining('wrapped 1 to 4096') }

/** A root key that makes blobs and keys of these lengths, and every key that it gave out. */
function rootOf(blob: number, key = 32) {
  const given: Buffer[] = []
  const made = (): Buffer => {
    given.push(randomBytes(key))
    return given.at(-1)!
  }
  const root: RootKey = {
    ...delegating(newRoot()),
    create: async () => ({ key: made(), wrapped: randomBytes(blob), rootKeyId: row.rootKeyId }),
    unwrap: async () => made(),
  }
  return { root, areZeroed: () => given.every((one) => one.every((byte) => byte === 0)) }
}

function leases(inner: RootKey, maxRecordsPerDek = 1) {
  const clock = testClock()
  const kept: Dek[] = []
  const root = GuardedRoot.around(inner, LIMITS, clock)
  const keep = (dek: Dek): void => void kept.push(dek)
  return { clock, kept, leases: new DekLeases({ root, clock, maxRecordsPerDek, maxAgeMs: 5000, keep }) } // prettier-ignore
}

describe('leases of DEKs that the root key makes', () => {
  test.each([1, 4096])('take a blob of %i bytes, and zero the key', async (length) => {
    const { root, areZeroed } = rootOf(length)
    const made = leases(root)
    const [dek] = (await made.leases.take(row, 1, true)) as [Dek]
    expect([dek.keyId, dek.suite, dek.wrapped.length]).toEqual([7, 0x02, length])
    expect([made.kept, made.leases.made, areZeroed()]).toEqual([[dek], 1, true])
  })

  test.each([
    [0, 32],
    [4097, 32],
    [60, 31],
    [60, 33],
  ])('refuse a blob of %i bytes with a key of %i, and keep nothing', async (length, key) => {
    const { root, areZeroed } = rootOf(length, key)
    const made = leases(root)
    await expect(made.leases.take(row, 1, true)).rejects.toMatchObject(unfit)
    expect([made.kept, made.leases.made, areZeroed()]).toEqual([[], 0, true])
  })

  test('keep none for a run that meets each once', async () => {
    const { leases: one, kept } = leases(rootOf(60).root)
    expect(await one.take(row, 2, false)).toHaveLength(2)
    expect([kept, one.made]).toEqual([[], 2])
  })

  test('give out of memory what is there and lasts for all, and no more', async () => {
    const { leases: one } = leases(rootOf(60).root, 4)
    expect(one.held(row, 1)).toBeNull()
    const taken = one.take(row, 1, true)
    expect(one.held(row, 1)).toBeNull() // it is on its way
    const [dek] = (await taken) as [Dek]
    expect(one.held(rowOf(8, { suite: 0x02 }), 1)).toBeNull()
    expect(one.held(row, 4)).toBeNull()
    expect(one.held(row, 3)).toEqual([dek, dek, dek])
    expect(one.held(row, 1)).toBeNull()
  })

  test('end with their time, and when they are cleared', async () => {
    const { leases: one, clock } = leases(rootOf(60).root, 100)
    await one.take(row, 1, true)
    clock.pass(5000)
    expect(one.held(row, 1)).toHaveLength(1)
    clock.pass(1)
    expect(one.held(row, 1)).toBeNull()
    await one.take(row, 1, true)
    one.clear()
    expect([one.held(row, 1), one.made]).toEqual([null, 2])
  })

  test('that fail late leave the one that was begun since', async () => {
    const root = troubledRoot()
    const { leases: one } = leases(root, 100)
    const own = { ...row, rootKeyId: (await root.describe()).rootKeyId }
    let release = (): void => undefined
    root.hold = new Promise<void>((done) => (release = done))
    const failing = one.take(own, 1, true)
    await turn()
    one.clear()
    root.hold = null
    await one.take(own, 1, true)
    root.trouble = OUTAGE
    release()
    await expect(failing).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    expect(one.held(own, 1)).toHaveLength(1)
  })

  test('tell that the root key is another one now', async () => {
    const { leases: one } = leases(rootOf(60).root)
    const moved = one.take({ ...row, rootKeyId: 'local:0000000000000000' }, 1, true)
    await expect(moved).rejects.toMatchObject({
      code: 'ERR_KEY_MISMATCH',
      fix: expect.stringContaining('npx rowseal rotate'),
    })
  })
})

test('root keys are the same but for their region', () => {
  const root: RootKey = { ...delegating(newRoot()), regionOf: (id) => id.split(':')[1] || null }
  expect(isSameKey(root, 'k:eu:1', 'k:us:1')).toBe(true)
  expect(isSameKey(root, 'k:eu:1', 'k:us:2')).toBe(false)
  expect(isSameKey(root, 'a', 'a')).toBe(true)
  expect(isSameKey(root, 'a', 'b')).toBe(false)
})

describe('unwrapping DEKs by the root key', () => {
  const one: Sealed = {
    name: 'one',
    row,
    dek: { keyId: 7, suite: 0x02, wrapped: randomBytes(60) },
  }
  function unwraps(inner: RootKey) {
    const denied: number[] = []
    const kept: number[] = []
    const root = GuardedRoot.around(inner, LIMITS, testClock())
    return {
      denied,
      kept,
      deks: new DekUnwraps({
        root,
        keep: (_, bytes) => void kept.push(bytes.length),
        onDenied: ({ keyId }) => void denied.push(keyId),
      }),
    }
  }

  test('gives the DEK, keeps it if asked, and zeroes its bytes', async () => {
    const { root, areZeroed } = rootOf(60)
    const { deks, kept } = unwraps(root)
    const opened = await deks.open([one], true)
    expect((opened.get('one') as KeyObject).symmetricKeySize).toBe(32)
    await deks.open([one], false)
    expect([kept, deks.done, areZeroed()]).toEqual([[32], 2, true])
  })

  test('of another length is a value that does not open', async () => {
    const { root, areZeroed } = rootOf(60, 16)
    const { deks, kept } = unwraps(root)
    const opened = await deks.open([one], true)
    expect(opened.get('one')).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    expect([kept, areZeroed()]).toEqual([[], true])
  })

  test('has one call under way for each, and the next one after it is over', async () => {
    const root = troubledRoot()
    const { deks } = unwraps(root)
    root.trouble = OUTAGE
    const both = await Promise.allSettled([deks.open([one], true), deks.open([one], true)])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(root.calls.dek).toBe(1)
    await expect(deks.open([one], true)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    expect(root.calls.dek).toBe(2)
  })

  test('tells of a denial, not of an outage or of a value that does not open', async () => {
    const root = troubledRoot()
    const { deks, denied } = unwraps(root)
    root.trouble = OUTAGE
    await expect(deks.open([one], true)).rejects.toMatchObject({ retryable: true })
    root.trouble = null
    const { rootKeyId } = await root.describe()
    const altered = { ...one, row: { ...row, rootKeyId } }
    const opened = await deks.open([altered], true)
    expect(opened.get('one')).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    expect(denied).toEqual([])
    root.trouble = DENIAL
    await expect(deks.open([one], true)).rejects.toBe(DENIAL)
    expect(denied).toEqual([7])
  })
})
