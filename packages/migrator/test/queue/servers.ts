import { database, isAvailable, startRedis, type RedisServer } from '@rowseal/test-support'
import { Redis } from 'ioredis'
import { bullmqQueue, type BullmqOptions } from '../../src/queue/bullmq.ts'
import type { Queue } from '../../src/queue/queue.ts'

export type Backend = 'redis' | 'postgresql'

export const BACKENDS: readonly Backend[] = ['redis', 'postgresql'].filter(
  (backend) => process.env[`ROWSEAL_TEST_${backend === 'redis' ? 'REDIS' : 'POSTGRES'}_URL`],
) as Backend[]

/** A queue of a test's own, on a real server. */
export interface QueueServer {
  readonly backend: Backend
  readonly url: string
  readonly options: BullmqOptions
  readonly queue: Queue
  /** All that BullMQ keeps is lost. */
  flush(): Promise<void>
  /** Everything that is in it, as text. */
  content(): Promise<string>
  stop(): Promise<void>
  /** Let it be away, until the promise that is given has come true. */
  away?(until: () => Promise<unknown>): Promise<void>
}

export function startQueue(backend: Backend): Promise<QueueServer> {
  return backend === 'redis' ? onRedis() : onPostgresql()
}

async function onRedis(): Promise<QueueServer> {
  const server: RedisServer = await startRedis()
  const client = new Redis(server.url)
  client.on('error', () => undefined)
  const options = { redis: server.url }
  return {
    backend: 'redis',
    url: server.url,
    options,
    queue: bullmqQueue(options),
    flush: async () => {
      await client.flushall()
    },
    content: async () => {
      const found: unknown[] = []
      for (const key of await client.keys('*'))
        found.push(key, (await client.type(key)) === 'hash' ? await client.hgetall(key) : null)
      return JSON.stringify(found)
    },
    away: async (until) => {
      await server.kill()
      await until()
      await server.start()
    },
    stop: async () => {
      client.disconnect()
      await server.stop()
    },
  }
}

async function onPostgresql(): Promise<QueueServer> {
  if (!isAvailable('postgresql')) throw new Error('There is no PostgreSQL.')
  const db = await database('postgresql')
  const options = { postgresql: db.url }
  return {
    backend: 'postgresql',
    url: db.url,
    options,
    queue: bullmqQueue(options),
    flush: () => db.exec('TRUNCATE bullmq.job CASCADE'),
    content: async () => {
      const connection = await db.adapter().connect()
      const sql = 'SELECT j::text FROM bullmq.job j'
      const { rows } = await connection.queryRaw({ sql, args: [], argTypes: [] })
      await connection.dispose()
      return JSON.stringify(rows)
    },
    stop: () => db.drop(),
  }
}
