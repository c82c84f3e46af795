import { checkKey, type SealingKey } from './aead.ts'
import { bytesPrefix, KMS_LENGTH_BYTES, SUITE_KMS, textPrefix, type Envelope } from './layout.ts'

/** A DEK as an envelope holds it. */
export type HeldDek = Omit<SealingKey, 'key'>

/**
 * The envelope of a text column with the same DEK wrapped anew: key id and wrapped DEK are other ones; nonce,
 * ciphertext and tag stay.
 *
 * @param dek - the DEK of the envelope, under another key. The suite is the same.
 * @throws {TypeError} for another suite, or a key id or wrapped DEK of impossible size.
 * @see docs/spec/envelope-v1.md#writing
 */
export function rewrapText(envelope: Envelope, dek: HeldDek): string {
  return textPrefix(dek.keyId) + body(envelope, dek).toString('base64url')
}

/** The same for a binary column. Parameters and errors as for `rewrapText`. */
export function rewrapBytes(envelope: Envelope, dek: HeldDek): Buffer {
  return Buffer.concat([bytesPrefix(dek.keyId), body(envelope, dek)])
}

function body({ suite, nonce, ciphertext, tag }: Envelope, dek: HeldDek): Buffer {
  if (dek.suite !== suite) throw new TypeError('A DEK is re-wrapped within its suite.')
  checkKey(dek)
  const length = Buffer.alloc(suite === SUITE_KMS ? KMS_LENGTH_BYTES : 0)
  if (suite === SUITE_KMS) length.writeUInt16BE(dek.wrapped.length)
  return Buffer.concat([Uint8Array.of(suite), length, dek.wrapped, nonce, ciphertext, tag])
}
