import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { database, generatedClient, type TestDatabase } from '@rowseal/test-support'
import { randomUUID } from 'node:crypto'
import type { ModelSource, Provider, SealedField } from '../../src/plan/index.ts'
import { quote, type SqlClient } from '../../src/sql/index.ts'

export const PROVIDERS: readonly Provider[] = [
  ...(process.env['ROWSEAL_TEST_POSTGRES_URL'] === undefined ? [] : ['postgresql' as const]),
  'sqlite',
  ...(process.env['ROWSEAL_TEST_MARIADB_URL'] === undefined ? [] : ['mysql' as const]),
]

export interface Connection {
  readonly client: SqlClient
  /** Another client of the same database. */
  another(): SqlClient
  /** Quote an identifier. */
  q(name: string): string
  run(...statements: string[]): Promise<void>
  end(): Promise<void>
}

/** An empty database, and a client for raw statements. */
export async function connect(provider: Provider): Promise<Connection> {
  const db = provider === 'mysql' ? await mariadb() : await database(provider)
  const { PrismaClient } = await generatedClient({
    provider,
    schema: 'model Unused {\n  id Int @id\n}',
    plan: false,
  })
  const clients = [new PrismaClient({ adapter: db.adapter() })]
  return {
    client: clients[0],
    another: () => {
      const client = new PrismaClient({ adapter: db.adapter() })
      clients.push(client)
      return client
    },
    q: (name) => quote(provider, name),
    run: async (...statements) => {
      for (const statement of statements) await clients[0].$executeRawUnsafe(statement)
    },
    end: async () => {
      for (const client of clients) await client.$disconnect()
      await db.drop()
    },
  }
}

/** The adapter for MariaDB runs no scripts, so databases come and go through a connection of their own. */
async function mariadb(): Promise<Pick<TestDatabase, 'adapter' | 'drop'>> {
  const server = process.env['ROWSEAL_TEST_MARIADB_URL'] ?? ''
  const name = `rowseal_sql_${randomUUID().replaceAll('-', '')}`
  const run = async (sql: string): Promise<void> => {
    const connection = await new PrismaMariaDb(server).connect()
    await connection.executeRaw({ sql, args: [], argTypes: [] })
    await connection.dispose()
  }
  await run(`CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { adapter: () => new PrismaMariaDb(url.href), drop: () => run(`DROP DATABASE ${name}`) }
}

interface Described {
  readonly table?: string
  readonly schema?: string
  /** Key fields with Prisma's type. */
  readonly key: Readonly<Record<string, string>>
  readonly sealed: Readonly<Record<string, 'String' | 'Json' | 'Bytes'>>
  readonly lists?: boolean
  readonly columns?: Readonly<Record<string, string>>
}

/** What the generator would write about a model. */
export function model({
  table = 'T',
  schema,
  key,
  sealed,
  lists = false,
  columns = {},
}: Described): ModelSource {
  const types = { ...key, ...sealed }
  return {
    table,
    ...(schema === undefined ? {} : { schema }),
    key: Object.keys(key),
    columns: Object.fromEntries(
      Object.entries(types).map(([field, type]) => [
        field,
        { type, column: columns[field] ?? field },
      ]),
    ),
    relations: {},
    uniques: {},
    indexes: {},
    constraints: {},
    sealed: Object.fromEntries(
      Object.entries(sealed).map(([field, type]) => [field, sealedField(field, type, lists)]),
    ),
  }
}

function sealedField(field: string, type: SealedField['type'], list: boolean): SealedField {
  return {
    type,
    list,
    nullable: true,
    id: `T.${field}`,
    keyring: 'default',
    plaintext: 'refuse',
    seal: 'on',
    pad: 0,
    bind: [],
  }
}
