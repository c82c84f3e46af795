import { KeyError, type KeyErrorCode } from '../../errors.ts'

/** What was called, for messages. */
export interface KmsRequest {
  /** Such as `Decrypt`. */
  readonly operation: string
  /** As it was sent: an ARN, an id or an alias. */
  readonly keyId: string
  readonly region: string
  /** What the call was about, such as `key 7 of keyring "default"`; null for the root key itself. */
  readonly subject: string | null
}

interface Meaning {
  readonly code: KeyErrorCode
  /** Follows "AWS KMS …". */
  readonly message: (request: KmsRequest, permission: string) => string
  readonly fix: (permission: string) => string
  readonly retryable?: boolean
}

const at = ({ operation, keyId, region }: KmsRequest): string =>
  `${operation} with ${keyId} in ${region}`

/** IAM actions whose name is not the operation's. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  ReEncrypt: 'kms:ReEncryptFrom and kms:ReEncryptTo',
}

const DENIED: Meaning = {
  code: 'ERR_ROOT_KEY_DENIED',
  message: (request, permission) => `AWS KMS denies ${at(request)}: ${permission} is missing.`,
  fix: (permission) =>
    `Allow ${permission} in the role's policy and the key's, for this encryption context.`,
}
const CREDENTIALS: Meaning = {
  code: 'ERR_ROOT_KEY_DENIED',
  message: (request) => `AWS KMS does not accept the credentials for ${at(request)}.`,
  fix: () => 'Renew the credentials, and check the clock of this machine.',
}
const DELETION: Meaning = {
  code: 'ERR_ROOT_KEY_DELETION',
  message: (request) => `AWS KMS refuses ${at(request)}: the key is pending deletion.`,
  fix: () =>
    'Unless that is meant, run `aws kms cancel-key-deletion` and `enable-key` at once: afterwards all keys under it are lost.',
}
const DISABLED: Meaning = {
  code: 'ERR_ROOT_KEY_DISABLED',
  message: (request) => `AWS KMS refuses ${at(request)}: the key is disabled.`,
  fix: () => 'Unless that is meant, run `aws kms enable-key`.',
}
const THROTTLED: Meaning = {
  code: 'ERR_ROOT_KEY_THROTTLED',
  message: (request) => `AWS KMS throttles ${at(request)}.`,
  fix: () => 'Try again later, or raise the request quota of KMS in this account and region.',
  retryable: true,
}
const MALFORMED: Meaning = {
  code: 'ERR_ROOT_KEY_INVALID',
  message: (request) => `AWS KMS refuses ${at(request)} as malformed.`,
  fix: () => 'Check the key id.',
}

/** Answers of KMS by name. What is not here goes by its HTTP status. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map(
  Object.entries<Meaning>({
    AccessDeniedException: DENIED,
    ExpiredTokenException: CREDENTIALS,
    IncompleteSignature: CREDENTIALS,
    InvalidClientTokenId: CREDENTIALS,
    InvalidSignatureException: CREDENTIALS,
    MissingAuthenticationTokenException: CREDENTIALS,
    UnrecognizedClientException: CREDENTIALS,
    DisabledException: DISABLED,
    KMSInvalidStateException: {
      code: 'ERR_ROOT_KEY_DISABLED',
      message: (request) => `AWS KMS refuses ${at(request)}: the key's state does not permit it.`,
      fix: () => '`aws kms describe-key` shows it.',
    },
    NotFoundException: {
      code: 'ERR_ROOT_KEY_UNKNOWN',
      message: (request) => `AWS KMS has no such key or alias: ${at(request)}.`,
      fix: () => 'Check account, region and key id.',
    },
    IncorrectKeyException: {
      code: 'ERR_KEY_MISMATCH',
      message: (request) => `The wrapped ${subjectOf(request)} was not made with ${request.keyId}.`,
      fix: () => 'The key store was edited: restore it from a backup.',
    },
    InvalidCiphertextException: {
      code: 'ERR_KEY_MISMATCH',
      message: (request) =>
        `The wrapped ${subjectOf(request)} was altered or belongs to another key (${at(request)}).`,
      fix: () => 'Restore the key store from a backup.',
    },
    InvalidKeyUsageException: {
      code: 'ERR_ROOT_KEY_INVALID',
      message: (request) => `AWS KMS refuses ${at(request)}: it is no symmetric encryption key.`,
      fix: () => 'Give a key of usage ENCRYPT_DECRYPT and spec SYMMETRIC_DEFAULT.',
    },
    InvalidArnException: MALFORMED,
    ValidationException: MALFORMED,
    UnsupportedOperationException: {
      code: 'ERR_ROOT_KEY_INVALID',
      message: (request) => `AWS KMS cannot do ${at(request)} with a key of this kind.`,
      fix: () => 'Put a new key behind the alias, then `npx rowseal keys rewrap`.',
    },
    LimitExceededException: {
      code: 'ERR_ROOT_KEY_DENIED',
      message: (request) => `AWS KMS refuses ${at(request)}: a limit is reached.`,
      fix: () => 'Put a new key behind the alias, then `npx rowseal keys rewrap`.',
    },
    ConflictException: {
      code: 'ERR_KEYRING_CONFLICT',
      message: (request) => `AWS KMS refuses ${at(request)}: one is going on already.`,
      fix: () => 'Wait for it to end.',
      retryable: true,
    },
    ThrottlingException: THROTTLED,
    Throttling: THROTTLED,
    ThrottledException: THROTTLED,
    RequestThrottledException: THROTTLED,
    RequestLimitExceeded: THROTTLED,
    TooManyRequestsException: THROTTLED,
  }),
)

/**
 * What an error of the SDK means to Rowseal. The SDK's errors hold the whole exchange, with sockets,
 * signatures and perhaps a key in an answer that could not be parsed, so nothing of them is kept but
 * names, codes and request ids.
 */
