import { rowseal } from '@rowseal/prisma-extension'
import { initKeyring, openKeyring, type Keyring } from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient, startPostgres } from '@rowseal/test-support'
import { randomBytes } from 'node:crypto'

const SCHEMA = `
model Person {
  id      Int    @id
  name    String
  /// @encrypted
  email   String
  /// @encrypted
  address String
  /// @encrypted
  notes   String
}
model Note {
  id    Int    @id
  /// @encrypted
  title String
  /// @encrypted
  text  String
}
model Country {
  code String @id
  name String
}`

export interface Bench {
  /** Prisma as it is, with the same columns, on a database of its own. */
  readonly plain: any
  readonly sealed: any
  /** The un-extended client of the sealed database. */
  readonly base: any
  readonly sealedUrl: string
  /** Where the generated client and plan are. */
  readonly clientFolder: string
  readonly keyring: Keyring
  readonly plan: any
  close(): Promise<void>
}

/** A PostgreSQL of its own with two databases of the same tables. */
export async function openBench(): Promise<Bench> {
  const server = await startPostgres(['-c', 'shared_buffers=256MB'])
  process.env['ROWSEAL_TEST_POSTGRES_URL'] = server.url
  process.env['ROWSEAL_BENCH_ROOT_KEY'] = randomBytes(32).toString('base64')
  const { PrismaClient, plan, ddl, dir } = await generatedClient({
    provider: 'postgresql',
    schema: SCHEMA,
  })
  const [plainDb, sealedDb] = [await database('postgresql'), await database('postgresql')]
  await plainDb.exec(ddl)
  await sealedDb.exec(ddl)
  const plain = new PrismaClient({ adapter: plainDb.adapter() })
  const base = new PrismaClient({ adapter: sealedDb.adapter() })
  const root = localRootKey({ env: 'ROWSEAL_BENCH_ROOT_KEY' })
  const keyring = await openKeyring({ root, store: sqlKeyStore(base) })
  await initKeyring(keyring)
  return {
    plain,
    sealed: base.$extends(rowseal({ plan, keyring })),
    base,
    sealedUrl: sealedDb.url,
    clientFolder: dir,
    keyring,
    plan,
    close: async () => {
      await Promise.all([plain.$disconnect(), base.$disconnect()])
      await server.stop()
    },
  }
}

/** Three values of 12, 60 and 400 bytes. */
export function person(id: number): Record<string, unknown> {
  const text = (length: number): string =>
    `${id}`
      .padStart(8, '0')
      .repeat(length / 8 + 1)
      .slice(0, length)
  return { id, name: `person ${id}`, email: text(12), address: text(60), notes: text(400) }
}
