/** What is used of a Prisma client; always the un-extended one. */
export interface SqlClient {
  $queryRawUnsafe<T = unknown>(sql: string, ...params: unknown[]): Promise<T>
  $executeRawUnsafe(sql: string, ...params: unknown[]): Promise<number>
  $transaction(operations: readonly Promise<unknown>[], options?: object): Promise<unknown[]>
  $transaction<T>(body: (transaction: SqlClient) => Promise<T>, options?: object): Promise<T>
}

/** A statement and its parameters. */
export interface Statement {
  readonly sql: string
  readonly params: readonly unknown[]
}
