import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { awsKms, type AwsKmsOptions } from '../../src/keys/providers/aws-kms.ts'
import { failure, KEK } from './aws-support.ts'

const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef'
const REPLICA = ARN.replace('eu-central-1', 'eu-west-1')
const SINGLE = 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef'

const VARIABLES = ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_CONFIG_FILE', 'AWS_PROFILE'] as const
const before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]))

beforeEach(() => {
  for (const name of VARIABLES) set(name, undefined)
  set('AWS_CONFIG_FILE', '/nonexistent')
})
afterEach(() => {
  for (const name of VARIABLES) set(name, before[name])
})

function set(name: string, value: string | undefined): void {
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- an unset variable is the case
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

describe('awsKms', () => {
  test.each<[string, Partial<Record<keyof AwsKmsOptions, unknown>>]>([
    ['no key id', { keyId: undefined }],
    ['an empty key id', { keyId: '' }],
    ['a key id with a space', { keyId: 'my key' }],
    ["another service's ARN", { keyId: 'arn:aws:iam::111122223333:role/x' }],
    ['a region that is not the one of the ARN', { keyId: SINGLE, region: 'eu-west-1' }],
    ['a region that is none', { keyId: 'alias/x', region: 'https://x' }],
    ['an alias as a replica', { keyId: ARN, replicas: ['alias/x'] }],
    ['a replica in the same region', { keyId: ARN, replicas: [ARN] }],
    ['a replica of another key', { keyId: ARN, replicas: [REPLICA.replace('mrk-0', 'mrk-1')] }],
    ['a replica in another account', { keyId: ARN, replicas: [REPLICA.replace('1111', '2222')] }],
    ['a replica of a single-Region key', { keyId: SINGLE, replicas: [REPLICA] }],
    ['replicas of an alias without region', { keyId: 'alias/x', replicas: [REPLICA] }],
    ['an alias as a former key', { keyId: ARN, former: ['alias/x'] }],
    ['an endpoint that is no URL', { keyId: ARN, endpoint: 'kms' }],
    ['an endpoint in the clear', { keyId: ARN, endpoint: 'http://kms.example.org' }],
    ['one endpoint in the clear', { keyId: ARN, endpoint: { 'eu-west-1': 'http://10.0.0.1' } }],
    ['an endpoint of another protocol', { keyId: ARN, endpoint: 'ftp://127.0.0.1' }],
    ['no time to connect', { keyId: ARN, connectTimeoutMs: 0 }],
    ['too long a request', { keyId: ARN, requestTimeoutMs: 60_001 }],
    ['no time at all', { keyId: ARN, timeoutMs: 49 }],
    ['no attempts', { keyId: ARN, maxAttempts: 0 }],
  ])('is refused as misuse with %s', (_, options) => {
    expect(() => awsKms(options as never)).toThrow(TypeError)
  })

  test.each<AwsKmsOptions>([
    { keyId: 'alias/aws-like/name_1' },
    { keyId: SINGLE, region: 'eu-central-1' },
    { keyId: 'mrk-0123456789abcdef0123456789abcdef' },
    { keyId: 'arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/x' },
    { keyId: ARN, replicas: [REPLICA], former: [SINGLE] },
    { keyId: 'alias/x', region: 'eu-central-1', replicas: [REPLICA] },
    { keyId: ARN, endpoint: 'http://[::1]:4566' },
    { keyId: ARN, endpoint: 'http://localstack:4566', allowHttp: true },
    { keyId: ARN, endpoint: { 'eu-west-1': 'https://vpce-1.kms.eu-west-1.vpce.amazonaws.com' } },
  ])('takes %j', (options) => {
    expect(awsKms(options).provider).toBe('aws-kms')
  })

  test('finds the region where the SDK does, if no ARN says it', async () => {
    set('AWS_REGION', 'eu-north-1')
    expect(await awsKms({ keyId: 'alias/x' }).regions()).toEqual(['eu-north-1'])
    expect(await awsKms({ keyId: 'alias/x', region: 'eu-west-1' }).regions()).toEqual(['eu-west-1'])
    expect(await awsKms({ keyId: SINGLE }).regions()).toEqual(['eu-central-1'])
  })

  test('says that no region is known, until one is', async () => {
    const root = awsKms({ keyId: 'alias/x' })
    for (const call of [() => root.regions(), () => root.create(KEK)]) {
      const error = await failure(call())
      expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_INVALID', retryable: false })
      expect(error.fix).toContain('AWS_REGION')
    }
    set('AWS_REGION', 'eu-north-1')
    expect(await root.regions()).toEqual(['eu-north-1'])
  })
})
