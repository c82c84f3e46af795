import { parseText } from '@rowseal/prisma-extension/envelope'
import type { Violation } from './operation.ts'

const NONCE_BYTES = 12

/**
 * No key meets a nonce twice: neither a DEK two plaintexts, nor a KEK two DEKs (suite 0x01, where the first 12 bytes
 * of the wrapped DEK are its nonce). Envelopes that are the same are one: `updateMany` writes one to many rows.
 *
 * @param texts - every envelope that was seen.
 */
export function checkNonces(texts: ReadonlySet<string>): Violation[] {
  const violations: Violation[] = []
  const met = new Map<string, string>()
  const meet = (key: string, nonce: Uint8Array, sealed: string, what: string): void => {
    const place = `${key} ${hex(nonce)}`
    if ((met.get(place) ?? sealed) !== sealed) violations.push({ check: 'nonces', what, shown: [] })
    met.set(place, sealed)
  }
  for (const text of texts) {
    const { keyId, suite, wrapped, nonce, ciphertext, tag } = parseText(text)!
    const sealed = hex(ciphertext) + hex(tag)
    meet(
      `DEK ${hex(wrapped)}`,
      nonce,
      sealed,
      `a DEK of key ${keyId} has sealed two values under one nonce`,
    )
    if (suite !== 0x01) continue
    const wrapNonce = wrapped.subarray(0, NONCE_BYTES)
    meet(
      `KEK ${keyId}`,
      wrapNonce,
      hex(wrapped),
      `key ${keyId} has wrapped two DEKs under one nonce`,
    )
  }
  return violations
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
