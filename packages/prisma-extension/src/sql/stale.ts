import type { Provider } from '../plan/index.ts'
import type { Statement } from './client.ts'
import { Params, quote } from './dialect.ts'
import { inRange, type KeyRange } from './key-range.ts'
import { keyOrder } from './keys.ts'
import { beginsLikeEnvelope, prefixLiteral, prefixOf } from './prefix.ts'
import { mysqlRanges } from './staleness/mysql-ranges.ts'
import type { SealedColumn, Table } from './table.ts'

/**
 * Conditions on the prefix of an envelope. Key ids are numbers, so the prefixes can stand in the statement,
 * where an index on them serves.
 */

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
  const isOne = (sql: string): string => beginsLikeEnvelope(provider, column, sql)
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
  const wanted = keyIds.map((keyId) => prefixLiteral(provider, column, keyId))
  const isUnder = `${prefixOf(provider, column, sql)} IN (${wanted.join(', ')})`
  const ranges = provider === 'mysql' ? mysqlRanges(column, sql, keyIds) : null
  return ranges === null ? isUnder : `(${isUnder} AND (${ranges}))`
}

/** A statement that counts the rows where a condition on `t` is true. Gives one row `{ count }`, a text. */
export function countRowsStatement({ provider, name }: Table, where: string): string {
  const asText = provider === 'mysql' ? 'CHAR' : 'TEXT'
  return `SELECT CAST(count(*) AS ${asText}) AS ${quote(provider, 'count')} FROM ${name} AS t WHERE ${where}`
}

/** The same in a range of the table. */
export function countRangeStatement(table: Table, where: string, range: KeyRange): Statement {
  const params = new Params(table.provider)
  const key = table.key.map((column) => keyOrder(table.provider, column, `t.${column.name}`))
  const conditions = [`(${where})`, ...inRange(table, key, range, params)]
  return { sql: countRowsStatement(table, conditions.join(' AND ')), params: params.list }
}

/** A condition that is true where at least one of the columns holds something. */
export function presentCondition(columns: readonly SealedColumn[]): string {
  return columns.map((column) => `t.${column.name} IS NOT NULL`).join(' OR ')
}
