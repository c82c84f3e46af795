import type { Statement } from './client.ts'
import { compare, scalarParam, value } from './columns.ts'
import { Params } from './dialect.ts'
import { keyFromText } from './keys.ts'
import type { SealedColumn, Table } from './table.ts'
import type { ColumnValue } from './values.ts'

/** A record to rewrite. `old` and `next` have one entry per field of the statement. */
export interface SwapRow {
  /** Key values in text form (`keyText`), in the order of the table's key. */
  readonly key: readonly string[]
  /** What was read, and is compared with byte by byte; null leaves this field of this row alone. */
  readonly old: readonly (ColumnValue | null)[]
  readonly next: readonly (ColumnValue | null)[]
}

/**
 * Compare-and-swap a batch of records in one statement. It reports how many rows it rewrote; a row of
 * which any given field differs from `old` stays as it is. Sets no other column. On PostgreSQL it waits
 * for nobody: rows that others have locked are left out as well.
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

const STATEMENTS = { postgresql, sqlite, mysql }

type Columns = readonly SealedColumn[]

/** `t.k = v.k1 AND … AND (v.o1 IS NULL OR t.a = v.o1) AND …` */
function match(table: Table, columns: Columns): { key: string; old: string } {
  const key = table.key.map((column, i) => `t.${column.name} = v.k${i}`)
  const old = columns.map(
    (column, i) => `(v.o${i} IS NULL OR ${compare(table.provider, column, `v.o${i}`)})`,
  )
  return { key: key.join(' AND '), old: old.join(' AND ') }
}

function assignments(table: Table, columns: Columns, target = ''): string {
  const set = columns.map((column, i) => {
    const next = value(table.provider, column, `v.n${i}`)
    return `${target}${column.name} = CASE WHEN v.n${i} IS NULL THEN t.${column.name} ELSE ${next} END`
  })
  return [...set, ...table.moving.map((name) => `${target}${name} = t.${name}`)].join(', ')
}

/** Key values, old values and new values of a row, in the order of the statement's columns k, o, n. */
function cells(table: Table, columns: Columns, row: SwapRow): unknown[] {
  const { provider } = table
  const stored = (values: readonly (ColumnValue | null)[]): unknown[] =>
    columns.map((column, i) => scalarParam(provider, column, values[i] ?? null))
  return [...row.key, ...stored(row.old), ...stored(row.next)]
}

function names(table: Table, columns: Columns): string[] {
  return [
    ...table.key.map((_, i) => `k${i}`),
    ...columns.map((_, i) => `o${i}`),
    ...columns.map((_, i) => `n${i}`),
  ]
}

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
  const { key, old } = match(table, columns)
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
WHERE ${[...key, match(table, columns).old].join(' AND ')}`,
    params: [JSON.stringify(rows.map((row) => cells(table, columns, row)))],
  }
}

/** One SELECT per row. */
function mysql(table: Table, columns: Columns, rows: readonly SwapRow[]): Statement {
  const all = names(table, columns)
  const keys = table.key.map((column) => keyFromText('mysql', column, '?'))
  const values = [...keys, ...columns.map(() => '?'), ...columns.map(() => '?')]
  const first = `SELECT ${values.map((text, i) => `${text} AS ${all[i] ?? ''}`).join(', ')}`
  const further = ` UNION ALL SELECT ${values.join(', ')}`.repeat(rows.length - 1)
  const { key, old } = match(table, columns)
  return {
    sql: `UPDATE ${table.name} t JOIN (${first}${further}) v ON ${key} AND ${old} SET ${assignments(table, columns, 't.')}`,
    params: rows.flatMap((row) => cells(table, columns, row)),
  }
}
