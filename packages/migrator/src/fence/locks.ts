import type { SqlTransaction } from '@rowseal/prisma-extension/sql'
import { isLockTimeout } from '../database-error.ts'
import { MigrationError } from '../errors.ts'
import { integer } from '../engine/options.ts'
import { pause } from '../waits.ts'
import type { FenceJob, FenceTarget } from './job.ts'

export interface FenceOptions {
  /**
   * How long a statement waits for its table. Whoever comes after it waits behind it meanwhile. Milliseconds,
   * 1,000 to 60,000; whole seconds on MySQL. Default: 2,000.
   */
  readonly lockTimeoutMs?: number
  /** How long it is tried again while transactions hold a table. Milliseconds, 0 to 86,400,000. Default: 60,000. */
  readonly maxWaitMs?: number
  /** Ends the tries. */
  readonly signal?: AbortSignal
}

export interface CheckedFenceOptions {
  readonly lockTimeoutMs: number
  readonly maxWaitMs: number
  readonly signal: AbortSignal | undefined
}

/** Others get through before the next try. */
const PAUSE_MS = 500
/** What `setTimeout` takes: the database bounds a statement, or nobody. */
export const NO_TIMEOUT_MS = 2 ** 31 - 1

/** @throws {TypeError} naming the option. */
export function checkFenceOptions(options: FenceOptions): CheckedFenceOptions {
  return {
    lockTimeoutMs: integer('lockTimeoutMs', options.lockTimeoutMs ?? 2_000, 60_000, 1_000),
    maxWaitMs: integer('maxWaitMs', options.maxWaitMs ?? 60_000, 86_400_000, 0),
    signal: options.signal,
  }
}

/**
 * Run statements that need a table for themselves: with a short time-out, so that nobody waits long behind
 * them, again and again until the transactions that hold it are over. Together where the database can;
 * MySQL commits each of them.
 *
 * @throws {MigrationError} `ERR_DATABASE_FAILED` (retryable) if they do not end in time.
 */
export async function withTable(
  job: FenceJob,
  { model }: FenceTarget,
  options: CheckedFenceOptions,
  statements: readonly string[],
): Promise<void> {
  const over = performance.now() + options.maxWaitMs
  const parts =
    job.context.plan.provider === 'mysql' ? statements.map((sql) => [sql]) : [statements]
  for (const part of parts.filter(({ length }) => length > 0))
    while (!(await ranInTime(job, options.lockTimeoutMs, part))) {
      const isOver = performance.now() + PAUSE_MS > over
      if (isOver || !(await pause(PAUSE_MS, options.signal))) throw held(model, job.keyId)
    }
}

async function ranInTime(
  job: FenceJob,
  lockTimeoutMs: number,
  statements: readonly string[],
): Promise<boolean> {
  try {
    await runWithTimeout(job, lockTimeoutMs, statements)
    return true
  } catch (error) {
    if (isLockTimeout(error)) return false
    throw error
  }
}

function held(model: string, keyId: number): MigrationError {
  return new MigrationError(
    'ERR_DATABASE_FAILED',
    `The table of ${model} could not be fenced against key ${keyId}: transactions that write to it did not end.`,
    {
      fix: 'End them, or wait for them, and run the command again: it goes on where it ended.',
      retryable: true,
    },
  )
}

async function runWithTimeout(
  { context: { client, plan } }: FenceJob,
  lockTimeoutMs: number,
  statements: readonly string[],
): Promise<void> {
  const run = async (tx: SqlTransaction): Promise<void> => {
    for (const sql of statements) await tx.$executeRawUnsafe(sql)
  }
  await client.$transaction(
    async (tx) => {
      if (plan.provider === 'mysql') return withMysqlTimeout(tx, lockTimeoutMs, () => run(tx))
      if (plan.provider === 'postgresql')
        await tx.$executeRawUnsafe(`SET LOCAL lock_timeout = ${lockTimeoutMs}`)
      return run(tx)
    },
    { timeout: NO_TIMEOUT_MS },
  )
}

/** The session goes back to the pool as it was. */
async function withMysqlTimeout(
  tx: SqlTransaction,
  lockTimeoutMs: number,
  run: () => Promise<void>,
): Promise<void> {
  const [row] = await tx.$queryRawUnsafe<{ seconds: bigint | number }[]>(
    'SELECT @@SESSION.lock_wait_timeout AS seconds',
  )
  const set = (seconds: bigint | number): Promise<number> =>
    tx.$executeRawUnsafe(`SET SESSION lock_wait_timeout = ${seconds}`)
  await set(Math.ceil(lockTimeoutMs / 1000))
  try {
    await run()
  } finally {
    await set(row!.seconds)
  }
}
