import { assignments, type BatchUpdate } from './batch.ts'
import type { Statement } from './client.ts'
import { Params, withName } from './dialect.ts'
import { keyFromText } from './keys.ts'
import { mysqlUpdate } from './swap-mysql.ts'

/**
 * A row that does not match stays as it is. On PostgreSQL it waits for nobody: rows that others have locked
 * are left out as well. `updateIn` runs it so that this holds elsewhere too.
 */
export function batchUpdate(batch: BatchUpdate): Statement {
  if (batch.table.key.length === 0) throw new TypeError(`${batch.table.name} has no key.`)
  if (batch.rows.length === 0) throw new TypeError('There is nothing to swap.')
  return STATEMENTS[batch.table.provider](batch)
}

const STATEMENTS = { postgresql, sqlite, mysql: mysqlUpdate }

/** One array per column. Locks in the order of the key, so that two batches cannot deadlock. */
function postgresql(batch: BatchUpdate): Statement {
  const { table, names, rows, match } = batch
  const params = new Params('postgresql')
  const keyNames = table.key.map((_, i) => `k${i}`)
  const all = [...keyNames, ...names]
  const matrix = rows.map(({ key, cells }) => [...key, ...cells])
  const arrays = all.map((_, at) => `${params.add(matrix.map((row) => row[at]))}::text[]`)
  const keys = table.key.map(
    (column, i) => `${keyFromText('postgresql', column, `u.k${i}`)} AS k${i}`,
  )
  const given = names.map((name) => `u.${name}`)
  const on = (left: string): string =>
    table.key.map((column, i) => `t.${column.name} = ${left}.k${i}`).join(' AND ')
  const order = table.key.map((column) => `t.${column.name}`).join(', ')
  const locked = table.key.map((column, i) => `t.${column.name} AS k${i}`).join(', ')
  const joined = keyNames.map((name) => `l.${name} = v.${name}`).join(' AND ')
  const [brought, own] = [withName(table, 'rowseal_v'), withName(table, 'rowseal_l')]
  return {
    sql: `WITH ${brought} AS (SELECT ${[...keys, ...given].join(', ')} FROM unnest(${arrays.join(', ')}) AS u(${all.join(', ')})),
${own} AS (SELECT ${locked} FROM ${table.name} t JOIN ${brought} v ON ${on('v')} AND ${match} ORDER BY ${order} FOR ${lockOf(batch)} OF t SKIP LOCKED)
UPDATE ${table.name} t SET ${assignments(batch, '')} FROM ${brought} v JOIN ${own} l ON ${joined} WHERE ${on('l')} AND ${match}`,
    params: params.list,
  }
}

/**
 * The lock that the update takes itself. A stronger one would pass over rows that others only refer to, by rows that
 * they are about to insert, and would keep them from referring to these.
 */
function lockOf({ table, columns }: BatchUpdate): string {
  return columns.some(({ name }) => table.unique.includes(name)) ? 'UPDATE' : 'NO KEY UPDATE'
}

/** One parameter: a JSON array with an array per row. */
function sqlite(batch: BatchUpdate): Statement {
  const { table, names, rows, match } = batch
  const all = [...table.key.map((_, i) => `k${i}`), ...names]
  const select = all.map((name, at) => `value ->> ${at} AS ${name}`)
  const key = table.key.map(
    (column, i) => `t.${column.name} = ${keyFromText('sqlite', column, `v.k${i}`)}`,
  )
  return {
    sql: `UPDATE ${table.name} AS t SET ${assignments(batch, '')}
FROM (SELECT ${select.join(', ')} FROM json_each(?)) AS v
WHERE ${[...key, match].join(' AND ')}`,
    params: [JSON.stringify(rows.map((row) => [...row.key, ...row.cells]))],
  }
}
