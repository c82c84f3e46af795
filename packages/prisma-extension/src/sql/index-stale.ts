import type { Provider } from '../plan/index.ts'
import { quote } from './dialect.ts'
import type { SealedColumn, Table } from './table.ts'

/**
 * Conditions on the values of blind indexes (docs/spec/blind-index-v1.md):
 *
 *   `ri1.` ‖ key id, 8 hex digits ‖ `.` ‖ 64 hex digits      77 characters
 *
 * Key ids are numbers, so the prefixes can stand in the statement, where an index on them serves.
 */
const PREFIX_CHARS = 13
const CHARS = 77

/** A column of a blind index, and the key id that its values should be under; null if it should be empty. */
export interface WantedIndex {
  readonly column: SealedColumn
  readonly keyId: number | null
}

/** A condition that is true where an index column is not what it should be, as far as prefixes tell. */
export function indexStaleCondition(
  { provider }: Table,
  sealed: SealedColumn,
  wanted: readonly WantedIndex[],
): string {
  const left = wanted.map(({ column }) => `t.${column.name} IS NOT NULL`)
  const wrong = wanted.map(({ column, keyId }) => {
    const name = `t.${column.name}`
    if (keyId === null) return `${name} IS NOT NULL`
    const { start, length } = parts(provider, name)
    return `(${name} IS NULL OR ${start} <> '${prefixOf(keyId)}' OR ${length} <> ${CHARS})`
  })
  return `CASE WHEN t.${sealed.name} IS NULL THEN (${left.join(' OR ')}) ELSE (${wrong.join(' OR ')}) END`
}

/** A condition that is true where an index column holds a value under one of these key ids. */
export function indexKeyCondition(
  { provider }: Table,
  column: SealedColumn,
  keyIds: readonly number[],
): string {
  if (keyIds.length === 0) return '1 = 0'
  const prefixes = keyIds.map((keyId) => `'${prefixOf(keyId)}'`)
  return `${parts(provider, `t.${column.name}`).start} IN (${prefixes.join(', ')})`
}

/** A condition that is true where an index column holds a value under whatever key. */
export function anyIndexCondition({ provider }: Table, { name }: SealedColumn): string {
  return isValue(provider, `t.${name}`)
}

/**
 * A statement that counts what an index column holds. Gives `CountRow`s: the key id of values, `null`
 * where the sealed field is NULL too, `missing` where it is not, `left` where the sealed field is NULL and
 * the index is not, or `malformed`.
 */
export function indexCountStatement(
  { provider, name }: Table,
  sealed: SealedColumn,
  column: SealedColumn,
): string {
  const value = `t.${column.name}`
  const kind = `CASE WHEN t.${sealed.name} IS NULL THEN CASE WHEN ${value} IS NULL THEN 'null' ELSE 'left' END
WHEN ${value} IS NULL THEN 'missing' WHEN ${isValue(provider, value)} THEN substr(${value}, 5, 8) ELSE 'malformed' END`
  const asText = provider === 'mysql' ? 'CHAR' : 'TEXT'
  return `SELECT kind, CAST(count(*) AS ${asText}) AS ${quote(provider, 'count')} FROM (SELECT ${kind} AS kind FROM ${name} AS t) AS c GROUP BY kind`
}

/** Collations may take "RI1" for "ri1". */
function parts(provider: Provider, sql: string): { start: string; length: string } {
  switch (provider) {
    case 'postgresql':
      return {
        start: `left(${sql}::text, ${PREFIX_CHARS}) COLLATE "C"`,
        length: `length(${sql}::text)`,
      }
    case 'sqlite':
      return {
        start: `substr(${sql}, 1, ${PREFIX_CHARS}) COLLATE BINARY`,
        length: `length(${sql})`,
      }
    case 'mysql':
      return {
        start: `CONVERT(left(${sql}, ${PREFIX_CHARS}) USING utf8mb4) COLLATE utf8mb4_bin`,
        length: `CHAR_LENGTH(${sql})`,
      }
  }
}

function isValue(provider: Provider, sql: string): string {
  const hex = (count: number): string => '[0-9a-f]'.repeat(count)
  switch (provider) {
    case 'postgresql':
      return `${sql}::text COLLATE "C" ~ '^ri1[.][0-9a-f]{8}[.][0-9a-f]{64}$'`
    case 'sqlite':
      return `${sql} GLOB 'ri1.${hex(8)}.${hex(64)}'`
    case 'mysql':
      return `CONVERT(${sql} USING utf8mb4) COLLATE utf8mb4_bin REGEXP '^ri1[.][0-9a-f]{8}[.][0-9a-f]{64}$'`
  }
}

function prefixOf(keyId: number): string {
  return `ri1.${keyId.toString(16).padStart(8, '0')}.`
}
