import { database, generatedClient, type TestDatabase } from '@rowseal/test-support'
import { randomBytes } from 'node:crypto'
import { rowseal, type ReencryptionOptions } from '../../src/index.ts'
import { initKeyring, openKeyring, type Keyring } from '../../src/keys/index.ts'
import type { KeyStore } from '../../src/keys/types.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'

export type Provider = 'postgresql' | 'sqlite'
export const PROVIDERS: readonly Provider[] = ['postgresql', 'sqlite']

/** Every kind of sealed field, every kind of relation, a compound key, and a model with nothing sealed. */
const schema = (provider: Provider): string => `
model Clinic {
  id       Int       @id
  name     String    @unique
  /// @encrypted
  licence  String    @default("none")
  patients Patient[]
  staff    Staff[]
}
model Patient {
  id        String    @id @default(uuid())
  name      String
  /// @encrypted
  email     String
  /// @encrypted(pad: 32)
  phone     String?
  /// @encrypted
  notes     Json?
  /// @encrypted
  scan      Bytes?
  age       Int       @default(0)
  clinicId  Int?
  clinic    Clinic?   @relation(fields: [clinicId], references: [id])
  visits    Visit[]
  carers    Staff[]
  profile   Profile?
  updatedAt DateTime  @updatedAt
}
model Profile {
  id        Int     @id
  /// @encrypted
  bio       String
  /// @encrypted
  data      Json?
  patientId String? @unique
  patient   Patient? @relation(fields: [patientId], references: [id])
}
model Visit {
  day       Int
  room      String
  /// @encrypted
  finding   String
  patientId String?
  patient   Patient? @relation(fields: [patientId], references: [id])
  staffId   Int?
  staff     Staff?   @relation(fields: [staffId], references: [id])
  @@id([day, room])
}
model Staff {
  id      Int      @id
  badge   String   @unique
  /// @encrypted
  pin     String?
  clinicId Int?
  clinic  Clinic?  @relation(fields: [clinicId], references: [id])
  visits  Visit[]
  patients Patient[]
}
model Country {
  code String @id
  name String
}
${
  provider === 'sqlite'
    ? ''
    : `
model Lists {
  id    Int      @id
  /// @encrypted
  words String[]
  /// @encrypted
  docs  Json[]
  /// @encrypted
  blobs Bytes[]
}`
}`

export interface TestClinic {
  readonly db: TestDatabase
  readonly provider: Provider
  /** The un-extended client. */
  readonly base: any
  /** The extended client. */
  readonly prisma: any
  readonly Prisma: any
  readonly plan: any
  readonly keyring: Keyring
  readonly store: KeyStore
  readonly PrismaClient: any
  /** One stored row, as the database has it. */
  raw(table: string, where: string): Promise<Record<string, unknown>>
  close(): Promise<void>
}

export interface ClinicOptions {
  readonly reencryption?: ReencryptionOptions | false
  readonly client?: Record<string, unknown>
  readonly store?: (base: any) => KeyStore
}

export async function openClinic(
  provider: Provider,
  options: ClinicOptions = {},
): Promise<TestClinic> {
  const db = await database(provider)
  const { PrismaClient, Prisma, plan, ddl } = await generatedClient({
    provider,
    schema: schema(provider),
  })
  await db.exec(ddl)
  const base = new PrismaClient({ adapter: db.adapter(), ...options.client })
  const store = options.store?.(base) ?? memoryKeyStore()
  process.env['ROWSEAL_TEST_ROOT_KEY'] ??= randomBytes(32).toString('base64')
  const keyring = await openKeyring({ root: localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' }), store })
  await initKeyring(keyring)
  const prisma = base.$extends(
    rowseal({
      plan,
      keyring,
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
    keyring,
    store,
    PrismaClient,
    raw: async (table, where) => {
      const rows = await base.$queryRawUnsafe(`SELECT * FROM "${table}" WHERE ${where}`)
      return rows[0]
    },
    close: async () => {
      await prisma.$rowseal.flush()
      await base.$disconnect()
      await db.drop()
    },
  }
}

/** The same client without Rowseal on a database of its own, under a hook that does nothing. */
export async function openPlainTwin(
  provider: Provider,
): Promise<{ prisma: any; close(): Promise<void> }> {
  const db = await database(provider)
  const { PrismaClient, ddl } = await generatedClient({ provider, schema: schema(provider) })
  await db.exec(ddl)
  const base = new PrismaClient({ adapter: db.adapter() })
  const prisma = base.$extends({
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
