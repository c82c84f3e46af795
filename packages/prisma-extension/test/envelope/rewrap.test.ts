import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  parseBytes,
  parseText,
  rewrapBytes,
  rewrapText,
  sealBytes,
  sealText,
  valueAad,
  type SealingKey,
} from '../../src/envelope/index.ts'

const key = createSecretKey(randomBytes(32))
const nonce = randomBytes(12)
const plaintext = Buffer.concat([Buffer.from([1]), randomBytes(100)])

describe.each([
  [0x01, 60, 60],
  [0x02, 1, 4096],
  [0x02, 200, 184],
] as const)('re-wrapping in suite %i, %i to %i bytes', (suite, before, after) => {
  const aad = valueAad(suite, 'Patient.email', [Buffer.from('7')])
  const under = (keyId: number, bytes: number): SealingKey => {
    return { keyId, suite, wrapped: randomBytes(bytes), key }
  }
  const [old, next] = [under(7, before), under(0xfffffffe, after)]

  test('gives what sealing under the other key id would have given', () => {
    const text = parseText(sealText(old, aad, plaintext, nonce))!
    expect(rewrapText(text, next)).toBe(sealText(next, aad, plaintext, nonce))
    const bytes = parseBytes(sealBytes(old, aad, plaintext, nonce))!
    expect(rewrapBytes(bytes, next)).toEqual(sealBytes(next, aad, plaintext, nonce))
  })

  test('stays within the suite, and takes no wrapped DEK of impossible size', () => {
    const text = parseText(sealText(old, aad, plaintext, nonce))!
    const other = suite === 0x01 ? 0x02 : 0x01
    expect(() => rewrapText(text, { ...next, suite: other })).toThrow(TypeError)
    for (const wrapped of [new Uint8Array(), randomBytes(4097)])
      expect(() => rewrapText(text, { ...next, wrapped })).toThrow(TypeError)
    expect(() => rewrapText(text, { ...next, keyId: -1 })).toThrow(TypeError)
  })
})
