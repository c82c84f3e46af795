import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { temporaryFolder } from './machine.ts'

export type TestProvider = 'postgresql' | 'sqlite' | 'mysql'

/** An empty database of its own, on a real server or in a file. */
export interface TestDatabase {
  readonly provider: TestProvider
  readonly url: string
  /** The folder of a SQLite database, for looking at its raw bytes. */
  readonly folder: string | null
  /** A new driver adapter, for `new PrismaClient({ adapter })`. */
  adapter(): SqlDriverAdapterFactory
  /** Run a script of several statements. */
  exec(script: string): Promise<void>
  drop(): Promise<void>
}

const VARIABLE = { postgresql: 'ROWSEAL_TEST_POSTGRES_URL', mysql: 'ROWSEAL_TEST_MARIADB_URL' }

/** Can this kind of database be had here? */
export function isAvailable(provider: TestProvider): boolean {
  return provider === 'sqlite' || process.env[VARIABLE[provider]] !== undefined
}

export async function database(provider: TestProvider): Promise<TestDatabase> {
  if (provider === 'sqlite') return sqlite()
  const server = process.env[VARIABLE[provider]]
  if (server === undefined) throw new Error(`${VARIABLE[provider]} is not set.`)
  const name = `rowseal_${randomUUID().replaceAll('-', '')}`
  const url = new URL(server)
  url.pathname = `/${name}`
  const adapterOf = (address: string): SqlDriverAdapterFactory =>
    provider === 'postgresql'
      ? new PrismaPg({ connectionString: address })
      : new PrismaMariaDb(address)
  await script(adapterOf(server), `CREATE DATABASE ${name}`)
  return {
    provider,
    url: url.href,
    folder: null,
    adapter: () => adapterOf(url.href),
    exec: (text) => script(adapterOf(url.href), text),
    drop: () =>
      script(
        adapterOf(server),
        `DROP DATABASE ${name}${provider === 'postgresql' ? ' WITH (FORCE)' : ''}`,
      ),
  }
}

async function sqlite(): Promise<TestDatabase> {
  const folder = temporaryFolder('sqlite')
  const url = `file:${join(folder.path, 'test.db')}`
  const adapter = (): SqlDriverAdapterFactory => new PrismaLibSql({ url, timeout: 5000 })
  await script(adapter(), 'PRAGMA journal_mode = WAL')
  return {
    provider: 'sqlite',
    url,
    folder: folder.path,
    adapter,
    exec: (text) => script(adapter(), text),
    drop: async () => folder.remove(),
  }
}

async function script(factory: SqlDriverAdapterFactory, text: string): Promise<void> {
  const connection = await factory.connect()
  try {
    if (factory.provider !== 'mysql') {
      await connection.executeScript(text)
      return
    }
    // This adapter has no scripts: a statement ends with the line.
    for (const sql of text.split(/;\s*$/m).filter((part) => part.trim() !== '')) {
      await connection.executeRaw({ sql, args: [], argTypes: [] })
    }
  } finally {
    await connection.dispose()
  }
}
