/**
 * What an envelope (version 1, suite 0x01) adds to a value:
 *
 *   text:    "rs1." (4) ‖ key id (8) ‖ "." (1) ‖ base64url(body), without padding
 *   binary:  0x52 0x53 0x01 (3) ‖ key id (4) ‖ body
 *   body:    suite (1) ‖ wrapped DEK (60) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
 *   ciphertext, as long as its plaintext: codec tag (1) ‖ value; with `pad`: codec tag (1) ‖ length (4) ‖ value ‖ zeros
 *
 * Suite 0x02 is longer by what the KMS returns; nobody knows how long at this time.
 */
const TEXT_PREFIX_CHARS = 4 + 8 + 1
const BINARY_PREFIX_BYTES = 3 + 4
const BODY_OVERHEAD_BYTES = 1 + 60 + 12 + 16
const CODEC_TAG_BYTES = 1
const LENGTH_BYTES = 4

/** How a column stores envelopes. */
export type Storage = 'text' | 'binary'

/**
 * The most bytes a value may have (a text in UTF-8) for its envelope to fit into a column.
 *
 * @param capacity - of the column: characters for text, bytes for binary.
 * @param pad - values are filled up to a multiple of this many bytes, an empty one too; 0 for none.
 * @returns a negative number if not even an empty value fits.
 */
export function valueCapacity(storage: Storage, capacity: number, pad: number): number {
  const body =
    storage === 'text'
      ? Math.floor(((capacity - TEXT_PREFIX_CHARS) * 3) / 4)
      : capacity - BINARY_PREFIX_BYTES
  const plaintext = body - BODY_OVERHEAD_BYTES - CODEC_TAG_BYTES
  if (pad === 0) return plaintext
  const multiples = Math.floor((plaintext - LENGTH_BYTES) / pad)
  return multiples >= 1 ? multiples * pad : -1
}
