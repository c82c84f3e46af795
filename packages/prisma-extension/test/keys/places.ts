import { database, generatedClient, type TestDatabase } from '@rowseal/test-support'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { randomUUID } from 'node:crypto'

export type Provider = TestDatabase['provider']

/** The kinds of database that can be had here. What cannot is said, or fails under ROWSEAL_REQUIRE_SERVICES. */
export async function providers(): Promise<readonly Provider[]> {
  const found: Provider[] = ['sqlite']
  if (process.env['ROWSEAL_TEST_POSTGRES_URL'] !== undefined) found.push('postgresql')
  else without('PostgreSQL', 'no server')
  try {
    await onMariaDb('SELECT 1')
    found.push('mysql')
  } catch (error) {
    without('MariaDB', String(error))
  }
  return found
}

function without(what: string, why: string): void {
  const line = `SKIPPING the key store's tests on ${what}: ${why}`
  if (process.env['ROWSEAL_REQUIRE_SERVICES'] === '1') throw new Error(line)
  console.warn(line)
}

async function onMariaDb(sql: string, database?: string): Promise<void> {
  const url = new URL(process.env['ROWSEAL_TEST_MARIADB_URL'] ?? 'mariadb://none')
  if (database !== undefined) url.pathname = `/${database}`
  url.searchParams.set('acquireTimeout', '3000')
  const connection = await new PrismaMariaDb(url.href).connect()
  try {
    await connection.executeRaw({ sql, args: [], argTypes: [] })
  } finally {
    await connection.dispose()
  }
}

export interface Place {
  readonly provider: Provider
  readonly url: string
  /** A new client, and so connection pool, of the database. */
  client(options?: object): any
  /** Run one statement from outside. */
  exec(sql: string): Promise<void>
  drop(): Promise<void>
}

export const SCHEMA = 'model Note {\n  id   Int    @id\n  text String\n}'

/** A database with a table `Note`, and clients for it. */
export async function place(provider: Provider): Promise<Place> {
  const { PrismaClient } = await generatedClient({ provider, schema: SCHEMA, plan: false })
  const at = provider === 'mysql' ? await mariadb() : await database(provider)
  const quote = provider === 'mysql' ? '`' : '"'
  await at.exec(`CREATE TABLE ${quote}Note${quote} (id INTEGER PRIMARY KEY, text VARCHAR(99))`)
  const clients: any[] = []
  return {
    provider,
    url: at.url,
    client: (options = {}) => {
      const client = new PrismaClient({ adapter: at.adapter(), ...options })
      clients.push(client)
      return client
    },
    exec: (sql) => at.exec(sql),
    drop: async () => {
      await Promise.all(clients.map((client) => client.$disconnect()))
      await at.drop()
    },
  }
}

async function mariadb(): Promise<Pick<TestDatabase, 'url' | 'adapter' | 'exec' | 'drop'>> {
  const name = `keys_${randomUUID().replaceAll('-', '')}`
  const url = new URL(process.env['ROWSEAL_TEST_MARIADB_URL']!)
  url.pathname = `/${name}`
  url.searchParams.set('connectionLimit', '3')
  await onMariaDb(`CREATE DATABASE ${name}`)
  return {
    url: url.href,
    adapter: () => new PrismaMariaDb(url.href),
    exec: (sql) => onMariaDb(sql, name),
    drop: () => onMariaDb(`DROP DATABASE ${name}`),
  }
}
