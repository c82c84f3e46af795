import { base64urlFault, decodeBase64url } from './base64url.ts'
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
  TEXT_MAGIC,
  TEXT_PREFIX_CHARS,
} from './layout.ts'
import type { Envelope } from './layout.ts'
import { malformed } from './rules.ts'

/** No envelope has a longer body. Checked before anything is decoded, so size costs no memory. */
const MAX_BODY_BYTES =
  SUITE_BYTES +
  KMS_LENGTH_BYTES +
  KMS_BLOB_MAX_BYTES +
  NONCE_BYTES +
  MAX_PLAINTEXT_BYTES +
  TAG_BYTES
const MAX_BODY_CHARS = Math.ceil((MAX_BODY_BYTES * 4) / 3)

/**
 * Split a stored text into the parts of an envelope.
 *
 * @param text - a column value, any length.
 * @param field - `Model.field`, for the error.
 * @returns the envelope, or `null` if `text` does not begin with `rs1.` and so is not one (a row
 *   written before the field was encrypted).
 * @throws {EnvelopeError} `ERR_ENVELOPE_MALFORMED` if it begins with `rs1.` and is broken.
 * @see docs/spec/envelope-v1.md
 */
export function parseText(text: string, field?: string): Envelope | null {
  const keyId = keyIdOf(text, field)
  if (keyId === null) return null
  if (text.charCodeAt(TEXT_PREFIX_CHARS - 1) !== 0x2e) throw malformed('separator', field)
  const body = text.slice(TEXT_PREFIX_CHARS)
  if (body.length > MAX_BODY_CHARS) throw malformed('size', field)
  const bytes = decodeBase64url(body)
  if (bytes === null) throw malformed(base64urlFault(body), field)
  return parseBody(keyId, bytes, 0, field)
}

/**
 * Split stored bytes into the parts of an envelope. The result aliases `bytes`.
 *
 * @param bytes - a column value, any length.
 * @param field - `Model.field`, for the error.
 * @returns the envelope, or `null` if `bytes` does not begin with 52 53 01.
 * @throws {EnvelopeError} `ERR_ENVELOPE_MALFORMED` if it begins so and is broken.
 * @see docs/spec/envelope-v1.md
 */
export function parseBytes(bytes: Uint8Array, field?: string): Envelope | null {
  const keyId = keyIdOf(bytes, field)
  return keyId === null ? null : parseBody(keyId, bytes, BYTES_PREFIX_BYTES, field)
}

/**
 * The key id that a stored value is under. Looks at its beginning only: whether it opens, parsing tells.
 *
 * @param stored - a column value, any length.
 * @param field - `Model.field`, for the error.
 * @returns uint32, or `null` if `stored` is no envelope.
 * @throws {EnvelopeError} `ERR_ENVELOPE_MALFORMED` if it begins as one and has no key id.
 */
export function keyIdOf(stored: string | Uint8Array, field?: string): number | null {
  if (typeof stored === 'string') {
    if (!stored.startsWith(TEXT_MAGIC)) return null
    const keyId = parseKeyId(stored)
    if (keyId === null) throw malformed('key-id', field)
    return keyId
  }
  if (!hasBytesMagic(stored)) return null
  if (stored.length < BYTES_PREFIX_BYTES) throw malformed('truncated', field)
  return uint32(stored, BYTES_MAGIC.length)
}

function hasBytesMagic(bytes: Uint8Array): boolean {
  return BYTES_MAGIC.every((byte, at) => bytes[at] === byte)
}

/** Key id of a text that begins with the magic; `null` unless 8 lowercase hex digits follow. */
function parseKeyId(text: string): number | null {
  let keyId = 0
  for (let at = TEXT_MAGIC.length; at < TEXT_PREFIX_CHARS - 1; at++) {
    const code = text.charCodeAt(at)
    if (code >= 0x30 && code <= 0x39) keyId = keyId * 16 + code - 0x30
    else if (code >= 0x61 && code <= 0x66) keyId = keyId * 16 + code - 0x57
    else return null
  }
  return keyId
}

function parseBody(keyId: number, bytes: Uint8Array, start: number, field?: string): Envelope {
  const suite = bytes[start]
  if (suite === undefined) throw malformed('truncated', field)
  if (suite !== SUITE_KEK && suite !== SUITE_KMS) throw malformed('suite', field)
  let at = start + SUITE_BYTES
  let wrappedBytes = KEK_WRAPPED_BYTES
  if (suite === SUITE_KMS) {
    if (bytes.length < at + KMS_LENGTH_BYTES) throw malformed('truncated', field)
    wrappedBytes = uint16(bytes, at)
    at += KMS_LENGTH_BYTES
    if (wrappedBytes === 0 || wrappedBytes > KMS_BLOB_MAX_BYTES)
      throw malformed('kms-length', field)
  }
  const nonceAt = at + wrappedBytes
  const ciphertextAt = nonceAt + NONCE_BYTES
  const tagAt = bytes.length - TAG_BYTES
  if (tagAt <= ciphertextAt) throw malformed('truncated', field)
  if (tagAt - ciphertextAt > MAX_PLAINTEXT_BYTES) throw malformed('size', field)
  return {
    keyId,
    suite,
    wrapped: view(bytes, at, nonceAt),
    nonce: view(bytes, nonceAt, ciphertextAt),
    ciphertext: view(bytes, ciphertextAt, tagAt),
    tag: view(bytes, tagAt, bytes.length),
  }
}

/** As `subarray`, at half its cost for a Buffer. */
function view({ buffer, byteOffset }: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from)
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0
}
