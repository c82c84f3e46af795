import { KeyError } from '../../errors.ts'
import type { WrapContext, WrappedKey } from '../types.ts'
import { parseKeyArn } from './aws-kms-arn.ts'
import type { KmsRequest } from './aws-kms-errors.ts'
import type { Place } from './aws-kms-places.ts'

export const KEY_BYTES = 32
/** AWS KMS takes no longer ciphertext. */
const MAX_WRAPPED_BYTES = 6144

/** What AWS KMS binds a key to, shows in CloudTrail, and policies can ask for. Not secret. */
export function awsContext({ keyring, keyId, use }: WrapContext): Record<string, string> {
  const context = { 'rowseal:keyring': keyring, 'rowseal:keyId': String(keyId) }
  return use === 'kek' ? context : { ...context, 'rowseal:use': use }
}

export function requestOf(operation: string, place: Place, context: WrapContext): KmsRequest {
  return { operation, keyId: place.keyId, region: place.region, subject: nameOf(context) }
}

function nameOf({ keyring, keyId, use }: WrapContext): string {
  if (use === 'mac') return `MAC key of keyring "${keyring}"`
  return `${use.toUpperCase()} of key ${keyId}, keyring "${keyring}"`
}

/** @throws {KeyError} `ERR_KEY_MISMATCH` for bytes that KMS would not take. */
export function assertWrapped(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): void {
  if (wrapped.length >= 1 && wrapped.length <= MAX_WRAPPED_BYTES) return
  throw new KeyError(
    'ERR_KEY_MISMATCH',
    `The wrapped ${nameOf(context)} has ${wrapped.length} bytes, which ${rootKeyId} cannot have made.`,
    { fix: 'Restore the key store from a backup.' },
  )
}

/** A key out of the SDK's memory into ours: the SDK's is a view of Node's shared pool. */
export function taken(plaintext: Uint8Array | undefined, request: KmsRequest): Buffer {
  try {
    if (plaintext?.length !== KEY_BYTES) throw strange(request)
    const key = Buffer.alloc(KEY_BYTES)
    key.set(plaintext)
    return key
  } finally {
    plaintext?.fill(0)
  }
}

/** @throws {KeyError} `ERR_KEY_MISMATCH` if it is not under a key of the region that was asked. */
export function wrappedKey(
  blob: Uint8Array | undefined,
  keyId: string | undefined,
  request: KmsRequest,
): WrappedKey {
  const arn = parseKeyArn(keyId ?? '')
  const isWhole = blob !== undefined && blob.length >= 1 && blob.length <= MAX_WRAPPED_BYTES
  if (!isWhole || arn?.region !== request.region) throw strange(request)
  return { wrapped: Uint8Array.from(blob), rootKeyId: arn.arn }
}

/** What answers is not the key that was asked. */
export function strange({ operation, keyId, region }: KmsRequest): KeyError {
  return new KeyError(
    'ERR_KEY_MISMATCH',
    `${operation} with ${keyId} in ${region} was answered with another key.`,
    { fix: 'Check what answers at the endpoint of KMS.' },
  )
}
