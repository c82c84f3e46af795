import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  generatedClient,
  hasMariadb,
  startMariadb,
  startPostgres,
  type CrashingServer,
} from '@rowseal/test-support'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { SCHEMA } from './places.ts'

const SERVERS: readonly [
  'postgresql' | 'mysql',
  () => Promise<CrashingServer>,
  (url: string) => unknown,
][] = [
  ['postgresql', startPostgres, (connectionString) => new PrismaPg({ connectionString })],
  ['mysql', startMariadb, (url) => new PrismaMariaDb(`${url}?acquireTimeout=500`)],
]

test.each(SERVERS.filter(([provider]) => provider !== 'mysql' || hasMariadb()))(
  'whatever the key store says while %s crashes and starts may be tried again',
  async (provider, start, adapterOf) => {
    const server = await start()
    const { PrismaClient } = await generatedClient({ provider, schema: SCHEMA })
    const client = new PrismaClient({ adapter: adapterOf(server.url) })
    const store = sqlKeyStore(client)
    await store.init()
    const said: [string, boolean][] = []
    let isUp = false
    const reading = Array.from({ length: 4 }, async () => {
      while (!isUp) {
        const error = await store.read('default').then(
          () => null,
          (reason: unknown) => reason as { message: string; retryable: boolean },
        )
        if (error !== null) said.push([error.message, error.retryable])
        await sleep(1)
      }
    })
    await server.crash()
    isUp = true
    await Promise.all(reading)
    await client.$disconnect()
    await server.stop()
    expect(said.length).toBeGreaterThan(0)
    expect(said.filter(([, retryable]) => !retryable)).toEqual([])
  },
)
