import { createHmac, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  INDEX_VALUE_CHARS,
  indexKeyIdOf,
  indexPrefix,
  indexValue,
  NORMALIZERS,
  normalize,
  type IndexKey,
  type Normalizer,
} from '../../src/envelope/index.ts'
import { ROOT, bin } from './support.ts'

interface AcceptCase {
  name: string
  reason: string
  keyId: number
  key: string
  id: string
  subkey: string
  normalize: Normalizer[]
  text: string
  normalized: string
  value: string
}

type RejectCase = { name: string; reason: string; rule: string } & (
  | { step: 'parse'; value: string }
  | { step: 'write'; id: string; normalize: Normalizer[]; text: string }
)

const vectors = JSON.parse(readFileSync(new URL('vectors/blind-index-v1.json', ROOT), 'utf8')) as {
  accept: AcceptCase[]
  reject: RejectCase[]
}
const spec = readFileSync(new URL('docs/spec/blind-index-v1.md', ROOT), 'utf8')

/** Line "Subkey" of the specification, by node:crypto's own HKDF: in Rowseal it is the business of `keys/`. */
function subkeyOf(c: AcceptCase): Buffer {
  const id = Buffer.from(c.id, 'utf8')
  const info = Buffer.concat([Buffer.from('rowseal/v1/index\0\0\0\0', 'latin1'), id])
  info.writeUInt32BE(id.length, 16)
  return Buffer.from(hkdfSync('sha256', bin(c.key), Buffer.alloc(0), info, 32))
}

const indexKeyOf = (c: AcceptCase): IndexKey => ({
  keyId: c.keyId,
  key: createSecretKey(bin(c.subkey)),
})

describe('accept', () => {
  test.each(vectors.accept)('makes the value of $name', (c) => {
    const normalized = normalize(c.normalize, c.text)
    expect(normalized).toBe(c.normalized)
    expect(indexValue(indexKeyOf(c), normalized)).toBe(c.value)
    expect(indexKeyIdOf(c.value)).toBe(c.keyId)
    expect(c.value.startsWith(indexPrefix(c.keyId))).toBe(true)
    expect(c.value).toHaveLength(INDEX_VALUE_CHARS)
  })

  test.each(vectors.accept)('agrees with node:crypto alone on $name', (c) => {
    const subkey = subkeyOf(c)
    expect(subkey.toString('hex')).toBe(c.subkey)
    const mac = createHmac('sha256', subkey).update(Buffer.from(c.normalized, 'utf8'))
    const keyId = (c.keyId + 2 ** 32).toString(16).slice(1)
    expect(`ri1.${keyId}.${mac.digest('hex')}`).toBe(c.value)
  })

  test('gives another value for every other text, key and column', () => {
    const inputs = vectors.accept.map((c) => `${c.keyId} ${c.id} ${c.normalized}`)
    const values = vectors.accept.map((c) => c.value)
    expect(new Set(values).size).toBe(new Set(inputs).size)
    expect(new Set(inputs).size).toBeGreaterThan(40)
  })
})

describe('reject', () => {
  const parse = vectors.reject.filter((c) => c.step === 'parse')
  const write = vectors.reject.filter((c) => c.step === 'write')

  test.each(parse)('$name is no value: $rule', (c) => {
    expect(indexKeyIdOf(c.value)).toBeNull()
  })

  const inText = write.filter(({ rule }) => rule !== 'index-id')
  test.each(inText)('refuses $name: $rule', (c) => {
    expect(() => normalize(c.normalize, c.text)).toThrow(TypeError)
  })

  test.each(inText.filter(({ rule }) => rule === 'surrogate'))(
    'refuses $name that is said to be normalised',
    (c) => {
      const key = { keyId: 1, key: createSecretKey(randomBytes(32)) }
      expect(() => indexValue(key, c.text)).toThrow(TypeError)
    },
  )

  test('shows neither text nor key', () => {
    const key = { keyId: 1, key: createSecretKey(randomBytes(32)) }
    for (const refused of [
      () => normalize(['secret' as Normalizer], 'Ada'),
      () => normalize([], 'Ada\ud800'),
      () => indexValue(key, 'Ada\ud800'),
    ]) {
      expect(refused).toThrow(
        expect.objectContaining({ message: expect.not.stringMatching(/Ada|secret/) }),
      )
    }
  })

  test.each([-1, 1.5, 2 ** 32, NaN, '1'])('refuses the key id %s', (keyId) => {
    const key = { keyId: keyId as number, key: createSecretKey(randomBytes(32)) }
    expect(() => indexValue(key, 'Ada')).toThrow(TypeError)
    expect(() => indexPrefix(keyId as number)).toThrow(TypeError)
  })
})

describe('any text', () => {
  const key = { keyId: 7, key: createSecretKey(randomBytes(32)) }
  const names = fc.array(fc.constantFrom(...(Object.keys(NORMALIZERS) as Normalizer[])))

  test('has a value of 77 characters, whatever the normalizers', () => {
    fc.assert(
      fc.property(names, fc.string({ unit: 'binary' }), (of, text) => {
        const value = indexValue(key, normalize(of, text))
        expect(indexKeyIdOf(value)).toBe(7)
        expect(normalize(of, text)).toBe(normalize(of, text))
      }),
    )
  })

  test('with one character changed is no value', () => {
    const { value } = vectors.accept[0]!
    const characters = fc.tuple(fc.nat(76), fc.constantFrom('', 'G', 'é', '-', ' ', '00', '\n'))
    fc.assert(
      fc.property(characters, ([at, char]) => {
        expect(indexKeyIdOf(value.slice(0, at) + char + value.slice(at + 1))).toBeNull()
      }),
    )
  })
})

test('the normalizers cannot be changed', () => {
  expect(() => Object.assign(NORMALIZERS, { trim: (text: string) => text })).toThrow(TypeError)
})

describe('specification', () => {
  const rulesUnder = (heading: string): string[] => {
    const section = spec.slice(spec.indexOf(heading)).split(/\n##/)[0]!
    return [...section.matchAll(/^\| `([\w-]+)` +\|/gm)].map((row) => row[1]!)
  }
  const shown = (step: string): string[] =>
    vectors.reject.filter((c) => c.step === step).map(({ rule }) => rule)

  test('has a vector for every rule, and for nothing else', () => {
    expect([...new Set(shown('write'))].sort()).toEqual(
      rulesUnder('### What a writer MUST reject').sort(),
    )
    expect([...new Set(shown('parse'))].sort()).toEqual(rulesUnder('### What is no value').sort())
    expect(new Set(shown('parse')).size).toBeGreaterThan(4)
  })

  test('defines every normalizer, and no other, each with a vector of its own', () => {
    const defined = rulesUnder('## Normalizers')
    expect(defined.sort()).toEqual(Object.keys(NORMALIZERS).sort())
    for (const name of defined) {
      expect(vectors.accept.some((c) => c.normalize.join() === name)).toBe(true)
    }
  })

  test('names each case once and gives it a reason', () => {
    const cases = [...vectors.accept, ...vectors.reject]
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
    for (const { reason } of cases) expect(reason).toMatch(/\w/)
  })

  test('has the vectors that its generator makes', () => {
    const make = fileURLToPath(new URL('vectors/make-blind-index.mjs', ROOT))
    execFileSync(process.execPath, [make, '--check'], { stdio: 'pipe' })
  })
})
