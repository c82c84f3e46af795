import { QueryError } from '../errors.ts'
import type { Via } from '../keys/types.ts'
import type { Provider } from '../plan/index.ts'
import { queryRaw } from './internals.ts'

/**
 * Asks whether the database refuses a value that is too long for its column. MySQL cuts it off instead, with no
 * more than a warning, unless its session is strict: an envelope would be destroyed.
 *
 * @throws {QueryError} `ERR_SQL_MODE`
 */
export type AssertStrict = (via: Via | undefined) => Promise<void> | undefined

/**
 * One round trip for each client, before the first sealed value it writes: connections of one client are alike. An
 * operation inside a transaction asks on its own connection, so that it waits for nobody else's.
 */
export function strictMode(client: object, provider: Provider): AssertStrict {
  let isKnown = provider !== 'mysql'
  const ask = async (via: Via | undefined): Promise<void> => {
    const rows = await queryRaw(via, client, 'SELECT @@session.sql_mode AS mode')
    if (!/\bSTRICT_(TRANS|ALL)_TABLES\b/.test(String(rows[0]?.['mode']))) throw notStrict()
    isKnown = true
  }
  return (via) => (isKnown ? undefined : ask(via))
}

function notStrict(): QueryError {
  return new QueryError(
    'ERR_SQL_MODE',
    'The connection is not in strict mode: MySQL would cut off sealed values that do not fit their columns. Nothing was written.',
    {
      fix: 'Connect with STRICT_TRANS_TABLES in sql_mode, as is the default of MySQL and MariaDB.',
    },
  )
}
