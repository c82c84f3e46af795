import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boundText } from '../../src/envelope/index.ts'

const BIGINT = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)

test('binds a BigInt the same, however it is given', () => {
  fc.assert(
    fc.property(BIGINT, (value) => {
      expect(boundText('BigInt', value)).toBe(String(value))
      expect(boundText('BigInt', String(value))).toBe(String(value))
    }),
  )
  expect(boundText('BigInt', 12)).toBe('12')
})

test('binds two integers the same only if they are equal', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (a, b) => {
      expect(boundText('Int', a) === boundText('Int', b)).toBe(a === b)
    }),
  )
  expect(boundText('Int', -0)).toBe('0')
})

test('binds two texts the same only if they are equal', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 4 })
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(boundText('String', a) === boundText('String', b)).toBe(a === b)
    }),
  )
})

test('binds a UUID in every case alike', () => {
  fc.assert(
    fc.property(fc.uuid(), (value) => {
      expect(boundText('Uuid', value.toUpperCase())).toBe(value)
    }),
  )
})

test.each([
  ['Int', NaN],
  ['Int', Infinity],
  ['Int', 2 ** 53],
  ['BigInt', ''],
  ['BigInt', ' 1'],
  ['BigInt', '1e3'],
  ['BigInt', '٣'],
  ['Boolean', 'true'],
  ['String', new Date(0)],
  ['String', { equals: 'a' }],
  ['Uuid', ' 7f3c0a1e-0000-4000-8000-0000000000ff'],
  ['Uuid', '7f3c0a1e-0000-4000-8000-0000000000ff\n'],
  ['Enum', 1],
] as const)('has no text for a value that is no %s', (type, value) => {
  expect(boundText(type, value)).toBeNull()
  expect(boundText(type, undefined)).toBeNull()
  expect(boundText(type, null)).toBeNull()
})
