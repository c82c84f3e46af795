import { createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createDeks, dekAad, unwrapDek, wrapDek, type Kek } from '../../src/keys/memory/dek-wrap.ts'
import { NoncePool } from '../../src/nonce-pool.ts'

const raw = randomBytes(32)
const kekOf = (keyId: number, bytes: Buffer = raw): Kek => ({
  keyId,
  key: createSecretKey(bytes),
  aad: dekAad(keyId),
})
const kek = kekOf(7)

describe('wrapping a DEK', () => {
  test('has the layout of DESIGN section 3, byte for byte', () => {
    const dek = randomBytes(32)
    const nonce = randomBytes(12)
    const wrapped = wrapDek(kekOf(0x01020304), dek, nonce)
    expect(wrapped).toHaveLength(60)
    expect(Buffer.from(wrapped.subarray(0, 12))).toEqual(nonce)
    // Opened by hand, without the code under test.
    const decipher = createDecipheriv('aes-256-gcm', raw, nonce, { authTagLength: 16 })
    decipher.setAAD(Buffer.from('rowseal/v1/dek\u0001\u0001\u0002\u0003\u0004', 'latin1'))
    decipher.setAuthTag(wrapped.subarray(44))
    expect(Buffer.concat([decipher.update(wrapped.subarray(12, 44)), decipher.final()])).toEqual(
      dek,
    )
  })

  test('makes DEKs that differ, under nonces that differ, and unwraps each', () => {
    const deks = createDeks(kek, 600, new NoncePool())
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
    expect(new Set(deks.map(({ key }) => key.export().toString('hex'))).size).toBe(600)
    expect(new Set(deks.map(({ wrapped }) => hex(wrapped.subarray(0, 12)))).size).toBe(600)
    for (const dek of deks) {
      expect(dek).toMatchObject({ keyId: 7, suite: 1 })
      expect(unwrapDek(kek, dek.wrapped).equals(dek.key)).toBe(true)
      expect(dek.key.symmetricKeySize).toBe(32)
    }
  })

  test('shows the bytes of each DEK to who keeps them, and zeroes them afterwards', () => {
    const shown: Uint8Array[] = []
    const copies: Buffer[] = []
    const keep = (bytes: Uint8Array): void => {
      shown.push(bytes)
      copies.push(Buffer.from(bytes))
    }
    const deks = createDeks(kek, 2, new NoncePool(), (dek, bytes) => {
      expect(dek.key.export().equals(bytes)).toBe(true)
      keep(bytes)
    })
    const opened = deks.map(({ wrapped }) => unwrapDek(kek, wrapped, keep))
    expect(copies.map((copy, i) => opened[i % 2]!.equals(createSecretKey(copy)))).toEqual(
      Array(4).fill(true),
    )
    expect(shown.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true)
  })
})

describe('unwrapping a DEK', () => {
  const { wrapped } = createDeks(kek, 1, new NoncePool())[0]!
  const code = 'ERR_ENVELOPE_AUTH'

  test('rejects every flipped bit', () => {
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      const altered = Uint8Array.from(wrapped)
      altered[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => unwrapDek(kek, altered)).toThrow(expect.objectContaining({ code }))
    }
  })

  test('rejects every other length', () => {
    for (const length of [0, 12, 28, 44, 56, 59]) {
      expect(() => unwrapDek(kek, wrapped.subarray(0, length))).toThrow(
        expect.objectContaining({ code }),
      )
    }
    expect(() => unwrapDek(kek, Buffer.concat([wrapped, Buffer.alloc(1)]))).toThrow(
      expect.objectContaining({ code }),
    )
  })

  test('rejects another key id and another KEK with the same words', () => {
    const messages = [kekOf(8), kekOf(7, randomBytes(32))].map((other) => {
      try {
        unwrapDek(other, wrapped)
        return 'opened'
      } catch (error) {
        return (error as Error).message
      }
    })
    expect(messages[0]).toContain('cannot be opened')
    expect(messages[0]).toContain('Restore the value from a backup')
    expect(messages[1]).toBe(messages[0])
  })

  test('reads a view into a larger buffer', () => {
    const larger = Buffer.concat([Buffer.alloc(5), wrapped, Buffer.alloc(5)])
    expect(() => unwrapDek(kek, larger.subarray(5, 65))).not.toThrow()
  })
})
