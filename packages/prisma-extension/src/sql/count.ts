import type { Provider } from '../plan/index.ts'
import { quote } from './dialect.ts'
import { beginsLikeEnvelope, BYTES_PREFIX_BYTES, bytesPart, prefixOf } from './prefix.ts'
import type { SealedColumn, Table } from './table.ts'

/** What a count found: the key id of envelopes, `plaintext`, `null` (for lists: no elements) or `malformed`. */
export interface CountRow {
  /** 8 hex digits, or one of the words. */
  readonly kind: string
  /** Of values; of elements for lists. A number in text form. */
  readonly count: string
}

/** A statement that counts the values of a column by key version. Gives `CountRow`s. Reads the table. */
export function countStatement(table: Table, column: SealedColumn): string {
  const { provider } = table
  const name = `t.${column.name}`
  const from = column.list
    ? `${table.name} AS t LEFT JOIN LATERAL unnest(${name}) AS e ON true`
    : `${table.name} AS t`
  const sql = column.list ? 'e' : name
  const prefix = `CASE WHEN ${beginsLikeEnvelope(provider, column, sql)} THEN ${prefixOf(provider, column, sql)} END`
  const groups = `SELECT absent, p, count(*) AS n FROM (SELECT ${sql} IS NULL AS absent, ${prefix} AS p FROM ${from}) AS v GROUP BY absent, p`
  const kind = `CASE WHEN absent THEN 'null' WHEN p IS NULL THEN 'plaintext' ELSE ${envelopeKind(provider, column, 'p')} END`
  return kindsStatement(provider, kind, groups)
}

/** What `countByIndexStatement` gives: rows of the kind, without those that are NULL. */
export interface IndexCountRow extends CountRow {
  /** Rows of the kind `plaintext` that are NULL. A number in text form. */
  readonly absent: string
}

/**
 * The same for SQLite with an index on the prefix: by which the groups come ready, without the table. Empty
 * bytes have no prefix either, so rows without one are read. Gives `IndexCountRow`s.
 */
export function countByIndexStatement(table: Table, column: SealedColumn): string {
  const { provider } = table
  const name = `t.${column.name}`
  const prefix = prefixOf(provider, column, name)
  const absent = `sum(CASE WHEN ${prefix} IS NULL THEN ${name} IS NULL ELSE 0 END)`
  const groups = `SELECT ${prefix} AS p, count(*) AS n, ${absent} AS absent FROM ${table.name} AS t GROUP BY p`
  const isOne = beginsLikeEnvelope(provider, { ...column, kind: textOrBytes(column) }, 'p')
  const kind = `CASE WHEN ${isOne} THEN ${envelopeKind(provider, column, 'p')} ELSE 'plaintext' END`
  return `SELECT kind, CAST(sum(n) AS TEXT) AS count, CAST(sum(absent) AS TEXT) AS absent FROM (SELECT ${kind} AS kind, n, absent FROM (${groups}) AS g) AS c GROUP BY kind`
}

/** What a value is whose prefix, which begins like that of an envelope, is `p`. */
function envelopeKind(provider: Provider, column: SealedColumn, p: string): string {
  if (textOrBytes(column) === 'bytes') {
    const id = bytesPart(p, 4, 4)
    const hex = provider === 'postgresql' ? `encode(${id}, 'hex')` : `lower(hex(${id}))`
    return `CASE WHEN length(${p}) = ${BYTES_PREFIX_BYTES} THEN ${hex} ELSE 'malformed' END`
  }
  const digits = '[0-9a-f]'.repeat(8)
  const isWhole = {
    postgresql: `${p} ~ '^rs1[.]${digits}[.]$'`,
    sqlite: `${p} GLOB 'rs1.${digits}.'`,
    mysql: `${p} REGEXP '^rs1[.]${digits}[.]$'`,
  }[provider]
  return `CASE WHEN ${isWhole} THEN substr(${p}, 5, 8) ELSE 'malformed' END`
}

/** A prefix of Json is text. */
function textOrBytes({ kind }: SealedColumn): 'text' | 'bytes' {
  return kind === 'bytes' ? 'bytes' : 'text'
}

function kindsStatement(provider: Provider, kind: string, groups: string): string {
  const asText = provider === 'mysql' ? 'CHAR' : 'TEXT'
  return `SELECT kind, CAST(sum(n) AS ${asText}) AS ${quote(provider, 'count')} FROM (SELECT ${kind} AS kind, n FROM (${groups}) AS g) AS c GROUP BY kind`
}
