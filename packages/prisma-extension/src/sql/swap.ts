import type { Statement } from './client.ts'
import type { Column, Table } from './table.ts'

export type StoredScalar = string | Uint8Array
/** A stored value; a list for a list column. Json is the JSON string's content, without quotes. */
export type StoredValue = StoredScalar | readonly StoredScalar[]

/** One record of a batch. `null` leaves that field of this record alone. */
export interface SwapRow {
  /** Text forms, in the order of `table.key`. */
  readonly key: readonly string[]
  /** What was read, one for each of the statement's fields. */
  readonly old: readonly (StoredValue | null)[]
  readonly next: readonly (StoredValue | null)[]
}

/**
 * The batch compare-and-swap: every record whose fields still hold exactly what was read gets the new
 * values, all of them or none. The statement's count is the number of records that did.
 *
 * PostgreSQL skips records that somebody has locked; elsewhere the statement waits for them.
 */
export function swapStatement(
  table: Table,
  fields: readonly string[],
  rows: readonly SwapRow[],
): Statement {
  const columns = fields.map((field) => {
    const column = table.sealed.find((candidate) => candidate.field === field)
    if (column === undefined)
      throw new TypeError(`${field} is not a sealed field of ${table.name}.`)
    return column
  })
  switch (table.provider) {
    case 'postgresql':
      return postgresql(table, columns, rows)
    case 'sqlite':
      return sqlite(table, columns, rows)
    case 'mysql':
      return mysql(table, columns, rows)
  }
}

const each = (list: readonly unknown[], separator: string, text: (i: number) => string): string =>
  list.map((_, i) => text(i)).join(separator)

function postgresql(table: Table, columns: readonly Column[], rows: readonly SwapRow[]): Statement {
  const { key, name } = table
  const arrays = [
    ...key.map(() => 'text'),
    ...columns.flatMap((c) => Array<string>(2).fill(pgArray(c))),
  ]
  const names = [...key.map((_, i) => `k${i}`), ...columns.flatMap((_, i) => [`o${i}`, `n${i}`])]
  const casts = [
    ...key.map(
      (c, i) => `${c.kind === 'bytes' ? `decode(k${i}, 'hex')` : `k${i}::${c.type}`} AS k${i}`,
    ),
    ...columns.flatMap((c, i) => [
      `${pgCast(c, `o${i}`)} AS o${i}`,
      `${pgCast(c, `n${i}`)} AS n${i}`,
    ]),
  ]
  const same = each(columns, ' AND ', (i) => {
    const { name: column, kind, list } = columns[i]!
    const exact = kind === 'text' && !list ? ' COLLATE "C"' : ''
    const left = kind === 'json' ? `t.${column}::jsonb` : `t.${column}${exact}`
    return `(v.o${i} IS NULL OR ${left} = v.o${i})`
  })
  const sql = `WITH v AS MATERIALIZED (SELECT ${casts.join(', ')}
  FROM unnest(${arrays.map((type, i) => `$${i + 1}::${type}[]`).join(', ')}) AS u(${names.join(', ')})),
l AS MATERIALIZED (SELECT ${each(key, ', ', (i) => `t.${key[i]!.name} AS k${i}`)} FROM ${name} t JOIN v
  ON ${each(key, ' AND ', (i) => `t.${key[i]!.name} = v.k${i}`)} WHERE ${same}
  ORDER BY ${each(key, ', ', (i) => `t.${key[i]!.name}`)} FOR UPDATE OF t SKIP LOCKED)
UPDATE ${name} t SET ${each(columns, ', ', (i) => {
    const { name: column, kind } = columns[i]!
    return kind === 'json'
      ? `${column} = COALESCE(v.n${i}::json, t.${column})`
      : `${column} = COALESCE(v.n${i}, t.${column})`
  })}
FROM v JOIN l ON ${each(key, ' AND ', (i) => `l.k${i} = v.k${i}`)}
WHERE ${each(key, ' AND ', (i) => `t.${key[i]!.name} = l.k${i}`)} AND ${same}`
  const params = [
    ...key.map((_, i) => rows.map((row) => row.key[i])),
    ...columns.flatMap((column, i) => [
      rows.map((row) => pgParam(column, row.old[i] ?? null)),
      rows.map((row) => pgParam(column, row.next[i] ?? null)),
    ]),
  ]
  return { sql, params }
}

