import type { SqlClient, SqlTransaction } from '@rowseal/prisma-extension/sql'
import type { Provider } from '@rowseal/prisma-extension/plan'

export type Row = Record<string, unknown>

/** The database ends a statement of a check after this long. */
const STATEMENT_MS = 5_000
/** An answer of the database that takes longer is none: there may be no connection left, or none to it. */
export const ANSWER_MS = STATEMENT_MS + 1_000

/**
 * Ask the database something for a health check: in a short transaction of its own, that the database ends
 * if it takes too long, since nobody can take back a statement, and a pool has few connections. Only SQLite
 * cannot do that.
 */
export async function ask(
  client: SqlClient,
  provider: Provider,
  sql: string,
  ...params: readonly unknown[]
): Promise<Row[]> {
  switch (provider) {
    case 'postgresql': {
      const bound = `SELECT set_config('statement_timeout', '${STATEMENT_MS}', true), set_config('transaction_read_only', 'on', true)`
      const answers = await client.$transaction([
        client.$queryRawUnsafe(bound),
        client.$queryRawUnsafe(sql, ...params),
      ])
      return answers[1] as Row[]
    }
    case 'mysql': {
      const limits = { maxWait: STATEMENT_MS, timeout: 2 * ANSWER_MS }
      return client.$transaction(
        (tx) => bounded(tx, () => tx.$queryRawUnsafe(sql, ...params)),
        limits,
      )
    }
    case 'sqlite':
      return client.$queryRawUnsafe(sql, ...params)
  }
}

/** Of MariaDB in seconds, of MySQL in milliseconds. */
const VARIABLES: Readonly<Record<string, number>> = {
  max_statement_time: STATEMENT_MS / 1_000,
  max_execution_time: STATEMENT_MS,
}

/** The session goes back to the pool as it was. */
async function bounded<R>(tx: SqlTransaction, run: () => Promise<R>): Promise<R> {
  const names = Object.keys(VARIABLES).map((name) => `'${name}'`)
  const [found] = await tx.$queryRawUnsafe<{ Variable_name: string; Value: string }[]>(
    `SHOW SESSION VARIABLES WHERE Variable_name IN (${names.join(', ')})`,
  )
  if (found === undefined) return run()
  const { Variable_name: name, Value: before } = found
  await tx.$executeRawUnsafe(`SET SESSION ${name} = ${VARIABLES[name]!}`)
  try {
    return await run()
  } finally {
    await tx.$executeRawUnsafe(`SET SESSION ${name} = ${Number(before)}`)
  }
}
