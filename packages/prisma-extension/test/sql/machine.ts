import { database, generatedClient, isAvailable } from '@rowseal/test-support'
import type { ModelSource, Provider, SealedField } from '../../src/plan/index.ts'
import { quote, type SqlClient } from '../../src/sql/index.ts'

export const PROVIDERS: readonly Provider[] = (['postgresql', 'sqlite', 'mysql'] as const).filter(
  isAvailable,
)

export interface Connection {
  readonly provider: Provider
  readonly client: SqlClient
  /** Another client of the same database. */
  another(): SqlClient
  /** Quote an identifier. */
  q(name: string): string
  run(...statements: string[]): Promise<void>
  /** Run a statement that MySQL does not prepare, such as CREATE TRIGGER. */
  exec(statement: string): Promise<void>
  end(): Promise<void>
}

/** An empty database, and a client for raw statements. */
export async function connect(provider: Provider): Promise<Connection> {
  const db = await database(provider)
  // As most databases out there.
  if (provider === 'mysql') await db.exec('ALTER DATABASE COLLATE utf8mb4_general_ci')
  const { PrismaClient } = await generatedClient({
    provider,
    schema: 'model Unused {\n  id Int @id\n}',
    plan: false,
  })
  const clients = [new PrismaClient({ adapter: db.adapter() })]
  return {
    provider,
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
    exec: (statement) => db.exec(statement),
    end: async () => {
      for (const client of clients) await client.$disconnect()
      await db.drop()
    },
  }
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
    bound: {},
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
