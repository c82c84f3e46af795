import { batchUpdate } from './batch-update.ts'
import type { BatchUpdate } from './batch.ts'
import type { SqlClient, SqlTransaction } from './client.ts'
import { mysqlLock } from './swap-mysql.ts'
import { swapBatch, swapStatement, type SwapRow } from './swap.ts'
import type { Table } from './table.ts'

/**
 * Compare-and-swap a batch of records in a transaction of the caller's, READ COMMITTED where the database
 * has it. Rows that others have locked are left as they are; nobody is waited for, except on SQLite, which
 * locks nothing smaller than the database.
 *
 * @param fields - sealed fields of the table.
 * @param rows - no key twice.
 * @returns the number of rows rewritten.
 */
export async function swapIn(
  tx: SqlTransaction,
  table: Table,
  fields: readonly string[],
  rows: readonly SwapRow[],
): Promise<number> {
  return rows.length === 0 ? 0 : updateIn(tx, swapBatch(table, fields, rows))
}

/** Run a batch in a transaction of the caller's, READ COMMITTED where the database has it. @returns the number of rows rewritten. */
export async function updateIn(tx: SqlTransaction, batch: BatchUpdate): Promise<number> {
  const { table, rows } = batch
  let free = rows
  if (table.provider === 'mysql') {
    const { sql, params } = mysqlLock(table, rows)
    const locked = await tx.$queryRawUnsafe<{ i: number | bigint }[]>(sql, ...params)
    const ours = new Set(locked.map(({ i }) => Number(i) - 1))
    free = rows.filter((_, i) => ours.has(i))
    if (free.length === 0) return 0
  }
  const { sql, params } = batchUpdate({ ...batch, rows: free })
  return tx.$executeRawUnsafe(sql, ...params)
}

/** The same in a transaction of its own, however the database needs it. */
export async function swapAlone(
  client: SqlClient,
  table: Table,
  fields: readonly string[],
  rows: readonly SwapRow[],
): Promise<number> {
  switch (table.provider) {
    case 'postgresql':
      return swapIn(client, table, fields, rows)
    case 'mysql':
      return client.$transaction((tx) => swapIn(tx, table, fields, rows), {
        isolationLevel: 'ReadCommitted',
      })
    case 'sqlite': {
      // A lone statement may be lost without an error after SQLITE_BUSY; a commit fails loudly.
      const { sql, params } = swapStatement(table, fields, rows)
      const swap = client.$executeRawUnsafe(sql, ...params)
      const [count] = await client.$transaction([swap, client.$queryRawUnsafe('SELECT 1')])
      return count as number
    }
  }
}
