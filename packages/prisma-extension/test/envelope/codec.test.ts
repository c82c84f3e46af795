import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { EnvelopeError, QueryError } from '../../src/errors.ts'
import {
  MAX_VALUE_BYTES,
  decode,
  encode,
  sizeOfBytes,
  sizeOfText,
} from '../../src/envelope/index.ts'
import type { CodecType } from '../../src/envelope/index.ts'

const FIELD = 'Patient.name'

function thrown(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

describe('encode', () => {
  test.each(['\ud800', 'a\udfff', '\udfff\ud800', 'Zoë \ud83c', '\ud83c\ud83c\udfe5'])(
    'refuses the lone surrogate in %j',
    (value) => {
      for (const type of ['String', 'Json'] as const) {
        const error = thrown(() => encode(type, value, 0, FIELD))
        expect(error).toBeInstanceOf(QueryError)
        expect(error).toMatchObject({ code: 'ERR_VALUE_INVALID', field: FIELD })
      }
    },
  )

  test.each<[CodecType, unknown]>([
    ['String', Buffer.from('sentinel')],
    ['String', 7],
    ['String', null],
    ['Json', { name: 'sentinel' }],
    ['Bytes', 'sentinel'],
    ['Bytes', new ArrayBuffer(8)],
    ['Bytes', new Uint16Array(4)],
    ['Bytes', undefined],
  ])('refuses a value that is not of type %s', (type, value) => {
    const error = thrown(() => encode(type, value as string, 0, FIELD))
    expect(error).toBeInstanceOf(QueryError)
    expect(error).toMatchObject({ code: 'ERR_VALUE_INVALID', field: FIELD })
    expect(error.message).not.toContain('sentinel')
  })

  test('refuses more than 16 MiB, padding included', () => {
    const limit = Buffer.alloc(MAX_VALUE_BYTES)
    expect(encode('Bytes', limit, 0).length).toBe(MAX_VALUE_BYTES + 1)
    expect(encode('Bytes', limit, MAX_VALUE_BYTES).length).toBe(MAX_VALUE_BYTES + 5)
    const over: [CodecType, string | Uint8Array, number][] = [
      ['Bytes', Buffer.alloc(MAX_VALUE_BYTES + 1), 0],
      ['Bytes', limit, 1000],
      ['String', 'é'.repeat(MAX_VALUE_BYTES / 2 + 1), 0],
    ]
    for (const [type, value, pad] of over)
      expect(thrown(() => encode(type, value, pad))).toMatchObject({ code: 'ERR_VALUE_INVALID' })
  })

  test.each([-1, 1.5, Number.NaN, Infinity, MAX_VALUE_BYTES + 1])('takes no pad of %d', (pad) => {
    expect(() => encode('String', 'x', pad)).toThrow(TypeError)
    expect(() => sizeOfText(1, pad)).toThrow(TypeError)
    expect(() => sizeOfBytes(1, pad)).toThrow(TypeError)
  })

  test('copies bytes, so that a caller may change them afterwards', () => {
    const value = Buffer.from([1, 2, 3])
    const plaintext = encode('Bytes', value, 0)
    value.fill(9)
    expect([...plaintext]).toStrictEqual([3, 1, 2, 3])
  })

  test('gives values that share their padding the same length', () => {
    const lengths = ['', 'a', 'x'.repeat(31), 'x'.repeat(32)].map(
      (v) => encode('String', v, 32).length,
    )
    expect(new Set(lengths)).toStrictEqual(new Set([37]))
    expect(encode('String', 'x'.repeat(33), 32).length).toBe(69)
  })
})

describe('decode', () => {
  test('opens a padded value whatever the field pads to by now', () => {
    expect(decode('String', encode('String', 'Ada', 100))).toBe('Ada')
    expect(decode('String', encode('String', 'Ada', 0))).toBe('Ada')
  })

  test('reads from a view that does not begin at its buffer', () => {
    const buffer = new Uint8Array([9, 9, 0x81, 0, 0, 0, 2, 0xc3, 0xab, 0, 9])
    expect(decode('String', buffer.subarray(2, 10))).toBe('ë')
    const bytes = decode('Bytes', new Uint8Array([9, 3, 7, 8, 9]).subarray(1, 4))
    expect([...bytes]).toStrictEqual([7, 8])
  })

  test('refuses a plaintext without a codec tag', () => {
    const error = thrown(() => decode('String', new Uint8Array(0), FIELD))
    expect(error).toBeInstanceOf(EnvelopeError)
    expect(error).toMatchObject({ code: 'ERR_ENVELOPE_MALFORMED', field: FIELD })
  })

  test.each<[CodecType, Buffer]>([
    ['Json', Buffer.from('\x01sentinel')],
    ['String', Buffer.concat([Buffer.from('\x01sentinel'), Buffer.from([0xff])])],
    ['String', Buffer.from('\x7fsentinel')],
    ['Bytes', Buffer.from('\x83\0\0\0\x01sentinel', 'latin1')],
  ])('shows nothing of the plaintext it refuses as %s', (type, plaintext) => {
    const error = thrown(() => decode(type, plaintext, FIELD))
    expect(error).toBeInstanceOf(EnvelopeError)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('sentinel')
  })
})

test('knows that 43 bytes of text fit a VARCHAR(191), and 44 do not', () => {
  expect(sizeOfText(43, 0)).toBe(191)
  expect(sizeOfText(44, 0)).toBe(192)
  expect(sizeOfText(0, 32)).toBe(sizeOfText(32, 32))
  expect(sizeOfBytes(43, 0)).toBe(140)
})
