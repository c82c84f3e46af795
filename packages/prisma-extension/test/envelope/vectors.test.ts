import { createCipheriv, createSecretKey } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { EnvelopeError } from '../../src/errors.ts'
import {
  boundText,
  encode,
  parseBytes,
  parseText,
  sealBytes,
  sealText,
  sizeOfBytes,
  sizeOfText,
  valueAad,
} from '../../src/envelope/index.ts'
import type { SealingKey } from '../../src/envelope/index.ts'
import { RULES } from '../../src/envelope/rules.ts'
import { ROOT, Stopped, bin, decodeChecked, keyOf, long, read, spec, vectors } from './support.ts'
import type { AcceptCase, RejectCase } from './support.ts'

function wrapped(c: AcceptCase): Buffer {
  if (c.suite === 0x02) return bin(c.blob!)
  const cipher = createCipheriv('aes-256-gcm', bin(c.kek!), bin(c.dekNonce!)).setAAD(bin(c.dekAad))
  return Buffer.concat([
    bin(c.dekNonce!),
    cipher.update(bin(c.dek)),
    cipher.final(),
    cipher.getAuthTag(),
  ])
}

describe('accept', () => {
  test.each(vectors.accept)('opens $name, as text and as bytes', (c) => {
    const site = { ...c, bound: c.bound.map(bin), dek: bin(c.dek) }
    const value = c.type === 'Bytes' ? new Uint8Array(bin(c.value)) : c.value
    expect(read(c.text, site, keyOf)).toStrictEqual(value)
    expect(read(bin(c.bytes), site, keyOf)).toStrictEqual(value)
  })

  test.each(vectors.accept)('makes the same bytes of $name', (c) => {
    const key: SealingKey = { ...c, wrapped: wrapped(c), key: createSecretKey(bin(c.dek)) }
    const aad = valueAad(c.suite, c.id, c.bound.map(bin))
    const value = c.type === 'Bytes' ? bin(c.value) : c.value
    const plaintext = encode(c.type, value, c.pad)
    expect(aad.toString('hex')).toBe(c.aad)
    expect(plaintext.toString('hex')).toBe(c.plaintext)
    expect(sealText(key, aad, plaintext, bin(c.nonce))).toBe(c.text)
    expect(sealBytes(key, aad, plaintext, bin(c.nonce)).toString('hex')).toBe(c.bytes)
  })

  test.each(vectors.accept)('knows the size of $name before it is sealed', (c) => {
    const valueBytes = c.type === 'Bytes' ? c.value.length / 2 : Buffer.byteLength(c.value)
    const wrappedBytes = c.suite === 0x01 ? 60 : 2 + c.blob!.length / 2
    expect(sizeOfText(valueBytes, c.pad, wrappedBytes)).toBe(c.text.length)
    expect(sizeOfBytes(valueBytes, c.pad, wrappedBytes)).toBe(c.bytes.length / 2)
  })
})

test.each(vectors.foreign)('says that $name is not an envelope', (c) => {
  expect(c.text === undefined ? parseBytes(bin(c.bytes!)) : parseText(c.text)).toBeNull()
})

test.each(vectors.bound)('binds $name as it stands there', ({ type, value, text }) => {
  expect(boundText(type, value)).toBe(text)
})

describe('reject', () => {
  test.each(vectors.reject)('stops at $step of $name: $rule', (c) => {
    const error = rejection(c)
    expect(error).toBeInstanceOf(Stopped)
    expect((error as Stopped).step).toBe(c.step)
    const { cause } = error as Stopped
    if (c.rule === 'value-auth') {
      expect(cause).toBeInstanceOf(EnvelopeError)
      expect(cause).toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    } else if (c.rule in RULES) {
      expect(cause).toBeInstanceOf(EnvelopeError)
      expect(cause).toMatchObject({ code: 'ERR_ENVELOPE_MALFORMED' })
      expect((cause as EnvelopeError).message).toContain(`rule "${c.rule}"`)
    }
  })

  function rejection(c: RejectCase): unknown {
    const site = {
      keyring: c.keyring ?? 'default',
      id: c.id ?? 'Patient.name',
      bound: (c.bound ?? []).map(bin),
      type: c.type ?? 'String',
      ...(c.dek === undefined ? {} : { dek: bin(c.dek) }),
    }
    try {
      if (c.text !== undefined) return read(long(c.text), site, keyOf)
      if (c.bytes !== undefined) return read(bin(long(c.bytes)), site, keyOf)
    } catch (error) {
      return error
    }
    try {
      return decodeChecked(site.type, bin(long(c.plaintext!)))
    } catch (error) {
      return new Stopped('decode', error)
    }
  }
})

describe('specification', () => {
  const table = [...spec.matchAll(/^\| `([\w-]+)` +\| ([a-z, ]+?) +\| .+ \| .+ \|$/gm)]
  const rules = table.map((row) => row[1]!)

  test('names each rule once', () => {
    expect(rules.length).toBeGreaterThan(20)
    expect(new Set(rules).size).toBe(rules.length)
  })

  test('has a vector for every rule at every step it names, and for nothing else', () => {
    const said = table.flatMap((row) => row[2]!.split(', ').map((step) => `${row[1]!} at ${step}`))
    const shown = vectors.reject.map((c) => `${c.rule} at ${c.step}`)
    expect([...new Set(shown)].sort()).toStrictEqual(said.sort())
  })

  test('names every rule the code has', () => {
    expect(rules).toEqual(expect.arrayContaining(Object.keys(RULES)))
  })

  test('names each case once', () => {
    const names = [...vectors.accept, ...vectors.foreign, ...vectors.bound, ...vectors.reject].map(
      (c) => c.name,
    )
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toStrictEqual([])
  })

  test('gives every case a reason', () => {
    for (const c of [...vectors.accept, ...vectors.foreign, ...vectors.bound, ...vectors.reject])
      expect((c as { reason?: string }).reason).toMatch(/\w/)
  })

  test('has the vectors that its generator makes', () => {
    const make = fileURLToPath(new URL('vectors/make.mjs', ROOT))
    execFileSync(process.execPath, [make, '--check'], { stdio: 'pipe' })
  })
})
