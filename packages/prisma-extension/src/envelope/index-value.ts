import { createHmac, type KeyObject } from 'node:crypto'
import { isKeyId } from './layout.ts'
import { assertWellFormed } from './normalize.ts'

/**
 * Value of a blind index, version 1: see docs/spec/blind-index-v1.md.
 *
 *   "ri1." ‖ key id (8 lowercase hex digits) ‖ "." ‖ HMAC-SHA-256 (64 lowercase hex digits)
 */

/** Subkey of one index column, under one index key. */
export interface IndexKey {
  /** uint32; names the index key, not the subkey. */
  readonly keyId: number
  /** 256 bit, from HKDF. */
  readonly key: KeyObject
}

const MAGIC = 'ri1.'
const VALUE = /^ri1\.([0-9a-f]{8})\.[0-9a-f]{64}$/

/** Length of every value, in characters. All are ASCII. */
export const INDEX_VALUE_CHARS = 77

/**
 * First 13 characters of every value under an index key: `ri1.0000002a.`.
 *
 * @throws {TypeError} if `keyId` is no uint32.
 */
export function indexPrefix(keyId: number): string {
  if (!isKeyId(keyId)) throw new TypeError('A key id is an integer from 0 to 4294967295.')
  return `${MAGIC}${keyId.toString(16).padStart(8, '0')}.`
}

/**
 * The value that a blind index stores for a text, and that a look-up compares with.
 *
 * @param normalized - from `normalize`; any length, the empty text included.
 * @throws {TypeError} if the text holds a lone surrogate, or the key id is no uint32.
 * @see docs/spec/blind-index-v1.md#value
 */
export function indexValue({ keyId, key }: IndexKey, normalized: string): string {
  assertWellFormed(normalized)
  return indexPrefix(keyId) + createHmac('sha256', key).update(normalized, 'utf8').digest('hex')
}

/**
 * Key id of a stored value.
 *
 * @returns null for anything but the 77 characters that `indexValue` makes.
 * @see docs/spec/blind-index-v1.md#reading
 */
export function indexKeyIdOf(value: string): number | null {
  const digits = VALUE.exec(value)?.[1]
  return digits === undefined ? null : parseInt(digits, 16)
}
