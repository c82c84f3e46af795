import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  addKey,
  closeKeyring,
  compromiseKey,
  rewrapDeks,
  rotate,
  scheduleDestruction,
  type Keyring,
  type KeyringOptions,
} from '../../src/keys/index.ts'
import type { Dek, RootKey, WrappedDek } from '../../src/keys/types.ts'
import { DENIAL } from './roots.ts'
import { edited, openedBy, ringPlace, statesOf, wrappedOf } from './rings.ts'
import { delegating, newRoot } from './support.ts'

const row = (keyring: Keyring, keyId: number) => keyring.keys().find((one) => one.keyId === keyId)!

/** A keyring whose DEKs the root key wraps, with some of a version that was rotated away. */
async function rotated(options: Partial<KeyringOptions> = {}) {
  const place = await ringPlace({ wrapping: 'kms', ...options })
  const deks = await place.keyring.forProtect(5)
  const { from, to } = await rotate(place.keyring)
  return { ...place, deks, from: from.keyId, to: to.keyId }
}

describe('re-wrapping DEKs', () => {
  test('brings them under the active version, where they open as before', async () => {
    const { keyring, reopen, deks, from, to } = await rotated()
    const [one] = deks as [Dek]
    const moved = await rewrapDeks(keyring, [...deks, one].map(wrappedOf))
    expect(moved.map((dek) => (dek as WrappedDek).keyId)).toEqual(Array(6).fill(to))
    expect(moved[5]).toBe(moved[0])
    expect(await openedBy(await reopen(), moved, [...deks, one])).toEqual(Array(6).fill(true))
    expect(row(keyring, to).rewrappedFrom).toEqual([from])
    const former = { ...(moved[0] as WrappedDek), keyId: from }
    await expect((await reopen()).forProcess([former])).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
    })
  })

  test('lets a leak of the former version be one of the active one, from before the first is moved', async () => {
    const root = delegating(newRoot())
    const { keyring, deks, from, to } = await rotated({ root })
    const rebind = root.rebind!.bind(root)
    root.rebind = async (...args) => {
      expect(row(keyring, to).rewrappedFrom).toEqual([from])
      return rebind(...args)
    }
    await rewrapDeks(keyring, deks.map(wrappedOf))
    const { revision } = keyring.stats()
    await rewrapDeks(keyring, deks.map(wrappedOf))
    expect(keyring.stats().revision).toBe(revision)
    await compromiseKey(keyring, from)
    expect(statesOf(keyring)).toMatchObject({ [from]: 'compromised', [to]: 'compromised' })
  })

  test('has so many calls under way as the keyring says', async () => {
    const root = delegating(newRoot())
    const { keyring, deks } = await rotated({ root, kms: { concurrency: 2 } })
    const rebind = root.rebind!.bind(root)
    let [now, most] = [0, 0]
    root.rebind = async (...args) => {
      most = Math.max(most, ++now)
      await new Promise((done) => setImmediate(done))
      now--
      return rebind(...args)
    }
    await rewrapDeks(keyring, [...deks, ...deks].map(wrappedOf))
    expect(most).toBe(2)
  })

  test('puts the one opaque error in the place of what does not open', async () => {
    const { keyring, deks, to } = await rotated()
    const [good, other] = deks.map(wrappedOf) as [WrappedDek, WrappedDek]
    const bad = { ...good, wrapped: randomBytes(60) }
    const moved = await rewrapDeks(keyring, [bad, other, { ...good, suite: 0x01 }])
    expect(moved[0]).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    expect(moved[1]).toMatchObject({ keyId: to })
    expect(moved[2]).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
  })

  test('goes by the version that is active afterwards, as far as this instance knows', async () => {
    const root = delegating(newRoot())
    const { keyring, deks, from, to } = await rotated({ root })
    const rebind = root.rebind!.bind(root)
    root.rebind = async (...args) => {
      root.rebind = rebind
      await rotate(keyring)
      return rebind(...args)
    }
    const moved = await rewrapDeks(keyring, deks.map(wrappedOf))
    const active = keyring.activeKeyId!
    expect(active).not.toBe(to)
    expect(moved.map((dek) => (dek as WrappedDek).keyId)).toEqual(Array(5).fill(active))
    expect(row(keyring, active).rewrappedFrom).toEqual([from])
    expect(await openedBy(keyring, moved, deks)).toEqual(Array(5).fill(true))
  })

  test('is refused for a version that leaked, and changes nothing', async () => {
    const { keyring, deks, from, to } = await rotated()
    await compromiseKey(keyring, from)
    await expect(rewrapDeks(keyring, deks.map(wrappedOf))).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: expect.stringMatching(/rowseal drain/),
    })
    expect(row(keyring, to).rewrappedFrom).toEqual([])
    await scheduleDestruction(keyring, from, new Date(0))
    await expect(rewrapDeks(keyring, deks.map(wrappedOf))).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
    })
  })

  test('is refused for versions whose KEK wraps DEKs, on either side', async () => {
    const place = await ringPlace()
    const deks = await place.keyring.forProtect(1)
    const kms = await place.reopen({ wrapping: 'kms' })
    await rotate(kms)
    const error = { code: 'ERR_KEY_STATE', message: expect.stringMatching(/rowseal drain/) }
    await expect(rewrapDeks(kms, deks.map(wrappedOf))).rejects.toMatchObject(error)
    const others = await kms.forProtect(1)
    const kek = await place.reopen()
    await rotate(kek)
    await expect(rewrapDeks(kek, others.map(wrappedOf))).rejects.toMatchObject(error)
  })

  test('is refused with a provider that cannot, for the active version, and for a stranger', async () => {
    const root: RootKey = delegating(newRoot())
    delete root.rebind
    const { keyring, deks, to } = await rotated({ root })
    const error = { code: 'ERR_KEY_STATE', message: expect.stringMatching(/local/) }
    await expect(rewrapDeks(keyring, deks.map(wrappedOf))).rejects.toMatchObject(error)
    const able = await rotated()
    const active = await able.keyring.forProtect(1)
    await expect(rewrapDeks(able.keyring, active.map(wrappedOf))).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
    })
    const strange = { ...wrappedOf(active[0]!), keyId: 4711 }
    await expect(rewrapDeks(able.keyring, [strange])).rejects.toMatchObject({
      code: 'ERR_KEY_UNKNOWN',
      fix: expect.stringContaining('npx rowseal keys list'),
    })
    expect(row(keyring, to).rewrappedFrom).toEqual([])
    expect(await rewrapDeks(keyring, [])).toEqual([])
  })

  test('notes every version once, in the order of their ids', async () => {
    const { keyring, deks } = await rotated() // 1, active 3
    const seconds = await keyring.forProtect(1)
    const { to } = await rotate(keyring)
    await rewrapDeks(keyring, seconds.map(wrappedOf))
    await rewrapDeks(keyring, [...deks, ...seconds].map(wrappedOf))
    expect(row(keyring, to.keyId).rewrappedFrom).toEqual([1, 3])
  })

  test('is done again where somebody changed the keyring before it was noted', async () => {
    const { keyring, store, deks, to, reopen } = await rotated()
    const other = await reopen()
    const write = store.write.bind(store)
    store.write = async (change) => {
      store.write = write
      await addKey(other)
      return write(change)
    }
    const moved = await rewrapDeks(keyring, deks.map(wrappedOf))
    expect(moved.map((dek) => (dek as WrappedDek).keyId)).toEqual(Array(5).fill(to))
    expect(row(keyring, to).rewrappedFrom).toEqual([1])
  })

  test('gives up after five changes, and says that it may be tried again', async () => {
    const { keyring, store, deks } = await rotated()
    let writes = 0
    store.write = () => Promise.resolve(++writes < 0)
    await expect(rewrapDeks(keyring, deks.map(wrappedOf))).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      retryable: true,
    })
    expect(writes).toBe(5)
  })

  test.each([1, 4096])('takes a blob of %i bytes', async (length) => {
    const root = delegating(newRoot())
    const { keyring, deks } = await rotated({ root })
    root.rebind = async () => ({ ...(await root.describe()), wrapped: randomBytes(length) })
    const moved = await rewrapDeks(keyring, deks.map(wrappedOf))
    expect(moved.map((dek) => (dek as WrappedDek).wrapped.length)).toEqual(Array(5).fill(length))
  })

  test.each<[string, object]>([
    ['no bytes', { wrapped: randomBytes(0) }],
    ['too many bytes', { wrapped: randomBytes(4097) }],
    ['a blob of another root key', { wrapped: randomBytes(60), rootKeyId: 'local:0' }],
  ])('ends where the root key makes %s', async (_, made) => {
    const root = delegating(newRoot())
    const { keyring, deks } = await rotated({ root })
    root.rebind = async () => ({ ...(await root.describe()), ...made }) as never
    await expect(rewrapDeks(keyring, deks.map(wrappedOf))).rejects.toMatchObject({
      code: 'ERR_KEY_MISMATCH',
    })
  })

  test('ends with what the root key throws', async () => {
    const root = delegating(newRoot())
    const { keyring, deks } = await rotated({ root })
    root.rebind = () => Promise.reject(DENIAL)
    await expect(rewrapDeks(keyring, deks.map(wrappedOf))).rejects.toBe(DENIAL)
  })

  test('is refused in a keyring that is closed, with what opens it', async () => {
    const { keyring, deks } = await rotated()
    await closeKeyring(keyring)
    await expect(rewrapDeks(keyring, deks.map(wrappedOf))).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: expect.stringContaining('is deactivated'),
      fix: expect.stringContaining('npx rowseal rotate'),
    })
  })

  test('under another root key than the one of the version ends before anything is moved', async () => {
    const { keyring, deks, from } = await rotated()
    const { rootKeyId } = await newRoot().describe()
    await edited(keyring, from, { rootKeyId })
    await expect(rewrapDeks(keyring, deks.map(wrappedOf))).rejects.toMatchObject({
      code: 'ERR_KEY_MISMATCH',
    })
  })
})
