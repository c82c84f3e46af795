import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gcm } from '@noble/ciphers/aes.js'
import { describe, expect, test } from 'vitest'
import { openEnvelope, parseBytes, sealBytes } from '../../src/envelope/index.ts'
import type { Envelope } from '../../src/envelope/index.ts'
import { ROOT, bin } from './support.ts'

// The published answers for AES-256-GCM (vectors/aes-256-gcm.json says whose), through the functions that
// seal and open values, and through an implementation that shares nothing with node:crypto.

interface Case {
  name: string
  key: string
  nonce: string
  aad: string
  ciphertext: string
  tag: string
  /** null: it must not open. */
  plaintext: string | null
}

const { cases, refuse } = JSON.parse(
  readFileSync(new URL('vectors/aes-256-gcm.json', ROOT), 'utf8'),
) as { cases: Case[]; refuse: Case[] }
const wrapped = new Uint8Array(60)

const envelopeOf = (c: Case): Envelope => ({
  keyId: 1,
  suite: 0x01,
  wrapped,
  nonce: bin(c.nonce),
  ciphertext: bin(c.ciphertext),
  tag: bin(c.tag),
})
const open = (c: Case): string =>
  openEnvelope(envelopeOf(c), createSecretKey(bin(c.key)), bin(c.aad)).toString('hex')
const named = (some: Case[]): [string, Case][] => some.map((c) => [c.name, c])

const valid = cases.filter((c) => c.plaintext !== null)
const invalid = cases.filter((c) => c.plaintext === null)

test('there are cases of each kind', () => {
  expect([valid.length, invalid.length, refuse.length]).toStrictEqual([205, 218, 37])
  expect(new Set(cases.map((c) => c.name)).size).toBe(cases.length)
})

describe('known answers', () => {
  test.each(named(valid))('%s opens, to its plaintext', (_name, c) => {
    expect(open(c)).toBe(c.plaintext)
  })

  test.each(named(invalid))('%s does not open', (_name, c) => {
    expect(() => open(c)).toThrow(expect.objectContaining({ code: 'ERR_ENVELOPE_AUTH' }))
  })

  // An envelope holds one byte at least, so there is nothing to seal in the cases without plaintext.
  test.each(named(valid.filter((c) => c.plaintext !== '')))('%s is sealed so', (_name, c) => {
    const key = { keyId: 1, suite: 0x01, wrapped, key: createSecretKey(bin(c.key)) } as const
    const sealed = parseBytes(sealBytes(key, bin(c.aad), bin(c.plaintext!), bin(c.nonce)))!
    expect(Buffer.from(sealed.ciphertext).toString('hex')).toBe(c.ciphertext)
    expect(Buffer.from(sealed.tag).toString('hex')).toBe(c.tag)
  })

  test.each(named(refuse))('%s has no nonce of 12 bytes, and is refused', (_name, c) => {
    expect(() => open(c)).toThrow(TypeError)
  })
})

describe('another implementation', () => {
  test('gives every answer too', () => {
    for (const c of [...cases, ...refuse].filter(({ nonce }) => nonce.length >= 16)) {
      const cipher = gcm(bin(c.key), bin(c.nonce), bin(c.aad))
      const opening = (): Uint8Array => cipher.decrypt(bin(c.ciphertext + c.tag))
      if (c.plaintext === null) expect(opening, c.name).toThrow()
      else expect(Buffer.from(opening()).toString('hex'), c.name).toBe(c.plaintext)
    }
  })

  test('opens what is sealed here, and its own opens here', () => {
    for (const c of valid.filter(({ plaintext }) => plaintext !== '')) {
      const key = { keyId: 1, suite: 0x01, wrapped, key: createSecretKey(bin(c.key)) } as const
      const sealed = parseBytes(sealBytes(key, bin(c.aad), bin(c.plaintext!)))!
      const opened = gcm(bin(c.key), sealed.nonce, bin(c.aad)).decrypt(
        Buffer.concat([sealed.ciphertext, sealed.tag]),
      )
      expect(Buffer.from(opened).toString('hex')).toBe(c.plaintext)
      const theirs = Buffer.from(gcm(bin(c.key), sealed.nonce, bin(c.aad)).encrypt(opened))
      expect(
        open({
          ...c,
          nonce: Buffer.from(sealed.nonce).toString('hex'),
          ciphertext: theirs.toString('hex', 0, theirs.length - 16),
          tag: theirs.toString('hex', theirs.length - 16),
        }),
      ).toBe(c.plaintext)
    }
  })
})
