import type { Fault } from '@rowseal/test-support'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { awsKms } from '../../src/keys/providers/aws-kms.ts'
import {
  AWS_NAME,
  clientConfig,
  endpoints,
  EVERY,
  expectHidden,
  failure,
  KEK,
  practiceAt,
  REGION,
  rootAt,
  type Practice,
} from './aws-support.ts'

const { own } = await endpoints()
const quick = { requestTimeoutMs: 300, timeoutMs: 60_000 }

afterAll(() => own.stop())
beforeEach(() => {
  own.recover()
  own.forget()
})

const practice = (): Promise<Practice> => practiceAt(own, quick)

describe.each(EVERY)('%s, refused by AWS KMS,', (operation) => {
  const name = AWS_NAME[operation]

  test('says which permission is missing, for which key, where', async () => {
    const { arn, fails } = await practice()
    const action = operation === 'rewrap' ? 'ReEncryptTo' : name
    own.deny(action)
    const error = await fails(operation)
    expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_DENIED', retryable: false })
    for (const part of [arn, REGION, name, `kms:${action} is missing`]) {
      expect(error.message).toContain(part)
    }
    expect(own.count(name)).toBe(1)
  })

  test('names the key that is not there', async () => {
    const { arn, fails } = await practice()
    own.world.purge(arn)
    const error = await fails(operation)
    expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_UNKNOWN', retryable: false })
    expect(error.message).toContain(arn)
  })
})

describe.each(['create', 'unwrap', 'rewrap'] as const)('%s under a key', (operation) => {
  test('that is disabled says so', async () => {
    const { arn, fails } = await practice()
    own.key(arn).isEnabled = false
    const error = await fails(operation)
    expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_DISABLED', retryable: false })
    expect(error.message).toContain(arn)
  })

  test('that is pending deletion says so, by either name that AWS has for it', async () => {
    const { arn, fails } = await practice()
    own.key(arn).deletionAt = new Date()
    expect(await fails(operation)).toMatchObject({
      code: 'ERR_ROOT_KEY_DELETION',
      retryable: false,
    })
    const message = `${arn} is pending deletion.`
    own.fail({ kind: 'error', type: 'DisabledException', status: 400, message })
    expect(await fails(operation)).toMatchObject({ code: 'ERR_ROOT_KEY_DELETION' })
  })
})

const OUTAGES: readonly [string, Fault, string][] = [
  ['an internal error', { kind: 'error' }, 'KMSInternalException'],
  ['status 408', { kind: 'error', type: 'RequestTimeout', status: 408 }, 'RequestTimeout'],
  ['status 503', { kind: 'error', type: 'ServiceUnavailable', status: 503 }, 'ServiceUnavailable'],
  [
    'a dependency that timed out',
    { kind: 'error', type: 'DependencyTimeoutException' },
    'Dependency',
  ],
  ['a key out of reach', { kind: 'error', type: 'KeyUnavailableException' }, 'KeyUnavailable'],
  ['a connection that ends', { kind: 'drop' }, 'ECONNRESET'],
  ['half an answer', { kind: 'cut' }, 'ECONNRESET'],
  ['no answer', { kind: 'hang' }, 'ETIMEDOUT'],
  ['an answer that is no JSON', { kind: 'garbage' }, 'SyntaxError'],
  ['an error page', { kind: 'garbage', status: 502 }, 'SyntaxError'],
]

describe.each(OUTAGES)('an outage: %s', (_, fault, reason) => {
  test.each(EVERY)('is retryable for %s', async (operation) => {
    const { arn, fails } = await practice()
    own.fail(fault)
    const error = await fails(operation)
    expect(error).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
    for (const part of [arn, REGION, AWS_NAME[operation], reason])
      expect(error.message).toContain(part)
  })
})

describe('an outage', () => {
  test('that is over by the third attempt is not noticed', async () => {
    const { arn, root } = await practice()
    for (const fault of [{ kind: 'drop' }, { kind: 'error' }] as const) {
      own.forget()
      own.fail({ ...fault, times: 2 })
      expect((await root.create(KEK)).rootKeyId).toBe(arn)
      expect(own.count('GenerateDataKey')).toBe(3)
    }
  })

  test('of a server that refuses connections is retryable', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await new Promise((done) => closed.once('listening', done))
    const { port } = closed.address() as AddressInfo
    await new Promise((done) => closed.close(done))
    const root = rootAt(`http://127.0.0.1:${port}`, own.createKey())
    const error = await failure(root.create(KEK))
    expect(error).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
    expect(error.message).toContain('ECONNREFUSED')
  })

  test('of an endpoint whose name is not known is retryable', async () => {
    const error = await failure(rootAt('http://kms.invalid', own.createKey()).create(KEK))
    expect(error).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
  })

  test('is given up after the whole time, whatever the SDK still waits for', async () => {
    const root = rootAt(own.url, own.createKey(), { requestTimeoutMs: 60_000, timeoutMs: 60 })
    own.fail({ kind: 'hang' })
    const error = await failure(root.create(KEK))
    expect(error).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
    expect(error.message).toContain('time-out after 60 ms')
    expect(own.count()).toBe(1)
  })

  test('without credentials is retryable, as where they come from may be down', async () => {
    const credentials = async (): Promise<never> => {
      throw Object.assign(new Error('secret path'), { name: 'CredentialsProviderError' })
    }
    const root = rootAt(own.url, own.createKey(), { clientConfig: { credentials } })
    const error = await failure(root.create(KEK), Buffer.from('secret path'))
    expect(error).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
    expect(error.message).toContain('no credentials')
  })
})

