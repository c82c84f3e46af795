import fc from 'fast-check'
import { expect, test } from 'vitest'
import { valueAad } from '../../src/envelope/index.ts'
import type { Suite } from '../../src/envelope/index.ts'

interface Site {
  suite: Suite
  id: string
  bound: Uint8Array[]
}

const site: fc.Arbitrary<Site> = fc.record({
  suite: fc.constantFrom<Suite>(0x01, 0x02),
  id: fc.string({ unit: 'grapheme', minLength: 1 }),
  bound: fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 }),
})

const aadOf = ({ suite, id, bound }: Site): Buffer => valueAad(suite, id, bound)

const same = (a: Site, b: Site): boolean =>
  a.suite === b.suite &&
  a.id === b.id &&
  a.bound.length === b.bound.length &&
  a.bound.every((part, at) => Buffer.compare(part, b.bound[at]!) === 0)

/** Reads an AAD back. That this can be done at all is what makes it injective. */
function siteOf(aad: Buffer): Site {
  expect(aad.toString('latin1', 0, 16)).toBe('rowseal/v1/value')
  let at = 17
  const lp = (): Buffer => {
    const length = aad.readUInt32BE(at)
    const part = aad.subarray(at + 4, at + 4 + length)
    expect(part.length).toBe(length)
    at += 4 + length
    return part
  }
  const id = lp().toString('utf8')
  const count = aad.readUInt8(at++)
  const bound = Array.from({ length: count }, lp)
  expect(at).toBe(aad.length)
  return { suite: aad.readUInt8(16) as Suite, id, bound }
}

test('is read back to the very site it was made of', () => {
  fc.assert(
    fc.property(site, (given) => {
      expect(same(siteOf(aadOf(given)), given)).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('is the same for the same site and another for any other', () => {
  fc.assert(
    fc.property(site, site, (a, b) => {
      expect(aadOf(a).equals(aadOf(b))).toBe(same(a, b))
      expect(aadOf(a).equals(aadOf({ ...a, bound: [...a.bound] }))).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('tells apart sites whose parts join to the same bytes', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme-ascii', minLength: 2, maxLength: 12 }),
      fc.nat(),
      fc.nat(),
      (text, cut, again) => {
        const bytes = Buffer.from(text)
        const i = 1 + (cut % (text.length - 1))
        const j = 1 + (again % (text.length - 1))
        const sites: Site[] = [
          { suite: 1, id: text, bound: [] },
          { suite: 1, id: text, bound: [Buffer.alloc(0)] },
          { suite: 2, id: text, bound: [] },
          { suite: 1, id: text.slice(0, i), bound: [bytes.subarray(i)] },
          { suite: 1, id: 'x', bound: [bytes] },
          { suite: 1, id: 'x', bound: [bytes.subarray(0, i), bytes.subarray(i)] },
          { suite: 1, id: 'x', bound: [bytes.subarray(0, j), bytes.subarray(j)] },
          { suite: 1, id: 'x', bound: [bytes, Buffer.alloc(0)] },
          { suite: 1, id: 'x', bound: [Buffer.alloc(0), bytes] },
        ]
        for (const a of sites)
          for (const b of sites) expect(aadOf(a).equals(aadOf(b))).toBe(same(a, b))
      },
    ),
  )
})

test('refuses what it could not tell apart', () => {
  const byte = Buffer.alloc(1)
  expect(() => valueAad(0x01, 'Patient.\ud800')).toThrow(TypeError)
  expect(() => valueAad(0x01, '')).toThrow(TypeError)
  expect(() => valueAad(0x03 as Suite, 'Patient.name')).toThrow(TypeError)
  expect(() => valueAad(0x01, 'Patient.name', new Array<Buffer>(256).fill(byte))).toThrow(TypeError)
  expect(valueAad(0x01, 'Patient.name', new Array<Buffer>(255).fill(byte))).toBeInstanceOf(Buffer)
})
