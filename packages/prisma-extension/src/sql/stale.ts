import type { Provider } from '../plan/index.ts'
import { quote } from './dialect.ts'
import type { SealedColumn, Table } from './table.ts'

/**
 * Conditions on the fixed-width prefix of an envelope (docs/spec/envelope-v1.md#layout). Key ids are
 * numbers, so the prefixes can stand in the statement, where an index on them serves.
 *
 *   text    `rs1.` ‖ key id, 8 hex digits ‖ `.`      13 characters
 *   bytes   52 53 01 ‖ key id                         7 bytes
 */
const TEXT_PREFIX_CHARS = 13
const BYTES_PREFIX_BYTES = 7
export const MAGIC_HEX = '525301'

/** A condition that is true where a column `t.…` holds a value sealed under one of these key ids. */
export function staleCondition(
  { provider }: Table,
  column: SealedColumn,
  keyIds: readonly number[],
): string {
  if (keyIds.length === 0) return '1 = 0'
  const name = `t.${column.name}`
  if (!column.list) return hasPrefix(provider, column, name, keyIds)
  return `EXISTS (SELECT 1 FROM unnest(${name}) AS e WHERE ${hasPrefix(provider, column, 'e', keyIds)})`
}

/** A condition that is true where a column `t.…` holds an envelope, or what begins like one, under whatever key. */
export function envelopeCondition({ provider }: Table, column: SealedColumn): string {
  const isOne = (sql: string): string => {
    if (column.kind === 'bytes')
      return `${bytesPart(provider, sql, 1, 3)} = ${bytesLiteral(provider, MAGIC_HEX)}`
    return `${textPart(provider, content(provider, column, sql), 4)} = 'rs1.'`
  }
  const name = `t.${column.name}`
  if (!column.list) return isOne(name)
  return `EXISTS (SELECT 1 FROM unnest(${name}) AS e WHERE ${isOne('e')})`
}

function hasPrefix(
  provider: Provider,
  column: SealedColumn,
  sql: string,
  keyIds: readonly number[],
): string {
  const hexes = keyIds.map(hexOf)
  if (column.kind === 'bytes') {
    const wanted = hexes.map((hex) => bytesLiteral(provider, MAGIC_HEX + hex))
    return `${bytesPart(provider, sql, 1, BYTES_PREFIX_BYTES)} IN (${wanted.join(', ')})`
  }
  const wanted = hexes.map((hex) => `'rs1.${hex}.'`)
  const text = content(provider, column, sql)
  return `${textPart(provider, text, TEXT_PREFIX_CHARS)} IN (${wanted.join(', ')})`
}

/** A statement that counts the rows where a condition on `t` is true. Gives one row `{ count }`, a text. */
export function countRowsStatement({ provider, name }: Table, where: string): string {
  const asText = provider === 'mysql' ? 'CHAR' : 'TEXT'
  return `SELECT CAST(count(*) AS ${asText}) AS ${quote(provider, 'count')} FROM ${name} AS t WHERE ${where}`
}

/** A condition that is true where at least one of the columns holds something. */
export function presentCondition(columns: readonly SealedColumn[]): string {
  return columns.map((column) => `t.${column.name} IS NOT NULL`).join(' OR ')
}

/** What a count found: the key id of envelopes, `plaintext`, `null` (for lists: no elements) or `malformed`. */
export interface CountRow {
  /** 8 hex digits, or one of the words. */
  readonly kind: string
  /** Of values; of elements for lists. A number in text form. */
  readonly count: string
}

/** A statement that counts the values of a column by key version. Gives `CountRow`s. */
export function countStatement(table: Table, column: SealedColumn): string {
  const { provider } = table
  const name = `t.${column.name}`
  const from = column.list
    ? `${table.name} AS t LEFT JOIN LATERAL unnest(${name}) AS e ON true`
    : `${table.name} AS t`
  const sql = column.list ? 'e' : name
  const kind = column.kind === 'bytes' ? bytesKind(provider, sql) : textKind(provider, column, sql)
  const asText = provider === 'mysql' ? 'CHAR' : 'TEXT'
  return `SELECT kind, CAST(count(*) AS ${asText}) AS ${quote(provider, 'count')} FROM (SELECT ${kind} AS kind FROM ${from}) AS c GROUP BY kind`
}

function textKind(provider: Provider, column: SealedColumn, sql: string): string {
  const text = content(provider, column, sql)
  const start = textPart(provider, text, TEXT_PREFIX_CHARS)
  const digits = '[0-9a-f]'.repeat(8)
  const isEnvelope = {
    postgresql: `${start} COLLATE "C" ~ '^rs1[.]${digits}[.]$'`,
    sqlite: `${start} GLOB 'rs1.${digits}.'`,
    mysql: `${start} REGEXP '^rs1[.]${digits}[.]$'`,
  }[provider]
  return `CASE WHEN ${sql} IS NULL THEN 'null' WHEN ${isEnvelope} THEN substr(${text}, 5, 8)
WHEN ${textPart(provider, text, 4)} = 'rs1.' THEN 'malformed' ELSE 'plaintext' END`
}

function bytesKind(provider: Provider, sql: string): string {
  const magic = `${bytesPart(provider, sql, 1, 3)} = ${bytesLiteral(provider, MAGIC_HEX)}`
  const id = bytesPart(provider, sql, 4, 4)
  const idHex = provider === 'postgresql' ? `encode(${id}, 'hex')` : `lower(hex(${id}))`
  return `CASE WHEN ${sql} IS NULL THEN 'null' WHEN ${magic} AND length(${sql}) >= ${BYTES_PREFIX_BYTES} THEN ${idHex}
WHEN ${magic} THEN 'malformed' ELSE 'plaintext' END`
}

/** The text of a text column, or of the string that a Json column holds. */
export function content(provider: Provider, column: SealedColumn, sql: string): string {
  if (column.kind === 'text') return sql
  if (provider === 'mysql') return `JSON_UNQUOTE(${sql})`
  if (column.kind === 'jsonb') return `(${sql} #>> '{}')`
  // Quoted text: what follows another first character cannot be taken for an envelope.
  return provider === 'sqlite' ? `substr(${sql}, 2)` : `substr(${sql}::text, 2)`
}

/** MySQL's default collations take "RS1" for "rs1"; its REGEXP takes no binary strings. */
export function textPart(provider: Provider, sql: string, chars: number): string {
  if (provider === 'mysql')
    return `CONVERT(left(${sql}, ${chars}) USING utf8mb4) COLLATE utf8mb4_bin`
  return provider === 'sqlite' ? `substr(${sql}, 1, ${chars})` : `left(${sql}, ${chars})`
}

export function bytesPart(provider: Provider, sql: string, from: number, count: number): string {
  return provider === 'postgresql'
    ? `substring(${sql} FROM ${from} FOR ${count})`
    : `substr(${sql}, ${from}, ${count})`
}

export function bytesLiteral(provider: Provider, hex: string): string {
  return provider === 'postgresql' ? `'\\x${hex}'::bytea` : `x'${hex}'`
}

function hexOf(keyId: number): string {
  return keyId.toString(16).padStart(8, '0')
}