function pgArray(column: Column): string {
  return column.kind === 'bytes' && !column.list ? 'bytea' : 'text'
}

function pgCast(column: Column, value: string): string {
  if (column.list) return `${value}::${column.type}`
  return column.kind === 'json' || column.kind === 'jsonb' ? `to_jsonb(${value})` : value
}

function pgParam(column: Column, value: StoredValue | null): StoredScalar | null {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value
  const item = (element: StoredScalar): string => {
    if (typeof element !== 'string') return `"\\\\x${Buffer.from(element).toString('hex')}"`
    const text = column.kind === 'text' ? element : JSON.stringify(element)
    return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  }
  return `{${value.map(item).join(',')}}`
}

function sqlite(table: Table, columns: readonly Column[], rows: readonly SwapRow[]): Statement {
  const { key, name } = table
  const at = (column: Column, index: number): string =>
    column.kind === 'bytes' ? `unhex(value ->> ${index})` : `value ->> ${index}`
  const cells = [
    ...key.map((column, i) => `${at(column, i)} AS k${i}`),
    ...columns.flatMap((column, i) => [
      `${at(column, key.length + 2 * i)} AS o${i}`,
      `${at(column, key.length + 2 * i + 1)} AS n${i}`,
    ]),
  ]
  const sql = `UPDATE ${name} AS t SET ${each(columns, ', ', (i) => `${columns[i]!.name} = coalesce(v.n${i}, t.${columns[i]!.name})`)}
FROM (SELECT ${cells.join(', ')} FROM json_each(?)) AS v
WHERE ${each(key, ' AND ', (i) => `t.${key[i]!.name} = v.k${i}`)}
AND ${each(columns, ' AND ', (i) => `(v.o${i} IS NULL OR t.${columns[i]!.name} COLLATE BINARY = v.o${i})`)}`
  const cell = (column: Column, value: StoredValue | null): string | null => {
    if (value === null) return null
    if (typeof value === 'string') return column.kind === 'text' ? value : JSON.stringify(value)
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    throw new TypeError('SQLite has no lists.')
  }
  const json = rows.map((row) => [
    ...row.key,
    ...columns.flatMap((c, i) => [cell(c, row.old[i] ?? null), cell(c, row.next[i] ?? null)]),
  ])
  return { sql, params: [JSON.stringify(json)] }
}

function mysql(table: Table, columns: readonly Column[], rows: readonly SwapRow[]): Statement {
  const { key, name } = table
  const names = [...key.map((_, i) => `k${i}`), ...columns.flatMap((_, i) => [`o${i}`, `n${i}`])]
  const first = `SELECT ${names.map((n) => `? AS ${n}`).join(', ')}`
  const further = ` UNION ALL SELECT ${names.map(() => '?').join(', ')}`
  const stored = (c: Column): string =>
    c.kind === 'json' ? `JSON_UNQUOTE(t.${c.name})` : `t.${c.name}`
  const next = (c: Column, i: number): string =>
    c.kind === 'json' ? `JSON_QUOTE(v.n${i})` : `v.n${i}`
  const sql = `UPDATE ${name} t JOIN (${first}${further.repeat(rows.length - 1)}) v
ON ${each(key, ' AND ', (i) => `t.${key[i]!.name} = v.k${i}`)}
AND ${each(columns, ' AND ', (i) => `(v.o${i} IS NULL OR BINARY ${stored(columns[i]!)} = BINARY v.o${i})`)}
SET ${each(columns, ', ', (i) => `t.${columns[i]!.name} = COALESCE(${next(columns[i]!, i)}, t.${columns[i]!.name})`)}`
  const params = rows.flatMap((row) => [
    ...row.key,
    ...columns.flatMap((_, i) => [row.old[i] ?? null, row.next[i] ?? null]),
  ])
  return { sql, params }
}
