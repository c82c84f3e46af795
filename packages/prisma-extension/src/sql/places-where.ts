import type { SqlTransaction, Statement } from './client.ts'
import { keyFromText } from './keys.ts'
import { mysqlRows } from './swap-mysql.ts'
import type { Table } from './table.ts'

/**
 * Which of some rows are there, and meet a condition.
 *
 * @param keys - in text form, none twice.
 * @param where - a condition on `t`.
 * @returns the places of their keys, in no order.
 */
export async function placesWhere(
  client: Pick<SqlTransaction, '$queryRawUnsafe'>,
  table: Table,
  keys: readonly (readonly string[])[],
  where: string,
): Promise<number[]> {
  if (keys.length === 0) return []
  const { sql, params } = placesStatement(table, keys)
  const found = await client.$queryRawUnsafe<{ i: unknown }[]>(`${sql} WHERE (${where})`, ...params)
  return found.map(({ i }) => Number(i))
}

function placesStatement(table: Table, keys: readonly (readonly string[])[]): Statement {
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
        sql: `SELECT (u.i - 1)::text AS i FROM unnest(${arrays}) WITH ORDINALITY AS u(${names.join(', ')}, i) JOIN ${name} AS t ON ${isKey((i) => `u.k${i}`)}`,
        params: names.map((_, i) => keys.map((key) => key[i])),
      }
    }
    case 'sqlite':
      return {
        sql: `SELECT v.key AS i FROM json_each(?) AS v CROSS JOIN ${name} AS t ON ${isKey((i) => `(v.value ->> ${i})`)}`,
        params: [JSON.stringify(keys)],
      }
    case 'mysql':
      return mysqlRows(table, keys, ['1 AS is_there'])
  }
}
