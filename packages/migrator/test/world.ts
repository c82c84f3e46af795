import { randomBytes } from 'node:crypto'
import { openKeyring, rowseal, type Keyring, type KeyringOptions } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient, isAvailable, type TestDatabase } from '@rowseal/test-support'
import * as library from '../src/index.ts'
import {
  init,
  rotate,
  type DrainReport,
  type MigratorConfig,
  type RunDirectionOptions,
} from '../src/index.ts'

export type Provider = TestDatabase['provider']
export const PROVIDERS = (['postgresql', 'sqlite', 'mysql'] as const).filter(isAvailable)

/** A database with tables of a schema, a keyring, and the same client with and without Rowseal. */
export interface World {
  readonly db: TestDatabase
  readonly provider: Provider
  readonly config: MigratorConfig
  readonly keyring: Keyring
  /** Without Rowseal. */
  readonly plain: any
  readonly sealed: any
  readonly rootKey: Buffer
  /** Files of the generated client and plan. */
  readonly dir: string
  /** Statements have names in double quotes; MySQL gets them in its own. */
  run(...statements: string[]): Promise<void>
  query<T = any>(sql: string): Promise<T[]>
  rotate(): Promise<void>
  /** A config with a client of its own, as another process would have. */
  another(keyring?: Partial<KeyringOptions>): Promise<MigratorConfig>
}

const open: (() => Promise<void>)[] = []

/** End what `world` began. For `afterEach`. */
export async function closeWorlds(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close()
}

/**
 * @param options.on - the same database, which has its tables already, under another schema.
 * @param options.ddl - SQL that creates the tables, where Prisma's would not do.
 * @param options.schemas - of `@@schema`.
 * @param options.keyring - how its keyrings are opened.
 */
export async function world(
  provider: Provider,
  schema: string,
  options: {
    init?: boolean
    keyring?: Partial<KeyringOptions>
    on?: World
    ddl?: string
    schemas?: readonly string[]
  } = {},
): Promise<World> {
  const { on, schemas } = options
  const db = on?.db ?? (await database(provider))
  const generated = await generatedClient({ provider, schema, ...(schemas && { schemas }) })
  if (on === undefined) await db.exec(options.ddl ?? generated.ddl)
  const rootKey = on?.rootKey ?? randomBytes(32)
  const connect = async (
    own?: Partial<KeyringOptions>,
  ): Promise<MigratorConfig & { keyring: Keyring }> => {
    const client = new generated.PrismaClient({ adapter: db.adapter() })
    open.push(() => client.$disconnect())
    const keyring = await openKeyring({
      root: localRootKey({ key: rootKey }),
      store: sqlKeyStore(client),
      ...options.keyring,
      ...own,
    })
    return { client, plan: generated.plan, keyring }
  }
  if (on === undefined) open.push(() => db.drop())
  const config = await connect()
  if (options.init !== false) await init(config)
  const plain = config.client as any
  return {
    db,
    provider,
    config,
    keyring: config.keyring,
    plain,
    sealed: plain.$extends(
      rowseal({ plan: generated.plan, keyring: config.keyring, reencryption: false }),
    ),
    rootKey,
    dir: generated.dir,
    run: async (...statements) => {
      for (const statement of statements)
        // MySQL does not prepare every statement.
        if (provider === 'mysql') await db.exec(quoted(provider, statement))
        else await plain.$executeRawUnsafe(statement)
    },
    query: (sql) => plain.$queryRawUnsafe(quoted(provider, sql)),
    rotate: async () => {
      await rotate(config, { now: true })
    },
    another: connect,
  }
}

/** `drain` where no other instance is that could still seal under a former key. */
export function drain(
  config: MigratorConfig,
  options: RunDirectionOptions = {},
): Promise<DrainReport> {
  return library.drain(config, { now: true, ...options })
}

function quoted(provider: Provider, statement: string): string {
  return provider === 'mysql' ? statement.replaceAll('"', '`') : statement
}

/** Composite key, names that SQL reserves, and a field of every kind. */
export const clinic = (provider: Provider): string => `
model Patient {
  clinic Int    @map("group")
  number String @map("order")
  /// @encrypted
  email  String @map("select")
  /// @encrypted
  notes  Json?
  /// @encrypted(pad: 32)
  scan   Bytes?
  /// @encrypted(plaintext: allow)
  phone  String?
  ${provider === 'postgresql' ? '/// @encrypted\n  words String[]\n  /// @encrypted\n  docs Json[]\n  /// @encrypted\n  blobs Bytes[]' : ''}
  updatedAt DateTime @updatedAt
  @@id([clinic, number])
  @@map("table")
}
model Staff {
  id   Int @id
  name String
  /// @encrypted
  pin  String?
}
model Country {
  code String @id
}
`

/** Patients whose values tell which they are. */
export async function addPatients(
  { sealed, provider }: World,
  count: number,
  from = 0,
): Promise<void> {
  const data = Array.from({ length: count }, (_, i) => patient(provider, from + i))
  for (let at = 0; at < count; at += 1000)
    await sealed.patient.createMany({ data: data.slice(at, at + 1000) })
}

export function patient(provider: Provider, i: number): any {
  return {
    clinic: i % 7,
    number: `n'${i}`,
    email: `patient${i}@example.org`,
    notes: i % 5 === 0 ? undefined : { i, text: `note "${i}"`, list: [null, 1.5] },
    scan: i % 3 === 0 ? null : new Uint8Array([i & 255, (i >> 8) & 255, 0, 255]),
    phone: `+49 ${i}`,
    ...(provider === 'postgresql'
      ? {
          words: [`w${i}`, '', `"{},\\${i}`].slice(0, i % 4),
          docs: [{ i }, 'text', [1]].slice(0, i % 4),
          blobs: [new Uint8Array([i & 255]), new Uint8Array([])].slice(0, i % 3),
        }
      : {}),
  }
}

/** Everything that reads give, in the order of the key. */
export async function readAll({ sealed }: World): Promise<any[]> {
  return sealed.patient.findMany({ orderBy: [{ clinic: 'asc' }, { number: 'asc' }] })
}
