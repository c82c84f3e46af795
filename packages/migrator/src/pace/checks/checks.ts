import type { Provider } from '@rowseal/prisma-extension/plan'
import type { CheckedThrottle, ThrottleOptions } from '../options.ts'
import { cannot, type Check, type CheckContext } from './check.ts'
import { flagCheck } from './flag.ts'
import { httpCheck } from './http.ts'
import { mysqlChecks } from './mysql.ts'
import { postgresqlChecks } from './postgresql.ts'
import { queryCheck } from './query.ts'

type Builtin = 'maxReplicationLagMs' | 'maxActiveSessions' | 'maxTransactionMs' | 'vacuum'

const INSTEAD = 'Leave it out; throttle.query, throttle.http and throttle.flag are there instead.'

/** Which checks a database cannot answer, and why. */
const REFUSED: Readonly<Record<Provider, Partial<Record<Builtin, string>>>> = {
  postgresql: {},
  mysql: {
    maxReplicationLagMs: 'On MySQL a replica alone knows its lag',
    vacuum: 'MySQL has no vacuum',
  },
  sqlite: {
    maxReplicationLagMs: 'SQLite has no replicas',
    maxActiveSessions: 'SQLite has no sessions',
    maxTransactionMs: 'SQLite does not tell what others have open',
    vacuum: 'SQLite has no vacuum that runs beside other work',
  },
}

/** @throws {MigrationError} `ERR_CONFIG_INVALID` if a check cannot be had of this kind of database. */
export function assertApplicable(provider: Provider, throttle: ThrottleOptions): void {
  for (const [name, reason] of Object.entries(REFUSED[provider])) {
    const value = throttle[name as Builtin]
    if (value !== undefined && value !== false)
      throw cannot(`throttle.${name} cannot be checked: ${reason}.`, INSTEAD)
  }
}

/** The quickest first. */
export function checksOf(context: CheckContext, throttle: CheckedThrottle): Check[] {
  const { flag, http, query } = throttle
  const checks: Check[] = []
  if (flag !== undefined) checks.push(flagCheck(flag))
  if (http !== undefined) checks.push(httpCheck(http))
  if (context.provider === 'postgresql') checks.push(...postgresqlChecks(context, throttle))
  if (context.provider === 'mysql') checks.push(...mysqlChecks(context, throttle))
  if (query !== undefined) checks.push(queryCheck(context, query))
  return checks
}