const DENIALS: readonly [string, string][] = [
  ['ExpiredTokenException', 'ERR_ROOT_KEY_DENIED'],
  ['UnrecognizedClientException', 'ERR_ROOT_KEY_DENIED'],
  ['KMSInvalidStateException', 'ERR_ROOT_KEY_DISABLED'],
  ['InvalidKeyUsageException', 'ERR_ROOT_KEY_INVALID'],
  ['ValidationException', 'ERR_ROOT_KEY_INVALID'],
  ['IncorrectKeyException', 'ERR_KEY_MISMATCH'],
  ['InvalidCiphertextException', 'ERR_KEY_MISMATCH'],
  ['SomethingNewException', 'ERR_ROOT_KEY_DENIED'],
  ['constructor', 'ERR_ROOT_KEY_DENIED'],
]

describe('a denial', () => {
  test.each(DENIALS)('%s is %s, and is not tried again', async (type, code) => {
    const { fails } = await practice()
    own.fail({ kind: 'error', type, status: 400, message: 'no' })
    expect(await fails('unwrap')).toMatchObject({ code, retryable: false })
    expect(own.count('Decrypt')).toBe(1)
  })

  test('by a page that is no JSON is one all the same', async () => {
    const { fails } = await practice()
    own.fail({ kind: 'garbage', status: 403 })
    expect(await fails('unwrap')).toMatchObject({ code: 'ERR_ROOT_KEY_DENIED', retryable: false })
  })

  test('for credentials of another region is one', async () => {
    const root = awsKms({ keyId: 'alias/x', region: 'eu-west-1', endpoint: own.url, clientConfig })
    expect(await failure(root.create(KEK))).toMatchObject({ code: 'ERR_ROOT_KEY_DENIED' })
  })
})

describe('an answer that is not what was asked', () => {
  const answer = (body: object): Fault => ({ kind: 'garbage', text: JSON.stringify(body) })
  const key = Buffer.alloc(32, 'K')
  const Plaintext = key.toString('base64')
  const CiphertextBlob = Buffer.from('a wrapped key').toString('base64')
  const stranger = `arn:aws:kms:${REGION}:999999999999:key/1`

  test('is refused when the key is of another length', async () => {
    const { arn, root } = await practice()
    own.fail(answer({ KeyId: arn, Plaintext: Plaintext.slice(0, 20), CiphertextBlob }))
    for (const call of [() => root.create(KEK), () => root.unwrap(key, arn, KEK)]) {
      expect(await failure(call(), key)).toMatchObject({ code: 'ERR_KEY_MISMATCH' })
    }
  })

  test('is refused when another key than the pinned one answers', async () => {
    const { arn, root } = await practice()
    own.fail(answer({ KeyId: stranger, SourceKeyId: stranger, Plaintext, CiphertextBlob }))
    for (const call of [() => root.unwrap(key, arn, KEK), () => root.rewrap(key, arn, KEK)]) {
      expect(await failure(call(), key)).toMatchObject({ code: 'ERR_KEY_MISMATCH' })
    }
  })

  test('is refused when it names an alias or another region as the key', async () => {
    const { root } = await practice()
    for (const KeyId of ['alias/x', stranger.replace(REGION, 'eu-west-1'), undefined]) {
      own.recover()
      own.fail(answer({ KeyId, Plaintext, CiphertextBlob }))
      expect(await failure(root.create(KEK), key)).toMatchObject({ code: 'ERR_KEY_MISMATCH' })
    }
  })

  test('that breaks off within the key does not show it', async () => {
    const { arn, root } = await practice()
    const text = `{"KeyId":"${arn}","Plaintext":"${Plaintext}" oops`
    own.fail({ kind: 'garbage', text })
    const error = await failure(root.create(KEK), key)
    expect(error.code).toBe('ERR_KEY_UNAVAILABLE')
    expectHidden(error, Buffer.from(Plaintext))
    own.recover()
    own.fail({ kind: 'garbage', text: Plaintext })
    expectHidden(await failure(root.create(KEK), key), Buffer.from(Plaintext))
  })
})
