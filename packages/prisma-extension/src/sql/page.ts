import type { SqlClient, Statement } from './client.ts'
import { fromDatabase, read } from './columns.ts'
import { Params, withName } from './dialect.ts'
import { inRange, type KeyRange } from './key-range.ts'
import { boundOf, boundToText, keyOf, keyOrder, keyToText, readText } from './keys.ts'
import { lookupParts, type StalenessLookup } from './staleness/lookup.ts'
import { TableError, type SealedColumn, type Table } from './table.ts'
import type { ColumnValue } from './values.ts'

/** What to read: rows of a range, in the order of the key. */
export interface PageRequest extends KeyRange {
  readonly columns: readonly SealedColumn[]
  /** Further condition on `t`, such as a `staleCondition`; null for none. */
  readonly where: string | null
  /**
   * How to look up the rows that `where` is about, in place of walking along the key: for rows that are few.
   * The page is the same. Default: null.
   */
  readonly lookups?: readonly StalenessLookup[] | null
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
  /** False if it walked along the key: there were no lookups, or too many rows for them. */
  readonly isLookedUp: boolean
}

/** Rows that are looked up and sorted for a page at most. More are read faster along the key. */
const MAX_LOOKED_UP = 5_000

/**
 * Read one page. Outside a transaction, so nothing is locked. Whoever gets a page that was not looked up should
 * ask for no more of that kind until many rows are done: each time, the rows are counted up to a bound first.
 */
export async function readPage(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  request: PageRequest,
): Promise<Page> {
  const { sql, params } = pageStatement(table, request)
  const found = await client.$queryRawUnsafe<Record<string, unknown>[]>(sql, ...params)
  const isLookedUp = hasLookups(request)
  if (isLookedUp && Number(found[0]?.['found']) > maxLookedUp(request))
    return readPage(client, table, { ...request, lookups: null })
  const held = isLookedUp ? found.filter((row) => row['k0'] !== null) : found
  const rows = held.map((row) => ({
    key: keyOf(table, row),
    values: request.columns.map((column, i) => fromDatabase(table.provider, column, row[`v${i}`])),
    bound: boundOf(table, row),
  }))
  const { after } = request
  if (after !== null && rows.some(({ key }) => key.every((text, i) => text === after[i])))
    throw new TableError(
      table.name,
      `The database does not find the rows of ${table.name} by the text of their keys, so some would be missed.`,
      'Report it with the types and collations of the key columns.',
    )
  const matched = Number(held[0]?.['matched'] ?? 0)
  return { rows, isLast: matched === rows.length && matched < request.maxRows, isLookedUp }
}

/**
 * First the keys and sizes of a page, without touching what the values hold, then the values up to the
 * bound on bytes.
 */
export function pageStatement(table: Table, request: PageRequest): Statement {
  const { provider } = table
  const params = new Params(provider)
  const key = table.key.map((column) => keyOrder(provider, column, `t.${column.name}`))
  const k = table.key.map((_, i) => `k${i}`).join(', ')
  const [first, second, looked] = ['rowseal_p', 'rowseal_q', 'rowseal_a'].map((name) =>
    withName(table, name),
  )
  const columnsRead = [
    ...table.key.map(
      (column, i) => `${readText(provider, column, `t.${column.name}`, keyToText)} AS k${i}`,
    ),
    ...request.columns.map((column, i) => `${read(provider, column, `t.${column.name}`)} AS v${i}`),
    ...table.bound.map(
      (column, i) => `${readText(provider, column, `t.${column.name}`, boundToText)} AS b${i}`,
    ),
  ].join(', ')
  const isUp = hasLookups(request)
  const begin = isUp
    ? `${looked!} AS (${lookedUp(table, request, key)}),\n${first!} AS (${ofLookedUp(table, request, key, looked!, params)})`
    : `${first!} AS (${walked(table, request, key, params)})`
  const same = sameKey(table, 'q')
  const fits = `q.preceding < ${request.maxBytes}`
  // Also without rows it tells how many were looked up.
  const from = isUp
    ? `(SELECT count(*) AS found FROM ${looked!}) c LEFT JOIN ${second!} q ON ${fits} LEFT JOIN ${table.name} AS t ON ${same}`
    : `${second!} q JOIN ${table.name} AS t ON ${same} WHERE ${fits}`
  return {
    sql: `WITH ${begin},
${second!} AS (SELECT p.*, sum(size) OVER (ORDER BY ${k}) - size AS preceding, count(*) OVER () AS matched FROM ${first!} p)
SELECT ${columnsRead}, q.matched AS matched${isUp ? ', c.found AS found' : ''}
FROM ${from} ORDER BY ${key.join(', ')}`,
    params: params.list,
  }
}

