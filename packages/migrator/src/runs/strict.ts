import { MigrationError } from '../errors.ts'
import type { RunSql } from './sql.ts'

/**
 * MySQL cuts off what does not fit, with no more than a warning, unless it is strict: an envelope would be
 * destroyed. Connections of one client are alike.
 *
 * @throws {MigrationError} `ERR_CONFIG_INVALID`
 */
export async function assertStrict(sql: RunSql): Promise<void> {
  if (sql.provider !== 'mysql') return
  const [row] = await sql.read<{ mode: string }>('SELECT @@session.sql_mode AS mode')
  if (/\bSTRICT_(TRANS|ALL)_TABLES\b/.test(row?.mode ?? '')) return
  throw new MigrationError(
    'ERR_CONFIG_INVALID',
    'The connection is not in strict mode: MySQL would cut off values that do not fit their columns.',
    { fix: 'Connect with STRICT_TRANS_TABLES in sql_mode, as is the default of MySQL.' },
  )
}
