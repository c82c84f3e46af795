import type { SqlTransaction } from './client.ts'
import { rowsStatement } from './read-rows.ts'
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
  const { sql, params } = rowsStatement(table, ['1 AS is_there'], keys)
  const found = await client.$queryRawUnsafe<{ i: unknown }[]>(`${sql} WHERE (${where})`, ...params)
  return found.map(({ i }) => Number(i))
}
