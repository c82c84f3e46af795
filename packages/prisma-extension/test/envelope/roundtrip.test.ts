import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EnvelopeError } from '../../src/errors.ts'
import {
  MAX_VALUE_BYTES,
  bytesPrefix,
  decode,
  encode,
  openEnvelope,
  parseBytes,
  parseJson,
  parseText,
  sealBytes,
  sealText,
  sizeOfBytes,
  sizeOfText,
  textPrefix,
  valueAad,
} from '../../src/envelope/index.ts'
import type { CodecType, SealingKey, Suite } from '../../src/envelope/index.ts'

const MIB = 1024 * 1024

const sealingKey = fc
  .record({
    keyId: fc.integer({ min: 0, max: 0xffffffff }),
    suite: fc.constantFrom<Suite>(0x01, 0x02),
    blobBytes: fc.integer({ min: 1, max: 4096 }),
  })
  .map(({ keyId, suite, blobBytes }): SealingKey => ({
    keyId,
    suite,
    wrapped: randomBytes(suite === 0x01 ? 60 : blobBytes),
    key: createSecretKey(randomBytes(32)),
  }))

const site = fc.record({
  id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  bound: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
})

const pad = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4096 }))

const value: fc.Arbitrary<[CodecType, string | Uint8Array]> = fc.oneof(
  fc.tuple(fc.constant<CodecType>('String'), fc.string({ unit: 'binary', size: 'medium' })),
  fc.tuple(fc.constant<CodecType>('String'), fc.string({ unit: 'grapheme', size: 'medium' })),
  fc.tuple(fc.constant<CodecType>('Json'), fc.json()),
  fc.tuple(fc.constant<CodecType>('Bytes'), fc.uint8Array({ maxLength: 4096 })),
)

/** Seal and open both ways; what comes back is compared with what went in. */
function roundTrip(
  type: CodecType,
  given: string | Uint8Array,
  padding: number,
  key: SealingKey,
  aad: Uint8Array,
): void {
  const plaintext = encode(type, given, padding)
  const text = sealText(key, aad, plaintext)
  const bytes = sealBytes(key, aad, plaintext)
  const valueBytes = Buffer.byteLength(given)
  const wrappedBytes = key.wrapped.length + (key.suite === 0x02 ? 2 : 0)
  expect(text.length).toBe(sizeOfText(valueBytes, padding, wrappedBytes))
  expect(bytes.length).toBe(sizeOfBytes(valueBytes, padding, wrappedBytes))
  expect(text.startsWith(textPrefix(key.keyId))).toBe(true)
  expect(bytes.subarray(0, 7)).toStrictEqual(bytesPrefix(key.keyId))
  for (const envelope of [parseText(text)!, parseBytes(bytes)!]) {
    expect(envelope.keyId).toBe(key.keyId)
    expect(envelope.suite).toBe(key.suite)
    expect(Buffer.compare(envelope.wrapped, key.wrapped)).toBe(0)
    const opened = decode(type, openEnvelope(envelope, key.key, aad))
    if (typeof given === 'string') expect(opened === given).toBe(true)
    else expect(Buffer.compare(opened as Uint8Array, given)).toBe(0)
  }
}

test('opens what it sealed, for every codec, padding, suite, key id and site', () => {
  fc.assert(
    fc.property(value, pad, sealingKey, site, ([type, given], padding, key, { id, bound }) => {
      roundTrip(type, given, padding, key, valueAad(key.suite, id, bound))
    }),
    { numRuns: 500 },
  )
})

describe('by size, 0 B to 1 MiB', () => {
  const key: SealingKey = {
    keyId: 1,
    suite: 0x01,
    wrapped: randomBytes(60),
    key: createSecretKey(randomBytes(32)),
  }
  const aad = valueAad(0x01, 'Scan.image')
  const edges = [0, 1, 2, 3, 15, 16, 17, 255, 256, 4095, 4096, 65_535, 65_536, MIB - 1, MIB]
  const sizes = fc.oneof(
    fc.constantFrom(...edges),
    fc.integer({ min: 0, max: 2000 }),
    fc.integer({ min: 0, max: MIB }),
  )
  const sized: Record<string, (size: number) => [CodecType, string | Uint8Array]> = {
    'String in ASCII': (size) => [
      'String',
      randomBytes(size)
        .toString('latin1')
        .replace(/[^ -~]/g, 'x'),
    ],
    'String beyond ASCII': (size) => [
      'String',
      'aé山🏥'.repeat(Math.ceil(size / 10)).slice(0, size & ~3),
    ],
    'String in Latin-1': (size) => ['String', 'é'.repeat(size >> 1)],
    Json: (size) => ['Json', JSON.stringify({ clé: 'x"\\'.repeat(size >> 2) })],
    Bytes: (size) => ['Bytes', randomBytes(size)],
  }

  test.each(Object.keys(sized))('opens %s', (name) => {
    for (const size of edges) roundTrip(...cut(sized[name]!(size)), 0, key, aad)
    fc.assert(
      fc.property(sizes, fc.constantFrom(0, 7, 1024), (size, padding) => {
        roundTrip(...cut(sized[name]!(size)), padding, key, aad)
      }),
      { numRuns: 40 },
    )
  })

  /** No half of a surrogate pair at the end. */
  function cut([type, given]: [CodecType, string | Uint8Array]): [CodecType, string | Uint8Array] {
    return [type, typeof given === 'string' ? given.replace(/[\ud800-\udbff]$/, '') : given]
  }

  test('opens a value of 16 MiB', () => {
    roundTrip('Bytes', randomBytes(MAX_VALUE_BYTES), 0, key, aad)
    roundTrip('String', 'x'.repeat(MAX_VALUE_BYTES - 5), 4096, key, aad)
  })
})

test('gives every value another nonce', () => {
  const key: SealingKey = {
    keyId: 1,
    suite: 0x01,
    wrapped: randomBytes(60),
    key: createSecretKey(randomBytes(32)),
  }
  const seen = new Set<string>()
  for (let n = 0; n < 5000; n++) {
    const { nonce } = parseBytes(sealBytes(key, Buffer.alloc(0), Buffer.from([1])))!
    seen.add(Buffer.from(nonce).toString('hex'))
  }
  expect(seen.size).toBe(5000)
})

test('gives back memory that no other value shares', () => {
  const key: SealingKey = {
    keyId: 1,
    suite: 0x01,
    wrapped: randomBytes(60),
    key: createSecretKey(randomBytes(32)),
  }
  const aad = valueAad(0x01, 'Scan.image')
  const envelope = parseBytes(sealBytes(key, aad, encode('Bytes', randomBytes(20), 0)))!
  const value = decode('Bytes', openEnvelope(envelope, key.key, aad))
  expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype)
  expect(value.buffer.byteLength).toBe(20)
})

test('parses Json as JSON.parse does, and says nothing of the text it cannot parse', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseJson(text)).toStrictEqual(JSON.parse(text))
    }),
  )
  let message = ''
  try {
    parseJson('{"diagnosis":"sentinel', 'Form.answers')
  } catch (error) {
    expect(error).toBeInstanceOf(EnvelopeError)
    message = `${String(error)}${String((error as Error).cause)}`
  }
  expect(message).toContain('Form.answers')
  expect(message).not.toContain('sentinel')
  expect(message).not.toContain('diagnosis')
})
