import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { temporaryFolder } from './machine.ts'

type Connection = Awaited<ReturnType<SqlDriverAdapterFactory['connect']>>

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
  return provider === 'postgresql' ? postgresql(server, name) : mysql(server, name)
}

async function postgresql(server: string, name: string): Promise<TestDatabase> {
  const url = new URL(server)
  url.pathname = `/${name}`
  const adapterOf = (connectionString: string): SqlDriverAdapterFactory =>
    new PrismaPg({ connectionString })
  const run = async (address: string, text: string): Promise<void> =>
    connected(adapterOf(address), (connection) => connection.executeScript(text))
  await run(server, `CREATE DATABASE ${name}`)
  return {
    provider: 'postgresql',
    url: url.href,
    folder: null,
    adapter: () => adapterOf(url.href),
    exec: (text) => run(url.href, text),
    drop: () => run(server, `DROP DATABASE ${name} WITH (FORCE)`),
  }
}

/** On MariaDB or MySQL. Text compares exactly, as on the other databases. */
async function mysql(server: string, name: string): Promise<TestDatabase> {
  const url = new URL(server)
  url.pathname = `/${name}`
  // The driver would open ten connections at once.
  if (!url.searchParams.has('minimumIdle')) url.searchParams.set('minimumIdle', '1')
  const collation = (await isMariadb(server)) ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin'
  await mysqlScript(server, `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE ${collation}`)
  return {
    provider: 'mysql',
    url: url.href,
    folder: null,
    adapter: () => new PrismaMariaDb(url.href),
    exec: (text) => mysqlScript(url.href, text),
    drop: () => mysqlScript(server, `DROP DATABASE ${name}`),
  }
}

async function isMariadb(server: string): Promise<boolean> {
  let version = ''
  await connected(oneConnection(server), async (connection) => {
    const sql = 'SELECT version()'
    const { rows } = await connection.queryRaw({ sql, args: [], argTypes: [] })
    version = String(rows[0]?.[0])
  })
  return /mariadb/i.test(version)
}

/** The adapter has no scripts: a statement ends with the line. Not all of MySQL's can be prepared. */
async function mysqlScript(address: string, text: string): Promise<void> {
  await connected(oneConnection(address), async (connection) => {
    for (const sql of text.split(/;\s*$/m).filter((part) => part.trim() !== ''))
      await connection.executeRaw({ sql, args: [], argTypes: [] })
  })
}

function oneConnection(address: string): SqlDriverAdapterFactory {
  const url = new URL(address)
  url.searchParams.set('connectionLimit', '1')
  return new PrismaMariaDb(url.href, { useTextProtocol: true })
}

async function sqlite(): Promise<TestDatabase> {
  const folder = temporaryFolder('sqlite')
  const url = `file:${join(folder.path, 'test.db')}`
  const adapter = (): SqlDriverAdapterFactory => new PrismaLibSql({ url, timeout: 5000 })
  const run = async (text: string): Promise<void> =>
    connected(adapter(), (connection) => connection.executeScript(text))
  await run('PRAGMA journal_mode = WAL')
  return {
    provider: 'sqlite',
    url,
    folder: folder.path,
    adapter,
    exec: run,
    drop: async () => folder.remove(),
  }
}

async function connected(
  factory: SqlDriverAdapterFactory,
  run: (connection: Connection) => Promise<void>,
): Promise<void> {
  const connection = await factory.connect()
  try {
    await run(connection)
  } finally {
    await connection.dispose()
  }
}