/** Keys and sizes of a page, along the key. */
function walked(
  table: Table,
  request: PageRequest,
  key: readonly string[],
  params: Params,
): string {
  const conditions = [
    ...inRange(table, key, request, params),
    // Without statistics a planner takes a prefix for rare, and would scan and sort the table for each page.
    // What it cannot look into it takes for common, and then it walks along the key.
    ...(request.where === null ? [] : [`COALESCE(${request.where}, false)`]),
  ]
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return `SELECT ${keysNamed(key)}, ${sizeOf(table, request)} AS size FROM ${table.name} AS t${where} ORDER BY ${key.join(', ')} LIMIT ${request.maxRows}`
}

/**
 * Keys by staleness indexes, up to a bound for each of them. Of the whole table: in a range that holds few of
 * many stale rows, the index would be read to its end in search of them.
 */
function lookedUp(table: Table, request: PageRequest, key: readonly string[]): string {
  const k = key.map((_, i) => `k${i}`).join(', ')
  const parts = (request.lookups ?? []).map((lookup, i) => {
    const { from, where, orderBy } = lookupParts(table, lookup)
    return `SELECT ${k} FROM (SELECT ${keysNamed(key)} FROM ${from} WHERE ${where}${orderBy} LIMIT ${maxLookedUp(request) + 1}) AS l${i}`
  })
  return parts.join(' UNION ALL ')
}

/** Keys and sizes of a page, of those that were looked up. */
function ofLookedUp(
  table: Table,
  request: PageRequest,
  key: readonly string[],
  looked: string,
  params: Params,
): string {
  const k = key.map((_, i) => `k${i}`)
  const conditions = inRange(table, k, request, params)
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  const keys = k.join(', ')
  const first = `SELECT ${keys} FROM ${looked} AS a${where} GROUP BY ${keys} ORDER BY ${keys} LIMIT ${request.maxRows}`
  return `SELECT ${k.map((name) => `f.${name} AS ${name}`).join(', ')}, ${sizeOf(table, request)} AS size FROM (${first}) AS f JOIN ${table.name} AS t ON ${sameKey(table, 'f')}`
}

function sameKey(table: Table, alias: string): string {
  return table.key.map((column, i) => `t.${column.name} = ${alias}.k${i}`).join(' AND ')
}

function hasLookups({ lookups }: PageRequest): boolean {
  return (lookups?.length ?? 0) > 0
}

function maxLookedUp({ maxRows }: PageRequest): number {
  return Math.max(MAX_LOOKED_UP, 2 * maxRows)
}

function keysNamed(key: readonly string[]): string {
  return key.map((name, i) => `${name} AS k${i}`).join(', ')
}

/** Bytes of the values of a row, known without reading them. Json and lists that compress well count as less. */
export function sizeOf({ provider }: Table, { columns }: Pick<PageRequest, 'columns'>): string {
  const sizes = columns.map(({ name, kind, list }) => {
    if (provider === 'mysql') return `LENGTH(t.${name})`
    if (provider === 'sqlite') return `octet_length(t.${name})`
    if (list || kind === 'json' || kind === 'jsonb') return `pg_column_size(t.${name})`
    return `octet_length(t.${name}${kind === 'text' ? '::text' : ''})`
  })
  return sizes.map((size) => `COALESCE(${size}, 0)`).join(' + ')
}
