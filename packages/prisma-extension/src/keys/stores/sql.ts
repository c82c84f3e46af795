import { KeyError } from '../../errors.ts'
import { assertLegal } from '../lifecycle/states.ts'
import type { KeyringSnapshot, KeyringWrite, KeyStore, Via } from '../types.ts'
import { nextAfter } from './ids.ts'
import {
  failureOf,
  inTransaction,
  isOwnTransaction,
  plainClient,
  providerOf,
  type FailureKind,
  type SqlClient,
  type SqlProvider,
  type SqlTransaction,
} from './sql-client.ts'
import { ddlOf } from './sql-ddl.ts'
import { Columns, headOf, keyOf, type Row } from './sql-rows.ts'
import { FORMAT, headStatement, rowStatement, SQL, type Statement } from './sql-statements.ts'

export type { SqlClient, SqlProvider, SqlTransaction }

const TRANSACTION = { maxWait: 10_000, timeout: 20_000 }
const INIT_TRIES = 3

export interface SqlKeyStoreOptions {
  /** Kind of database. Default: what the client says. */
  readonly provider?: SqlProvider
}

/**
 * A key store in tables `rowseal_keyrings` and `rowseal_keys`, through a Prisma client. Extensions
 * of the client are left out. Wrapped KEKs are safe to keep beside the data they protect.
 *
 * @throws {TypeError} if the client is none, belongs to a transaction, or to another kind of database.
 */
export function sqlKeyStore(client: SqlClient, options: SqlKeyStoreOptions = {}): KeyStore {
  const plain = plainClient(client)
  return new SqlKeyStore(plain, options.provider ?? providerOf(plain))
}

/** Ends a transaction that found things other than expected. */
class Unexpected extends Error {}

class SqlKeyStore implements KeyStore {
  readonly name: string
  readonly isSingleWriter: boolean
  readonly #client: SqlClient
  readonly #provider: SqlProvider

  constructor(client: SqlClient, provider: SqlProvider) {
    this.name = `SQL key store (${provider})`
    this.isSingleWriter = provider === 'sqlite'
    this.#client = client
    this.#provider = provider
  }

  ddl(): readonly string[] {
    return ddlOf(this.#provider)
  }

  /** Tables that are there are left alone, so that a role without CREATE can run this after another. */
  async init(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        if (await this.#exists()) return
        await this.#createTables()
        return
      } catch (error) {
        // PostgreSQL: two CREATE TABLE IF NOT EXISTS at once, of which one sees a duplicate.
        const { kind } = failureOf(error)
        if ((kind === 'duplicate' || kind === 'conflict') && tries < INIT_TRIES) continue
        throw this.#failed(error)
      }
    }
  }

  async read(keyring: string, via?: Via, isCurrent = false): Promise<KeyringSnapshot | null> {
    const rows = await this.#query(SQL.read, [keyring], via, isCurrent)
    if (rows === null || rows.length === 0) return null
    const head = new Columns(rows[0]!, this.name, keyring)
    const format = head.integer('format')
    if (format !== FORMAT) throw this.#newer(`Keyring "${keyring}" has format ${format}.`)
    return {
      head: headOf(head, keyring),
      keys: rows
        .filter((row) => row['key_id'] !== null)
        .map((row) => keyOf(new Columns(row, this.name, keyring), keyring)),
    }
  }

  async keyringOf(keyId: number, via?: Via): Promise<string | null> {
    const rows = await this.#query(SQL.keyringOf, [keyId], via, true)
    return rows?.[0] === undefined ? null : new Columns(rows[0], this.name).text('keyring')
  }

