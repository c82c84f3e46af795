import type { Provider } from '../world.ts'

/** A type that a key column may have, and values that are near each other or at the ends of the type. */
export interface KeyType {
  /** Prisma's type and attributes. */
  readonly type: string
  /** SQL literals, all different under a unique constraint. */
  readonly values: readonly string[]
}

const INTS = ['-2147483648', '-1', '0', '9', '10', '2147483647']
const BIGINTS = [
  '-9223372036854775808',
  '-9007199254740993',
  '-9007199254740992',
  '0',
  '9007199254740992',
  '9007199254740993',
  '9223372036854775806',
  '9223372036854775807',
]
const FLOATS = [
  '-1.5e300',
  '-0.1',
  '0',
  '5e-324',
  '0.1',
  '0.30000000000000004',
  '0.3',
  '12345678.901234567',
  '1.7976931348623157e308',
]
const UUIDS = [
  '00000000-0000-0000-0000-000000000000',
  '00000000-0000-0000-0000-00000000000a',
  'a0000000-0000-4000-8000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
]
const TEXTS = [
  '',
  ' ',
  '  ',
  'a',
  'a ',
  'A',
  'B',
  'ä',
  'a\u0308',
  'ß',
  '😀',
  '😁',
  '\uffff',
  `it's`,
  '"quoted"',
  '`mark`',
  'back\\slash',
  '%_',
  'line\nbreak\t',
  '{"k0":1}',
  '[null]',
  'null',
  '1',
  '01',
  '10',
  '9',
  'x'.repeat(150),
]
const BYTES = ['', '00', '0000', '0001', '00ff', '01', '20', '41', '61', '7f', '80', 'ff', 'ff00']
const TIMES = [
  '0001-01-01 00:00:00.000001',
  '1582-10-15 00:00:00',
  '1969-12-31 23:59:59.999999',
  '1970-01-01 00:00:00',
  '2026-01-01 00:00:00.000001',
  '2026-01-01 00:00:00.000002',
  '2026-01-01 00:00:00.001',
  '9999-12-31 23:59:59.999999',
]
const TINY = '0.000000000000000000000000000001'
const DECIMALS = [
  `-${'9'.repeat(35)}.${'9'.repeat(30)}`,
  '-1',
  `-${TINY}`,
  '0',
  TINY,
  '0.000000000000000000000000000002',
  '1',
  '1.1',
  `${'9'.repeat(35)}.${'9'.repeat(29)}8`,
  `${'9'.repeat(35)}.${'9'.repeat(30)}`,
]

const quoted = (texts: readonly string[]): string[] => texts.map((text) => `'${text}'`)

const POSTGRESQL: Readonly<Record<string, KeyType>> = {
  Int: { type: 'Int', values: INTS },
  SmallInt: { type: 'Int @db.SmallInt', values: ['-32768', '-1', '0', '32767'] },
  Oid: { type: 'Int @db.Oid', values: ['0', '7', '4294967295'] },
  BigInt: { type: 'BigInt', values: BIGINTS },
  String: { type: 'String', values: texts('postgresql') },
  VarChar: { type: 'String @db.VarChar(3)', values: quoted(['a', 'a ', 'a  ', 'abc']) },
  Char: { type: 'String @db.Char(4)', values: quoted(['  a', 'a', 'a b', 'ab', 'abcd']) },
  Uuid: { type: 'String @db.Uuid', values: quoted(UUIDS) },
  Inet: { type: 'String @db.Inet', values: quoted(['10.0.0.1', '10.0.0.1/8', '::1', '10.0.0.10']) },
  Bit: { type: 'String @db.Bit(4)', values: [`B'0000'`, `B'0001'`, `B'1111'`] },
  VarBit: { type: 'String @db.VarBit(8)', values: [`B''`, `B'0'`, `B'00'`, `B'10000000'`] },
  Boolean: { type: 'Boolean', values: ['true', 'false'] },
  Float: { type: 'Float', values: [...FLOATS, `'-infinity'`, `'infinity'`, `'NaN'`] },
  Real: { type: 'Float @db.Real', values: ['-1e-45', '0.1', '0.10000001', '16777216', '3.4e38'] },
  Decimal: { type: 'Decimal', values: [...DECIMALS, `'NaN'`] },
  Money: { type: 'Decimal @db.Money', values: [`'-1.00'`, `'0.01'`, `'1234567.89'`] },
  DateTime: {
    type: 'DateTime',
    values: quoted(['1969-12-31 23:59:59.999', '2026-01-01', '0044-03-15 BC']),
  },
  Timestamp: { type: 'DateTime @db.Timestamp(6)', values: [...quoted(TIMES), `'infinity'`] },
  Timestamptz: {
    type: 'DateTime @db.Timestamptz(6)',
    // The last two are one hour apart where the clocks went back.
    values: [
      ...TIMES.map((time) => `'${time}+00'`),
      `'2025-10-26 02:30:00+02'`,
      `'2025-10-26 02:30:00+01'`,
    ],
  },
  Date: {
    type: 'DateTime @db.Date',
    values: quoted(['0044-03-15 BC', '1969-12-31', '1970-01-01']),
  },
  Time: { type: 'DateTime @db.Time(6)', values: quoted(['00:00', '12:00:00.000001', '24:00']) },
  Timetz: { type: 'DateTime @db.Timetz(6)', values: quoted(['12:00+02', '12:00+01', '11:00+00']) },
  Bytes: { type: 'Bytes', values: BYTES.map((hex) => `'\\x${hex}'`) },
  Json: { type: 'Json', values: quoted(['{}', '[1, 2]', '"a"', 'null', '{"a": "b"}']) },
  Role: { type: 'Role', values: quoted(['zebra', 'Ape', 'ape', 'the "owl"']) },
}

