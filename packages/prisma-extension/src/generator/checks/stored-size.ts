/**
 * How long a sealed value is in its column. Envelope, version 1, suite 0x01:
 *
 *   text:    "rs1." (4) ‖ key id (8) ‖ "." (1) ‖ base64url(body), no padding
 *   binary:  0x52 0x53 0x01 (3) ‖ key id (4) ‖ body
 *   body:    suite (1) ‖ wrapped DEK (60) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
 *   ciphertext, as long as its plaintext: codec tag (1) ‖ value, with `pad`: tag (1) ‖ length (4) ‖ value ‖ zeros
 */
const TEXT_PREFIX_CHARS = 4 + 8 + 1
const BINARY_PREFIX_BYTES = 3 + 4
const BODY_OVERHEAD_BYTES = 1 + 60 + 12 + 16
const CODEC_TAG_BYTES = 1
const LENGTH_BYTES = 4

/** How a column stores envelopes. */
export type Storage = 'text' | 'binary'

/**
 * Length of the stored envelope of a value of `valueBytes` bytes (for text: in UTF-8), in characters for
 * text, which are ASCII, and in bytes for binary.
 *
 * @param pad - the value is filled up to a multiple of this many bytes, an empty one too; 0 for none.
 */
export function storedLength(storage: Storage, valueBytes: number, pad: number): number {
  const filled =
    pad === 0 ? valueBytes : LENGTH_BYTES + pad * Math.max(1, Math.ceil(valueBytes / pad))
  const body = BODY_OVERHEAD_BYTES + CODEC_TAG_BYTES + filled
  return storage === 'text'
    ? TEXT_PREFIX_CHARS + Math.ceil((body * 4) / 3)
    : BINARY_PREFIX_BYTES + body
}

/** The most bytes a value may have to fit into a column of `capacity`; negative if not even an empty one fits. */
export function valueCapacity(storage: Storage, capacity: number, pad: number): number {
  const body =
    storage === 'text'
      ? Math.floor(((capacity - TEXT_PREFIX_CHARS) * 3) / 4)
      : capacity - BINARY_PREFIX_BYTES
  const filled = body - BODY_OVERHEAD_BYTES - CODEC_TAG_BYTES
  return pad === 0 ? filled : Math.floor((filled - LENGTH_BYTES) / pad) * pad
}
