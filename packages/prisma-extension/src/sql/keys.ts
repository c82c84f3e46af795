import { isUtf8 } from 'node:buffer'
import type { Provider } from '../plan/index.ts'
import { TableError, type KeyColumn, type Table } from './table.ts'

/**
 * Keys travel as text, both ways: a `Date` would lose microseconds, a number what is above 2^53.
 * Bytes travel as hex.
 */

/** SQL for the text form of a key column. */
export function keyToText(provider: Provider, column: KeyColumn, sql: string): string {
  if (provider === 'mysql') return mysqlText(column, sql)
  if (provider === 'postgresql') return postgresqlText(column, sql)
  if (isBytes(column)) return `lower(hex(${sql}))`
  // A cast keeps 15 digits, and the name of infinity is no number. Any column may hold a real one.
  const real = `CASE ${sql} WHEN 9e999 THEN '9e999' WHEN -9e999 THEN '-9e999' ELSE format('%!.17g', ${sql}) END`
  return `CASE typeof(${sql}) WHEN 'real' THEN ${real} ELSE CAST(${sql} AS TEXT) END`
}

/** SQL for the text that a bound column has in the additional data of a value. docs/spec/envelope-v1.md#bound-columns */
export function boundToText(provider: Provider, column: KeyColumn, sql: string): string {
  return column.type === 'Boolean'
    ? `CASE WHEN ${sql} THEN 'true' WHEN NOT ${sql} THEN 'false' END`
    : keyToText(provider, column, sql)
}

/** SQL that reads a key column or a bound one, by the SQL for its text. SQLite's text travels as hex, as values do. */
export function readText(
  provider: Provider,
  column: KeyColumn,
  sql: string,
  toText: typeof keyToText,
): string {
  const text = toText(provider, column, sql)
  if (!isHex(provider, column)) return text
  return `CASE typeof(${sql}) WHEN 'null' THEN NULL WHEN 'blob' THEN '${NO_TEXT}' ELSE hex(${text}) END`
}

const NO_TEXT = '-'

/**
 * The key of a row, from columns `k0`, `k1` … of `readText`.
 *
 * @throws {TableError} if SQLite holds what is no text in it: nothing could name the row.
 */
export function keyOf(
  { provider, name, key }: Table,
  row: Readonly<Record<string, unknown>>,
): string[] {
  return key.map((column, i) => {
    const text = textOf(provider, column, row[`k${i}`])
    if (text !== null) return text
    throw new TableError(
      name,
      `The key ${column.name} of ${name} holds bytes, or broken UTF-8, in some row, which no statement could name.`,
      'Change the key of that row to text.',
    )
  })
}

/** What the bound columns of a row hold, from columns `b0`, `b1` …; null for what no value can be bound to. */
export function boundOf(
  { provider, bound }: Table,
  row: Readonly<Record<string, unknown>>,
): (string | null)[] {
  return bound.map((column, i) => {
    const text = textOf(provider, column, row[`b${i}`])
    return text?.includes('\0') === true ? null : text
  })
}

function textOf(provider: Provider, column: KeyColumn, raw: unknown): string | null {
  if (raw === null || !isHex(provider, column)) return raw as string | null
  const bytes = Buffer.from(raw as string, 'hex')
  return raw !== NO_TEXT && isUtf8(bytes) ? bytes.toString() : null
}

function isHex(provider: Provider, column: KeyColumn): boolean {
  return provider === 'sqlite' && !isBytes(column) && !isNumber(column)
}

/** SQL that is true if a bound column has exactly this text, whatever its collation. */
export function isBoundTo(
  provider: Provider,
  column: KeyColumn,
  sql: string,
  text: string,
): string {
  const held = boundToText(provider, column, sql)
  if (provider === 'mysql') return `CAST(${held} AS BINARY) = CAST(${text} AS BINARY)`
  return `${held} = ${text} COLLATE ${provider === 'sqlite' ? 'BINARY' : '"C"'}`
}

