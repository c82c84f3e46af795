import type { CheckedThrottle } from '../options.ts'
import { ask, ANSWER_MS, type Row } from './ask.ts'
import { cannot, duration, shown, type Check, type CheckContext } from './check.ts'
import { sessionsCheck, transactionCheck } from './limits.ts'
import { Replicas, type Replica } from './replicas.ts'

/** Without it, the statistics of other users' sessions are there and empty: a check would see nothing. */
const MAY_SEE = `pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS may_see`

export function postgresqlChecks(context: CheckContext, throttle: CheckedThrottle): Check[] {
  const { maxReplicationLagMs, maxActiveSessions, maxTransactionMs, vacuum } = throttle
  const number = (sql: string) => async (): Promise<number> => {
    const [row] = await look(context, sql)
    return Number(row!['number'])
  }
  const checks: Check[] = []
  if (maxActiveSessions !== undefined)
    checks.push(sessionsCheck(maxActiveSessions, number(SESSIONS)))
  if (maxTransactionMs !== undefined)
    checks.push(transactionCheck(maxTransactionMs, number(TRANSACTION)))
  if (maxReplicationLagMs !== undefined) checks.push(lagCheck(context, maxReplicationLagMs))
  if (vacuum === true) checks.push(vacuumCheck(context))
  return checks
}

/** In a row of its own, so that what a user may not see is never taken for nothing. */
async function look(context: CheckContext, sql: string, ...params: unknown[]): Promise<Row[]> {
  const rows = await ask(context.client, 'postgresql', sql, ...params)
  if (rows[0]?.['may_see'] === true) return rows
  throw cannot(
    'The user of the migrator may not see the statistics of other sessions.',
    'Run `GRANT pg_read_all_stats TO` that user, or leave the check out.',
  )
}

const SESSIONS = `SELECT ${MAY_SEE}, (
  SELECT count(*)::text FROM pg_stat_activity
  WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
) AS number`

const TRANSACTION = `SELECT ${MAY_SEE}, (
  SELECT coalesce(max(extract(epoch FROM clock_timestamp() - began) * 1000), 0)::text FROM (
    SELECT xact_start AS began FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()
  ) AS transactions
) AS number`

/** Of the table itself, its partitions, and where they keep their long values. */
const VACUUM = `WITH tables AS (
  SELECT to_regclass($1)::oid AS oid
  UNION SELECT relid::oid FROM pg_partition_tree(to_regclass($1))
)
SELECT ${MAY_SEE}, (
  SELECT phase FROM pg_stat_progress_vacuum
  WHERE datname = current_database() AND relid IN (
    SELECT oid FROM tables
    UNION SELECT c.reltoastrelid FROM pg_class c JOIN tables ON tables.oid = c.oid WHERE c.reltoastrelid <> 0
  ) LIMIT 1
) AS phase`

function vacuumCheck(context: CheckContext): Check {
  return {
    name: 'throttle.vacuum (--throttle-vacuum)',
    timeoutMs: ANSWER_MS,
    run: async () => {
      const table = context.table()
      const [row] = await look(context, VACUUM, table)
      const phase = row!['phase']
      return typeof phase === 'string' ? `${shown(table ?? '')} is being vacuumed (${phase})` : null
    },
  }
}

/**
 * One row for each replica, or one of nulls. Those that apply nothing (a backup under way) and those that a
 * subscription makes for its first copy are none.
 */
const REPLICAS = `SELECT ${MAY_SEE}, r.application_name AS name, coalesce(host(r.client_addr), '') AS address,
  pg_wal_lsn_diff(r.replay_lsn, '0/0')::text AS replayed,
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS written,
  row_number() OVER (PARTITION BY r.application_name, r.client_addr)::int AS number,
  (extract(epoch FROM r.replay_lag) * 1000)::float8 AS lag_ms
FROM (SELECT 1) AS one LEFT JOIN pg_stat_replication r
  ON r.replay_lsn IS NOT NULL AND r.application_name !~ '^pg_[0-9]+_sync_[0-9]+_[0-9]+$'`

function lagCheck(context: CheckContext, limitMs: number): Check {
  const replicas = new Replicas()
  return {
    name: 'throttle.maxReplicationLagMs (--throttle-lag)',
    timeoutMs: ANSWER_MS,
    run: async () => {
      const rows = await look(context, REPLICAS)
      const written = BigInt(rows[0]!['written'] as string)
      const worst = replicas.seen(connected(rows), written, context.now())
      if (worst === null)
        throw cannot(
          'This database has no replica, so there is no lag to look at.',
          'Connect to the primary, or leave the check out.',
        )
      const { name, lagMs } = worst
      if (lagMs === Infinity) return `replica ${shown(name)} is not connected`
      return lagMs > limitMs
        ? `replica ${shown(name)} is ${duration(lagMs)} behind (limit ${duration(limitMs)})`
        : null
    },
  }
}

function connected(rows: readonly Row[]): Replica[] {
  const some = rows.filter(({ replayed }) => typeof replayed === 'string')
  return some.map(({ name, address, number, replayed, lag_ms: lagMs }) => ({
    // Without names of their own, replicas behind one address are told apart by their number alone.
    name: `${String(name)} ${String(address)}${number === 1 ? '' : ` #${String(number)}`}`.trim(),
    replayed: BigInt(replayed as string),
    lagMs: lagMs as number | null,
  }))
}