const MYSQL: Readonly<Record<string, KeyType>> = {
  Int: { type: 'Int', values: INTS },
  UnsignedInt: { type: 'Int @db.UnsignedInt', values: ['0', '2147483648', '4294967295'] },
  TinyInt: { type: 'Int @db.TinyInt', values: ['-128', '-1', '0', '127'] },
  UnsignedTinyInt: { type: 'Int @db.UnsignedTinyInt', values: ['0', '128', '255'] },
  SmallInt: { type: 'Int @db.SmallInt', values: ['-32768', '0', '32767'] },
  MediumInt: { type: 'Int @db.MediumInt', values: ['-8388608', '-1', '8388607'] },
  Year: { type: 'Int @db.Year', values: ['1901', '1999', '2000', '2155'] },
  BigInt: { type: 'BigInt', values: BIGINTS },
  UnsignedBigInt: {
    type: 'BigInt @db.UnsignedBigInt',
    values: ['0', '9223372036854775808', '18446744073709551614', '18446744073709551615'],
  },
  String: { type: 'String', values: texts('mysql') },
  Char: { type: 'String @db.Char(4)', values: quoted(['  a', 'a', 'a b', 'ab', 'abcd']) },
  Boolean: { type: 'Boolean', values: ['true', 'false'] },
  Bit: { type: 'Boolean @db.Bit(1)', values: [`b'0'`, `b'1'`] },
  Bits: { type: 'Bytes @db.Bit(12)', values: [`b'0'`, `b'1'`, `b'11111111'`, `b'100000000'`] },
  Float: { type: 'Float', values: FLOATS },
  Real: { type: 'Float @db.Float', values: ['-1e-30', '0.1', '0.10000001', '16777216', '3.4e38'] },
  Decimal: { type: 'Decimal', values: DECIMALS },
  DateTime: {
    type: 'DateTime',
    values: quoted(['1969-12-31 23:59:59.999', '1970-01-01 00:00:00']),
  },
  DateTime6: { type: 'DateTime @db.DateTime(6)', values: quoted(TIMES) },
  Timestamp: {
    type: 'DateTime @db.Timestamp(6)',
    values: quoted([
      '1970-01-02 00:00:00',
      '2026-01-01 00:00:00.000001',
      '2026-01-01 00:00:00.000002',
    ]),
  },
  Date: { type: 'DateTime @db.Date', values: quoted(['0001-01-01', '1969-12-31', '9999-12-31']) },
  Time: {
    type: 'DateTime @db.Time(6)',
    values: quoted(['00:00:00', '00:00:00.000001', '23:59:59']),
  },
  Bytes: { type: 'Bytes @db.VarBinary(20)', values: BYTES.map((hex) => `x'${hex}'`) },
  Binary: { type: 'Bytes @db.Binary(3)', values: [`x'000000'`, `x'000001'`, `x'41'`, `x'ff00ff'`] },
  Role: { type: 'Role', values: quoted(['zebra', 'Ape', 'ape', 'the "owl"']) },
}

const SQLITE: Readonly<Record<string, KeyType>> = {
  Int: { type: 'Int', values: INTS },
  BigInt: { type: 'BigInt', values: BIGINTS },
  String: { type: 'String', values: texts('sqlite') },
  Boolean: { type: 'Boolean', values: ['true', 'false'] },
  Float: { type: 'Float', values: FLOATS },
  Decimal: {
    type: 'Decimal',
    values: ['-1', '0.1', '0.30000000000000004', '1.10', '1e20', '123456789.12345678'],
  },
  // Text as the adapter writes it, and milliseconds since 1970 as it may be told to.
  DateTime: {
    type: 'DateTime',
    values: [
      '-1',
      '1700000000000',
      ...quoted([
        '0001-01-01T00:00:00.000+00:00',
        '1969-12-31T23:59:59.999+00:00',
        '2026-01-01T00:00:00.001+00:00',
        '2026-01-01T00:00:00.000001+00:00',
      ]),
    ],
  },
  Bytes: { type: 'Bytes', values: BYTES.map((hex) => `x'${hex}'`) },
  Json: { type: 'Json', values: quoted(['{}', '[1, 2]', '"a"', 'null', '12', '1.50']) },
  Role: { type: 'Role', values: quoted(['zebra', 'Ape', 'ape', 'the "owl"']) },
}

export const KEY_TYPES = { postgresql: POSTGRESQL, mysql: MYSQL, sqlite: SQLITE } as const

/** The enum of `Role` keys: neither in the order of its names, nor called as the database has them. */
export const ROLE = `
enum Role {
  zebra
  Ape
  ape
  owl   @map("the \\"owl\\"")
}
`

/** A text as a literal. */
export function literal(provider: Provider, text: string): string {
  const escaped = provider === 'mysql' ? text.replaceAll('\\', '\\\\') : text
  return `'${escaped.replaceAll(`'`, `''`)}'`
}

function texts(provider: Provider): string[] {
  return TEXTS.map((text) => literal(provider, text))
}
