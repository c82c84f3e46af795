import { KeyError } from '../../errors.ts'
import type { Via } from '../types.ts'

/** Databases a key store can live in. `mysql` stands for MariaDB too. */
export type SqlProvider = 'postgresql' | 'mysql' | 'sqlite'

/** What a key store needs of a transaction's client. */
export interface SqlTransaction {
  $queryRawUnsafe(query: string, ...values: unknown[]): PromiseLike<unknown>
  $executeRawUnsafe(query: string, ...values: unknown[]): PromiseLike<number>
}

/** What a key store needs of a Prisma client, of any generated one. */
export interface SqlClient extends SqlTransaction {
  $transaction<R>(
    run: (tx: SqlTransaction) => Promise<R>,
    options?: { maxWait?: number; timeout?: number },
  ): Promise<R>
}

/**
 * What is read of Prisma's internals, all of it in this file. Observed on 7.10 and 6.19; tests fail
 * when it changes.
 */
interface ClientInternals {
  readonly _activeProvider?: unknown
  readonly _extensions?: { isEmpty(): boolean }
  readonly _originalClient?: object
}

const IN_TRANSACTION = [
  Symbol.for('prisma.client.transaction.scope_context'), // 7
  Symbol.for('prisma.client.transaction.id'), // 6
]

/**
 * The client without extensions: hooks of the application must not see or change what the key store
 * does.
 *
 * @throws {TypeError} if this is no Prisma client, or one of a transaction, which would end with it.
 */
export function plainClient(client: SqlClient): SqlClient {
  const methods = ['$queryRawUnsafe', '$executeRawUnsafe', '$transaction'] as const
  if (
    !methods.every((name) => typeof (Object(client) as Partial<SqlClient>)[name] === 'function')
  ) {
    throw new TypeError('sqlKeyStore takes a PrismaClient of a SQL database')
  }
  const given = client as SqlClient & Record<symbol, unknown>
  if (IN_TRANSACTION.some((symbol) => given[symbol] !== undefined)) {
    throw new TypeError(
      'sqlKeyStore takes the PrismaClient itself, not the client of a transaction',
    )
  }
  const { _extensions, _originalClient } = client as ClientInternals
  const isExtended = _extensions?.isEmpty() === false && _originalClient !== undefined
  return isExtended ? (_originalClient as SqlClient) : client
}

/** @throws {TypeError} if the client does not say, or it is a database that cannot hold a key store. */
export function providerOf(client: SqlClient): SqlProvider {
  const provider = (client as ClientInternals)._activeProvider
  if (provider === 'postgresql' || provider === 'mysql' || provider === 'sqlite') return provider
  if (provider === 'postgres') return 'postgresql'
  throw new TypeError(
    `sqlKeyStore works on postgresql, mysql and sqlite; the client says ${String(provider)}. Give { provider } if that is wrong.`,
  )
}

/** Is this transaction one of the same database connection pool? */
export function isOwnTransaction(client: SqlClient, via: Via | undefined): via is Via {
  if (via === undefined) return false
  const root = (of: object): object => (of as ClientInternals)._originalClient ?? of
  return root(via.client) === root(client)
}

/** Run a raw query of the client on the connection of an interactive transaction. */
export function inTransaction<T>(query: PromiseLike<T>, via: Via): PromiseLike<T> {
  const { requestTransaction } = query as { requestTransaction?: (tx: unknown) => Promise<T> }
  if (requestTransaction !== undefined) return requestTransaction.call(query, via.transaction)
  throw new KeyError(
    'ERR_KEY_UNAVAILABLE',
    'This version of Prisma does not let the key store be read inside a transaction.',
    { fix: 'Read or write outside of a transaction once, then try again.', retryable: true },
  )
}

/** What went wrong, as far as a key store tells things apart. */
export type FailureKind =
  'no-table' | 'no-column' | 'duplicate' | 'conflict' | 'late' | 'denied' | 'unreachable' | 'other'

export interface Failure {
  readonly kind: FailureKind
  /** Codes of Prisma and of the database, or the error's name. */
  readonly code: string
}

const UNREACHABLE = new Set([
  'P1000', // credentials
  'P1001', // not reachable
  'P1002', // timed out
  'P1003', // no such database
  'P1008', // operation timed out, and SQLITE_BUSY
  'P1010', // access denied
  'P1011', // TLS
  'P1017', // connection closed
  'P2024', // no connection free in the pool
  'P2028', // transaction could not begin, or timed out
  'P2037', // too many connections
  'DatabaseNotReachable',
  'DatabaseDoesNotExist',
  'DatabaseAccessDenied',
  'AuthenticationFailed',
  'ConnectionClosed',
  'TlsConnectionError',
  'SocketTimeout',
  'TooManyConnections',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01', // PostgreSQL is shut down
  '57P02', // has crashed
  '57P03', // starts up, or shuts down
  '1053', // MySQL and MariaDB are shut down
  '1927', // MariaDB has killed the connection
  '45009', // MariaDB driver: socket closed
  '45012', // MariaDB driver: connection timed out
  '45019', // MariaDB driver: socket closed unexpectedly
  '45026', // MariaDB driver: connection closed
  '45028', // MariaDB driver: no connection within the pool's time-out
])

const KINDS: readonly (readonly [FailureKind, ReadonlySet<string>])[] = [
  ['no-table', new Set(['TableDoesNotExist', '42P01', '1146', 'P2021'])],
  ['no-column', new Set(['ColumnNotFound', '42703', '1054', 'P2022'])],
  // 42P07: PostgreSQL's CREATE TABLE IF NOT EXISTS twice at once
  [
    'duplicate',
    new Set(['UniqueConstraintViolation', '23505', '42P07', '1062', '1555', '2067', 'P2002']),
  ],
  ['conflict', new Set(['TransactionWriteConflict', '40001', '40P01', '1213', '1205', 'P2034'])],
  ['late', new Set(['55P03', '57014'])], // PostgreSQL: lock_timeout, statement_timeout
  ['denied', new Set(['42501', '1142', '1143'])],
  ['unreachable', UNREACHABLE],
]

/** Read an error of Prisma: its own code, and what the driver adapter says beneath it. */
export function failureOf(error: unknown): Failure {
  const { code, errorCode, meta, message, name } = Object(error) as Record<string, unknown>
  const cause = (meta as { driverAdapterError?: { cause?: Record<string, unknown> } } | undefined)
    ?.driverAdapterError?.cause
  const codes = [code, errorCode, cause?.['kind'], cause?.['originalCode']].filter(
    (value): value is string => typeof value === 'string',
  )
  // P2010 only says "raw query failed".
  const shown = codes.filter((value) => value !== 'P2010').join(' ') || String(name)
  const named = KINDS.find(([, known]) => codes.some((value) => known.has(value)))
  if (named !== undefined) return { kind: named[0], code: shown }
  // SQLite has one code for both.
  const text = String(cause?.['originalMessage'] ?? message)
  if (/no such table/i.test(text)) return { kind: 'no-table', code: shown }
  if (/no such column|has no column/i.test(text)) return { kind: 'no-column', code: shown }
  // The driver of PostgreSQL has no code for it.
  if (/^Connection terminated|^timeout exceeded when trying to connect/.test(text))
    return { kind: 'unreachable', code: shown }
  return { kind: 'other', code: shown }
}
