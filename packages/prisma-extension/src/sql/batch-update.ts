import type { Statement } from './client.ts'
import { Params } from './dialect.ts'
import { keyFromText } from './keys.ts'
import type { Table } from './table.ts'

/** A statement that compares and sets many rows of a table, `t`, by what they bring along, `v`. */
export interface BatchUpdate {
  readonly table: Table
  /** Names of what the rows bring along in `v`, besides their keys. */
  readonly names: readonly string[]
  /** At least one, no key twice. */
  readonly rows: readonly BatchRow[]
  /** Condition on `t` and `v`: the row is still what it was. */
  readonly match: string
  /** What to set; the column's name is preceded by this. */
  readonly set: (target: string) => readonly string[]
}

export interface BatchRow {
  /** Key values in text form (`keyText`), in the order of the table's key. */
  readonly key: readonly string[]
  /** In the order of `names`, in the form in which they travel. */
  readonly cells: readonly unknown[]
}

/** Rows that others have locked are left out on PostgreSQL, so that it waits for nobody. */
export function batchUpdate(batch: BatchUpdate): Statement {
  if (batch.table.key.length === 0) throw new TypeError(`${batch.table.name} has no key.`)
  if (batch.rows.length === 0) throw new TypeError('There is nothing to swap.')
  return STATEMENTS[batch.table.provider](batch)
}

const STATEMENTS = { postgresql, sqlite, mysql }

/** Columns the database itself moves with every update are set to themselves. */
function assignments({ table, set }: BatchUpdate, target: string): string {
  return [...set(target), ...table.moving.map((name) => `${target}${name} = t.${name}`)].join(', ')
}

/** One array per column. A WITH hides tables of its name, so none is named like a model. Locks in the order of the key, so that two batches cannot deadlock. */
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
  return {
    sql: `WITH rowseal_v AS (SELECT ${[...keys, ...given].join(', ')} FROM unnest(${arrays.join(', ')}) AS u(${all.join(', ')})),
rowseal_l AS (SELECT ${locked} FROM ${table.name} t JOIN rowseal_v v ON ${on('v')} AND ${match} ORDER BY ${order} FOR UPDATE OF t SKIP LOCKED)
UPDATE ${table.name} t SET ${assignments(batch, '')} FROM rowseal_v v JOIN rowseal_l l ON ${joined} WHERE ${on('l')} AND ${match}`,
    params: params.list,
  }
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

/** One parameter: a JSON array with an object per row. What is missing reads as NULL. */
function mysql(batch: BatchUpdate): Statement {
  const { table, names, rows, match } = batch
  const all = [...table.key.map((_, i) => `k${i}`), ...names]
  const columns = all.map((name) => `${name} LONGTEXT CHARACTER SET utf8mb4 PATH '$.${name}'`)
  const key = table.key.map(
    (column, i) => `t.${column.name} = ${keyFromText('mysql', column, `v.k${i}`)}`,
  )
  const document = rows.map((row) => {
    const cells = [...row.key, ...row.cells].map((cell, i) => [all[i] ?? '', cell] as const)
    return Object.fromEntries(cells.filter(([, cell]) => cell !== null))
  })
  return {
    sql: `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (${columns.join(', ')})) AS v STRAIGHT_JOIN ${table.name} AS t ON ${[...key, match].join(' AND ')} SET ${assignments(batch, 't.')}`,
    params: [JSON.stringify(document)],
  }
}
