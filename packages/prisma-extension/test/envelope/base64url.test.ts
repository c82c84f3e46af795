import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseText } from '../../src/envelope/index.ts'
import { base64urlFault, decodeBase64url } from '../../src/envelope/base64url.ts'

/** Decodes as RFC 4648 says, character by character. */
function slowly(text: string): Buffer | null {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  if (text.length % 4 === 1) return null
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const char of text) {
    const six = alphabet.indexOf(char)
    if (six < 0) return null
    held = (held << 6) | six
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes.push(held >> bits)
    held &= (1 << bits) - 1
  }
  return held === 0 ? Buffer.from(bytes) : null
}

test('decodes what Node encodes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url')
      expect(Buffer.compare(decodeBase64url(text)!, bytes)).toBe(0)
    }),
  )
})

test('refuses or decodes every code unit in every place as the RFC says', () => {
  for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 32, 34, 35])
    for (let at = 0; at < length; at++)
      for (let code = 0; code < 0x10000; code += code < 0x300 ? 1 : 61) {
        const text = 'A'.repeat(at) + String.fromCharCode(code) + 'A'.repeat(length - at - 1)
        const bytes = decodeBase64url(text)
        const expected = slowly(text)
        if (expected === null ? bytes !== null : bytes?.equals(expected) !== true)
          expect([length, at, code, bytes]).toStrictEqual([length, at, code, expected])
      }
})

test('accepts a code unit whose low byte is in the alphabet nowhere', () => {
  const text = Buffer.alloc(33, 0xa5).toString('base64url')
  for (let at = 0; at < text.length; at++)
    for (let high = 1; high < 256; high++) {
      const wide = String.fromCharCode((high << 8) | text.charCodeAt(at))
      const changed = text.slice(0, at) + wide + text.slice(at + 1)
      if (decodeBase64url(changed) !== null) expect([at, high]).toBeNull()
    }
})

test('refuses or decodes any text as the RFC says', () => {
  const nearly = fc.array(
    fc.constantFrom(...'AZaz09-_+/= \n\r\t.\0é\u0141B'.split(''), 'AAAA', 'QUJD', '===='),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(nearly, (parts) => {
      const text = parts.join('')
      expect(decodeBase64url(text)).toStrictEqual(slowly(text))
    }),
    { numRuns: 5000 },
  )
})

test('names the rule that a text breaks', () => {
  expect(base64urlFault('QQ==')).toBe('base64-padding')
  expect(base64urlFault('QUI=')).toBe('base64-padding')
  expect(base64urlFault('Q=Q=')).toBe('base64-alphabet')
  expect(base64urlFault('QUJD\n')).toBe('base64-alphabet')
  expect(base64urlFault('QUJDR')).toBe('base64-length')
  expect(base64urlFault('QR')).toBe('base64-spare-bits')
})

test('is not tried on a text that is longer than any envelope', () => {
  expect(() => parseText(`rs1.00000001.${'!'.repeat(23_000_000)}`)).toThrow('rule "size"')
  expect(() => parseText(`rs1.00000001.${'!'.repeat(23_000)}`)).toThrow('rule "base64-alphabet"')
})
