import { database, generatedClient, isAvailable, type TestDatabase } from '@rowseal/test-support'
import { randomBytes } from 'node:crypto'
import { rowseal, type ReencryptionOptions } from '../../src/index.ts'
import {
  initIndexKeys,
  initKeyring,
  openKeyring,
  registerIndex,
  type Keyring,
  type KeyringOptions,
} from '../../src/keys/index.ts'
import type { KeyStore } from '../../src/keys/types.ts'
import type { Plan } from '../../src/plan/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'

export type Provider = TestDatabase['provider']
export const PROVIDERS = (['postgresql', 'sqlite', 'mysql'] as const).filter(isAvailable)

/** What Prisma does only on some databases. Tests of it are left out elsewhere. */
export const HAS = {
  postgresql: { lists: true, returningMany: true, skipDuplicates: true, joins: true },
  sqlite: { lists: false, returningMany: true, skipDuplicates: false, joins: false },
  mysql: { lists: false, returningMany: false, skipDuplicates: true, joins: false },
} as const satisfies Record<Provider, Record<string, boolean>>

/** A statement with its names in double quotes, as this kind of database writes them. */
export function sql(provider: Provider, statement: string): string {
  return provider === 'mysql' ? statement.replaceAll('"', '`') : statement
}

/** A database of its own, with a client that seals. */
export interface SealedDatabase {
  readonly db: TestDatabase
  readonly provider: Provider
  /** The un-extended client. */
  readonly base: any
  /** The extended client. */
  readonly prisma: any
  readonly Prisma: any
  readonly plan: any
  /** The keyring `default`. */
  readonly keyring: Keyring
  /** By name. */
  readonly keyrings: Readonly<Record<string, Keyring>>
  readonly store: KeyStore
  readonly PrismaClient: any
  /** One stored row, as the database has it. */
  raw(table: string, where: string): Promise<Record<string, unknown>>
  close(): Promise<void>
}

export interface PlainDatabase {
  readonly prisma: any
  close(): Promise<void>
}

export interface SealedOptions {
  readonly reencryption?: ReencryptionOptions | false
  /** For `new PrismaClient`. */
  readonly client?: Record<string, unknown>
  readonly store?: (base: any) => KeyStore
  /** How keyrings are opened. */
  readonly keyring?: Partial<KeyringOptions>
  /** Names of further keyrings. */
  readonly keyrings?: readonly string[]
  /** Preview features of Prisma. */
  readonly previews?: readonly string[]
  /** Database schemas of `@@schema`. */
  readonly schemas?: readonly string[]
  /** Driver adapter of the client; the database's own if left out. */
  readonly adapter?: (db: TestDatabase) => unknown
  /** Extends the client first: before Rowseal does, or on the plain twin. */
  readonly before?: (base: any) => any
}

export async function openSealed(
  provider: Provider,
  schema: string,
  options: SealedOptions = {},
): Promise<SealedDatabase> {
  const { base, db, Prisma, PrismaClient, plan } = await connect(provider, schema, options)
  const store = options.store?.(base) ?? memoryKeyStore()
  process.env['ROWSEAL_TEST_ROOT_KEY'] ??= randomBytes(32).toString('base64')
  const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
  const keyrings: Record<string, Keyring> = {}
  for (const name of ['default', ...(options.keyrings ?? [])]) {
    keyrings[name] = await openKeyring({ root, store, name, ...options.keyring })
    await initKeyring(keyrings[name])
  }
  await registerIndexes(plan, keyrings)
  const all = Object.values(keyrings)
  const prisma = (options.before?.(base) ?? base).$extends(
    rowseal({
      plan,
      keyring: all.length === 1 ? all[0]! : all,
      ...(options.reencryption === undefined ? {} : { reencryption: options.reencryption }),
    }),
  )
  return {
    db,
    provider,
    base,
    prisma,
    Prisma,
    plan,
    keyring: keyrings['default']!,
    keyrings,
    store,
    PrismaClient,
    raw: async (table, where) => {
      const rows = await base.$queryRawUnsafe(
        sql(provider, `SELECT * FROM "${table}" WHERE ${where}`),
      )
      return rows[0]
    },
    close: async () => {
      await prisma.$rowseal.flush()
      await base.$disconnect()
      await db.drop()
    },
  }
}

/** What `rowseal init` does on empty tables. */
export async function registerIndexes(
  plan: Plan,
  keyrings: Readonly<Record<string, Keyring>>,
): Promise<void> {
  for (const model of Object.values(plan.models)) {
    for (const { field, id, normalize, slot, unique } of Object.values(model.indexes)) {
      if (slot === 2) continue
      const keyring = keyrings[model.sealed[field]!.keyring]!
      await initIndexKeys(keyring)
      await registerIndex(keyring, { id, normalize, isUnique: unique, complete: true })
    }
  }
}

/** The same client without Rowseal on a database of its own, under a hook that does nothing. */
export async function openPlain(
  provider: Provider,
  schema: string,
  options: Connection = {},
): Promise<PlainDatabase> {
  const { base, db } = await connect(provider, schema, options)
  const prisma = (options.before?.(base) ?? base).$extends({
    query: { $allModels: { $allOperations: ({ args, query }: any) => query(args) } },
  })
  return {
    prisma,
    close: async () => {
      await base.$disconnect()
      await db.drop()
    },
  }
}

type Connection = Pick<SealedOptions, 'client' | 'adapter' | 'schemas' | 'previews' | 'before'>

/** A client without extensions on a database of its own. */
export async function connect(
  provider: Provider,
  schema: string,
  options: Connection = {},
): Promise<{ base: any; db: TestDatabase; Prisma: any; PrismaClient: any; plan: any }> {
  const db = await database(provider)
  const { PrismaClient, Prisma, plan, ddl } = await generatedClient({
    provider,
    schema,
    ...(options.schemas && { schemas: options.schemas }),
    ...(options.previews && { generator: withPreviews(options.previews) }),
  })
  await db.exec(ddl)
  const base = new PrismaClient({
    adapter: options.adapter?.(db) ?? db.adapter(),
    ...options.client,
  })
  return { base, db, Prisma, PrismaClient, plan }
}

/** The block of the generator ends with its provider's name: more follows that, and a comment takes the last quote. */
function withPreviews(previews: readonly string[]): 'prisma-client' {
  return `prisma-client"\n  previewFeatures = ${JSON.stringify(previews)} //` as 'prisma-client'
}