/** SQL that makes a value of a key column from its text form. SQLite's columns convert by affinity, if they have one. */
export function keyFromText(provider: Provider, column: KeyColumn, sql: string): string {
  if (provider === 'mysql') return mysqlCast(column, sql)
  if (isBytes(column)) return provider === 'postgresql' ? `decode(${sql}, 'hex')` : `unhex(${sql})`
  if (provider === 'postgresql') return `${sql}::${column.database.type}`
  return isNumber(column) && !hasAffinity(column) ? `CAST(${sql} AS NUMERIC)` : sql
}

/** SQL to order and compare a key column by. MySQL would order an enum or a set by position, but compare it as text. */
export function keyOrder(provider: Provider, column: KeyColumn, sql: string): string {
  return provider === 'mysql' && /^(enum|set)\(/.test(column.database.type)
    ? mysqlCast(column, sql)
    : sql
}

function isBytes(column: KeyColumn): boolean {
  return column.type === 'Bytes'
}

function isNumber({ type }: KeyColumn): boolean {
  return ['Int', 'BigInt', 'Boolean', 'Float'].includes(type)
}

/** Does a column of SQLite bring what is compared with it into its own form? https://www.sqlite.org/datatype3.html#affname */
function hasAffinity({ database: { type } }: KeyColumn): boolean {
  return /INT|CHAR|CLOB|TEXT/i.test(type) || !/BLOB|^(ANY)?$/i.test(type)
}

/** Independent of DateStyle, which decides how a date is read as well, and of extra_float_digits, which may cut digits off. */
function postgresqlText(column: KeyColumn, sql: string): string {
  const { type } = column.database
  if (isBytes(column)) return `encode(${sql}, 'hex')`
  if (/^(date$|timestamp)/.test(type)) return `to_jsonb(${sql}) #>> '{}'`
  return type === 'double precision' || type === 'real'
    ? `CASE WHEN set_config('extra_float_digits', '1', true) = '1' THEN ${sql}::text END`
    : `${sql}::text`
}

/** Bits are numbers to MySQL; of a FLOAT it writes six digits only, of the DOUBLE that it is all of them. */
function mysqlText(column: KeyColumn, sql: string): string {
  const { type } = column.database
  const bits = bitsOf(type)
  if (isBytes(column))
    return bits === null
      ? `lower(hex(${sql}))`
      : `lpad(lower(hex(${sql} + 0)), ${2 * Math.ceil(bits / 8)}, '0')`
  if (bits !== null) return `CAST(${sql} + 0 AS CHAR)`
  return type.startsWith('float') ? `CAST(CAST(${sql} AS DOUBLE) AS CHAR)` : `CAST(${sql} AS CHAR)`
}

/** A comparison of a number with text would be one of doubles, and one of collations an error. */
function mysqlCast(column: KeyColumn, sql: string): string {
  const { type, charset, collation } = column.database
  const isBits = bitsOf(type) !== null
  if (isBytes(column)) return isBits ? `CAST(conv(${sql}, 16, 10) AS UNSIGNED)` : `unhex(${sql})`
  if (charset !== undefined && collation !== undefined)
    return `CONVERT(${sql} USING ${charset}) COLLATE ${collation}`
  if (/^(tiny|small|medium|big)?int/.test(type))
    return `CAST(${sql} AS ${type.includes('unsigned') ? 'UNSIGNED' : 'SIGNED'})`
  if (isBits || type.startsWith('year')) return `CAST(${sql} AS UNSIGNED)`
  const decimal = /^decimal\(\d+,\d+\)/.exec(type)?.[0]
  if (decimal !== undefined) return `CAST(${sql} AS ${decimal})`
  if (/^(float|double)/.test(type)) return `CAST(${sql} AS DOUBLE)`
  if (/^(datetime|timestamp)/.test(type)) return `CAST(${sql} AS DATETIME(6))`
  if (/^date/.test(type)) return `CAST(${sql} AS DATE)`
  return /^time/.test(type) ? `CAST(${sql} AS TIME(6))` : sql
}

/** Bits of a BIT column; null for any other. */
function bitsOf(type: string): number | null {
  const [, bits] = /^bit\((\d+)\)/.exec(type) ?? []
  return bits === undefined ? null : Number(bits)
}
