import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode, sealBytes, sealText, valueAad } from '../../src/envelope/index.ts'
import type { CodecType } from '../../src/envelope/index.ts'
import { Stopped, read } from './support.ts'
import type { Site, VectorKey } from './support.ts'

const ID = 'Patient.notes'
const kek = randomBytes(32)

/** Every key id has the same KEK, so that a changed one is caught by the wrap and not by the look-up. */
const keyOf = (keyId: number): VectorKey => ({
  keyId,
  keyring: 'default',
  suite: 0x01,
  kek: kek.toString('hex'),
})

interface Sealed {
  text: string
  bytes: Buffer
  site: Site
}

function sealed(type: CodecType, value: string | Uint8Array, pad: number): Sealed {
  const keyId = 0x2a
  const dek = randomBytes(32)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', kek, nonce)
  cipher.setAAD(Buffer.from('rowseal/v1/dek\x01\0\0\0\x2a', 'latin1'))
  const wrapped = Buffer.concat([nonce, cipher.update(dek), cipher.final(), cipher.getAuthTag()])
  const key = { keyId, suite: 0x01, wrapped, key: createSecretKey(dek) } as const
  const aad = valueAad(0x01, ID)
  const plaintext = encode(type, value, pad)
  return {
    text: sealText(key, aad, plaintext),
    bytes: sealBytes(key, aad, plaintext),
    site: { keyring: 'default', id: ID, bound: [], type },
  }
}

type Outcome = 'opened' | 'foreign' | 'rejected'

function outcome(stored: string | Uint8Array, site: Site): Outcome {
  try {
    return read(stored, site, keyOf) === null ? 'foreign' : 'opened'
  } catch (error) {
    if (error instanceof Stopped) return 'rejected'
    throw error
  }
}

function flipByte(bytes: Uint8Array, bit: number): Buffer {
  const out = Buffer.from(bytes)
  out[bit >> 3]! ^= 1 << (bit & 7)
  return out
}

/** Flips one of the low 8 bits of a character: what one bad bit in a page of the database does. */
const flipChar = (text: string, bit: number): string =>
  flipByte(Buffer.from(text, 'latin1'), bit).toString('latin1')

/** Changed in the claim itself, a value is no envelope any more; anywhere else it is a broken one. */
function expectFlipsNoticed(s: Sealed, bits: (length: number) => Iterable<number>): void {
  for (const bit of bits(s.bytes.length))
    expect([bit, outcome(flipByte(s.bytes, bit), s.site)]).toStrictEqual([
      bit,
      bit < 24 ? 'foreign' : 'rejected',
    ])
  for (const bit of bits(s.text.length))
    expect([bit, outcome(flipChar(s.text, bit), s.site)]).toStrictEqual([
      bit,
      bit < 32 ? 'foreign' : 'rejected',
    ])
}

function expectCutsNoticed(s: Sealed, lengths: (length: number) => Iterable<number>): void {
  for (const length of lengths(s.bytes.length))
    expect([length, outcome(s.bytes.subarray(0, length), s.site)]).toStrictEqual([
      length,
      length < 3 ? 'foreign' : 'rejected',
    ])
  for (const length of lengths(s.text.length))
    expect([length, outcome(s.text.slice(0, length), s.site)]).toStrictEqual([
      length,
      length < 4 ? 'foreign' : 'rejected',
    ])
}

function* upTo(end: number): Generator<number> {
  for (let n = 0; n < end; n++) yield n
}

const small: [string, CodecType, string | Uint8Array, number][] = [
  ['no text', 'String', '', 0],
  ['a text', 'String', 'Ada Lovelace', 0],
  ['a text beyond ASCII', 'String', 'Zoë 🏥', 0],
  ['a padded text', 'String', 'Ada', 32],
  ['Json', 'Json', '{"dose":1}', 0],
  ['bytes', 'Bytes', randomBytes(40), 0],
  ['256 bytes of envelope', 'Bytes', randomBytes(159), 0],
]

describe('up to 256 bytes, all of them', () => {
  test.each(small)('notices each flipped bit of %s', (_name, type, value, pad) => {
    const s = sealed(type, value, pad)
    expect([outcome(s.text, s.site), outcome(s.bytes, s.site)]).toStrictEqual(['opened', 'opened'])
    expect(s.bytes.length).toBeLessThanOrEqual(256)
    expectFlipsNoticed(s, (length) => upTo(length * 8))
  })

  test.each(small)('notices each truncation of %s', (_name, type, value, pad) => {
    expectCutsNoticed(sealed(type, value, pad), upTo)
  })

  test.each(small)(
    'notices each character replaced by one of other case, alphabet or script in %s',
    (_name, type, value, pad) => {
      const s = sealed(type, value, pad)
      for (const at of upTo(s.text.length)) {
        const char = s.text[at]!
        const others = [
          char.toUpperCase(),
          char.toLowerCase(),
          '=',
          '+',
          '/',
          ' ',
          '\n',
          '\0',
          String.fromCharCode(char.charCodeAt(0) + 0x100),
          `${char} `,
          '',
        ]
        for (const other of others.filter((o) => o !== char)) {
          const changed = s.text.slice(0, at) + other + s.text.slice(at + 1)
          expect([at, other, outcome(changed, s.site)]).toStrictEqual([
            at,
            other,
            changed.startsWith('rs1.') ? 'rejected' : 'foreign',
          ])
        }
      }
    },
  )
})

describe('above 256 bytes, sampled', () => {
  const large = fc.integer({ min: 160, max: 200_000 })

  test('notices a flipped bit', () => {
    fc.assert(
      fc.property(large, fc.array(fc.nat(), { minLength: 5, maxLength: 5 }), (size, picks) => {
        expectFlipsNoticed(sealed('Bytes', randomBytes(size), 0), (length) =>
          picks.map((pick) => pick % (length * 8)),
        )
      }),
      { numRuns: 100 },
    )
  })

  test('notices a truncation', () => {
    fc.assert(
      fc.property(large, fc.array(fc.nat(), { minLength: 5, maxLength: 5 }), (size, picks) => {
        expectCutsNoticed(sealed('String', 'x'.repeat(size), 0), (length) =>
          picks.map((pick) => pick % length),
        )
      }),
      { numRuns: 100 },
    )
  })
})

test('takes nothing for an envelope, or opens it, that was not sealed', () => {
  const s = sealed('String', 'Ada Lovelace', 0)
  const claims = fc.oneof(
    fc.string({ unit: 'binary' }).map((rest) => `rs1.${rest}`),
    fc
      .uint8Array({ maxLength: 200 })
      .map((body) => `rs1.0000002a.${Buffer.from(body).toString('base64url')}`),
    fc
      .uint8Array({ minLength: 89, maxLength: 200 })
      .map((body) => Buffer.concat([Buffer.from([0x52, 0x53, 0x01, 0, 0, 0, 0x2a, 0x01]), body])),
    fc
      .uint8Array({ maxLength: 200 })
      .map((body) => Buffer.concat([Buffer.from([0x52, 0x53, 0x01]), body])),
  )
  fc.assert(
    fc.property(claims, (stored) => {
      expect(outcome(stored, s.site)).toBe('rejected')
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array()), (stored) => {
      expect(outcome(stored, s.site)).toBe('foreign')
    }),
    { numRuns: 2000 },
  )
})
