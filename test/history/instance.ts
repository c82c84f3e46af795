import { setTimeout as sleep } from 'node:timers/promises'
import { openKeyring, rowseal, type Keyring, type KeyringOptions } from '@rowseal/prisma-extension'
import { awsKms } from '@rowseal/prisma-extension/providers/aws-kms'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import type { MigratorConfig } from '@rowseal/migrator'
import type { Provider, Release } from './schema.ts'

/** Where a process finds what it needs; it is told in `HISTORY_SPEC`. */
export interface Spec {
  readonly provider: Provider
  readonly url: string
  /** Folders of the generated clients and plans. */
  readonly clients: Readonly<Record<Release, string>>
  readonly kms: { readonly endpoint: string; readonly keyId: string; readonly region: string }
  /** Of the queue that hands parts of runs out; null where there is no Redis. */
  readonly queue: { readonly redis: string; readonly name: string } | null
  /** For the records. */
  readonly folder: string
  readonly records: number
}

export const specOf = (): Spec => JSON.parse(process.env['HISTORY_SPEC']!) as Spec

/** How keyrings are opened: instances follow quickly, and need the KMS often. */
export const KEYRING: Partial<KeyringOptions> = {
  refreshMs: 300,
  maxAgeMs: 1500,
  dekCache: { entries: 500, maxAgeMs: 3000 },
  kekCache: { maxAgeMs: 2000, maxStaleMs: 6000 },
  rootCalls: { timeoutMs: 1500, maxOutages: 3, pauseMs: 300 },
}

/** An instance of the application, or of the migrator. */
export interface Instance {
  readonly config: MigratorConfig
  readonly keyring: any
  readonly base: any
  readonly prisma: any
  readonly Prisma: any
}

export async function openInstance(
  spec: Spec,
  release: Release,
  options: Partial<KeyringOptions> = {},
): Promise<Instance> {
  const { PrismaClient, Prisma } = await import(`${spec.clients[release]}/client/client.ts`)
  const { plan } = await import(`${spec.clients[release]}/rowseal.ts`)
  const base = new PrismaClient({ adapter: await adapterOf(spec) })
  const { endpoint, keyId, region } = spec.kms
  const credentials = { accessKeyId: 'history', secretAccessKey: 'none' }
  const calls = { maxAttempts: 1, connectTimeoutMs: 500, requestTimeoutMs: 800, timeoutMs: 1200 }
  const root = awsKms({ keyId, endpoint, region, clientConfig: { credentials }, ...calls })
  const keyring = await openedAtLast({ root, store: sqlKeyStore(base), ...KEYRING, ...options })
  const prisma = base.$extends(rowseal({ plan, keyring }))
  return { config: { client: base, plan, keyring }, keyring, base, prisma, Prisma }
}

/** A process would be started again and again until the KMS and the database are there; this is the same, and sooner. */
async function openedAtLast(options: KeyringOptions): Promise<Keyring> {
  for (let tries = 1; ; tries++) {
    try {
      return await openKeyring(options)
    } catch (error) {
      if (tries === 40) throw error
      await sleep(250)
    }
  }
}

async function adapterOf({ provider, url }: Spec): Promise<any> {
  if (provider === 'mysql') {
    const { PrismaMariaDb } = await import('@prisma/adapter-mariadb')
    return new PrismaMariaDb(url)
  }
  const { PrismaPg } = await import('@prisma/adapter-pg')
  const limits = { max: 8, connectionTimeoutMillis: 3000 }
  return new PrismaPg({ connectionString: url, ...limits })
}
