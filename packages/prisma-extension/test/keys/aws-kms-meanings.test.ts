import { describe, expect, test } from 'vitest'
import { KeyError } from '../../src/errors.ts'
import { kmsError, type KmsRequest } from '../../src/keys/providers/aws-kms-errors.ts'

// What becomes of an error of the SDK. The SDK's are objects with much in them, so these are made by hand.

const REQUEST: KmsRequest = {
  operation: 'Decrypt',
  keyId: 'alias/patients',
  region: 'eu-central-1',
  subject: 'KEK of key 7, keyring "default"',
}
const AT = 'Decrypt with alias/patients in eu-central-1'
const errorOf = (error: unknown, change: Partial<KmsRequest> = {}): KeyError =>
  kmsError(error, { ...REQUEST, ...change })
const named = (name: string, more: object = {}): object => ({ name, ...more })

describe('an error of the AWS SDK', () => {
  test('that is ours already stays as it is', () => {
    const ours = new KeyError('ERR_KEY_STATE', 'no', { fix: 'none' })
    expect(errorOf(ours)).toBe(ours)
  })

  test.each([
    ['AccessDeniedException', 'ERR_ROOT_KEY_DENIED', false],
    ['ExpiredTokenException', 'ERR_ROOT_KEY_DENIED', false],
    ['IncompleteSignature', 'ERR_ROOT_KEY_DENIED', false],
    ['InvalidClientTokenId', 'ERR_ROOT_KEY_DENIED', false],
    ['MissingAuthenticationTokenException', 'ERR_ROOT_KEY_DENIED', false],
    ['DisabledException', 'ERR_ROOT_KEY_DISABLED', false],
    ['KMSInvalidStateException', 'ERR_ROOT_KEY_DISABLED', false],
    ['NotFoundException', 'ERR_ROOT_KEY_UNKNOWN', false],
    ['InvalidArnException', 'ERR_ROOT_KEY_INVALID', false],
    ['InvalidKeyUsageException', 'ERR_ROOT_KEY_INVALID', false],
    ['UnsupportedOperationException', 'ERR_ROOT_KEY_INVALID', false],
    ['LimitExceededException', 'ERR_ROOT_KEY_DENIED', false],
    ['ConflictException', 'ERR_KEYRING_CONFLICT', true],
    ['ThrottlingException', 'ERR_ROOT_KEY_THROTTLED', true],
    ['Throttling', 'ERR_ROOT_KEY_THROTTLED', true],
    ['ThrottledException', 'ERR_ROOT_KEY_THROTTLED', true],
    ['RequestThrottledException', 'ERR_ROOT_KEY_THROTTLED', true],
    ['RequestLimitExceeded', 'ERR_ROOT_KEY_THROTTLED', true],
    ['TooManyRequestsException', 'ERR_ROOT_KEY_THROTTLED', true],
  ])('called %s is %s, retryable: %s', (name, code, retryable) => {
    const error = errorOf(named(name))
    expect(error).toMatchObject({ code, retryable, fix: expect.stringMatching(/\w/) })
    expect(error.message).toContain(AT)
  })

  test('of what is stored names that, or the key alone', () => {
    expect(errorOf(named('IncorrectKeyException')).message).toContain(
      'The wrapped KEK of key 7, keyring "default" was not made with alias/patients.',
    )
    const message = errorOf(named('InvalidCiphertextException'), { subject: null }).message
    expect(message).toContain(`The wrapped key was altered or belongs to another key (${AT}).`)
  })

  test.each(['DisabledException', 'KMSInvalidStateException'])(
    'called %s is of a deletion where its text says so',
    (name) => {
      for (const message of ['x is pending deletion.', 'x is Pending Replica Deletion'])
        expect(errorOf(named(name, { message })).code).toBe('ERR_ROOT_KEY_DELETION')
      expect(errorOf(named(name, { message: 'x is disabled' })).code).toBe('ERR_ROOT_KEY_DISABLED')
    },
  )

  test('of another name is of no deletion, whatever its text says', () => {
    const error = errorOf(named('AccessDeniedException', { message: 'pending deletion' }))
    expect(error.code).toBe('ERR_ROOT_KEY_DENIED')
  })

  test('names the permission that AWS says is missing, or that of the operation', () => {
    const denied = (message: unknown, operation = 'Decrypt'): string[] => {
      const error = errorOf(named('AccessDeniedException', { message }), { operation })
      return [/: (kms:.*) is missing/.exec(error.message)![1]!, error.fix]
    }
    expect(denied('not authorized to perform: kms:ReEncryptTo on x')[0]).toBe('kms:ReEncryptTo')
    expect(denied('not authorized to perform: kms:ReEncryptTo')[1]).toContain(
      'Allow kms:ReEncryptTo',
    )
    for (const message of ['no', undefined, 7, 'perform: s3:Get', 'perform: kms:'])
      expect(denied(message)[0]).toBe('kms:Decrypt')
    expect(denied('no', 'ReEncrypt')[0]).toBe('kms:ReEncryptFrom and kms:ReEncryptTo')
  })

  test.each([400, 401, 403, 404, 413, 499])('with status %i is a denial', (status) => {
    for (const error of [
      { name: 'New', $metadata: { httpStatusCode: status } },
      { name: 'New', $response: { statusCode: status } },
    ]) {
      const told = errorOf(error)
      expect(told).toMatchObject({ code: 'ERR_ROOT_KEY_DENIED', retryable: false })
      expect(told.message).toContain(`AWS KMS refuses ${AT} (New).`)
      expect(told.fix).toContain('documentation')
    }
  })

  test.each([200, 399, 408, 500, 503, '403', null])('with status %j is an outage', (status) => {
    const told = errorOf({ name: 'New', $metadata: { httpStatusCode: status } })
    expect(told).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
    expect(told.message).toContain(`gave no answer to ${AT} (New).`)
    expect(told.fix).toContain('network')
  })

  test('with status 429 is throttling', () => {
    const told = errorOf({ name: 'New', $metadata: { httpStatusCode: 429 } })
    expect(told).toMatchObject({ code: 'ERR_ROOT_KEY_THROTTLED', retryable: true })
    expect(told.message).toContain(AT)
  })

  test('has the id of the request, if that is one', () => {
    const withId = (requestId: unknown): string =>
      errorOf(named('NotFoundException', { $metadata: { requestId } })).message
    expect(withId('4f2-a_B')).toContain('(Request 4f2-a_B.)')
    for (const requestId of [undefined, 7, 'with space', 'a\nb', ' a', 'a ', 'x'.repeat(65), ''])
      expect(withId(requestId)).not.toContain('Request')
    expect(errorOf({ name: 'New', $metadata: { requestId: 'r1' } }).message).toContain(
      '(Request r1.)',
    )
  })

  test('is told by its code, else by its name, else as unknown', () => {
    const reason = (error: unknown): string => /\(([^)]*)\)\./.exec(errorOf(error).message)![1]!
    expect(reason({ name: 'Error', code: 'ECONNRESET' })).toBe('ECONNRESET')
    expect(reason({ name: 'SyntaxError', code: 'has space' })).toBe('SyntaxError')
    for (const error of [undefined, null, 'text', {}, { name: 7 }, { name: 'secret value' }])
      expect(reason(error)).toBe('unknown error')
  })

  test.each(['CredentialsProviderError', 'TokenProviderError'])(
    'called %s says that there are no credentials',
    (name) => {
      const told = errorOf(named(name))
      expect(told).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
      expect(told.message).toContain(`found no credentials for ${AT}`)
      expect(told.fix).toContain('role')
    },
  )
})
