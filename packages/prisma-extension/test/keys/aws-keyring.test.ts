import { randomBytes } from 'node:crypto'
import { setTimeout as pass } from 'node:timers/promises'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import {
  initKeyring,
  openKeyring,
  type Keyring,
  type KeyringOptions,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek } from '../../src/keys/types.ts'
import { endpoints, rootAt } from './aws-support.ts'
import { wrappedOf } from './rings.ts'
import { testClock } from './support.ts'

const { own } = await endpoints()
afterAll(() => own.stop())
beforeEach(() => {
  own.recover()
  own.forget()
})

/** A keyring under a key in AWS KMS, one DEK of it, and a cold reader whose KEK is past all ages. */
async function setUp(options: Partial<KeyringOptions> = {}) {
  const arn = own.createKey()
  const root = rootAt(own.url, arn)
  const [store, clock] = [memoryKeyStore(), testClock()]
  const open = (): Promise<Keyring> => openKeyring({ root, store, clock, ...options })
  const keyring = await open()
  await initKeyring(keyring)
  const [dek] = (await keyring.forProtect(1)) as [Dek]
  const cold = await open()
  clock.pass(3_600_001)
  own.forget()
  const read = async (): Promise<boolean> => {
    const [key] = await cold.forProcess([wrappedOf(dek)])
    return key!.equals(dek.key)
  }
  return { arn, clock, cold, dek, read }
}

const operations = (): string[] => own.calls.map(({ operation }) => operation)

/** Wait for what goes on in the background over HTTP. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pass(5)
}

describe('a keyring under a key in AWS KMS', () => {
  test('makes one call of KMS for a thousand cold readers', async () => {
    const { read } = await setUp()
    expect((await Promise.all(Array.from({ length: 1000 }, read))).every(Boolean)).toBe(true)
    expect(operations()).toEqual(['Decrypt'])
  })

  test('reads on while KMS is down, then fails with a retryable error, and recovers by itself', async () => {
    const { clock, cold, read } = await setUp({
      kekCache: { maxAgeMs: 1000, maxStaleMs: 5000 },
      rootCalls: { maxOutages: 2, pauseMs: 300 },
    })
    expect(await read()).toBe(true)
    own.fail({ kind: 'drop' })
    for (let age = 0; age < 5000; age += 500) {
      clock.pass(500)
      expect(await read()).toBe(true)
    }
    clock.pass(1)
    const unavailable = { code: 'ERR_KEY_UNAVAILABLE', retryable: true }
    await expect(read()).rejects.toMatchObject(unavailable)
    await expect(read()).rejects.toMatchObject(unavailable)
    expect(cold.stats().rootKey.breaker).toBe('open')
    own.recover()
    clock.pass(300)
    expect(await read()).toBe(true)
    expect(cold.stats().rootKey).toMatchObject({ breaker: 'closed', lastError: null })
  })

  test('stops at the next refresh once its key is disabled', async () => {
    const { arn, clock, cold, read } = await setUp({ kekCache: { maxAgeMs: 1000 } })
    await read()
    own.key(arn).isEnabled = false
    clock.pass(751)
    expect(await read()).toBe(true)
    await until(() => cold.stats().kekCache.entries === 0)
    await expect(read()).rejects.toMatchObject({ code: 'ERR_ROOT_KEY_DISABLED' })
    expect(cold.stats().dekCache.entries).toBe(0)
  })
})

describe('a keyring whose DEKs AWS KMS wraps', () => {
  test('makes one call for the KEK and one for the DEK, however many read', async () => {
    const { read } = await setUp({ wrapping: 'kms' })
    expect((await Promise.all(Array.from({ length: 1000 }, read))).every(Boolean)).toBe(true)
    expect(operations()).toEqual(['Decrypt', 'Decrypt'])
  })

  test('writes a call for each record, under the context of its key version', async () => {
    const { cold } = await setUp({ wrapping: 'kms' })
    await cold.forProtect(20)
    expect(own.count('GenerateDataKey')).toBe(20)
  })

  test('tells a blob that was altered like any value that does not open', async () => {
    const { cold, dek, read } = await setUp({ wrapping: 'kms' })
    const altered = Uint8Array.from(dek.wrapped)
    altered[altered.length - 1]! ^= 1
    const bad = [altered, randomBytes(200)].map((wrapped) => ({ ...wrappedOf(dek), wrapped }))
    const [first, second] = await cold.forProcessEach(bad)
    expect(first).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    expect(second).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    expect(await read()).toBe(true)
  })
})
