import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Provider } from '../plan/index.ts'
import type { SealedColumn } from './table.ts'
import { fromJsonText, isList, jsonText, type ColumnScalar, type ColumnValue } from './values.ts'

/**
 * How stored values travel:
 *
 *   PostgreSQL  text, JSON text, hex (in an array that begins with null, Prisma does not take bytes for
 *               bytes); lists as array literals (an array in an array would be flattened)
 *   SQLite      text, JSON text, hex, since a batch is one JSON document
 *   MySQL       text, JSON text, base64, for the same reason
 */
export function scalarParam(
  provider: Provider,
  column: SealedColumn,
  stored: ColumnValue | null,
): unknown {
  if (stored === null) return null
  if (isList(stored)) return arrayLiteral(column, stored)
  if (column.kind === 'bytes' && stored instanceof Uint8Array)
    return encode(stored, provider === 'mysql' ? 'base64' : 'hex')
  return isJson(column) ? jsonText(stored) : stored
}

/**
 * What `compare` takes of a stored value. MySQL gets its SHA-256: a statement is bounded there, and with
 * both values it could not rewrite what it could write.
 */
export function oldParam(
  provider: Provider,
  column: SealedColumn,
  stored: ColumnValue | null,
): unknown {
  if (provider !== 'mysql' || stored === null || isList(stored))
    return scalarParam(provider, column, stored)
  const content = isJson(column) ? jsonText(stored) : (stored as string | Uint8Array)
  return createHash('sha256').update(content).digest('hex')
}

/** SQL for a stored value from the form in which it travels. */
export function value(provider: Provider, column: SealedColumn, sql: string): string {
  if (provider === 'sqlite') return column.kind === 'bytes' ? `unhex(${sql})` : sql
  if (provider === 'mysql') return mysqlValue(column, sql)
  // Text is left to the assignment, which refuses what is too long where a cast would cut it off.
  if (column.kind === 'text') return column.list ? `${sql}::text[]` : sql
  if (column.kind === 'bytes' && !column.list) return `decode(${sql}, 'hex')`
  return `${sql}::${column.database.type}`
}

/**
 * In the character set and collation of the column, since MySQL refuses a CASE of two. It keeps JSON in a
 * form of its own, which beside text would be written out and read anew. MariaDB keeps its text, which
 * JSON_EXTRACT would write anew.
 */
function mysqlValue(column: SealedColumn, sql: string): string {
  if (column.kind === 'bytes') return `FROM_BASE64(${sql})`
  if (isBinaryJson(column)) return `JSON_EXTRACT(${sql}, '$')`
  const { charset, collation } = column.database
  return charset === undefined || collation === undefined
    ? sql
    : `CONVERT(${sql} USING ${charset}) COLLATE ${collation}`
}

/**
 * SQL for what becomes of a column `t.…`: a value from the form in which it travels, and what it holds where that is
 * NULL. Text goes to MySQL as it is, for the assignment to refuse what the character set of the column lacks: a
 * conversion would put question marks in its place.
 */
export function replaced(provider: Provider, column: SealedColumn, sql: string): string {
  const either = (held: string, next: string): string =>
    `CASE WHEN ${sql} IS NULL THEN ${held} ELSE ${next} END`
  const held = `t.${column.name}`
  const { charset = 'utf8mb4' } = column.database
  if (provider !== 'mysql' || charset === 'utf8mb4')
    return either(held, value(provider, column, sql))
  return either(`CONVERT(${held} USING utf8mb4)`, `CONVERT(${sql} USING utf8mb4)`)
}

/** The text or bytes that a column holds, as they were read. */
function mysqlHeld(column: SealedColumn, name: string): string {
  const { charset = 'utf8mb4' } = column.database
  const isAsRead = charset === 'utf8mb4' || column.kind === 'bytes'
  return isAsRead && !isBinaryJson(column) ? name : `CONVERT(${name} USING utf8mb4)`
}

