import { describe, expect, test } from 'vitest'
import { parseArn } from '../../src/keys/providers/aws-kms-arn.ts'
import {
  assertWrapped,
  awsContext,
  requestOf,
  strange,
  taken,
  wrappedKey,
} from '../../src/keys/providers/aws-kms-keys.ts'
import { checkAwsOptions, type AwsKmsOptions } from '../../src/keys/providers/aws-kms-options.ts'
import { Places } from '../../src/keys/providers/aws-kms-places.ts'

// What is sent to AWS KMS, where, and what is taken from its answers, without a server.

const REGION = 'eu-central-1'
const ACCOUNT = '111122223333'
const key = (id: string, region = REGION, account = ACCOUNT): string =>
  `arn:aws:kms:${region}:${account}:key/${id}`
const [ARN, PLACE] = [key('a'), { keyId: key('a'), region: REGION }]
const contexts = {
  kek: { keyring: 'patients', keyId: 7, use: 'kek' },
  dek: { keyring: 'patients', keyId: 7, use: 'dek' },
  mac: { keyring: 'patients', keyId: 0, use: 'mac' },
} as const
const request = requestOf('Decrypt', PLACE, contexts.kek)
const mismatch = (message: RegExp): object =>
  expect.objectContaining({
    code: 'ERR_KEY_MISMATCH',
    message: expect.stringMatching(message),
    fix: expect.stringMatching(/./),
  })

describe('what a call of AWS KMS is bound to', () => {
  test('is keyring and key id, and what the key is for unless it is a KEK', () => {
    const bound = { 'rowseal:keyring': 'patients', 'rowseal:keyId': '7' }
    expect(awsContext(contexts.kek)).toEqual(bound)
    expect(awsContext(contexts.dek)).toEqual({ ...bound, 'rowseal:use': 'dek' })
  })

  test('is named in messages', () => {
    expect(request).toEqual({
      operation: 'Decrypt',
      keyId: ARN,
      region: REGION,
      subject: 'KEK of key 7, keyring "patients"',
    })
    const subject = (use: 'dek' | 'mac'): unknown => requestOf('x', PLACE, contexts[use]).subject
    expect(subject('dek')).toBe('DEK of key 7, keyring "patients"')
    expect(subject('mac')).toBe('MAC key of keyring "patients"')
  })
})

describe('a wrapped key', () => {
  test('has 1 to 6,144 bytes before it is sent', () => {
    for (const size of [1, 6144])
      expect(() => assertWrapped(new Uint8Array(size), ARN, contexts.kek)).not.toThrow()
    for (const size of [0, 6145]) {
      expect(() => assertWrapped(new Uint8Array(size), ARN, contexts.mac)).toThrow(
        mismatch(
          new RegExp(`MAC key of keyring "patients" has ${size} bytes, which ${ARN} cannot`),
        ),
      )
    }
  })

  test('is taken from an answer that has as many, with the key that made it', () => {
    for (const size of [1, 6144]) {
      const blob = new Uint8Array(size).fill(3)
      const { wrapped, rootKeyId } = wrappedKey(blob, ARN, request)
      expect([wrapped, rootKeyId]).toEqual([blob, ARN])
      blob.fill(0)
      expect(wrapped[0]).toBe(3)
    }
    for (const blob of [undefined, new Uint8Array(0), new Uint8Array(6145)]) {
      expect(() => wrappedKey(blob, ARN, request)).toThrow(mismatch(/Decrypt with .* another key/))
    }
  })

  test.each([undefined, '', 'alias/x', 'a', key('a', 'eu-west-1')])(
    'of an answer by key %s is refused',
    (keyId) => {
      expect(() => wrappedKey(new Uint8Array(9), keyId, request)).toThrow(
        mismatch(/in eu-central-1 was answered with another key/),
      )
    },
  )
})

