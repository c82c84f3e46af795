import {
  countByIndexStatement,
  countStatement,
  type CountRow,
  type IndexCountRow,
} from '../count.ts'
import type { SqlClient } from '../client.ts'
import type { SealedColumn, Table } from '../table.ts'
import { countOnPostgresql } from './count-postgresql.ts'

/**
 * Count the values of a column by key version, as `countStatement` does, with the help of its staleness index.
 * MySQL keeps no whole values in an index on their first characters, and so reads the table.
 *
 * @param isIndexed - has the column a staleness index?
 */
export async function countByIndex(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  column: SealedColumn,
  isIndexed: boolean,
): Promise<readonly CountRow[]> {
  if (isIndexed && table.provider === 'postgresql') {
    const rows = await countOnPostgresql(client, table, column)
    if (rows !== null) return rows
  }
  if (isIndexed && table.provider === 'sqlite') {
    const rows = await client.$queryRawUnsafe<IndexCountRow[]>(countByIndexStatement(table, column))
    return rows.flatMap(({ kind, count, absent }) => [
      ...(count === absent ? [] : [{ kind, count: `${Number(count) - Number(absent)}` }]),
      ...(absent === '0' ? [] : [{ kind: 'null', count: absent }]),
    ])
  }
  return client.$queryRawUnsafe<CountRow[]>(countStatement(table, column))
}
