import type { SqlClient } from './client.ts'
import { Params } from './dialect.ts'
import { inRange } from './key-range.ts'
import { keyOf, keyOrder, keyToText, readText } from './keys.ts'
import type { Table } from './table.ts'

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
    (column, i) => `${readText(provider, column, `t.${column.name}`, keyToText)} AS k${i}`,
  )
  const where = inRange(table, key, { after }, params).map((condition) => ` WHERE ${condition}`)
  const sql = `SELECT ${texts.join(', ')} FROM ${table.name} AS t${where.join('')} ORDER BY ${key.join(', ')} LIMIT 1 OFFSET ${rows - 1}`
  const [row] = await client.$queryRawUnsafe<Record<string, string>[]>(sql, ...params.list)
  return row === undefined ? null : keyOf(table, row)
}
