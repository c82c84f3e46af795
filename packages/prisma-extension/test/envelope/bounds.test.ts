import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  MAX_VALUE_BYTES,
  boundText,
  decode,
  encode,
  keyIdOf,
  normalize,
  openEnvelope,
  parseBytes,
  parseText,
  sealBytes,
  sealText,
  valueAad,
} from '../../src/envelope/index.ts'
import { malformed } from '../../src/envelope/rules.ts'

// What is just within a bound, and what only one step beyond it tells from what is not.

const key = (suite: 0x01 | 0x02, wrappedBytes: number) => ({
  keyId: 0x12345678,
  suite,
  wrapped: randomBytes(wrappedBytes),
  key: createSecretKey(randomBytes(32)),
})

test('the largest value there can be is sealed, parsed and opened', () => {
  const value = Buffer.alloc(MAX_VALUE_BYTES, 7)
  const plaintext = encode('Bytes', value, MAX_VALUE_BYTES)
  expect(plaintext).toHaveLength(1 + 4 + MAX_VALUE_BYTES)
  const [aad, sealing] = [valueAad(0x02, 'A.b'), key(0x02, 4096)]
  const text = parseText(sealText(sealing, aad, plaintext))!
  const bytes = parseBytes(sealBytes(sealing, aad, plaintext))!
  for (const envelope of [text, bytes])
    expect(decode('Bytes', openEnvelope(envelope, sealing.key, aad)).length).toBe(MAX_VALUE_BYTES)
})

test('each digit of a key id counts', () => {
  const [aad, sealing] = [valueAad(0x01, 'A.b'), key(0x01, 60)]
  const text = sealText(sealing, aad, encode('String', 'x', 0))
  expect(text.slice(0, 13)).toBe('rs1.12345678.')
  expect(parseText(text)!.keyId).toBe(0x12345678)
  expect(keyIdOf('rs1.90abcdef.')).toBe(0x90abcdef)
})

test('a key id is read from seven bytes, and from no fewer', () => {
  const bytes = Buffer.from('52530112345678', 'hex')
  expect(keyIdOf(bytes)).toBe(0x12345678)
  for (const length of [3, 6])
    expect(() => keyIdOf(bytes.subarray(0, length))).toThrow('rule "truncated"')
})

test('a wrapped key without length is named before what it lacks', () => {
  expect(() => parseBytes(Buffer.from('52530100000001020000', 'hex'))).toThrow('rule "kms-length"')
  expect(() => parseBytes(Buffer.from('525301000000010200', 'hex'))).toThrow('rule "truncated"')
})

test('a tag of another size is refused before it is tried', () => {
  const [aad, sealing] = [valueAad(0x01, 'A.b'), key(0x01, 60)]
  const envelope = parseBytes(sealBytes(sealing, aad, encode('String', 'x', 0)))!
  for (const length of [4, 12, 15])
    expect(() =>
      openEnvelope({ ...envelope, tag: envelope.tag.subarray(0, length) }, sealing.key, aad),
    ).toThrow('a nonce of 12 bytes and a tag of 16')
})

test('what a value is bound to is nothing unless it is said', () => {
  expect(valueAad(0x01, 'A.b')).toStrictEqual(valueAad(0x01, 'A.b', []))
})

test('an object that reads as a text is none', () => {
  const uuid = '00000000-0000-4000-8000-000000000001'
  for (const [type, text] of [
    ['Uuid', uuid],
    ['BigInt', '5'],
    ['String', 'x'],
    ['Enum', 'x'],
  ] as const) {
    // prettier-ignore
    expect(boundText(type, text)).toBe(text)
    expect(boundText(type, [text])).toBeNull()
  }
  const posing = { isWellFormed: () => true } as unknown as string
  expect(() => normalize([], posing)).toThrow(TypeError)
})

test('a field that changed its type has another remedy than a broken value', () => {
  expect(malformed('codec-type', 'A.b').fix).toContain('type')
  expect(malformed('truncated', 'A.b').fix).toContain('backup')
})
