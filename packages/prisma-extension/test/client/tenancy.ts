import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { TestDatabase } from '@rowseal/test-support'
import { openKeyrings, rowseal, tenantKeyring, type KeyringsOptions } from '../../src/index.ts'
import type { Keyring, Keyrings } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import type { KeyStore, RootKey } from '../../src/keys/types.ts'
import { connect, sql, type Provider } from './databases.ts'

/** A model that tells tenants apart, one with values of theirs, one under a keyring of its own. */
export const TENANCY = `
model Clinic {
  id       Int       @id
  slug     String    @unique
  patients Patient[]
}
model Patient {
  id         Int     @id
  clinicId   Int?
  clinic     Clinic? @relation(fields: [clinicId], references: [id])
  name       String  @default("n")
  /// @encrypted
  email      String?
  /// @blindIndex(email, normalize: [lowercase])
  emailIndex String? @unique
  /// @encrypted
  city       String?
  /// @blindIndex(city)
  cityIndex  String?
  /// @encrypted(keyring: "audit")
  note       String?
  @@index([cityIndex])
}
`

export interface Tenancy {
  readonly db: TestDatabase
  readonly base: any
  readonly prisma: any
  readonly plan: any
  readonly store: KeyStore
  readonly root: RootKey
  readonly keyrings: Keyrings
  /** Calls of `tenant`. */
  calls: number
  /** Run something as a tenant. */
  as<T>(tenant: string | undefined, work: () => PromiseLike<T>): Promise<T>
  /** Another process: a pool of its own on the same store. */
  another(options?: Partial<KeyringsOptions>): { keyrings: Keyrings; prisma: any }
  /** Over all tenants, as administrators' tools. */
  readonly every: any
  raw(id: number): Promise<any>
  close(): Promise<void>
}

interface Options {
  readonly tenants?: readonly string[]
  readonly keyrings?: Partial<KeyringsOptions>
  readonly root?: KeyringsOptions['root']
}

export async function openTenancy(provider: Provider, options: Options = {}): Promise<Tenancy> {
  const { base, db, plan } = await connect(provider, TENANCY)
  const store = sqlKeyStore(base)
  const root = localRootKey({ key: randomBytes(32) })
  const current = new AsyncLocalStorage<string | undefined>()
  const clients: any[] = []
  const another: Tenancy['another'] = (more = {}) => {
    const keyrings = openKeyrings({
      root: options.root ?? root,
      store,
      ...options.keyrings,
      ...more,
    })
    const tenant = (): string | undefined => {
      world.calls++
      return current.getStore()
    }
    const prisma = base.$extends(rowseal({ plan, keyring: keyrings, tenant }))
    clients.push(prisma)
    return { keyrings, prisma }
  }
  const world = {
    db,
    base,
    plan,
    store,
    root,
    calls: 0,
    as: <T>(tenant: string | undefined, work: () => PromiseLike<T>) =>
      current.run(tenant, async () => work()),
    another,
    get every() {
      return base.$extends(rowseal({ plan, keyring: another().keyrings }))
    },
    raw: async (id: number) => {
      const rows = await base.$queryRawUnsafe(
        sql(provider, `SELECT * FROM "Patient" WHERE id = ${id}`),
      )
      return rows[0]
    },
    close: async () => {
      for (const prisma of clients) await prisma.$rowseal.flush()
      await base.$disconnect()
      await db.drop()
    },
  } as Tenancy
  Object.assign(world, another())
  await world.keyrings.create('audit', plan)
  for (const tenant of options.tenants ?? ['acme', 'globex'])
    await world.keyrings.create(tenantKeyring(tenant), plan)
  return world
}

/** Key id of a text envelope or index value. */
export const keyIdOf = (stored: unknown): number => parseInt(String(stored).slice(4, 12), 16)

export async function keyringIds(keyring: Keyring): Promise<number[]> {
  await keyring.refresh()
  return keyring.keys().map(({ keyId }) => keyId)
}
