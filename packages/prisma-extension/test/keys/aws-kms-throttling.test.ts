import { startKms } from '@rowseal/test-support'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { initKeyring, openKeyring } from '../../src/keys/index.ts'
import { awsKms } from '../../src/keys/providers/aws-kms.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import {
  AWS_NAME,
  clientConfig,
  endpoints,
  EVERY,
  failure,
  KEK,
  practiceAt,
  rootAt,
} from './aws-support.ts'

// The SDK waits seconds between its attempts when KMS says that there are too many calls.

const { own } = await endpoints()
const elsewhere = await startKms({ region: 'eu-west-1', world: own.world })
const practice = () => practiceAt(own, { requestTimeoutMs: 300, timeoutMs: 60_000 })

afterAll(() => Promise.all([own.stop(), elsewhere.stop()]))
beforeEach(() => {
  own.recover()
  own.forget()
})

describe('a throttled AWS KMS', () => {
  test.each(EVERY)('is retryable for %s, and was tried three times', async (operation) => {
    const { fails } = await practice()
    own.fail({ kind: 'throttle' })
    const error = await fails(operation)
    expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_THROTTLED', retryable: true })
    expect(own.count(AWS_NAME[operation])).toBe(3)
  })

  test('is passed over to the next region', async () => {
    const primary = own.createKey({ multiRegion: true })
    const replica = own.world.replicate(own.key(primary), 'eu-west-1').arn
    const endpoint = { 'eu-central-1': own.url, 'eu-west-1': elsewhere.url }
    const root = awsKms({
      keyId: primary,
      replicas: [replica],
      endpoint,
      clientConfig,
      maxAttempts: 1,
    })
    const before = await root.create(KEK)
    own.fail({ kind: 'throttle' })
    expect(await root.unwrap(before.wrapped, primary, KEK)).toEqual(before.key)
    expect((await root.create(KEK)).rootKeyId).toBe(replica)
    expect((await root.rewrap(before.wrapped, primary, KEK)).rootKeyId).toBe(replica)
    expect(await root.describe()).toMatchObject({ rootKeyId: replica, region: 'eu-west-1' })
  })

  test('that wraps the DEKs refuses a write with a retryable error', async () => {
    const root = rootAt(own.url, own.createKey())
    const store = memoryKeyStore()
    const options = { root, store, wrapping: 'kms', rootCalls: { maxOutages: 1000 } } as const
    await initKeyring(await openKeyring(options))
    const cold = await openKeyring(options)
    own.fail({ kind: 'throttle', operation: 'GenerateDataKey' })
    await expect(cold.forProtect(3)).rejects.toMatchObject({
      code: 'ERR_ROOT_KEY_THROTTLED',
      retryable: true,
    })
  })

  test('at the limit of on-demand rotations says what to do instead', async () => {
    const { arn, root } = await practice()
    for (let i = 0; i < 25; i++) await root.rotate!('now')
    const error = await failure(root.rotate!('now'))
    expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_DENIED', retryable: false })
    expect(error.message).toContain(arn)
    expect(error.fix).toContain('keys rewrap')
  })
})
