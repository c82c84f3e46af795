import type { SqlTransaction } from '@rowseal/prisma-extension/sql'
import type { RunId } from './parts.ts'
import { idOf, OF_RUN } from './run-row.ts'
import type { RunSql } from './sql.ts'
import type { RunState } from './states.ts'

/** Bring a run into another state, in a transaction of the caller's. @returns false if it was in none of `from`. */
export async function moveIn(
  sql: RunSql,
  tx: SqlTransaction,
  run: RunId,
  state: RunState,
  reason: string | null,
  from: readonly RunState[],
): Promise<boolean> {
  const count = await sql.run(tx, [
    `UPDATE rowseal_runs SET state = ?, reason = ?, changed_at_ms = ${sql.now}
WHERE ${OF_RUN} AND ${isAmong(from)}`,
    ...[state, reason, ...idOf(run)],
  ])
  return count > 0
}

/**
 * Keep a run in its state until a transaction of the caller's ends. First in that, as it may have to wait for
 * another one's.
 *
 * @returns false if it is in none of `states`.
 */
export async function hold(
  sql: RunSql,
  tx: SqlTransaction,
  run: RunId,
  states: readonly RunState[],
): Promise<boolean> {
  const count = await sql.run(tx, [
    `UPDATE rowseal_runs SET state = state WHERE ${OF_RUN} AND ${isAmong(states)}`,
    ...idOf(run),
  ])
  return count > 0
}

function isAmong(states: readonly RunState[]): string {
  return `state IN (${states.map((name) => `'${name}'`).join(', ')})`
}
