import {
  DisableKeyCommand,
  GetKeyRotationStatusCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { initKeyring, openKeyring } from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { WrapContext } from '../../src/keys/types.ts'
import { endpoints, expectHidden, failure, KEK, REGION, rootAt } from './aws-support.ts'

const { own, all } = await endpoints()

afterAll(() => own.stop())
beforeEach(() => own.forget())

describe.each(all)('a root key in AWS KMS, at $name', (at) => {
  test('is named by id, ARN, alias and alias ARN, and stored as the key ARN', async () => {
    const { arn, alias } = await at.key()
    const id = arn.split('/')[1]!
    for (const keyId of [id, arn, alias, arn.replace(`key/${id}`, alias)]) {
      const root = rootAt(at.url, keyId)
      const { key, wrapped, rootKeyId } = await root.create(KEK)
      expect(rootKeyId).toBe(arn)
      expect(key).toHaveLength(32)
      expect(Buffer.from(wrapped).includes(key)).toBe(false)
      expect(await rootAt(at.url, arn).unwrap(wrapped, rootKeyId, KEK)).toEqual(key)
      expect(await root.regions()).toEqual([REGION])
      expect(root.regionOf(rootKeyId)).toBe(REGION)
    }
  })

  test('unwraps for the same keyring, key id and use alone', async () => {
    const { alias } = await at.key()
    const root = rootAt(at.url, alias)
    const { key, wrapped, rootKeyId } = await root.create(KEK)
    const others: WrapContext[] = [
      { ...KEK, keyring: 'other' },
      { ...KEK, keyId: 8 },
      { ...KEK, use: 'dek' },
      { ...KEK, use: 'mac' },
    ]
    for (const context of others) {
      const error = await failure(root.unwrap(wrapped, rootKeyId, context), key, wrapped)
      expect(error).toMatchObject({ code: 'ERR_KEY_MISMATCH', retryable: false })
      expect(error.message).toContain(context.keyring)
      await expect(root.rewrap(wrapped, rootKeyId, context)).rejects.toMatchObject({
        code: 'ERR_KEY_MISMATCH',
      })
    }
  })

  test('does not unwrap altered, cut, empty or overlong bytes', async () => {
    const { alias } = await at.key()
    const root = rootAt(at.url, alias)
    const { wrapped, rootKeyId } = await root.create(KEK)
    const altered = Uint8Array.from(wrapped)
    altered[altered.length - 5]! ^= 1
    for (const bytes of [
      altered,
      wrapped.subarray(0, wrapped.length - 1),
      wrapped.subarray(0, 3),
      new Uint8Array(0),
      new Uint8Array(6145),
    ]) {
      const error = await failure(root.unwrap(bytes, rootKeyId, KEK), wrapped)
      expect(error.code).toBe('ERR_KEY_MISMATCH')
    }
  })

  test('does not unwrap with another key than the stored one', async () => {
    const [one, two] = [await at.key(), await at.key()]
    const root = rootAt(at.url, one.alias)
    const { key, wrapped } = await root.create(KEK)
    const error = await failure(root.unwrap(wrapped, two.arn, KEK), key, wrapped)
    expect(error.code).toBe('ERR_KEY_MISMATCH')
  })

  test('moves a key to another root key by ReEncrypt, for the same keyring and key id', async () => {
    const [one, two] = [await at.key(), await at.key()]
    const old = rootAt(at.url, one.arn)
    const { key, wrapped } = await old.create(KEK)
    const moved = await rootAt(at.url, two.alias).rewrap(wrapped, one.arn, KEK)
    expect(moved.rootKeyId).toBe(two.arn)
    expect(await old.unwrap(moved.wrapped, two.arn, KEK)).toEqual(key)
    const elsewhere = old.unwrap(moved.wrapped, two.arn, { ...KEK, keyId: 8 })
    await expect(elsewhere).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
  })

  test('follows its alias to a new key, while old keys unwrap until they are moved', async () => {
    const [one, two] = [await at.key(), await at.key()]
    const root = rootAt(at.url, one.alias)
    const before = await root.create(KEK)
    await at.point(one.alias, two.arn)
    expect((await root.create(KEK)).rootKeyId).toBe(two.arn)
    expect(await root.unwrap(before.wrapped, before.rootKeyId, KEK)).toEqual(before.key)
    const moved = await root.rewrap(before.wrapped, before.rootKeyId, KEK)
    expect(moved.rootKeyId).toBe(two.arn)
    await at.sdk.send(new DisableKeyCommand({ KeyId: one.arn }))
    expect(await root.unwrap(moved.wrapped, moved.rootKeyId, KEK)).toEqual(before.key)
    const gone = root.unwrap(before.wrapped, before.rootKeyId, KEK)
    await expect(gone).rejects.toMatchObject({ code: 'ERR_ROOT_KEY_DISABLED' })
  })

  test('says the state of its key, by now and by stored id', async () => {
    const { arn, alias } = await at.key()
    const root = rootAt(at.url, alias)
    expect(await root.describe()).toMatchObject({
      rootKeyId: arn,
      state: 'enabled',
      region: REGION,
    })
    await at.sdk.send(new DisableKeyCommand({ KeyId: arn }))
    expect(await root.describe(arn)).toMatchObject({ state: 'disabled', deletionAt: null })
    const schedule = { KeyId: arn, PendingWindowInDays: 7 }
    await at.sdk.send(new ScheduleKeyDeletionCommand(schedule))
    const info = await root.describe(arn)
    expect(info.state).toBe('pending-deletion')
    expect(info.deletionAt).toBeInstanceOf(Date)
  })

  test('is rotated automatically from now on, and says when', async () => {
    const { arn, alias } = await at.key()
    const root = rootAt(at.url, alias)
    expect((await root.describe()).rotation).toMatchObject({ isAutomatic: false, lastAt: null })
    const { rotation, rootKeyId } = await root.rotate!({ automaticDays: 90 })
    expect(rootKeyId).toBe(arn)
    expect(rotation).toMatchObject({ isAutomatic: true, periodDays: 90 })
    expect(rotation?.nextAt).toBeInstanceOf(Date)
    const status = await at.sdk.send(new GetKeyRotationStatusCommand({ KeyId: arn }))
    expect(status).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90 })
  })

  test('is rotated on demand, after which what it wrapped before still unwraps', async () => {
    const { alias } = await at.key()
    const root = rootAt(at.url, alias)
    const before = await root.create(KEK)
    await root.rotate!('now')
    const after = await root.create(KEK)
    expect(after.rootKeyId).toBe(before.rootKeyId)
    for (const { key, wrapped, rootKeyId } of [before, after]) {
      expect(await root.unwrap(wrapped, rootKeyId, KEK)).toEqual(key)
    }
  })
})