describe('a key in the clear', () => {
  test('is copied out of the answer, and zeroed there', () => {
    const answer = new Uint8Array(32).fill(5)
    const own = taken(answer, request)
    expect([...own]).toEqual(Array.from({ length: 32 }, () => 5))
    expect(own.byteOffset).toBe(0)
    expect([...answer]).toEqual(Array.from({ length: 32 }, () => 0))
  })

  test.each([0, 16, 31, 33])('of %i bytes is refused, and zeroed', (size) => {
    const answer = new Uint8Array(size).fill(5)
    expect(() => taken(answer, request)).toThrow(mismatch(/another key/))
    expect(answer.every((byte) => byte === 0)).toBe(true)
  })

  test('that is not there is refused', () => {
    expect(() => taken(undefined, request)).toThrow(mismatch(/another key/))
    expect(strange(request).fix).toContain('endpoint')
  })
})

describe('where a stored key is unwrapped', () => {
  const placesOf = (options: AwsKmsOptions): Places =>
    new Places(checkAwsOptions(options), () => Promise.resolve('eu-north-1'))
  const at = (...arns: readonly string[]): object[] =>
    arns.map((arn) => ({ keyId: arn, region: parseArn(arn)!.region }))

  test('is at its own ARN', async () => {
    const places = placesOf({ keyId: ARN, former: [key('f', 'eu-west-1', '999999999999')] })
    expect(await places.of(ARN)).toEqual(at(ARN))
    expect(await places.of(key('b'))).toEqual(at(key('b')))
    const former = key('f', 'eu-west-1', '999999999999')
    expect(await places.of(former)).toEqual(at(former))
    expect(await places.regions()).toEqual([REGION, 'eu-west-1'])
  })

  test('is at every replica of the root key, and of no other key', async () => {
    const [one, two] = [key('mrk-1'), key('mrk-1', 'eu-west-1')]
    const places = placesOf({ keyId: one, replicas: [two] })
    expect(await places.of(one)).toEqual(at(one, two))
    expect(await places.of(two)).toEqual(at(one, two))
    expect(await places.of(key('mrk-1', 'us-east-1'))).toEqual(at(one, two))
    expect(await places.of(key('mrk-2'))).toEqual(at(key('mrk-2')))
    expect(await placesOf({ keyId: ARN }).of(key('a'))).toEqual(at(ARN))
  })

  test('is in the region that the SDK finds, for a root key by name', async () => {
    const places = placesOf({ keyId: 'alias/patients' })
    expect(await places.targets()).toEqual([{ keyId: 'alias/patients', region: 'eu-north-1' }])
    expect(await places.of(key('x', 'eu-north-1', '999999999999'))).toHaveLength(1)
  })

  test('is nowhere else', async () => {
    await expect(placesOf({ keyId: ARN }).of(key('b', 'us-east-1'))).rejects.toMatchObject({
      code: 'ERR_ROOT_KEY_REGION',
      message: expect.stringContaining(`is in us-east-1, and awsKms may call ${REGION}.`),
      fix: expect.stringContaining(key('b', 'us-east-1')),
    })
  })

  test.each([
    [key('a', REGION, '999999999999'), `"${key('a', REGION, '999999999999')}" is of account 9999`],
    ['local:0123456789abcdef', '"local:0123456789abcdef" is no ARN of a KMS key'],
    ['a key\nwith more', '(unreadable) is no ARN'],
    ['x y', '(unreadable) is no ARN'],
    ['x'.repeat(257), '(unreadable) is no ARN'],
    [' x', '(unreadable) is no ARN'],
    ['', '(unreadable) is no ARN'],
  ])('is nowhere for %j, which is shown if it looks like an id', async (rootKeyId, said) => {
    await expect(placesOf({ keyId: ARN }).of(rootKeyId)).rejects.toMatchObject({
      code: 'ERR_KEY_MISMATCH',
      message: expect.stringContaining(`The stored root key id ${said}`),
      fix: expect.stringContaining('former'),
    })
  })
})
