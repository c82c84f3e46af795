import { database, tablesOf, temporaryFolder } from '@rowseal/test-support'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Provider } from './generate.ts'
import type { Installation } from './installation.ts'
import { MODELS } from './schema.ts'

export interface Database {
  /** A driver adapter of this version of Prisma. */
  readonly adapter: any
  drop(): Promise<void>
}

/**
 * A database with the tables. Only this version's adapter ever opens a SQLite file: two copies of SQLite in one
 * process release each other's locks, and the file breaks.
 */
export async function databaseFor(
  { version, dir }: Installation,
  provider: Provider,
): Promise<Database> {
  const require = createRequire(join(dir, 'any.js'))
  const schema = `datasource db {\n  provider = "${provider}"\n}\n${MODELS}`
  const tables = await tablesOf(schema, provider)
  if (provider === 'postgresql') {
    const db = await database(provider)
    await db.exec(tables)
    const { PrismaPg } = require('@prisma/adapter-pg')
    return { adapter: new PrismaPg({ connectionString: db.url }), drop: () => db.drop() }
  }
  const folder = temporaryFolder('versions')
  const url = `file:${join(folder.path, 'test.db')}`
  const { PrismaLibSQL, PrismaLibSql } = require('@prisma/adapter-libsql')
  const adapter =
    version === 6 ? new PrismaLibSQL({ url }) : new PrismaLibSql({ url, timeout: 5000 })
  const connection = await adapter.connect()
  await connection.queryRaw({ sql: 'PRAGMA journal_mode = WAL', args: [], argTypes: [] })
  await connection.executeScript(tables)
  await connection.dispose()
  return { adapter, drop: async () => folder.remove() }
}
