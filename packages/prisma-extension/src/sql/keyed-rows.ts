import type { SqlClient } from './client.ts'
import { fromDatabase, read } from './columns.ts'
import { boundOf, boundToText, readText } from './keys.ts'
import { sizeOf, type PageRequest, type PageRow } from './page.ts'
import { rowsStatement } from './read-rows.ts'
import type { Table } from './table.ts'

/** What to read of rows that are named by their keys. */
export interface KeyedRequest extends Pick<PageRequest, 'columns' | 'maxBytes'> {
  /** A condition on `t`, of which is told whether it is met. */
  readonly where: string
}

export interface KeyedRow {
  readonly row: PageRow
  readonly isMet: boolean
}

/**
 * Read as many of the first rows that are named by their keys as the bound on bytes allows, one at least. Outside
 * a transaction, so nothing is locked.
 *
 * @param keys - in text form, at least one, none twice.
 * @returns one entry for each key that was read; null where there is no such row.
 */
export async function readKeyedRows(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  request: KeyedRequest,
  keys: readonly (readonly string[])[],
): Promise<(KeyedRow | null)[]> {
  const { columns, maxBytes } = request
  const sizes = await select(client, table, [`${sizeOf(table, request)} AS size`], keys)
  const wanted = keys.slice(0, within(maxBytes, keys, sizes))
  const { provider } = table
  const values = [
    `CASE WHEN COALESCE(${request.where}, false) THEN 1 ELSE 0 END AS met`,
    ...columns.map((column, i) => `${read(provider, column, `t.${column.name}`)} AS v${i}`),
    ...table.bound.map(
      (column, i) => `${readText(provider, column, `t.${column.name}`, boundToText)} AS b${i}`,
    ),
  ]
  const found = await select(client, table, values, wanted)
  return wanted.map((key, place) => {
    const row = found.get(place)
    if (row === undefined) return null
    return {
      row: {
        key,
        values: columns.map((column, i) => fromDatabase(provider, column, row[`v${i}`])),
        bound: boundOf(table, row),
      },
      isMet: Number(row['met']) === 1,
    }
  })
}

type Found = Readonly<Record<string, unknown>>

/** Rows by the places of their keys. */
async function select(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  values: readonly string[],
  keys: readonly (readonly string[])[],
): Promise<ReadonlyMap<number, Found>> {
  const { sql, params } = rowsStatement(table, values, keys)
  const rows = await client.$queryRawUnsafe<Found[]>(sql, ...params)
  return new Map(rows.map((row) => [Number(row['i']), row]))
}

function within(
  maxBytes: number,
  keys: readonly unknown[],
  sizes: ReadonlyMap<number, Found>,
): number {
  let bytes = 0
  const beyond = keys.findIndex((_, place) => {
    const isFirst = place === 0
    bytes += Number(sizes.get(place)?.['size'] ?? 0)
    return !isFirst && bytes > maxBytes
  })
  return beyond === -1 ? keys.length : beyond
}
