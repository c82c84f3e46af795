import type { MigratorConfig } from '@rowseal/migrator'
import { openKeyring, rowseal, type KeyringOptions } from '@rowseal/prisma-extension'
import { awsKms } from '@rowseal/prisma-extension/providers/aws-kms'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'

export type Provider = 'postgresql' | 'mysql'

/** What the process under test is told, in `SOAK_SPEC`. */
export interface Spec {
  readonly provider: Provider
  readonly url: string
  /** Folder of the generated client and plan. */
  readonly client: string
  readonly kms: { readonly endpoint: string; readonly keyId: string; readonly region: string }
  readonly minutes: number
  readonly seed: number
  /** Operations that begin in a second. */
  readonly rate: number
  /** Takes a line of JSON for each sample, and one for the end. */
  readonly file: string
}

/** The instance under test: extended client and migrator in one process. */
export interface Instance {
  readonly config: MigratorConfig
  readonly base: any
  readonly prisma: any
  readonly Prisma: any
}

/** Of its pool. */
export const CONNECTIONS = 8
/** Small enough that caches are full and turn over while it warms up. */
const KEYRING: Partial<KeyringOptions> = {
  refreshMs: 1000,
  maxAgeMs: 3000,
  dekCache: { entries: 2000, maxAgeMs: 60_000 },
  kekCache: { maxAgeMs: 60_000, maxStaleMs: 120_000 },
}

export async function openInstance(spec: Spec): Promise<Instance> {
  const { PrismaClient, Prisma } = await import(`${spec.client}/client/client.ts`)
  const { plan } = await import(`${spec.client}/rowseal.ts`)
  const base = new PrismaClient({ adapter: await adapterOf(spec) })
  const credentials = { accessKeyId: 'soak', secretAccessKey: 'none' }
  const root = awsKms({ ...spec.kms, clientConfig: { credentials } })
  const keyring = await openKeyring({ root, store: sqlKeyStore(base), ...KEYRING })
  const prisma = base.$extends(rowseal({ plan, keyring }))
  return { config: { client: base, plan, keyring }, base, prisma, Prisma }
}

/** Pools keep what they have opened, so that their number says something. */
async function adapterOf({ provider, url }: Spec): Promise<any> {
  if (provider === 'mysql') {
    const { PrismaMariaDb } = await import('@prisma/adapter-mariadb')
    const address = new URL(url)
    for (const option of ['connectionLimit', 'minimumIdle'])
      address.searchParams.set(option, String(CONNECTIONS))
    return new PrismaMariaDb(address.href)
  }
  const { PrismaPg } = await import('@prisma/adapter-pg')
  return new PrismaPg({ connectionString: url, max: CONNECTIONS, idleTimeoutMillis: 0 })
}
