import type { Provider, SealedType } from '../../plan/plan.ts'
import type { Storage } from './value-capacity.ts'

/**
 * What a column can hold of sealed values: any length, at most `capacity` characters or bytes, or none for
 * a reason (the end of a sentence that begins with the native type).
 */
export type ColumnVerdict =
  | { readonly kind: 'fits' }
  | {
      readonly kind: 'limited'
      readonly storage: Storage
      readonly capacity: number
      readonly roomy: string
    }
  | { readonly kind: 'refused'; readonly reason: string; readonly roomy: string }

type Row =
  | 'fits'
  | { readonly storage: Storage; readonly capacity: number | 'argument' }
  | { readonly reason: string }

const FIXED = { reason: 'has a fixed length, to which the database pads the value' }
const notText = (what: string): Row => ({ reason: `holds ${what} only` })

/** Native types of Prisma's String, Json and Bytes. https://www.prisma.io/docs/orm/reference/prisma-schema-reference */
const NATIVE_TYPES: Readonly<Record<Provider, Readonly<Record<string, Row>>>> = {
  postgresql: {
    Text: 'fits',
    VarChar: { storage: 'text', capacity: 'argument' },
    Char: FIXED,
    Bit: notText('bits'),
    VarBit: notText('bits'),
    Uuid: notText('UUIDs'),
    Xml: notText('XML'),
    Inet: notText('network addresses'),
    Citext: { reason: 'compares without regard to case, which confuses two different envelopes' },
    Json: 'fits',
    JsonB: 'fits',
    ByteA: 'fits',
  },
  mysql: {
    VarChar: { storage: 'text', capacity: 'argument' },
    Char: FIXED,
    TinyText: { storage: 'text', capacity: 255 },
    Text: { storage: 'text', capacity: 65_535 },
    MediumText: 'fits',
    LongText: 'fits',
    Json: 'fits',
    VarBinary: { storage: 'binary', capacity: 'argument' },
    Binary: FIXED,
    Bit: notText('bits'),
    TinyBlob: { storage: 'binary', capacity: 255 },
    Blob: { storage: 'binary', capacity: 65_535 },
    MediumBlob: 'fits',
    LongBlob: 'fits',
  },
  sqlite: {},
}

/** What to write instead, where a column is too short or cannot hold envelopes at all. */
const ROOMY: Readonly<Record<Provider, Readonly<Record<SealedType, string>>>> = {
  postgresql: { String: '@db.Text', Json: '@db.JsonB', Bytes: '@db.ByteA' },
  mysql: { String: '@db.Text', Json: '@db.Json', Bytes: '@db.LongBlob' },
  sqlite: { String: 'no native type', Json: 'no native type', Bytes: 'no native type' },
}

/** Prisma's own choice for a bare `String` on MySQL. */
const MYSQL_STRING = ['VarChar', ['191']] as const

/** Judge a column by its provider and native type (`null` for none in the schema). */
export function judgeColumn(
  provider: Provider,
  type: SealedType,
  nativeType: readonly [string, readonly string[]] | null,
): ColumnVerdict {
  const roomy = ROOMY[provider][type]
  const [name, args] =
    nativeType ?? (provider === 'mysql' && type === 'String' ? MYSQL_STRING : [null, []])
  if (name === null) return { kind: 'fits' }
  const row = NATIVE_TYPES[provider][name]
  if (row === undefined) return { kind: 'refused', reason: 'is not known to hold envelopes', roomy }
  if (row === 'fits') return { kind: 'fits' }
  if ('reason' in row) return { kind: 'refused', reason: row.reason, roomy }
  if (row.capacity !== 'argument') return { kind: 'limited', ...row, capacity: row.capacity, roomy }
  const [length] = args
  return length === undefined
    ? { kind: 'fits' } // PostgreSQL's varchar without a length is text
    : { kind: 'limited', storage: row.storage, capacity: Number(length), roomy }
}
