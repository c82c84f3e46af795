import { createCipheriv, createHash, createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import {
  encode,
  parseBytes,
  parseText,
  sealBytes,
  sealText,
  valueAad,
} from '../../src/envelope/index.ts'
import type { CodecType, Envelope, Suite } from '../../src/envelope/index.ts'
import { EnvelopeError } from '../../src/errors.ts'
import { Stopped, read } from '../envelope/support.ts'
import type { Site, VectorKey } from '../envelope/support.ts'

// Structure-aware fuzzing of the envelope: sealed values, changed where the format has a meaning, read at their own
// place and at others. What is expected of each input is in `fault`.

const bytes = (label: string, length: number): Buffer =>
  createHash('shake256', { outputLength: length }).update(`rowseal fuzz ${label}`).digest()

const KEY_ID = 0x2a
/** Every key id has the same KEK, so that a changed one is caught by the wrap and not by the look-up. */
const KEK = bytes('kek', 32)
const keyOf =
  (suite: Suite) =>
  (keyId: number): VectorKey => ({
    keyId,
    keyring: 'default',
    suite,
    ...(suite === 0x01 && { kek: KEK.toString('hex') }),
  })

interface Sealed {
  readonly text: string
  readonly bytes: Buffer
  readonly value: string | Uint8Array
  readonly site: Site
  readonly suite: Suite
}

function sealed(
  suite: Suite,
  type: CodecType,
  value: string | Uint8Array,
  pad: number,
  bound: string[],
): Sealed {
  const label = `${suite} ${type} ${value.length} ${pad} ${bound.join()}`
  const keyId = KEY_ID
  const dek = bytes(`dek ${label}`, 32)
  const nonce = bytes(`wrap nonce ${label}`, 12)
  const cipher = createCipheriv('aes-256-gcm', KEK, nonce)
  cipher.setAAD(Buffer.from('rowseal/v1/dek\x01\0\0\0\x2a', 'latin1'))
  const wrap = Buffer.concat([nonce, cipher.update(dek), cipher.final(), cipher.getAuthTag()])
  const wrapped = suite === 0x01 ? wrap : bytes(`blob ${label}`, 70)
  const key = { keyId, suite, wrapped, key: createSecretKey(dek) }
  const parts = bound.map((part) => Buffer.from(part))
  const aad = valueAad(suite, 'Patient.notes', parts)
  const plaintext = encode(type, value, pad)
  return {
    text: sealText(key, aad, plaintext, bytes(`nonce ${label}`, 12)),
    bytes: sealBytes(key, aad, plaintext, bytes(`nonce ${label}`, 12)),
    value,
    site: { keyring: 'default', id: 'Patient.notes', bound: parts, type, dek },
    suite,
  }
}

export const CORPUS: readonly Sealed[] = [
  sealed(0x01, 'String', '', 0, []),
  sealed(0x01, 'String', 'Ada Lovelace', 0, []),
  sealed(0x01, 'String', 'Zoë 🏥', 0, ['7']),
  sealed(0x01, 'String', 'Ada', 32, ['7', 'Zürich']),
  sealed(0x01, 'Json', '{"dose":[1,null]}', 0, []),
  sealed(0x01, 'Json', '"text"', 16, ['7']),
  sealed(0x01, 'Bytes', bytes('value', 40), 0, []),
  sealed(0x01, 'Bytes', bytes('value', 5), 64, []),
  sealed(0x02, 'String', 'under the KMS', 0, []),
  sealed(0x02, 'Bytes', bytes('value', 17), 16, ['7']),
]

/** What the KMS made, by case. */
const CORPUS_BLOBS: ReadonlyMap<number, Buffer> = new Map(
  [...CORPUS.entries()].map(([i, base]) => [i, base.bytes.subarray(10, 80)]),
)

/** Where the format begins something new: in the bytes of an envelope of suite 0x01, and of 0x02. */
const SEAMS = [0, 3, 7, 8, 10, 20, 52, 68, 80, 81, 97]
const BYTES = [0x00, 0x01, 0x02, 0x03, 0x2e, 0x3d, 0x52, 0x53, 0x7f, 0x80, 0x81, 0xff]
const CHARS = ['=', '+', '/', '-', '_', ' ', '\n', '\0', '.', 'A', 'f', 'F', 'g', 'Ł', '\u{10ffff}', '\ud800', '\ufeff'] // prettier-ignore
const SHORT = 200
const at = <T>(list: readonly T[], n: number): T => list[n % list.length]!

/** One change: which, and three numbers that it takes its places and values from. */
export type Change = readonly [kind: number, a: number, b: number, c: number]

const place = (n: number, length: number): number =>
  n % 2 === 0 ? at(SEAMS, n >> 1) % (length + 1) : (n >> 1) % (length + 1)
const cutIn = (b: Buffer, from: number, to: number, put: Uint8Array): Buffer =>
  Buffer.concat([b.subarray(0, from), put, b.subarray(Math.max(from, to))])

const BYTE_CHANGES: readonly ((b: Buffer, x: number, y: number, z: number) => Buffer)[] = [
  (b, x, y) => cutIn(b, place(x, b.length), place(x, b.length) + 1, Uint8Array.of(at(BYTES, y))),
  (b, x) => {
    const out = Buffer.from(b)
    if (out.length > 0) out[(x >> 3) % out.length]! ^= 1 << (x & 7)
    return out
  },
  (b, x) => b.subarray(0, place(x, b.length)),
  (b, x, y) => cutIn(b, place(x, b.length), place(y, b.length), new Uint8Array(0)),
  (b, x, y, z) => cutIn(b, place(x, b.length), 0, Buffer.alloc(y % SHORT, at(BYTES, z))),
  (b, x, y) => Buffer.concat([b, b.subarray(place(x, b.length), place(y, b.length))]),
  // A declared length of any size.
  (b, x) => cutIn(b, 8, 10, Uint8Array.of(x >> 8, x)),
  (b, x) => cutIn(b, 7, 8, Uint8Array.of(x % 5)),
  (b, x) => cutIn(b, 3, 7, Uint8Array.of(x >> 24, x >> 16, x >> 8, x)),
  // The head of one and the tail of another, cut at a seam.
  (b, x, y) => {
    const other = at(CORPUS, x).bytes
    const seam = at(SEAMS, y)
    return Buffer.concat([b.subarray(0, seam), other.subarray(seam)])
  },
  (b, x, y) => Buffer.concat([b.subarray(0, place(x, b.length)), at(CORPUS, y).bytes]),
]

const TEXT_CHANGES: readonly ((t: string, x: number, y: number, z: number) => string)[] = [
  (t, x, y) => t.slice(0, x % (t.length + 1)) + at(CHARS, y) + t.slice((x % (t.length + 1)) + 1),
  (t, x, y) => t.slice(0, x % (t.length + 1)) + at(CHARS, y) + t.slice(x % (t.length + 1)),
  (t, x) => t.slice(0, x % (t.length + 1)),
  (t, x, y) => t + at(CHARS, x).repeat(y % 5),
  (t, x) => t.slice(0, x % 14).toUpperCase() + t.slice(x % 14),
  (t, x) => at(CHARS, x) + t,
  (t, x, y) => t.slice(0, x % (t.length + 1)) + at(CORPUS, y).text.slice(x % 200),
  (t) => `"${t}"`,
  (t) => Buffer.from(t, 'utf8').toString('latin1'),
]

export interface Input {
  /** Which of the corpus is changed. */
  readonly from: number
  readonly changes: readonly Change[]
  /** Of the text that the changed bytes are written as. */
  readonly textChanges: readonly Change[]
  /** 0: read in its own place; else as another field, record, type or keyring. */
  readonly elsewhere: number
}

const change = fc.tuple(
  fc.nat(0xffff),
  fc.oneof({ weight: 3, arbitrary: fc.nat(0xffff) }, fc.nat(0x7fffffff)),
  fc.nat(0xffff),
  fc.nat(0xffff),
)

export const input: fc.Arbitrary<Input> = fc.record(
  {
    from: fc.nat(CORPUS.length - 1),
    changes: fc.array(change, { maxLength: 4 }),
    textChanges: fc.array(change, { maxLength: 2 }),
    elsewhere: fc.nat(11),
  },
  { noNullPrototype: true },
)

function storedOf({ from, changes, textChanges }: Input): { text: string; bytes: Buffer } {
  const base = CORPUS[from]!
  const changed = changes.reduce(
    (b, [kind, x, y, z]) => at(BYTE_CHANGES, kind)(b, x, y, z),
    base.bytes,
  )
  // What is no envelope any more has no text of its own: then the text alone is changed.
  const asText =
    changed.length >= 7 && changed.subarray(0, 3).equals(base.bytes.subarray(0, 3))
      ? `rs1.${changed.toString('hex', 3, 7)}.${changed.toString('base64url', 7)}`
      : base.text
  const text = textChanges.reduce(
    (t, [kind, x, y, z]) => at(TEXT_CHANGES, kind)(t, x, y, z),
    asText,
  )
  return { text, bytes: changed }
}

function siteOf({ from, elsewhere }: Input): Site {
  const { site } = CORPUS[from]!
  if (elsewhere === 1) return { ...site, id: 'Patient.email' }
  if (elsewhere === 2) return { ...site, bound: [...site.bound, Buffer.from('8')] }
  if (elsewhere === 3) return { ...site, bound: [] }
  if (elsewhere === 4) return { ...site, keyring: 'other' }
  if (elsewhere === 5) return { ...site, type: site.type === 'Json' ? 'String' : 'Json' }
  return site
}

/** What the specification says of a text, by regular expression and nothing of ours. */
function expectedParts(text: string): { keyId: number; body: Buffer } | 'foreign' | 'broken' {
  if (text.slice(0, 4) !== 'rs1.') return 'foreign'
  const [, keyId, encoded] = /^rs1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/.exec(text) ?? []
  if (keyId === undefined || text.endsWith('\n')) return 'broken'
  const body = Buffer.from(encoded!, 'base64url')
  return body.toString('base64url') === encoded ? { keyId: parseInt(keyId, 16), body } : 'broken'
}

function expectedOf(stored: string | Uint8Array): Envelope | 'foreign' | 'broken' {
  let parts: ReturnType<typeof expectedParts>
  if (typeof stored === 'string') parts = expectedParts(stored)
  else if (Buffer.from(stored).toString('latin1', 0, 3) !== 'RS\x01') parts = 'foreign'
  else if (stored.length < 8) parts = 'broken'
  else parts = { keyId: Buffer.from(stored).readUInt32BE(3), body: Buffer.from(stored.subarray(7)) }
  if (typeof parts === 'string') return parts
  const { keyId, body } = parts
  const suite = body[0]
  const blob = body.length >= 3 ? body.readUInt16BE(1) : 0
  if (suite !== 1 && suite !== 2) return 'broken'
  if (suite === 2 && (blob < 1 || blob > 4096)) return 'broken'
  const start = suite === 1 ? 1 : 3
  const end = suite === 1 ? 61 : 3 + blob
  if (body.length < end + 12 + 1 + 16) return 'broken'
  return {
    keyId,
    suite,
    wrapped: body.subarray(start, end),
    nonce: body.subarray(end, end + 12),
    ciphertext: body.subarray(end + 12, -16),
    tag: body.subarray(-16),
  }
}

const same = (a: Envelope, b: Envelope): boolean =>
  a.keyId === b.keyId &&
  a.suite === b.suite &&
  (['wrapped', 'nonce', 'ciphertext', 'tag'] as const).every(
    (part) => Buffer.compare(a[part], b[part]) === 0,
  )

export type Outcome = 'opened' | 'foreign' | 'parse' | 'key' | 'unwrap' | 'open' | 'decode'

function outcomeOf(
  stored: string | Uint8Array,
  site: Site,
  suite: Suite,
  isUnwrapped: boolean,
): [Outcome, unknown] {
  try {
    const { keyring, id, bound, type } = site
    const without = { keyring, id, bound, type }
    const value = read(stored, isUnwrapped ? site : without, keyOf(suite))
    return value === null ? ['foreign', null] : ['opened', value]
  } catch (error) {
    if (error instanceof Stopped) return [error.step, error.cause]
    throw error
  }
}

/** What was sealed, for that place, and stands there as it was; null for anything else. */
function genuine(stored: string | Uint8Array, site: Site, from: number): Sealed | null {
  const { suite } = CORPUS[from]!
  const found = CORPUS.find((one) =>
    typeof stored === 'string' ? one.text === stored : one.bytes.equals(stored),
  )
  if (found?.suite !== suite || site.keyring !== 'default') return null
  // The KMS of a case knows that case's blob alone.
  if (suite === 0x02 && found !== CORPUS[from]) return null
  const isThere =
    site.id === found.site.id && site.type === found.site.type && isBound(site, found.site)
  return isThere ? found : null
}

const isBound = (a: Site, b: Site): boolean =>
  a.bound.length === b.bound.length &&
  a.bound.every((part, i) => Buffer.compare(part, b.bound[i]!) === 0)

/** Read one stored value. @returns how far it came, and what is wrong with that; null if nothing is. */
function readOne(stored: string | Uint8Array, given: Input): [Outcome, string | null] {
  const { suite } = CORPUS[given.from]!
  const site = siteOf(given)
  const expected = expectedOf(stored)
  const parsed = parsedOf(stored)
  const isSame =
    typeof parsed === 'string' || typeof expected === 'string'
      ? parsed === expected
      : same(parsed, expected)
  // A KMS unwraps the blob that it made, under the context it was made with, and no other.
  const blob = CORPUS_BLOBS.get(given.from)
  const isUnwrapped =
    typeof parsed !== 'string' && parsed.keyId === KEY_ID && blob?.equals(parsed.wrapped) === true
  const [outcome, detail] = outcomeOf(stored, site, suite, isUnwrapped)
  if (!isSame) return [outcome, 'is parsed otherwise than the specification says']
  if (outcome === 'parse' && !isMalformed(detail)) return [outcome, 'is refused by another error']
  const wanted = genuine(stored, site, given.from)
  if (outcome !== 'opened') {
    return [outcome, wanted === null ? null : 'is as it was sealed, and does not open']
  }
  if (wanted === null) return [outcome, 'opens, and was never sealed so']
  const isValue =
    Buffer.compare(Buffer.from(detail as string), Buffer.from(wanted.value as string)) === 0
  return [outcome, isValue ? null : 'opens as another value']
}

function parsedOf(stored: string | Uint8Array): Envelope | 'foreign' | 'broken' {
  try {
    return (typeof stored === 'string' ? parseText(stored) : parseBytes(stored)) ?? 'foreign'
  } catch (error) {
    if (isMalformed(error)) return 'broken'
    throw error
  }
}

const isMalformed = (error: unknown): boolean =>
  error instanceof EnvelopeError && error.code === 'ERR_ENVELOPE_MALFORMED'

/** Reads both forms of an input. @returns what is wrong, or null; `count` is told how far each came. */
export function fault(given: Input, count?: (outcome: Outcome) => void): string | null {
  const { text, bytes: changed } = storedOf(given)
  for (const stored of [text, changed]) {
    const [outcome, problem] = readOne(stored, given)
    count?.(outcome)
    if (problem !== null) return `${typeof stored === 'string' ? 'text' : 'bytes'}: ${problem}`
  }
  return null
}