export function kmsError(error: unknown, request: KmsRequest): KeyError {
  if (error instanceof KeyError) return error
  const { name, text, status, reason, requestId } = factsOf(error)
  const meaning = meaningOf(name, text)
  const permission =
    permissionIn(text) ?? PERMISSIONS[request.operation] ?? `kms:${request.operation}`
  const trace = requestId === null ? '' : ` (Request ${requestId}.)`
  if (meaning !== undefined) {
    const { code, message, fix, retryable = false } = meaning
    return new KeyError(code, `${message(request, permission)}${trace}`, {
      fix: fix(permission),
      retryable,
    })
  }
  if (status === 429) return kmsError({ name: 'ThrottlingException' }, request)
  if (status !== null && isRefusal(status)) return refused(request, reason, trace)
  return unreachable(request, reason, trace)
}

/** Both names are in use for a key that is pending deletion. */
function meaningOf(name: string, text: string): Meaning | undefined {
  const isState = name === 'DisabledException' || name === 'KMSInvalidStateException'
  return isState && /pending (replica )?deletion/i.test(text) ? DELETION : MEANINGS.get(name)
}

/** No answer in time, or none that can be used. */
export function unreachable(request: KmsRequest, reason: string, trace = ''): KeyError {
  const isCredentials = reason === 'CredentialsProviderError' || reason === 'TokenProviderError'
  return new KeyError(
    'ERR_KEY_UNAVAILABLE',
    isCredentials
      ? `The AWS SDK found no credentials for ${at(request)}.`
      : `AWS KMS gave no answer to ${at(request)} (${reason}).${trace}`,
    {
      fix: isCredentials
        ? 'Give this process a role.'
        : 'Try again; check the network if it goes on.',
      retryable: true,
    },
  )
}

/** 408 says that a proxy, or KMS, did not wait long enough. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408
}

/** An answer that says no in words not known here is a denial. */
function refused(request: KmsRequest, reason: string, trace: string): KeyError {
  return new KeyError(
    'ERR_ROOT_KEY_DENIED',
    `AWS KMS refuses ${at(request)} (${reason}).${trace}`,
    {
      fix: 'Look the error up in the documentation of AWS KMS.',
    },
  )
}

interface Facts {
  readonly name: string
  readonly text: string
  readonly status: number | null
  readonly reason: string
  readonly requestId: string | null
}

function factsOf(error: unknown): Facts {
  const { name, message, code, $metadata, $response } = (error ?? {}) as Record<string, unknown>
  const metadata = ($metadata ?? {}) as Record<string, unknown>
  const response = ($response ?? {}) as Record<string, unknown>
  const status = metadata['httpStatusCode'] ?? response['statusCode']
  const known = typeof name === 'string' ? name : ''
  return {
    name: known,
    text: typeof message === 'string' ? message : '',
    status: typeof status === 'number' ? status : null,
    reason: word(code) ?? word(name) ?? 'unknown error',
    requestId: word(metadata['requestId']),
  }
}

/** Only what cannot be a value: an identifier. */
function word(value: unknown): string | null {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? value : null
}

/** The action that AWS says is missing. */
function permissionIn(text: string): string | null {
  return /perform: (kms:[A-Za-z]{1,40})\b/.exec(text)?.[1] ?? null
}

function subjectOf({ subject }: KmsRequest): string {
  return subject ?? 'key'
}
