import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import { generatedClient, temporaryFolder } from '@rowseal/test-support'
import { Redis } from 'ioredis'
import { join } from 'node:path'
import { fileKeyStore } from '../../src/keys/stores/file.ts'
import { redisKeyStore } from '../../src/keys/stores/redis.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import type { KeyStore } from '../../src/keys/types.ts'
import { place, providers, SCHEMA, type Provider } from './places.ts'
import { redisPlace, redisUrl } from './stores/redis-place.ts'

// Every store that processes can share, where it is told by two texts: so that a child process opens the same.

export type HomeKind = Provider | 'redis' | 'file'

export interface Home {
  readonly kind: HomeKind
  /** What `openHome` takes. */
  readonly at: string
  readonly store: KeyStore
  drop(): Promise<void>
}

export async function homeKinds(): Promise<readonly HomeKind[]> {
  const redis = redisUrl() === null ? [] : (['redis'] as const)
  return [...(await providers()), ...redis, 'file']
}

/** A new store of that kind. */
export async function home(kind: HomeKind): Promise<Home> {
  if (kind === 'file') {
    const folder = temporaryFolder('home')
    const at = join(folder.path, 'keys', 'store.json')

    const drop = async (): Promise<void> => folder.remove()
    return { kind, at, store: fileKeyStore(at), drop }
  }
  if (kind === 'redis') {
    const { url, prefix, client, close } = redisPlace(redisUrl()!)
    const store = redisKeyStore(client(), { prefix })
    return { kind, at: JSON.stringify({ url, prefix }), store, drop: close }
  }
  const made = await place(kind)
  return { kind, at: made.url, store: sqlKeyStore(made.client()), drop: () => made.drop() }
}

/** The store as another process opens it. */
export async function openHome(
  kind: HomeKind,
  at: string,
): Promise<{ store: KeyStore; close(): Promise<void> }> {
  if (kind === 'file') return { store: fileKeyStore(at), close: () => Promise.resolve() }
  if (kind === 'redis') {
    const { url, prefix } = JSON.parse(at) as { url: string; prefix: string }
    const redis = new Redis(url)
    return {
      store: redisKeyStore(redis, { prefix }),

      close: async () => redis.disconnect(),
    }
  }
  const adapter = {
    sqlite: () => new PrismaLibSql({ url: at, timeout: 5000 }),
    postgresql: () => new PrismaPg({ connectionString: at }),
    mysql: () => new PrismaMariaDb(at),
  }[kind]()
  const { PrismaClient } = await generatedClient({ provider: kind, schema: SCHEMA, plan: false })
  const client = new PrismaClient({ adapter })
  return { store: sqlKeyStore(client), close: () => client.$disconnect() }
}
