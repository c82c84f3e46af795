import { createSecretKey, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { EnvelopeError } from '../../src/errors.ts'
import {
  MAX_VALUE_BYTES,
  bytesPrefix,
  encode,
  openEnvelope,
  parseBytes,
  parseText,
  sealBytes,
  sealText,
  textPrefix,
  valueAad,
} from '../../src/envelope/index.ts'
import type { SealingKey, Suite } from '../../src/envelope/index.ts'
import { NoncePool } from '../../src/nonce-pool.ts'

const FIELD = 'Patient.name'
const aad = valueAad(0x01, FIELD)
const plaintext = encode('String', 'sentinel', 0)
const key: SealingKey = {
  keyId: 0x2a,
  suite: 0x01,
  wrapped: randomBytes(60),
  key: createSecretKey(randomBytes(32)),
}

describe('prefix', () => {
  test('is fixed in width and names the key id', () => {
    expect(textPrefix(0x2a)).toBe('rs1.0000002a.')
    expect(textPrefix(0xffffffff)).toBe('rs1.ffffffff.')
    expect(bytesPrefix(0x2a).toString('hex')).toBe('5253010000002a')
  })

  test.each([-1, 0x100000000, 1.5, Number.NaN])('takes no key id of %d', (keyId) => {
    expect(() => textPrefix(keyId)).toThrow(TypeError)
    expect(() => bytesPrefix(keyId)).toThrow(TypeError)
    expect(() => sealBytes({ ...key, keyId }, aad, plaintext)).toThrow(TypeError)
  })
})

describe('seal', () => {
  test.each<[string, Partial<SealingKey>]>([
    ['a wrapped DEK of 59 bytes', { wrapped: randomBytes(59) }],
    ['a wrapped DEK of 61 bytes', { wrapped: randomBytes(61) }],
    ['an empty blob', { suite: 0x02, wrapped: randomBytes(0) }],
    ['a blob of 4097 bytes', { suite: 0x02, wrapped: randomBytes(4097) }],
    ['suite 0x03', { suite: 0x03 as Suite }],
  ])('refuses %s', (_name, change) => {
    expect(() => sealBytes({ ...key, ...change }, aad, plaintext)).toThrow(TypeError)
    expect(() => sealText({ ...key, ...change }, aad, plaintext)).toThrow(TypeError)
  })

  test('refuses a nonce that does not have 12 bytes', () => {
    for (const length of [0, 8, 11, 13, 16])
      expect(() => sealText(key, aad, plaintext, randomBytes(length))).toThrow(TypeError)
  })

  test('refuses a plaintext that no reader would open', () => {
    expect(() => sealText(key, aad, new Uint8Array(0))).toThrow(TypeError)
    expect(() => sealBytes(key, aad, new Uint8Array(MAX_VALUE_BYTES + 6))).toThrow(TypeError)
  })

  test('refuses a key of another size', () => {
    const short = { ...key, key: createSecretKey(randomBytes(16)) }
    expect(() => sealText(short, aad, plaintext)).toThrow()
    const envelope = parseText(sealText(key, aad, plaintext))!
    expect(() => openEnvelope(envelope, short.key, aad)).toThrow()
  })
})

describe('open', () => {
  const envelope = parseBytes(sealBytes(key, aad, plaintext))!
  const failure = (run: () => unknown): EnvelopeError => {
    try {
      run()
    } catch (error) {
      if (error instanceof EnvelopeError) return error
      throw error
    }
    throw new Error('it opened')
  }

  test('fails alike for a wrong key, another AAD and an altered envelope', () => {
    const another = createSecretKey(randomBytes(32))
    const altered = { ...envelope, ciphertext: envelope.ciphertext.map((byte) => byte ^ 1) }
    const errors = [
      failure(() => openEnvelope(envelope, another, aad, FIELD)),
      failure(() => openEnvelope(envelope, key.key, valueAad(0x01, 'Patient.email'), FIELD)),
      failure(() => openEnvelope(altered, key.key, aad, FIELD)),
    ]
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'ERR_ENVELOPE_AUTH', field: FIELD, retryable: false })
      expect(error.message).toBe(errors[0]!.message)
      expect(error.cause).toBeUndefined()
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('sentinel')
    }
  })

  test('takes no shorter tag and no other nonce', () => {
    for (const length of [0, 4, 8, 12, 15])
      expect(() =>
        openEnvelope({ ...envelope, tag: envelope.tag.subarray(0, length) }, key.key, aad),
      ).toThrow(TypeError)
    expect(() => openEnvelope({ ...envelope, nonce: randomBytes(16) }, key.key, aad)).toThrow(
      TypeError,
    )
  })

  test('does not change what it opens', () => {
    const bytes = sealBytes(key, aad, plaintext)
    const before = Buffer.from(bytes)
    openEnvelope(parseBytes(bytes)!, key.key, aad).fill(0)
    expect(bytes).toStrictEqual(before)
  })
})

describe('nonce pool', () => {
  test('hands out each byte of its pool once, and fills it again', () => {
    let fills = 0
    const given: string[] = []
    const pool = new NoncePool((bytes) => {
      for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(fills * 1e6 + at, at)
      fills += 1
    })
    expect(fills).toBe(0)
    for (let n = 0; n < 3000; n++) {
      const target = Buffer.alloc(20, 0xee)
      pool.take(target, 4)
      expect([target.readUInt32BE(0), target.readUInt32BE(16)]).toStrictEqual([
        0xeeeeeeee, 0xeeeeeeee,
      ])
      given.push(...[4, 8, 12].map((at) => String(target.readUInt32BE(at))))
    }
    expect(fills).toBe(3)
    expect(new Set(given).size).toBe(given.length)
  })

  test('keeps nothing for later while a start-up snapshot is built', () => {
    let fills = 0
    let building = true
    const pool = new NoncePool(
      () => (fills += 1),
      () => building,
    )
    const take = (): void => pool.take(Buffer.alloc(12), 0)
    take()
    take()
    expect(fills).toBe(2)
    building = false
    take()
    take()
    expect(fills).toBe(3)
  })
})
