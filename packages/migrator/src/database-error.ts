import { RowsealError } from '@rowseal/prisma-extension'
import { TableError } from '@rowseal/prisma-extension/sql'
import { MigrationError } from './errors.ts'

/** What operators know these codes as. SQLite's, PostgreSQL's, MySQL's and MariaDB's, Prisma's. */
const PHRASES: readonly (readonly [RegExp, string, string])[] = [
  [/SQLITE_FULL|^(53100|1021|1114)$/, 'is out of space', 'Free disk space'],
  [
    /SQLITE_READONLY|^(25006|1290|1792|1836)$/,
    'is read-only',
    'Connect to one that can be written to',
  ],
  [/SQLITE_CORRUPT|^(XX00[12]|1034|1194|1712|1877)$/, 'is damaged', 'Restore it from a backup'],
  [
    /^(42501|28P01|28000|1044|1045|1142|1143|P1000|P1010)$|AccessDenied|AuthenticationFailed/,
    'denies access',
    'Give the user of the migrator SELECT and UPDATE on the tables, and INSERT and DELETE too on those that begin with rowseal_ (`npx rowseal init --print` prints how they are made)',
  ],
  [
    // MySQL ends the connection after 1153, which may be faster than its answer.
    /^(45009|ECONNRESET|EPIPE)$/,
    'closed the connection',
    'Look whether it runs, and on MySQL whether its max_allowed_packet is too small for a batch (or pass a smaller --batch-bytes)',
  ],
  [
    /^(P1001|P1002|P1017|57P0[1-5]|08\d{3}|ECONN\w+|ENOTFOUND|1053|1927|45001|45012|45019|45026)$|NotReachable|ConnectionClosed|SocketTimeout/,
    'is out of reach',
    'Look whether it runs',
  ],
  [
    /^(P2024|P2037|53300)$|TooManyConnections/,
    'has no connection left',
    'Give the client a larger pool, or the database more connections',
  ],
  [
    /^45028$/,
    'gave no connection in time',
    'Look whether it runs, and whether pool and server have connections left',
  ],
  [
    /^(1153|45046)$/,
    'takes no statement of this size',
    'Raise its max_allowed_packet, or pass a smaller --batch-bytes',
  ],
  [
    /^(57014|1969|3024)$/,
    'ended a statement that took too long, or that somebody has cancelled',
    'Let statements of the migrator take longer (statement_timeout; max_statement_time on MariaDB, max_execution_time on MySQL), or make the indexes that `npx rowseal ddl index` prints',
  ],
  [
    /^(P2028|55P03|40P01|40001|1205|1213|P2034)$/,
    'took too long, or others were in the way',
    'Wait until it is less busy',
  ],
]
const BUSY = /SQLITE_BUSY|SQLITE_LOCKED|database is locked/
const DUPLICATE =
  /^UniqueConstraintViolation$|^23505$|^1062$|SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)|^P2002$/
const CONFLICT = /^TransactionWriteConflict$|^40P01$|^40001$|^1213$|^P2034$/
const LOCKED = /^(55P03|40P01|1205|1213)$|^TransactionWriteConflict$|^P2034$/
/** PostgreSQL's statement_timeout, MariaDB's max_statement_time, MySQL's max_execution_time. */
const TIMED_OUT = /^(57014|1969|3024)$/
const CHECK = /^23514$/
const DENIED = /^(42501|1044|1142|1143|1227|1370|1419)$/
const UNPREPARABLE = /^1295$/
const NO_COLUMN = /ColumnNotFound|^42703$|^1054$|^P2022$|no such column/
const NO_TABLE = /TableDoesNotExist|^42P01$|^P2021$|no such table/

/** Does this error of a statement say that its table is not there? */
export function isTableMissing(error: unknown): boolean {
  return signs(error).some((sign) => NO_TABLE.test(sign))
}

/** Does this error of a statement say that its table does not have a column? */
export function isColumnMissing(error: unknown): boolean {
  return signs(error).some((sign) => NO_COLUMN.test(sign))
}

/** Does this error say that a unique constraint refused the statement? */
export function isDuplicate(error: unknown): boolean {
  return signs(error).some((sign) => DUPLICATE.test(sign))
}

/** Was this transaction given up so that another one could go on? */
export function isConflict(error: unknown): boolean {
  return signs(error).some((sign) => CONFLICT.test(sign))
}

/** Did this statement not get its table in time? */
export function isLockTimeout(error: unknown): boolean {
  return signs(error).some((sign) => LOCKED.test(sign))
}

/** Did this statement take longer than the database lets one? */
export function isTimeout(error: unknown): boolean {
  return signs(error).some((sign) => TIMED_OUT.test(sign))
}

