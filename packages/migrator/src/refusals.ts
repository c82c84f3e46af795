import type { Provider } from '@rowseal/prisma-extension/plan'
import { codesOf } from './database-error.ts'

/** Why the database does not take a row that is written to. They stand in the quarantine: docs/errors.md. */
export const REFUSAL_CODES = [
  'ERR_VALUE_TOO_LONG', // a column, a row or an index entry has no room for it
  'ERR_VALUE_INVALID', // a column, or a trigger, cannot make anything of it
  'ERR_UNIQUE_VIOLATION',
  'ERR_CHECK_VIOLATION',
  'ERR_NOT_NULL_VIOLATION',
  'ERR_FOREIGN_KEY_VIOLATION',
  'ERR_EXCLUSION_VIOLATION',
  'ERR_TRIGGER_REFUSED',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

type Table = readonly (readonly [pattern: RegExp, code: RefusalCode])[]

/** SQLSTATEs. Classes that are in no standard are those of somebody's own RAISE. PostgreSQL, appendix A. */
const POSTGRESQL: Table = [
  [/^(22001|54000)$/, 'ERR_VALUE_TOO_LONG'],
  [/^23505$/, 'ERR_UNIQUE_VIOLATION'],
  [/^(23514|44000)$/, 'ERR_CHECK_VIOLATION'],
  [/^(23502|22004)$/, 'ERR_NOT_NULL_VIOLATION'],
  [/^(23503|23001)$/, 'ERR_FOREIGN_KEY_VIOLATION'],
  [/^23P01$/, 'ERR_EXCLUSION_VIOLATION'],
  [/^22/, 'ERR_VALUE_INVALID'],
  [/^(09|23|27|45|P0|[6-9I-OQ-WYZ][0-9A-Z])[0-9A-Z]{3}$/, 'ERR_TRIGGER_REFUSED'],
]

/** Numbers of MySQL and of MariaDB; the SQLSTATE where the number is a trigger's own. */
const MYSQL: Table = [
  [/^(1118|1265|1406|1713)$/, 'ERR_VALUE_TOO_LONG'],
  [/^(1022|1062|1169|1586|1761|1762|1859)$/, 'ERR_UNIQUE_VIOLATION'],
  [/^(1369|3819|4025)$/, 'ERR_CHECK_VIOLATION'],
  [/^(1048|1263|1364)$/, 'ERR_NOT_NULL_VIOLATION'],
  [/^(1216|1217|1451|1452|1557)$/, 'ERR_FOREIGN_KEY_VIOLATION'],
  [/^(1264|1292|1365|1366|1367|1411|1526|1690|31[45]\d|403[5-9]|404[01])$/, 'ERR_VALUE_INVALID'],
  [/^1644$|^(45|[5-9I-WYZ][0-9A-Z])[0-9A-Z]{3}$/, 'ERR_TRIGGER_REFUSED'],
]

/** Extended result codes: numbers through libsql, names through better-sqlite3. */
const SQLITE: Table = [
  [/^(18|SQLITE_TOOBIG)$/, 'ERR_VALUE_TOO_LONG'],
  [/^(1555|2067|2579)$|^SQLITE_CONSTRAINT_(PRIMARYKEY|UNIQUE|ROWID)$/, 'ERR_UNIQUE_VIOLATION'],
  [/^(275|SQLITE_CONSTRAINT_CHECK)$/, 'ERR_CHECK_VIOLATION'],
  [/^(1299|SQLITE_CONSTRAINT_NOTNULL)$/, 'ERR_NOT_NULL_VIOLATION'],
  [/^(787|SQLITE_CONSTRAINT_FOREIGNKEY)$/, 'ERR_FOREIGN_KEY_VIOLATION'],
  [/^(20|3091|SQLITE_MISMATCH|SQLITE_CONSTRAINT_DATATYPE)$/, 'ERR_VALUE_INVALID'],
  [/^(1811|SQLITE_CONSTRAINT_TRIGGER)$/, 'ERR_TRIGGER_REFUSED'],
]

const TABLES: Readonly<Record<Provider, Table>> = {
  postgresql: POSTGRESQL,
  mysql: MYSQL,
  sqlite: SQLITE,
}

/**
 * Why a statement was refused that writes to rows, if one of these rows is to blame. Null for all else, which
 * would be refused for other rows too: no connection, no permission, no column, no space, no time.
 */
export function refusalOf(error: unknown, provider: Provider): RefusalCode | null {
  const codes = codesOf(error)
  // A commit that SQLite refuses leaves the transaction open: nothing can be written through this client.
  if (codes === null || (provider === 'sqlite' && codes.isCommit)) return null
  const all = [codes.state, codes.code].filter((code) => code !== null)
  for (const [pattern, code] of TABLES[provider])
    if (all.some((one) => pattern.test(one))) return code
  return null
}
