import fc from 'fast-check'
import { decimal } from './special.ts'

/**
 * Values come from small pools, so that look-ups hit, uniques collide and records are missing, often.
 * The pools of texts with an index hold what equality must tell apart: case, spaces, normal forms, nothing.
 */

export interface Pool {
  /** What is looked for, and written where nothing is unique. */
  readonly look: fc.Arbitrary<unknown>
  /** What new records get where it must be unique: seldom taken already. */
  readonly make: fc.Arbitrary<unknown>
}

const KEPT_EMAILS = ['a@x.ch', 'A@X.ch', ' a@x.ch', 'ü@x.ch', '😀@x.ch', ''] as const
const NEW_EMAILS = [
  'a@x.ch ',
  'b@x.ch\n',
  'i@x',
  'I@x',
  'ı@x',
  'İ@x',
  'n\u0303@x',
  'ñ@x',
  '😁@x',
  'rs1.00000001.AAAA',
  'ri1.00000001.00',
  "o'x",
  '%',
  '0',
] as const
const NUMBERS = ['n1', 'n2', 'N1', '', '1', '01', 'e\u0301', '\u00e9', '😀', ' n1'] as const
const NAMES = ['Ann', 'Bea', 'Cy', 'ann', ''] as const
const NEW_NAMES = ['Dan', 'Eli', 'Fay', '1', 'null', '%', 'rs1.x', 'ä', 'CY'] as const
const CODES = ['c1', 'c2', 'C1', 'c1 ', '', '😀'] as const
const CITIES = ['Bern', 'bern', 'Bern ', 'K\u00f6ln', 'Ko\u0308ln', '', '😀🏔'] as const
/** Several of them are the same after `trim` and `lowercase`. */
const ALIASES = [
  'Bob',
  'bob',
  ' bob ',
  'BOB',
  '\u00c9ve',
  '\u00e9ve\t',
  'Eve',
  '',
  ' ',
  '😀',
] as const

const JSONS: readonly unknown[] = [
  {},
  [],
  '',
  'text',
  0,
  -1.5,
  1e21,
  1e-7,
  true,
  false,
  { a: 1, bb: [1, null, 'ü€😀'], c: { d: {} } },
  { set: 1 },
  { push: [1] },
  { equals: null },
  { data: { where: 1 } },
  [{ b: 1, aa: 2 }, [[]], 'x'],
  'rs1.00000001.AAAA',
  { emailIndex: 'x' },
  { 'q"\\\'\u2028': '\t' },
]

const BYTES: readonly Uint8Array[] = [
  new Uint8Array(),
  new Uint8Array([0]),
  new Uint8Array([255, 0, 10, 39]),
  new Uint8Array([0x52, 0x53, 1, 0, 0, 0, 1]),
  new Uint8Array([0x72, 0x73, 0x31, 0x2e]),
]

const TEXTS = ['t', 'T', '', 'ü€😀', ' ', '0', 'null', "'--", 'rs1.00000001.AAAA'] as const

const DATES = ['2000-02-29T12:00:00.000Z', '1969-12-31T23:59:59.999Z', '2038-01-19T03:14:08.001Z']

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

/** `known` are those of the records every sequence begins with, and some more. */
const keys = <T>(known: readonly T[], fresh: readonly T[]): Pool => ({
  look: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...known) },
    { weight: 1, arbitrary: fc.constantFrom(...fresh) },
  ),
  make: fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...known) },
    { weight: 12, arbitrary: fc.constantFrom(...fresh) },
  ),
})
const same = (values: fc.Arbitrary<unknown>): Pool => ({ look: values, make: values })

const json = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...JSONS) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2, stringUnit: 'grapheme' }).filter(isData) },
)

/** Assigned to a key, `__proto__` would not be one; and MariaDB rounds numbers: see differences.ts. */
function isData(value: unknown): boolean {
  const text = JSON.stringify(value)
  return !text.includes('__proto__') && !/\d{9}|\de[+-]/.test(text)
}

export const POOLS: Readonly<Record<string, Pool>> = {
  tenantId: keys([1, 2, 3], range(4, 9)),
  personId: keys([1, 2, 3, 4, 5, 6], range(7, 30)),
  cardId: keys([1, 2, 3], range(4, 14)),
  day: keys([1, 2], [3, 4, 5]),
  room: keys(['a', 'b'], ['A', '', ' a', 'b ', 'ä']),
  tagKey: keys([1, 2, 3, 4].map(uuid), range(5, 14).map(uuid)),
  name: keys(NAMES, NEW_NAMES),
  email: keys(KEPT_EMAILS, NEW_EMAILS),
  number: keys(NUMBERS.slice(0, 3), NUMBERS.slice(3)),
  code: same(fc.constantFrom(...CODES)),
  city: same(fc.constantFrom(...CITIES)),
  alias: same(fc.constantFrom(...ALIASES)),
  text: same(
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...TEXTS) },
      { weight: 5, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
    ),
  ),
  int: same(fc.constantFrom(0, 1, 2, 3, -1, 2147483647)),
  bigint: same(fc.constantFrom(0n, 1n, -5n, 1000000000000001n)),
  decimal: same(fc.constantFrom('0', '1.5', '-2.25', '1000000').map(decimal)),
  boolean: same(fc.boolean()),
  date: same(fc.constantFrom(...DATES).map((iso) => new Date(iso))),
  kind: same(fc.constantFrom('CAT', 'DOG', 'EEL')),
  json: same(json),
  bytes: same(fc.constantFrom(...BYTES)),
}

/** An alias as its index has it. */
export const foldedAlias = (text: string): string => text.trim().toLowerCase()

/** The aliases that are the same as one of these to a normalised index. */
export function sameAliases(texts: readonly unknown[]): string[] {
  const wanted = new Set(texts.map((text) => foldedAlias(text as string)))
  return ALIASES.filter((alias) => wanted.has(foldedAlias(alias)))
}