/** Does a row break a constraint that is to be validated? */
export function isCheckViolation(error: unknown): boolean {
  return signs(error).some((sign) => CHECK.test(sign))
}

/** May this user not change tables, or make triggers? */
export function isDenied(error: unknown): boolean {
  return signs(error).some((sign) => DENIED.test(sign))
}

/** Does MySQL not prepare this kind of statement? */
export function isUnpreparable(error: unknown): boolean {
  return signs(error).some((sign) => UNPREPARABLE.test(sign))
}

/**
 * The error for what a statement of ours threw. Never quotes a message of the database, which may hold
 * values. Errors of Rowseal pass through.
 *
 * @param goOn - what to run when the cause is gone.
 */
export function asMigrationError(error: unknown, isSqlite: boolean, goOn: string): Error {
  if (error instanceof TableError)
    return new MigrationError('ERR_PLAN_DATABASE', error.problem, {
      fix: error.fix,
      field: error.field,
    })
  if (isRowsealError(error)) return error
  if (error instanceof TypeError || error instanceof RangeError) return error
  const found = signs(error)
  if (
    isSqlite &&
    found.some((sign) => BUSY.test(sign) || sign === 'P1008' || sign === 'SocketTimeout')
  )
    return new MigrationError(
      'ERR_DATABASE_BUSY',
      'Another process holds the SQLite database, so this run has ended. What was committed stays.',
      {
        fix: `End the other writer, or pass { timeout: 5000 } to the adapter, then ${goOn}.`,
        retryable: true,
      },
    )
  const [, phrase, fix] = PHRASES.find(([pattern]) => found.some((sign) => pattern.test(sign))) ?? [
    null,
    'refused a statement',
    'Look into its log',
  ]
  const codes = ownSigns(error).filter((sign) => /^[\w-]{2,40}$/.test(sign) && sign !== 'P2010')
  return new MigrationError(
    'ERR_DATABASE_FAILED',
    `The database ${phrase} (${codes.join(', ') || 'no code'}). What was committed stays.`,
    { fix: `${fix}, then ${goOn}.`, retryable: true },
  )
}

/** Another copy of the package has a class of its own. */
export function isRowsealError(
  error: unknown,
): error is Error & Pick<RowsealError, 'code' | 'fix'> {
  if (error instanceof RowsealError) return true
  const { code, fix } = Object(error) as { code?: unknown; fix?: unknown }
  return typeof code === 'string' && code.startsWith('ERR_') && typeof fix === 'string'
}

/** What the database itself says of a refused statement. */
export interface DatabaseCodes {
  /** SQLSTATE of PostgreSQL, number of MySQL, extended result code of SQLite. */
  readonly code: string
  /** MySQL: SQLSTATE, where Prisma knows no more of the error. */
  readonly state: string | null
  /** Was it the commit that was refused? */
  readonly isCommit: boolean
}

/** Null for an error that no database has answered with. */
export function codesOf(error: unknown): DatabaseCodes | null {
  const { cause, isCommit } = causeOf(error)
  const { originalCode, state } = cause ?? {}
  if (typeof originalCode !== 'string') return null
  return { code: originalCode, state: typeof state === 'string' ? state : null, isCommit }
}

/** Of a statement it is in an error of Prisma's; of a commit it is that of the driver adapter, or of the driver. */
function causeOf(error: unknown): {
  readonly cause: Readonly<Record<string, unknown>> | undefined
  readonly isCommit: boolean
} {
  const { meta, name, cause } = Object(error) as Record<string, unknown>
  const { driverAdapterError } = Object(meta) as {
    driverAdapterError?: { cause?: Record<string, unknown> }
  }
  if (driverAdapterError !== undefined) return { cause: driverAdapterError.cause, isCommit: false }
  if (name !== 'DriverAdapterError') return { cause: undefined, isCommit: false }
  return { cause: Object(cause) as Record<string, unknown>, isCommit: true }
}

/** Codes of Prisma and of the database, and the messages, for looking at only: a trigger may say anything. */
function signs(error: unknown): string[] {
  const { message, name } = Object(error) as Record<string, unknown>
  const texts = [name, causeOf(error).cause?.['originalMessage'], message]
  return [...ownSigns(error), ...texts.filter((sign) => typeof sign === 'string')]
}

/** Codes of Prisma and of the database. */
function ownSigns(error: unknown): string[] {
  const { code, errorCode, message } = Object(error) as Record<string, unknown>
  const { cause } = causeOf(error)
  const sqlite = /SQLITE_[A-Z]+/.exec(
    `${String(cause?.['originalMessage'])} ${String(message)}`,
  )?.[0]
  return [code, errorCode, cause?.['kind'], cause?.['originalCode'], sqlite].filter(
    (sign) => typeof sign === 'string',
  )
}
