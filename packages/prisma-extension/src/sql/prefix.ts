import type { Provider } from '../plan/index.ts'
import { keyIdHex } from './fence-name.ts'
import type { SealedColumn } from './table.ts'

/**
 * The fixed-width prefix of an envelope (docs/spec/envelope-v1.md#layout), as databases see it. Compared as
 * bytes or under a binary collation, whatever the collation of the column: others take "RS1" for "rs1".
 *
 *   text    `rs1.` ‖ key id, 8 hex digits ‖ `.`      13 characters
 *   bytes   52 53 01 ‖ key id                         7 bytes
 */
export const TEXT_PREFIX_CHARS = 13
export const BYTES_PREFIX_BYTES = 7
export const MAGIC_HEX = '525301'

/** SQL for what a value begins with: as many characters or bytes as a prefix has, or fewer. */
export function prefixOf(provider: Provider, column: SealedColumn, sql: string): string {
  if (column.kind === 'bytes') return bytesPart(sql, 1, BYTES_PREFIX_BYTES)
  return textPart(provider, content(provider, column, sql), TEXT_PREFIX_CHARS)
}

/** The prefix of values under a key id, as `prefixOf` gives it. */
export function prefixLiteral(provider: Provider, column: SealedColumn, keyId: number): string {
  const hex = keyIdHex(keyId)
  return column.kind === 'bytes' ? bytesLiteral(provider, MAGIC_HEX + hex) : `'rs1.${hex}.'`
}

/** A condition that is true for an envelope, and for what begins like one. */
export function beginsLikeEnvelope(provider: Provider, column: SealedColumn, sql: string): string {
  if (column.kind === 'bytes')
    return `${bytesPart(sql, 1, 3)} = ${bytesLiteral(provider, MAGIC_HEX)}`
  return `${textPart(provider, content(provider, column, sql), 4)} = 'rs1.'`
}

/** The text of a text column, or of the string that a Json column holds. */
export function content(provider: Provider, column: SealedColumn, sql: string): string {
  if (column.kind === 'text') return sql
  if (provider === 'mysql') return `JSON_UNQUOTE(${sql})`
  if (column.kind === 'jsonb') return `(${sql} #>> '{}')`
  // Quoted text: what follows another first character cannot be taken for an envelope.
  return provider === 'sqlite' ? `substr(${sql}, 2)` : `substr(${sql}::text, 2)`
}

/** MySQL's REGEXP takes no binary strings. */
export function textPart(provider: Provider, sql: string, chars: number): string {
  if (provider === 'mysql')
    return `CONVERT(left(${sql}, ${chars}) USING utf8mb4) COLLATE utf8mb4_bin`
  return provider === 'sqlite'
    ? `substr(${sql}, 1, ${chars})`
    : `left(${sql}::text, ${chars}) COLLATE "C"`
}

export function bytesPart(sql: string, from: number, count: number): string {
  return `substr(${sql}, ${from}, ${count})`
}

/** Without a backslash, which is an escape to PostgreSQL where `standard_conforming_strings` is off. */
export function bytesLiteral(provider: Provider, hex: string): string {
  return provider === 'postgresql' ? `decode('${hex}', 'hex')` : `x'${hex}'`
}
