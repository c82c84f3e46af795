import { Redis, type RedisOptions } from 'ioredis'
import { randomUUID } from 'node:crypto'

/** The server of the tests, or null, said once; a failure under ROWSEAL_REQUIRE_SERVICES. */
export function redisUrl(): string | null {
  const url = process.env['ROWSEAL_TEST_REDIS_URL']
  if (url !== undefined) return url
  const line = 'SKIPPING the tests of the Redis key store: no server'
  if (process.env['ROWSEAL_REQUIRE_SERVICES'] === '1') throw new Error(line)
  console.warn(line)
  return null
}

export interface RedisPlace {
  readonly url: string
  /** Name of a hash that nobody else uses. */
  readonly prefix: string
  client(options?: RedisOptions): Redis
  close(): Promise<void>
}

/** A place of its own on a server, and clients for it. */
export function redisPlace(url: string): RedisPlace {
  const prefix = `rowseal:${randomUUID()}`
  const clients: Redis[] = []
  return {
    url,
    prefix,
    client: (options = {}) => {
      const client = new Redis(url, options as object) // its types do not know exactOptionalPropertyTypes
      client.on('error', () => undefined) // else each is printed
      clients.push(client)
      return client
    },
    close: async () => {
      await clients[0]?.del(prefix).catch(() => undefined)
      for (const client of clients) client.disconnect()
    },
  }
}