describe('a root key in AWS KMS', () => {
  const created = (): { arn: string; alias: string } => {
    const alias = `alias/${Math.random().toString(36).slice(2)}`
    return { arn: own.createKey({ alias }), alias }
  }

  test('makes one call for each key, pinned, with the encryption context', async () => {
    const { arn, alias } = created()
    const root = rootAt(own.url, alias)
    const { wrapped } = await root.create(KEK)
    await root.unwrap(wrapped, arn, KEK)
    await root.rewrap(wrapped, arn, KEK)
    const context = { 'rowseal:keyring': 'default', 'rowseal:keyId': '7' }
    const caller = 'tester'
    expect(own.calls).toEqual([
      { operation: 'GenerateDataKey', keyId: alias, context, caller },
      { operation: 'Decrypt', keyId: arn, context, caller },
      { operation: 'ReEncrypt', keyId: arn, context, caller },
    ])
  })

  test.each(['dek', 'mac'] as const)('names the use %s in the encryption context', async (use) => {
    const root = rootAt(own.url, created().alias)
    await root.create({ keyring: 'tenant/acme', keyId: 0, use })
    expect(own.calls[0]?.context).toEqual({
      'rowseal:keyring': 'tenant/acme',
      'rowseal:keyId': '0',
      'rowseal:use': use,
    })
  })

  test('calls nobody before it is used, nor for its regions', async () => {
    const root = rootAt(own.url, created().arn)
    await root.regions()
    JSON.stringify(root)
    expect(own.count()).toBe(0)
  })

  test('says when AWS rotated it last', async () => {
    const { arn } = created()
    const root = rootAt(own.url, arn)
    own.rotate(arn)
    expect((await root.describe()).rotation?.lastAt).toEqual(own.key(arn).shared.rotations[0]?.at)
    await root.rotate!('now')
    expect((await root.describe()).rotation?.lastAt).toEqual(own.key(arn).shared.rotations[1]?.at)
  })

  test('is described without the permission to list rotations, and without the last one', async () => {
    const { arn } = created()
    own.rotate(arn)
    own.deny('ListKeyRotations')
    const { rotation } = await rootAt(own.url, arn).describe()
    own.recover()
    expect(rotation).toMatchObject({ isAutomatic: false, lastAt: null })
  })

  test.each([89, 2561, 90.5, Number.NaN])('is not rotated every %d days', async (automaticDays) => {
    const root = rootAt(own.url, created().arn)
    await expect(root.rotate!({ automaticDays })).rejects.toThrow(TypeError)
    expect(own.count()).toBe(0)
  })

  test('of another kind is not rotated, and has no rotation', async () => {
    const arn = own.createKey({ signing: true })
    const root = rootAt(own.url, arn)
    expect(await root.describe()).toMatchObject({ rootKeyId: arn, rotation: null })
    expect((await failure(root.rotate!('now'))).code).toBe('ERR_ROOT_KEY_INVALID')
    expect((await failure(root.create(KEK))).code).toBe('ERR_ROOT_KEY_INVALID')
  })

  test('holds a keyring: opening it takes one call for its MAC key and one for its KEK', async () => {
    const root = rootAt(own.url, created().alias)
    const store = memoryKeyStore()
    await initKeyring(await openKeyring({ root, store }))
    own.forget()
    const keyring = await openKeyring({ root, store })
    const deks = await keyring.forProtect(100)
    await keyring.forProcess(deks)
    const uses = own.calls.map(({ operation, context }) => [operation, context?.['rowseal:use']])
    expect(uses).toEqual([
      ['Decrypt', 'mac'],
      ['Decrypt', undefined],
    ])
    expectHidden(keyring)
  })

  test('shows provider, key id and region, and nothing of its credentials', async () => {
    const { arn } = created()
    const secretAccessKey = 'a-secret-access-key'
    const credentials = { accessKeyId: 'AKIATEST', secretAccessKey }
    const root = rootAt(own.url, arn, { clientConfig: { credentials } })
    await root.create(KEK)
    expect(JSON.parse(JSON.stringify(root))).toEqual({
      provider: 'aws-kms',
      keyId: arn,
      region: REGION,
    })
    expectHidden(root, Buffer.from(secretAccessKey))
  })
})