  async nextKeyId(): Promise<number> {
    const rows = (await this.#query(SQL.maxKeyId, [])) ?? []
    const last = rows[0]?.['key_id'] == null ? 0 : new Columns(rows[0], this.name).integer('key_id')
    return nextAfter(last, this.name)
  }

  async keyrings(prefix: string): Promise<readonly string[]> {
    const rows = (await this.#query(SQL.keyrings, [])) ?? []
    const names = rows.map((row) => new Columns(row, this.name).text('name'))
    return names.filter((name) => name.startsWith(prefix))
  }

  async write(change: KeyringWrite): Promise<boolean> {
    assertLegal(change)
    const { head, expectedRevision, formerKeyId, rows } = change
    const written = headStatement(head, expectedRevision, formerKeyId)
    return this.#write([written, ...rows.map(rowStatement)])
  }

  async reserve(keyId: number, count: number, limit: number, via?: Via): Promise<boolean> {
    const sql = this.#placed(SQL.reserve)
    const values = [count, keyId, limit - count]
    try {
      if (isOwnTransaction(this.#client, via)) {
        const written = this.#client.$executeRawUnsafe(sql, ...values)
        return (await inTransaction(written, via)) === 1
      }
      return await this.#client.$transaction(async (tx) => {
        const count = await tx.$executeRawUnsafe(sql, ...values)
        await tx.$queryRawUnsafe('SELECT 1') // see #write
        return count === 1
      }, TRANSACTION)
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /**
   * Run statements that each change exactly one row, or none of them.
   *
   * Always a transaction of two or more statements: after one SQLITE_BUSY libsql reports single writes as done
   * and loses them, while the COMMIT of a transaction fails loudly.
   */
  async #write(statements: readonly Statement[]): Promise<boolean> {
    try {
      await this.#client.$transaction(async (tx) => {
        for (const statement of statements) await this.#writeOne(tx, statement)
        if (statements.length === 1) await tx.$queryRawUnsafe('SELECT 1') // the head alone
      }, TRANSACTION)
      return true
    } catch (error) {
      if (error instanceof Unexpected) return false
      const { kind } = failureOf(error)
      if (kind === 'duplicate' || kind === 'conflict') return false
      throw this.#failed(error)
    }
  }

  async #writeOne(tx: SqlTransaction, [sql, values]: Statement): Promise<void> {
    const count = await tx.$executeRawUnsafe(this.#placed(sql), ...values)
    if (count !== 1) throw new Unexpected()
  }

  /** Rows, or null if the tables are not there. */
  async #query(
    sql: string,
    values: readonly unknown[],
    via?: Via,
    isCurrent = false,
  ): Promise<Row[] | null> {
    try {
      if (!isOwnTransaction(this.#client, via))
        return (await this.#client.$queryRawUnsafe(this.#placed(sql), ...values)) as Row[]
      // A transaction of MySQL reads the rows of others as they are once it writes to them, and everything
      // else as it was when it began: keys that came since are seen by a locking read only. Until it ends that
      // holds up whoever counts uses or rotates.
      const isLocking = isCurrent && this.#provider === 'mysql'
      const read = this.#placed(isLocking ? `${sql} LOCK IN SHARE MODE` : sql)
      const query = this.#client.$queryRawUnsafe(read, ...values)
      return (await inTransaction(query, via)) as Row[]
    } catch (error) {
      const { kind } = failureOf(error)
      if (kind === 'no-table') return null
      if (kind === 'no-column') throw this.#newer('Its tables have other columns.')
      throw this.#failed(error)
    }
  }

  async #exists(): Promise<boolean> {
    return (await this.#query(SQL.exists, [])) !== null
  }

  /** MySQL ends a transaction at every CREATE; elsewhere both tables come or none. */
  async #createTables(): Promise<void> {
    if (this.#provider === 'mysql') {
      for (const sql of this.ddl()) await this.#client.$executeRawUnsafe(sql)
      return
    }
    await this.#client.$transaction(async (tx) => {
      for (const sql of this.ddl()) await tx.$executeRawUnsafe(sql)
    }, TRANSACTION)
  }

  /** `?` is `$1`, `$2` … on PostgreSQL. No statement here has one in a literal. */
  #placed(sql: string): string {
    let count = 0
    return this.#provider === 'postgresql' ? sql.replaceAll('?', () => `$${++count}`) : sql
  }

  /** Only what is said about the connection is passed on; other texts of databases quote values. */
  #failed(error: unknown): Error {
    if (error instanceof KeyError) return error
    const { kind, code } = failureOf(error)
    const isMissing = kind === 'no-table'
    return new KeyError(
      isMissing ? 'ERR_KEYRING_MISSING' : 'ERR_KEY_UNAVAILABLE',
      `The ${this.name} failed: ${code}.`,
      {
        fix: FIXES[kind] ?? 'Look the code up in the documentation of the database or of Prisma.',
        retryable: kind === 'unreachable' || kind === 'conflict' || kind === 'late',
        ...(kind === 'unreachable' ? { cause: error } : undefined),
      },
    )
  }

  #newer(what: string): KeyError {
    return new KeyError(
      'ERR_STORE_NEWER',
      `The ${this.name} was written by a newer version of Rowseal. ${what}`,
      { fix: 'Update @rowseal/prisma-extension.' },
    )
  }
}

const FIXES: Readonly<Partial<Record<FailureKind, string>>> = {
  unreachable: 'Check that the database runs and lets this user in, then try again.',
  conflict: 'Try again.',
  late: 'See what holds the database up, and try again.',
  denied:
    'Let its user create tables, or run what `npx rowseal init --print` prints as somebody who may; then SELECT, INSERT, UPDATE and DELETE on them are enough.',
  'no-table': 'Run `npx rowseal init` once for this database.',
}
