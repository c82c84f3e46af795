/** What this folder and its users need of an un-extended Prisma client. Any generated client fits. */
export interface SqlClient extends SqlTransaction {
  $transaction<R>(
    run: (transaction: SqlTransaction) => Promise<R>,
    options?: TransactionOptions,
  ): Promise<R>
  $transaction(operations: Promise<unknown>[]): Promise<unknown[]>
}

/** A client inside an interactive transaction. */
export interface SqlTransaction {
  $queryRawUnsafe<R = unknown>(sql: string, ...params: unknown[]): Promise<R>
  $executeRawUnsafe(sql: string, ...params: unknown[]): Promise<number>
}

export interface TransactionOptions {
  /** Milliseconds to wait for a connection. */
  maxWait?: number
  /** Milliseconds until Prisma rolls the transaction back. */
  timeout?: number
  /** A wide type: clients of SQLite know `Serializable` only, and have to fit too. */
  isolationLevel?: string
}

/** A statement to run with `$queryRawUnsafe(sql, ...params)` or `$executeRawUnsafe`. */
export interface Statement {
  readonly sql: string
  readonly params: unknown[]
}
