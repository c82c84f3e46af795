import type { SqlClient, Statement } from './client.ts'
import { fromDatabase, read } from './columns.ts'
import { Params, withName } from './dialect.ts'
import { boundToText, keyFromText, keyOrder, keyToText } from './keys.ts'
import { TableError, type SealedColumn, type Table } from './table.ts'
import type { ColumnValue } from './values.ts'

/** What to read: rows in the order of the key, from after a key on. */
export interface PageRequest {
  readonly columns: readonly SealedColumn[]
  /** Key of the last row of the page before, in text form; null for the first page. */
  readonly after: readonly string[] | null
  /** Key of the last row that may be read; null or absent for the end of the table. */
  readonly until?: readonly string[] | null
  /** Further condition on `t`, such as a `staleCondition`; null for none. */
  readonly where: string | null
  readonly maxRows: number
  /** Bound on the stored size of the values together. A page has one row at least. */
  readonly maxBytes: number
}

export interface PageRow {
  /** Text form. */
  readonly key: readonly string[]
  /** One for each of the requested columns. */
  readonly values: readonly (ColumnValue | null)[]
  /** Texts of the table's bound columns, as additional data holds them. */
  readonly bound: readonly (string | null)[]
}

export interface Page {
  readonly rows: readonly PageRow[]
  /** True if no row comes after these. */
  readonly isLast: boolean
}

/** Read one page. Outside a transaction, so nothing is locked. */
export async function readPage(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  request: PageRequest,
): Promise<Page> {
  const { sql, params } = pageStatement(table, request)
  const found = await client.$queryRawUnsafe<Record<string, unknown>[]>(sql, ...params)
  const rows = found.map((row) => ({
    key: table.key.map((_, i) => row[`k${i}`] as string),
    values: request.columns.map((column, i) => fromDatabase(column, row[`v${i}`])),
    bound: table.bound.map((_, i) => row[`b${i}`] as string | null),
  }))
  const { after } = request
  if (after !== null && rows.some(({ key }) => key.every((text, i) => text === after[i])))
    throw new TableError(
      table.name,
      `The database does not find the rows of ${table.name} by the text of their keys, so some would be missed.`,
      'Report it with the types and collations of the key columns.',
    )
  const matched = Number(found[0]?.['matched'] ?? 0)
  return { rows, isLast: matched === rows.length && matched < request.maxRows }
}

/**
 * First the keys and sizes of a page, without touching what the values hold, then the values up to the
 * bound on bytes.
 */
export function pageStatement(table: Table, request: PageRequest): Statement {
  const { provider } = table
  const params = new Params(provider)
  const key = table.key.map((column) => keyOrder(provider, column, `t.${column.name}`))
  const k = table.key.map((_, i) => `k${i}`)
  const conditions = [
    ...(request.after === null ? [] : [afterKey(table, key, request.after, params)]),
    ...(request.until == null ? [] : [untilKey(table, key, request.until, params)]),
    // Without statistics a planner takes a prefix for rare, and would scan and sort the table for each page.
    // What it cannot look into it takes for common, and then it walks along the key.
    ...(request.where === null ? [] : [`COALESCE(${request.where}, false)`]),
  ]
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  const size = request.columns.map((column) => `COALESCE(${sizeOf(table, column)}, 0)`).join(' + ')
  const keysRead = table.key.map(
    (column, i) => `${keyToText(provider, column, `t.${column.name}`)} AS k${i}`,
  )
  const valuesRead = request.columns.map(
    (column, i) => `${read(provider, column, `t.${column.name}`)} AS v${i}`,
  )
  const boundRead = table.bound.map(
    (column, i) => `${boundToText(provider, column, `t.${column.name}`)} AS b${i}`,
  )
  const same = table.key.map((column, i) => `t.${column.name} = q.k${i}`)
  const [first, second] = [withName(table, 'rowseal_p'), withName(table, 'rowseal_q')]
  const keysNamed = key.map((name, i) => `${name} AS k${i}`).join(', ')
  return {
    sql: `WITH ${first} AS (SELECT ${keysNamed}, ${size} AS size FROM ${table.name} AS t${where} ORDER BY ${key.join(', ')} LIMIT ${request.maxRows}),
${second} AS (SELECT p.*, sum(size) OVER (ORDER BY ${k.join(', ')}) - size AS preceding, count(*) OVER () AS matched FROM ${first} p)
SELECT ${[...keysRead, ...valuesRead, ...boundRead].join(', ')}, q.matched AS matched
FROM ${second} q JOIN ${table.name} AS t ON ${same.join(' AND ')} WHERE q.preceding < ${request.maxBytes} ORDER BY ${key.join(', ')}`,
    params: params.list,
  }
}

function afterKey(
  table: Table,
  key: readonly string[],
  after: readonly string[],
  params: Params,
): string {
  return compareKey(table, key, after, params, '>', '>')
}

function untilKey(
  table: Table,
  key: readonly string[],
  until: readonly string[],
  params: Params,
): string {
  return compareKey(table, key, until, params, '<', '<=')
}

/** MySQL looks up no range in an index for a comparison of tuples: it is written out there. */
function compareKey(
  table: Table,
  key: readonly string[],
  values: readonly string[],
  params: Params,
  operator: '<' | '>',
  lastOperator: '<=' | '>',
): string {
  const { provider } = table
  const given = (i: number): string => {
    const param = params.add(values[i])
    const text = provider === 'postgresql' ? `${param}::text` : param
    return keyFromText(provider, table.key[i]!, text)
  }
  if (provider !== 'mysql')
    return `${tuple(key)} ${lastOperator} ${tuple(key.map((_, i) => given(i)))}`
  const beyond = (i: number): string => {
    const name = key[i] ?? ''
    return i === key.length - 1
      ? `${name} ${lastOperator} ${given(i)}`
      : `(${name} ${operator} ${given(i)} OR ${name} = ${given(i)} AND ${beyond(i + 1)})`
  }
  return beyond(0)
}

function tuple(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(', ')})`
}

/** Bytes of a value, known without reading it. Json and lists that compress well count as less. */
function sizeOf({ provider }: Table, { name, kind, list }: SealedColumn): string {
  if (provider === 'mysql') return `LENGTH(t.${name})`
  if (provider === 'sqlite') return `octet_length(t.${name})`
  if (list || kind === 'json' || kind === 'jsonb') return `pg_column_size(t.${name})`
  return `octet_length(t.${name}${kind === 'text' ? '::text' : ''})`
}

/**
 * The key of the row that comes so many rows after a key, in text form; null if there is none.
 *
 * @param after - null for the beginning of the table.
 */
export async function keyAt(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  after: readonly string[] | null,
  rows: number,
): Promise<readonly string[] | null> {
  const { provider } = table
  const params = new Params(provider)
  const key = table.key.map((column) => keyOrder(provider, column, `t.${column.name}`))
  const texts = table.key.map(
    (column, i) => `${keyToText(provider, column, `t.${column.name}`)} AS k${i}`,
  )
  const where = after === null ? '' : ` WHERE ${afterKey(table, key, after, params)}`
  const sql = `SELECT ${texts.join(', ')} FROM ${table.name} AS t${where} ORDER BY ${key.join(', ')} LIMIT 1 OFFSET ${rows - 1}`
  const [row] = await client.$queryRawUnsafe<Record<string, string>[]>(sql, ...params.list)
  return row === undefined ? null : table.key.map((_, i) => row[`k${i}`]!)
}
