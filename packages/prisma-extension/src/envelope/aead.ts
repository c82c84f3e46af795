import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { EnvelopeError } from '../errors.ts'
import {
  BYTES_MAGIC,
  BYTES_PREFIX_BYTES,
  KEK_WRAPPED_BYTES,
  KMS_BLOB_MAX_BYTES,
  KMS_LENGTH_BYTES,
  MAX_PLAINTEXT_BYTES,
  NONCE_BYTES,
  SUITE_BYTES,
  SUITE_KEK,
  SUITE_KMS,
  TAG_BYTES,
  isKeyId,
  textPrefix,
} from './layout.ts'
import type { Envelope, Suite } from './layout.ts'
import { NoncePool } from '../nonce-pool.ts'

const CIPHER = 'aes-256-gcm'
const CIPHER_OPTIONS = { authTagLength: TAG_BYTES } as const

/** The one piece of state here: random bytes not yet handed out. */
const nonces = new NoncePool()

/** A DEK for the values of one record, with what the envelope says about it. */
export interface SealingKey {
  /** uint32 */
  readonly keyId: number
  readonly suite: Suite
  /** Suite 0x01: 60 bytes. Suite 0x02: the KMS's blob without a length, 1 to 4096 bytes. */
  readonly wrapped: Uint8Array
  /** 256-bit AES key */
  readonly key: KeyObject
}

/**
 * Seal a value for a text column.
 *
 * @param aad - from `valueAad`, with the key's suite.
 * @param plaintext - from `encode`.
 * @param nonce - 12 bytes; for vectors and tests. Left out: random.
 * @throws {TypeError} on a key id, suite, wrapped DEK, plaintext or nonce of impossible size.
 */
export function sealText(
  key: SealingKey,
  aad: Uint8Array,
  plaintext: Uint8Array,
  nonce?: Uint8Array,
): string {
  return textPrefix(key.keyId) + seal(0, key, aad, plaintext, nonce).toString('base64url')
}

/** Seal a value for a binary column. Parameters and errors as for `sealText`. */
export function sealBytes(
  key: SealingKey,
  aad: Uint8Array,
  plaintext: Uint8Array,
  nonce?: Uint8Array,
): Buffer {
  const sealed = seal(BYTES_PREFIX_BYTES, key, aad, plaintext, nonce)
  sealed.set(BYTES_MAGIC)
  sealed.writeUInt32BE(key.keyId, BYTES_MAGIC.length)
  return sealed
}

/** A new body, with `lead` bytes in front that the caller fills in. */
function seal(
  lead: number,
  key: SealingKey,
  aad: Uint8Array,
  plaintext: Uint8Array,
  nonce: Uint8Array | undefined,
): Buffer {
  checkKey(key)
  if (plaintext.length === 0 || plaintext.length > MAX_PLAINTEXT_BYTES)
    throw new TypeError('A plaintext has a codec tag and at most 16 MiB of value.')
  const lengthBytes = key.suite === SUITE_KMS ? KMS_LENGTH_BYTES : 0
  const nonceAt = lead + SUITE_BYTES + lengthBytes + key.wrapped.length
  const ciphertextAt = nonceAt + NONCE_BYTES
  const tagAt = ciphertextAt + plaintext.length
  const out = Buffer.allocUnsafe(tagAt + TAG_BYTES)
  out[lead] = key.suite
  if (lengthBytes > 0) out.writeUInt16BE(key.wrapped.length, lead + SUITE_BYTES)
  out.set(key.wrapped, lead + SUITE_BYTES + lengthBytes)
  if (nonce === undefined) nonces.take(out, nonceAt)
  else if (nonce.length === NONCE_BYTES) out.set(nonce, nonceAt)
  else throw new TypeError('A nonce has 12 bytes.')

  const cipher = createCipheriv(
    CIPHER,
    key.key,
    out.subarray(nonceAt, ciphertextAt),
    CIPHER_OPTIONS,
  )
  cipher.setAAD(aad)
  out.set(cipher.update(plaintext), ciphertextAt)
  cipher.final()
  out.set(cipher.getAuthTag(), tagAt)
  return out
}

/** @throws {TypeError} on a key id, suite or wrapped DEK of impossible size. */
export function checkKey({ keyId, suite, wrapped }: Omit<SealingKey, 'key'>): void {
  if (!isKeyId(keyId)) throw new TypeError('A key id is an integer from 0 to 4294967295.')
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- callers in plain JavaScript
  if (suite !== SUITE_KEK && suite !== SUITE_KMS) throw new TypeError('A suite is 0x01 or 0x02.')
  const fits =
    suite === SUITE_KEK
      ? wrapped.length === KEK_WRAPPED_BYTES
      : wrapped.length > 0 && wrapped.length <= KMS_BLOB_MAX_BYTES
  if (!fits) throw new TypeError('The wrapped DEK does not have the size that its suite asks for.')
}

/**
 * Open a parsed envelope.
 *
 * @param key - the DEK that `envelope.wrapped` holds.
 * @param aad - from `valueAad`, with the envelope's suite.
 * @param field - `Model.field`, for the error.
 * @returns the plaintext, for `decode`. Memory of its own.
 * @throws {EnvelopeError} `ERR_ENVELOPE_AUTH` if key, AAD and envelope do not belong together. Which
 *   of them does not fit is not told.
 * @throws {TypeError} if nonce or tag do not have 12 and 16 bytes.
 */
export function openEnvelope(
  envelope: Envelope,
  key: KeyObject,
  aad: Uint8Array,
  field?: string,
): Buffer {
  const { nonce, ciphertext, tag } = envelope
  if (nonce.length !== NONCE_BYTES || tag.length !== TAG_BYTES)
    throw new TypeError('An envelope has a nonce of 12 bytes and a tag of 16.')
  const decipher = createDecipheriv(CIPHER, key, nonce, CIPHER_OPTIONS)
  decipher.setAAD(aad)
  decipher.setAuthTag(tag)
  const plaintext = decipher.update(ciphertext)
  try {
    decipher.final()
  } catch {
    plaintext.fill(0)
    throw unopened(field)
  }
  return plaintext
}

function unopened(field: string | undefined): EnvelopeError {
  return new EnvelopeError(
    'ERR_ENVELOPE_AUTH',
    `${field ?? 'A sealed field'} holds a value that cannot be opened: it was altered, moved from another field or record, or sealed under another key.`,
    {
      ...(field === undefined ? undefined : { field }),
      fix: 'Restore the value from a backup, and find out what wrote it.',
    },
  )
}
