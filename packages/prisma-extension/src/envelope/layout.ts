/**
 * Envelope, version 1: see docs/spec/envelope-v1.md.
 *
 *   text    "rs1." ‖ key id (8 lowercase hex digits) ‖ "." ‖ base64url(body)
 *   binary  52 53 01 ‖ key id (uint32, big-endian) ‖ body
 *
 *   body    suite (1) ‖ wrapped DEK ‖ nonce (12) ‖ ciphertext (1 or more) ‖ tag (16)
 *
 *   suite   wrapped DEK
 *   01      nonce (12) ‖ wrapped (32) ‖ tag (16)
 *   02      length (uint16, 1..4096) ‖ blob of the KMS
 */

/** 0x01: DEK wrapped by the KEK. 0x02: DEK wrapped by the KMS. */
export type Suite = 0x01 | 0x02

/** The parts of one sealed value. Views, never copies: they alias what was parsed. */
export interface Envelope {
  /** uint32 */
  readonly keyId: number
  readonly suite: Suite
  /** Suite 0x01: 60 bytes. Suite 0x02: the KMS's blob without its length, 1 to 4096 bytes. */
  readonly wrapped: Uint8Array
  /** 12 bytes */
  readonly nonce: Uint8Array
  /** At least 1 byte. */
  readonly ciphertext: Uint8Array
  /** 16 bytes */
  readonly tag: Uint8Array
}

/** What every text that claims to be an envelope begins with. */
export const TEXT_MAGIC = 'rs1.'
/** What all bytes that claim to be an envelope begin with: "RS", version 1. */
export const BYTES_MAGIC: readonly [number, number, number] = [0x52, 0x53, 0x01]

/** Length of `textPrefix`, in characters. */
export const TEXT_PREFIX_CHARS = 13
/** Length of `bytesPrefix`, in bytes. */
export const BYTES_PREFIX_BYTES = 7

export const SUITE_KEK = 0x01
export const SUITE_KMS = 0x02
export const SUITE_BYTES = 1
/** Wrapped DEK of suite 0x01: nonce, key, tag. */
export const KEK_WRAPPED_BYTES = 60
/** Length field before the blob of suite 0x02. */
export const KMS_LENGTH_BYTES = 2
export const KMS_BLOB_MAX_BYTES = 4096
export { NONCE_BYTES } from '../nonce-pool.ts'
export const TAG_BYTES = 16

/** Codec tag. */
export const CODEC_BYTES = 1
/** Length field before a padded value. */
export const PAD_LENGTH_BYTES = 4

/**
 * Largest value that is sealed or opened, padding included: 16 MiB. An AEAD gives nothing out before
 * its tag is checked, so a value is held in memory whole, three times over, inside one call.
 */
export const MAX_VALUE_BYTES = 16 * 1024 * 1024
export const MAX_PLAINTEXT_BYTES = CODEC_BYTES + PAD_LENGTH_BYTES + MAX_VALUE_BYTES

/** Is this a key id, a uint32? */
export function isKeyId(value: number): boolean {
  return value >>> 0 === value
}

function checkKeyId(keyId: number): void {
  if (!isKeyId(keyId)) throw new TypeError('A key id is an integer from 0 to 4294967295.')
}

/**
 * First 13 characters of every text sealed under a key id: `rs1.0000002a.`. A value is sealed under
 * that key id exactly if it begins so.
 *
 * @throws {TypeError} if `keyId` is no uint32.
 */
export function textPrefix(keyId: number): string {
  checkKeyId(keyId)
  return `${TEXT_MAGIC}${keyId.toString(16).padStart(8, '0')}.`
}

/**
 * First 7 bytes of every binary value sealed under a key id.
 *
 * @throws {TypeError} if `keyId` is no uint32.
 */
export function bytesPrefix(keyId: number): Buffer {
  checkKeyId(keyId)
  const prefix = Buffer.alloc(BYTES_PREFIX_BYTES)
  prefix.set(BYTES_MAGIC)
  prefix.writeUInt32BE(keyId, BYTES_MAGIC.length)
  return prefix
}
