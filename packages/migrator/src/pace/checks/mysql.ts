import { isDenied } from '../../database-error.ts'
import type { CheckedThrottle } from '../options.ts'
import { ask, type Row } from './ask.ts'
import { cannot, type Check, type CheckContext } from './check.ts'
import { sessionsCheck, transactionCheck } from './limits.ts'

/** MySQL and MariaDB. */
export function mysqlChecks(context: CheckContext, throttle: CheckedThrottle): Check[] {
  const { maxActiveSessions, maxTransactionMs } = throttle
  const checks: Check[] = []
  if (maxActiveSessions !== undefined)
    checks.push(
      sessionsCheck(maxActiveSessions, async () => {
        const [row] = await ask(context.client, 'mysql', SESSIONS)
        return Number(row!['Value']) - 1
      }),
    )
  if (maxTransactionMs !== undefined)
    checks.push(
      transactionCheck(maxTransactionMs, async () => {
        const [row] = await transactions(context)
        return Number(row!['ms'])
      }),
    )
  return checks
}

/** The one that asks is among them. */
const SESSIONS = `SHOW GLOBAL STATUS LIKE 'Threads_running'`

/** Times there are local times of the server, whatever the time zone of the session. */
const TRANSACTION = `SELECT COALESCE(MAX(TIMESTAMPDIFF(MICROSECOND, trx_started,
  CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', 'SYSTEM'))) DIV 1000, 0) AS ms
FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id <> CONNECTION_ID()`

async function transactions({ client }: CheckContext): Promise<Row[]> {
  try {
    return await ask(client, 'mysql', TRANSACTION)
  } catch (error) {
    if (!isDenied(error)) throw error
    throw cannot(
      'The user of the migrator may not see the transactions of others.',
      'Run `GRANT PROCESS ON *.* TO` that user, or leave the check out.',
    )
  }
}
