import type { Provider } from '@rowseal/prisma-extension/plan'
import type { SqlClient, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { NOW, numbered, transactionOf } from './dialect.ts'

/** A statement with `?` for its parameters. */
export type Bound = readonly [sql: string, ...params: unknown[]]

/** Statements on the tables of runs, as the database takes them. */
export class RunSql {
  readonly client: SqlClient
  readonly provider: Provider

  constructor(client: SqlClient, provider: Provider) {
    this.client = client
    this.provider = provider
  }

  /** The database's clock. */
  get now(): string {
    return NOW[this.provider]
  }

  /** A number as text: libsql throws for some, and the clock of the database is subtracted there. */
  text(sql: string, name: string): string {
    return `CAST(${sql} AS ${this.provider === 'mysql' ? 'CHAR' : 'TEXT'}) AS ${name}`
  }

  read<R>(sql: string, ...params: unknown[]): Promise<R[]> {
    return this.readIn<R>(this.client, sql, ...params)
  }

  readIn<R>(
    tx: Pick<SqlTransaction, '$queryRawUnsafe'>,
    sql: string,
    ...params: unknown[]
  ): Promise<R[]> {
    return tx.$queryRawUnsafe<R[]>(numbered(this.provider, sql), ...params)
  }

  run(tx: SqlTransaction, [sql, ...params]: Bound): Promise<number> {
    return tx.$executeRawUnsafe(numbered(this.provider, sql), ...params)
  }

  /** READ COMMITTED where the database has it. */
  transaction<R>(work: (tx: SqlTransaction) => Promise<R>): Promise<R> {
    return this.client.$transaction(work, transactionOf(this.provider))
  }

  /** On libsql a lone statement may be lost without an error after SQLITE_BUSY; a commit fails loudly. */
  write(statement: Bound): Promise<number> {
    return this.transaction(async (tx) => {
      await tx.$queryRawUnsafe('SELECT 1')
      return this.run(tx, statement)
    })
  }
}
