import { rotate, initKeyring, openKeyring, type Keyring } from '@rowseal/prisma-extension/keys'
import { rowseal } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { init } from '@rowseal/migrator'
import { database, generatedClient, startMariadb, startPostgres } from '@rowseal/test-support'
import { randomBytes } from 'node:crypto'
import { ANALYZE, fillStatements, quoted } from './sql.ts'

export type Provider = 'postgresql' | 'sqlite' | 'mysql'

const SCHEMA = `
model Note {
  id    Int    @id
  /// @encrypted
  title String
  /// @encrypted
  text  String
}`

/** Rows with values of their own. Of more rows several have the same. */
const POOL_ROWS = 20_000
const CHUNK = 1_000
/** Behind all others. */
const READY_FROM = 2_000_000_000

export interface World {
  readonly provider: Provider
  readonly client: any
  readonly keyring: Keyring
  /** For the functions of the migrator. */
  readonly config: { readonly client: any; readonly plan: any; readonly keyring: Keyring }
  readonly url: string
  /** For a process with `rowseal.config.ts` of this folder. */
  readonly env: Readonly<Record<string, string>>
  /** A new key version becomes active. */
  rotate(): Promise<void>
  /** Insert rows with values of 60 bytes under the active key. */
  fill(rows: number): Promise<void>
  /** Values under the active key, as the columns hold them. */
  readyMade(rows: number): Promise<{ readonly title: string; readonly text: string }[]>
  analyze(): Promise<void>
  close(): Promise<void>
}

const FLAGS = ['shared_buffers=1GB', 'max_wal_size=8GB', 'maintenance_work_mem=512MB']

/** A database server of its own, with a table of two sealed fields. */
export async function openWorld(provider: Provider): Promise<World> {
  const server =
    provider === 'postgresql'
      ? await startPostgres(FLAGS.flatMap((flag) => ['-c', flag]))
      : provider === 'mysql'
        ? await startMariadb()
        : null
  const variable = { postgresql: 'POSTGRES', mysql: 'MARIADB', sqlite: '' }[provider]
  if (server !== null) process.env[`ROWSEAL_TEST_${variable}_URL`] = server.url
  const rootKey = randomBytes(32).toString('base64')
  process.env['ROWSEAL_BENCH_ROOT_KEY'] = rootKey
  const { PrismaClient, plan, ddl, dir } = await generatedClient({ provider, schema: SCHEMA })
  const db = await database(provider)
  await db.exec(ddl)
  const client = new PrismaClient({ adapter: db.adapter() })
  const root = localRootKey({ env: 'ROWSEAL_BENCH_ROOT_KEY' })
  const keyring = await openKeyring({ root, store: sqlKeyStore(client) })
  await initKeyring(keyring)
  const config = { client, plan, keyring }
  await init(config)
  const sealed = client.$extends(rowseal({ plan, keyring }))
  return {
    provider,
    client,
    keyring,
    config,
    url: db.url,
    env: {
      ROWSEAL_BENCH_PROVIDER: provider,
      ROWSEAL_BENCH_CLIENT: dir,
      ROWSEAL_BENCH_DATABASE: db.url,
      ROWSEAL_BENCH_ROOT_KEY: rootKey,
    },
    rotate: async () => {
      await rotate(keyring)
    },
    fill: async (rows) => {
      await insert(sealed, 0, Math.min(rows, POOL_ROWS))
      for (const sql of fillStatements(provider, POOL_ROWS, rows))
        await client.$executeRawUnsafe(sql)
    },
    readyMade: async (rows) => {
      await insert(sealed, READY_FROM, rows)
      const where = { id: { gte: READY_FROM } }
      const made = await client.note.findMany({ where, select: { title: true, text: true } })
      await client.note.deleteMany({ where })
      return made
    },
    analyze: () => db.exec(`${ANALYZE[provider]} ${quoted(provider, 'Note')}`),
    close: async () => {
      await client.$disconnect()
      await (server === null ? db.drop() : server.stop())
    },
  }
}

async function insert(sealed: any, from: number, rows: number): Promise<void> {
  for (let at = 0; at < rows; at += CHUNK) {
    const length = Math.min(CHUNK, rows - at)
    const data = Array.from({ length }, (_, i) => note(from + at + i))
    await sealed.note.createMany({ data })
  }
}

function note(id: number): Record<string, unknown> {
  return { id, title: `title ${id}`.padEnd(60, '.'), text: `text ${id}`.padEnd(60, '.') }
}