/** SQL that is true if a column holds exactly the value of an `oldParam`, whatever its collation. */
export function compare(provider: Provider, column: SealedColumn, sql: string): string {
  const name = `t.${column.name}`
  if (provider === 'mysql') return `SHA2(${mysqlHeld(column, name)}, 256) = ${sql}`
  const given = value(provider, column, sql)
  if (provider === 'sqlite')
    return column.kind === 'bytes' ? `${name} = ${given}` : `${name} = ${given} COLLATE BINARY`
  if (column.kind === 'jsonb' || column.kind === 'bytes')
    return column.list ? `${name}[:] = ${given}` : `${name} = ${given}`
  // A slice begins at 1, as what was read does, wherever the list begins.
  if (column.list) return `(${name}::text[])[:] = ${sql}::text[] COLLATE "C"`
  return `${name}::text = ${sql}::text COLLATE "C"`
}

/** SQL that reads a column in the form `fromDatabase` takes. Json is read as text. */
export function read(provider: Provider, column: SealedColumn, sql: string): string {
  if (provider === 'sqlite') return sqliteRead(column, sql)
  if (column.kind === 'bytes') return sql
  if (provider === 'postgresql') return `${sql}::text${column.list ? '[]' : ''}`
  return `CAST(${sql} AS CHAR)`
}

/**
 * As hex: SQLite keeps any bytes as text, of which libsql reads what is before U+0000, and panics where it is no UTF-8.
 * What has another type than the column is marked. A number in Json is one, of which a cast would leave 15 digits.
 */
function sqliteRead(column: SealedColumn, sql: string): string {
  const marked = `hex(${sql}) || '${MARK}'`
  const [blob, other] = column.kind === 'bytes' ? [`hex(${sql})`, marked] : [marked, `hex(${sql})`]
  const real = isJson(column) ? ` WHEN 'real' THEN hex(format('%!.17g', ${sql}))` : ''
  return `CASE typeof(${sql}) WHEN 'null' THEN NULL WHEN 'blob' THEN ${blob}${real} ELSE ${other} END`
}

const MARK = '-'

/**
 * A stored value from what `read` gave. What a column of SQLite holds that is not of its type becomes text that ends in
 * half a character, which nothing takes for a value: it cannot be sealed, and is equal to nothing that is stored.
 */
export function fromDatabase(
  provider: Provider,
  column: SealedColumn,
  raw: unknown,
): ColumnValue | null {
  if (raw === null || raw === undefined) return null
  if (Array.isArray(raw))
    return raw.map((one: unknown) => fromDatabase(provider, column, one) as ColumnScalar | null)
  const stored = provider === 'sqlite' ? fromHex(column, raw as string) : raw
  return isJson(column) ? fromJsonText(stored as string) : (stored as string | Uint8Array)
}

function fromHex({ kind }: SealedColumn, hex: string): string | Uint8Array {
  const bytes = Buffer.from(hex, 'hex')
  const isMarked = hex.endsWith(MARK)
  if (kind === 'bytes' && !isMarked) return bytes
  return isMarked || !isUtf8(bytes) ? `${bytes.toString()}\udfff` : bytes.toString()
}

/** @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function arrayLiteral(column: SealedColumn, list: readonly (ColumnScalar | null)[]): string {
  const elements = list.map((element) => {
    if (element === null) return 'NULL'
    const text =
      element instanceof Uint8Array
        ? `\\x${encode(element, 'hex')}`
        : isJson(column)
          ? jsonText(element)
          : (element as string)
    return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  })
  return `{${elements.join(',')}}`
}

function isJson(column: SealedColumn): boolean {
  return column.kind === 'json' || column.kind === 'jsonb'
}

/** Is this MySQL's JSON, which keeps no text? MariaDB's is LONGTEXT. */
function isBinaryJson({ kind, database }: SealedColumn): boolean {
  return kind === 'json' && database.type === 'json'
}

function encode(bytes: Uint8Array, encoding: 'hex' | 'base64'): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding)
}
