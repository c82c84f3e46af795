import type { Statement } from './client.ts'
import { Params } from './dialect.ts'
import { keyFromText } from './keys.ts'
import { mysqlSwap } from './swap-mysql.ts'
import { assignments, cells, matchOld, names, type Columns, type SwapRow } from './swap-parts.ts'
import type { Table } from './table.ts'

/**
 * Compare-and-swap a batch of records in one statement. It reports how many rows it rewrote; a row of
 * which any given field differs from `old` stays as it is. Sets no other column. On PostgreSQL it waits
 * for nobody: rows that others have locked are left out as well. `swapIn` and `swapAlone` run it so that
 * this holds elsewhere too.
 *
 * @param fields - sealed fields of the table.
 * @param rows - at least one, no key twice.
 */
export function swapStatement(
  table: Table,
  fields: readonly string[],
  rows: readonly SwapRow[],
): Statement {
  const columns = fields.map((field) => {
    const column = table.sealed.find((candidate) => candidate.field === field)
    if (column === undefined) throw new TypeError(`${field} is no sealed field of ${table.name}.`)
    return column
  })
  if (table.key.length === 0) throw new TypeError(`${table.name} has no key.`)
  if (rows.length === 0 || columns.length === 0) throw new TypeError('There is nothing to swap.')
  return STATEMENTS[table.provider](table, columns, rows)
}

const STATEMENTS = { postgresql, sqlite, mysql: mysqlSwap }

/** One array per column. A WITH hides tables of its name, so none is named like a model. Locks in the order of the key, so that two batches cannot deadlock. */
function postgresql(table: Table, columns: Columns, rows: readonly SwapRow[]): Statement {
  const params = new Params('postgresql')
  const matrix = rows.map((row) => cells(table, columns, row))
  const all = names(table, columns)
  const arrays = all.map((_, at) => `${params.add(matrix.map((row) => row[at]))}::text[]`)
  const keys = table.key.map(
    (column, i) => `${keyFromText('postgresql', column, `u.k${i}`)} AS k${i}`,
  )
  const rest = all.slice(keys.length).map((name) => `u.${name}`)
  const key = table.key.map((column, i) => `t.${column.name} = v.k${i}`).join(' AND ')
  const old = matchOld(table, columns)
  const same = table.key.map((column, i) => `t.${column.name} = l.k${i}`).join(' AND ')
  const order = table.key.map((column) => `t.${column.name}`).join(', ')
  const locked = table.key.map((column, i) => `t.${column.name} AS k${i}`).join(', ')
  const joined = table.key.map((_, i) => `l.k${i} = v.k${i}`).join(' AND ')
  return {
    sql: `WITH rowseal_v AS (SELECT ${[...keys, ...rest].join(', ')} FROM unnest(${arrays.join(', ')}) AS u(${all.join(', ')})),
rowseal_l AS (SELECT ${locked} FROM ${table.name} t JOIN rowseal_v v ON ${key} AND ${old} ORDER BY ${order} FOR UPDATE OF t SKIP LOCKED)
UPDATE ${table.name} t SET ${assignments(table, columns)} FROM rowseal_v v JOIN rowseal_l l ON ${joined} WHERE ${same} AND ${old}`,
    params: params.list,
  }
}

/** One parameter: a JSON array with an array per row. */
function sqlite(table: Table, columns: Columns, rows: readonly SwapRow[]): Statement {
  const select = names(table, columns).map((name, at) => `value ->> ${at} AS ${name}`)
  const key = table.key.map(
    (column, i) => `t.${column.name} = ${keyFromText('sqlite', column, `v.k${i}`)}`,
  )
  return {
    sql: `UPDATE ${table.name} AS t SET ${assignments(table, columns)}
FROM (SELECT ${select.join(', ')} FROM json_each(?)) AS v
WHERE ${[...key, matchOld(table, columns)].join(' AND ')}`,
    params: [JSON.stringify(rows.map((row) => cells(table, columns, row)))],
  }
}
