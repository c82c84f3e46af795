import type { Provider } from '@rowseal/prisma-extension/plan'
import type { SqlClient, TransactionOptions } from '@rowseal/prisma-extension/sql'
import { isColumnMissing, isTableMissing } from '../database-error.ts'
import { earlierTable } from './errors.ts'

/** Milliseconds since 1970 by the clock of the database. */
export const NOW: Readonly<Record<Provider, string>> = {
  postgresql: '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
  sqlite: `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
  // From local time, one hour in autumn would come twice.
  mysql: `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000`,
}

/** A statement with `?` as the database wants its parameters. */
export function numbered(provider: Provider, text: string): string {
  let count = 0
  return provider === 'postgresql' ? text.replaceAll('?', () => `$${String(++count)}`) : text
}

/** libsql takes only its default isolation level. */
export function transactionOf(provider: Provider): TransactionOptions {
  const times = { maxWait: 30_000, timeout: 120_000 }
  return provider === 'sqlite' ? times : { ...times, isolationLevel: 'ReadCommitted' }
}

/** Of each table that nothing is lost with, a column that no earlier format has. */
const NEWEST = {
  rowseal_runs: 'pace',
  rowseal_parts: 'progress',
  rowseal_quarantine: 'record_hash',
} as const

/**
 * Are the tables of runs there?
 *
 * @throws {MigrationError} `ERR_RUN_TABLES` if one of them is of an earlier format.
 */
export async function areThere(client: SqlClient): Promise<boolean> {
  try {
    await client.$queryRawUnsafe(
      'SELECT r.pace, p.progress, q.record_hash, f.kind FROM rowseal_runs r, rowseal_parts p, rowseal_quarantine q, rowseal_fields f WHERE 1 = 0',
    )
    return true
  } catch (error) {
    if (isTableMissing(error)) return false
    if (isColumnMissing(error)) await assertPresent(client)
    throw error
  }
}

async function assertPresent(client: SqlClient): Promise<void> {
  for (const [table, column] of Object.entries(NEWEST))
    try {
      await client.$queryRawUnsafe(`SELECT t.${column} FROM ${table} t WHERE 1 = 0`)
    } catch (error) {
      throw isColumnMissing(error) ? earlierTable(table) : error
    }
}
