import type { SqlTransaction, Statement } from './client.ts'
import { fromDatabase, read } from './columns.ts'
import { keyFromText } from './keys.ts'
import { mysqlRows } from './swap-mysql.ts'
import type { SealedColumn, Table } from './table.ts'
import type { ColumnValue } from './values.ts'

/**
 * Read columns of rows that are named by their keys, in a transaction of the caller's: it sees what that has
 * written.
 *
 * @param keys - in text form, none twice.
 * @returns one entry for each key; null where there is no such row.
 */
export async function readRows(
  tx: SqlTransaction,
  table: Table,
  columns: readonly SealedColumn[],
  keys: readonly (readonly string[])[],
): Promise<(readonly (ColumnValue | null)[] | null)[]> {
  if (keys.length === 0) return []
  const values = columns.map(
    (column, at) => `${read(table.provider, column, `t.${column.name}`)} AS v${at}`,
  )
  const { sql, params } = rowsStatement(table, values, keys)
  const found = await tx.$queryRawUnsafe<Record<string, unknown>[]>(sql, ...params)
  const rows: (readonly (ColumnValue | null)[] | null)[] = keys.map(() => null)
  for (const row of found)
    rows[Number(row['i'])] = columns.map((column, at) =>
      fromDatabase(table.provider, column, row[`v${at}`]),
    )
  return rows
}

/**
 * A statement that gives rows by their keys: `i`, the place of the key from 0 on, and what is selected.
 *
 * @param values - of `t`, at least one.
 */
export function rowsStatement(
  table: Table,
  values: readonly string[],
  keys: readonly (readonly string[])[],
): Statement {
  const { provider, name } = table
  const isKey = (given: (i: number) => string): string =>
    table.key
      .map((column, i) => `t.${column.name} = ${keyFromText(provider, column, given(i))}`)
      .join(' AND ')
  switch (provider) {
    case 'postgresql': {
      const names = table.key.map((_, i) => `k${i}`)
      const arrays = names.map((_, i) => `$${i + 1}::text[]`).join(', ')
      return {
        sql: `SELECT (u.i - 1)::text AS i, ${values.join(', ')} FROM unnest(${arrays}) WITH ORDINALITY AS u(${names.join(', ')}, i) JOIN ${name} AS t ON ${isKey((i) => `u.k${i}`)}`,
        params: names.map((_, i) => keys.map((key) => key[i])),
      }
    }
    case 'sqlite':
      return {
        sql: `SELECT v.key AS i, ${values.join(', ')} FROM json_each(?) AS v CROSS JOIN ${name} AS t ON ${isKey((i) => `(v.value ->> ${i})`)}`,
        params: [JSON.stringify(keys)],
      }
    case 'mysql':
      return mysqlRows(table, keys, values)
  }
}
