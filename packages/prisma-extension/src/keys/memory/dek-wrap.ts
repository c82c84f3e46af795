import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { EnvelopeError } from '../../errors.ts'
import { NONCE_BYTES, NoncePool } from '../../nonce-pool.ts'
import type { Dek } from '../types.ts'

export { NoncePool }

// A DEK as it stands in an envelope of suite 0x01:
//
//   nonce (12) ‖ wrapped (32) ‖ tag (16)      AES-256-GCM under the KEK
//   AAD: "rowseal/v1/dek" ‖ suite (1 byte) ‖ key id (uint32, big-endian)

export const KEY_BYTES = 32
const TAG_BYTES = 16
const WRAPPED_DEK_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
const SUITE = 0x01
const LABEL = Buffer.from('rowseal/v1/dek')
const TAG_AT = NONCE_BYTES + KEY_BYTES
const GCM = { authTagLength: TAG_BYTES } as const

/** AAD of the DEK wrap. Made once for each key version, not for each DEK. */
export function dekAad(keyId: number): Uint8Array {
  const aad = Buffer.alloc(LABEL.length + 5)
  LABEL.copy(aad)
  aad.writeUInt8(SUITE, LABEL.length)
  aad.writeUInt32BE(keyId, LABEL.length + 1)
  return aad
}

/** A KEK with what its wraps authenticate. */
export interface Kek {
  readonly keyId: number
  readonly key: KeyObject
  readonly aad: Uint8Array
}

/**
 * Make `count` fresh DEKs, straight from the CSPRNG, and wrap each under the KEK.
 *
 * @param keep - is shown each DEK's bytes, which are zeroed afterwards.
 */
export function createDeks(
  kek: Kek,
  count: number,
  nonces: NoncePool,
  keep?: (dek: Dek, bytes: Uint8Array) => void,
): Dek[] {
  const material = randomBytes(count * KEY_BYTES)
  const deks = new Array<Dek>(count)
  for (let i = 0; i < count; i++) {
    const bytes = material.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES)
    const wrapped = wrapDek(kek, bytes, nonces.next())
    const dek: Dek = { keyId: kek.keyId, suite: SUITE, wrapped, key: createSecretKey(bytes) }
    keep?.(dek, bytes)
    deks[i] = dek
  }
  material.fill(0)
  return deks
}

/** Wrap 32 bytes under a KEK. The nonce must never have been used with this KEK. */
export function wrapDek(kek: Kek, dek: Uint8Array, nonce: Uint8Array): Uint8Array {
  const wrapped = Buffer.allocUnsafe(WRAPPED_DEK_BYTES)
  wrapped.set(nonce, 0)
  const cipher = createCipheriv('aes-256-gcm', kek.key, nonce, GCM)
  cipher.setAAD(kek.aad)
  wrapped.set(cipher.update(dek), NONCE_BYTES)
  cipher.final()
  wrapped.set(cipher.getAuthTag(), TAG_AT)
  return wrapped
}

/**
 * Unwrap a DEK. Exactly the given KEK is tried.
 *
 * @param keep - is shown the DEK's bytes, which are zeroed afterwards.
 * @throws {EnvelopeError} `ERR_ENVELOPE_AUTH`, the same for every cause: the wrapped DEK is part of
 *   a stored value.
 */
export function unwrapDek(
  kek: Kek,
  wrapped: Uint8Array,
  keep?: (bytes: Uint8Array) => void,
): KeyObject {
  if (wrapped.length !== WRAPPED_DEK_BYTES) throw refused()
  const decipher = createDecipheriv('aes-256-gcm', kek.key, wrapped.subarray(0, NONCE_BYTES), GCM)
  decipher.setAAD(kek.aad)
  decipher.setAuthTag(wrapped.subarray(TAG_AT))
  const dek = decipher.update(wrapped.subarray(NONCE_BYTES, TAG_AT))
  try {
    decipher.final()
    keep?.(dek)
    return createSecretKey(dek)
  } catch {
    throw refused()
  } finally {
    dek.fill(0)
  }
}

/** The one error for a wrapped DEK that does not open, in the words the envelope uses. */
export function refused(): EnvelopeError {
  return new EnvelopeError(
    'ERR_ENVELOPE_AUTH',
    'A sealed field holds a value that cannot be opened: it was altered, moved from another field or record, or sealed under another key.',
    { fix: 'Restore the value from a backup, and find out what wrote it.' },
  )
}
