import { assignments, type BatchRow, type BatchUpdate } from './batch.ts'
import type { Statement } from './client.ts'
import { keyFromText } from './keys.ts'
import type { Table } from './table.ts'

/**
 * MySQL and MariaDB take SKIP LOCKED in a SELECT only (MariaDB ignores it below an UPDATE), so a batch is
 * two statements of one transaction:
 *
 *   SELECT … FOR UPDATE SKIP LOCKED   which of the rows are not somebody else's: they are ours now
 *   UPDATE … of those                 finds nothing to wait for
 *
 * Both join from the batch to the table by the index of its key: whoever scans a table waits for the
 * locks of rows that are none of its business, and the optimizer would scan a small one.
 *
 * The rows are one parameter, a JSON document: a string among the parameters of a derived table may be
 * cut to the length that the server guessed when it prepared the statement.
 */
export function mysqlUpdate(update: BatchUpdate): Statement {
  const { table, names, rows, match } = update
  const all = [...keyNames(table), ...names]
  const document = rows.map(({ key, cells }) => object(all, [...key, ...cells]))
  return {
    sql: `UPDATE ${batch(all)} STRAIGHT_JOIN ${byKey(table)} AND ${match} SET ${assignments(update, 't.')}`,
    params: [JSON.stringify(document)],
  }
}

/** Locks rows and gives `{ i }` of each, its place in `rows` counted from 1. For READ COMMITTED. */
export function mysqlLock(table: Table, rows: readonly Pick<BatchRow, 'key'>[]): Statement {
  const all = keyNames(table)
  const document = rows.map((row) => object(all, row.key))
  return {
    sql: `SELECT v.i AS i FROM ${batch(all, 'i FOR ORDINALITY, ')} STRAIGHT_JOIN ${byKey(table)} FOR UPDATE SKIP LOCKED`,
    params: [JSON.stringify(document)],
  }
}

/** Gives rows by their keys: `i`, the place of the key from 0 on, and what is selected of `t`. */
export function mysqlRows(
  table: Table,
  keys: readonly (readonly string[])[],
  select: readonly string[],
): Statement {
  const all = keyNames(table)
  return {
    sql: `SELECT v.i - 1 AS i, ${select.join(', ')} FROM ${batch(all, 'i FOR ORDINALITY, ')} STRAIGHT_JOIN ${byKey(table)}`,
    params: [JSON.stringify(keys.map((key) => object(all, key)))],
  }
}

function keyNames({ key }: Table): string[] {
  return key.map((_, i) => `k${i}`)
}

function batch(columns: readonly string[], before = ''): string {
  const list = columns.map((name) => `${name} LONGTEXT CHARACTER SET utf8mb4 PATH '$.${name}'`)
  return `JSON_TABLE(?, '$[*]' COLUMNS (${before}${list.join(', ')})) AS v`
}

function byKey(table: Table): string {
  const hint = table.keyIndex === null ? '' : ` FORCE INDEX (${table.keyIndex})`
  const same = table.key.map(
    (column, i) => `t.${column.name} = ${keyFromText('mysql', column, `v.k${i}`)}`,
  )
  return `${table.name} AS t${hint} ON ${same.join(' AND ')}`
}

/** What is missing reads as NULL. */
function object(keys: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(
    keys.map((key, i) => [key, values[i]]).filter(([, value]) => value !== null),
  ) as Record<string, unknown>
}
