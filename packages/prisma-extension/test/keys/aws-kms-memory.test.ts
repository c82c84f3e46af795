import { KMSClient } from '@aws-sdk/client-kms'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import type { RootKey } from '../../src/keys/types.ts'
import { clientConfig, endpoints, failure, KEK, REGION, rootAt } from './aws-support.ts'

const { own } = await endpoints()

afterAll(() => own.stop())
afterEach(() => {
  own.recover()
  vi.restoreAllMocks()
})

/** What the SDK hands out, kept by reference: the calls go through. */
function watchAnswers(): () => Promise<{ Plaintext?: Uint8Array }[]> {
  const send = vi.spyOn(KMSClient.prototype, 'send')
  return () => Promise.all(send.mock.results.map((result) => result.value))
}

describe("the SDK's copy of a key", () => {
  const zero = new Uint8Array(32)

  test('is zeroed, and ours is another', async () => {
    const root = rootAt(own.url, own.createKey())
    const answers = watchAnswers()
    const { key, wrapped, rootKeyId } = await root.create(KEK)
    const again = await root.unwrap(wrapped, rootKeyId, KEK)
    expect(again).toEqual(key)
    expect(again).not.toEqual(Buffer.from(zero))
    const copies = (await answers()).map(({ Plaintext }) => Plaintext!)
    expect(copies).toHaveLength(2)
    for (const copy of copies) expect(Buffer.from(copy)).toEqual(Buffer.from(zero))
    for (const ours of [key, again]) expect(ours.buffer.byteLength).toBe(32) // not Node's pool
  })

  test('is zeroed when the answer is refused', async () => {
    const arn = own.createKey()
    const root = rootAt(own.url, arn)
    const answers = watchAnswers()
    const body = {
      KeyId: `arn:aws:kms:${REGION}:999999999999:key/1`,
      Plaintext: Buffer.alloc(32, 'K').toString('base64'),
    }
    own.fail({ kind: 'garbage', text: JSON.stringify(body) })
    await failure(root.unwrap(Buffer.from('a wrapped key'), arn, KEK))
    await failure(root.create(KEK))
    for (const { Plaintext } of await answers())
      expect(Buffer.from(Plaintext!)).toEqual(Buffer.from(zero))
  })

  test('is zeroed when it comes after the call was given up', async () => {
    const root = deaf(own.createKey())
    const answers = watchAnswers()
    own.fail({ kind: 'delay', ms: 150 })
    const error = await failure(root.create(KEK))
    expect(error.message).toContain('time-out after 50 ms')
    const [late] = await answers()
    await sleep(0)
    expect(Buffer.from(late!.Plaintext!)).toEqual(Buffer.from(zero))
  })
})

/** A root key whose connection does not listen to the signal that ends a request. */
function deaf(keyId: string): RootKey {
  const { requestHandler } = new KMSClient({ region: REGION }).config
  const handle = (request: never): unknown => requestHandler.handle(request)
  const stubborn = { ...requestHandler, metadata: requestHandler.metadata, handle } as never
  const config = { ...clientConfig, requestHandler: stubborn }
  return rootAt(own.url, keyId, { clientConfig: config, timeoutMs: 50, maxAttempts: 1 })
}
