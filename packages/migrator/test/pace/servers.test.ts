import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { generatedClient, startPostgres, startStandby, type Server } from '@rowseal/test-support'
import { checksOf } from '../../src/pace/checks/checks.ts'
import { checkPace, type ThrottleOptions } from '../../src/pace/options.ts'
import { openPace } from '../../src/pace/pace.ts'
import { clinic } from '../world.ts'

const NEVER = new AbortController().signal
const POLL = { timeout: 60_000, interval: 100 }
// An autovacuum that begins soon; transactions that wait for a second commit.
const FLAGS = [
  'autovacuum_naptime=1s',
  'max_prepared_transactions=2',
  'wal_receiver_status_interval=1s',
].flatMap((setting) => ['-c', setting])

let primary: Server
let client: any
let PrismaClient: any
const connect = (url: string): any =>
  new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
/** SQL that can be prepared. */
const run = (sql: string): Promise<number> => client.$executeRawUnsafe(sql)

beforeAll(async () => {
  const generated = generatedClient({ provider: 'postgresql', schema: clinic('postgresql') })
  ;({ PrismaClient } = await generated)
  primary = await startPostgres(FLAGS)
  client = connect(primary.url)
})
afterAll(async () => {
  await client.$disconnect()
  await primary.stop()
})

/** Ask the only check of some options, the same one each time. */
function asker(
  throttle: ThrottleOptions,
  table: string | null = null,
): () => Promise<string | null> {
  const now = (): number => performance.now()
  const context = { client, provider: 'postgresql' as const, table: () => table, now }
  const [check] = checksOf(context, { ...checkPace({}).throttle, ...throttle })
  return () => check!.run(NEVER)
}

describe('health of a PostgreSQL server of its own', () => {
  it('is that of a vacuum on the table in hand, and on no other', async () => {
    // A hundred pages and more, with a tenth of a second for each.
    await run(`CREATE TABLE "Slow" (id int PRIMARY KEY, text text) WITH (
      autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
      autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)`)
    await run('CREATE TABLE "Other" (id int PRIMARY KEY)')
    await run(`INSERT INTO "Slow" SELECT i, repeat('x', 500) FROM generate_series(1, 2000) AS i`)
    await run('DELETE FROM "Slow" WHERE id % 2 = 0')
    const [slow, other] = [asker({ vacuum: true }, '"Slow"'), asker({ vacuum: true }, '"Other"')]
    await vi.waitFor(async () => {
      expect(await slow()).toMatch(/^"Slow" is being vacuumed \([a-z ]+\)$/)
    }, POLL)
    expect(await other()).toBeNull()
    expect(await asker({ vacuum: true })()).toBeNull()
    // Whoever alters a table ends its autovacuum.
    await run('ALTER TABLE "Slow" SET (autovacuum_enabled = false)')
    await vi.waitFor(async () => expect(await slow()).toBeNull(), POLL)
  })

  it('is that of a prepared transaction', async () => {
    const ask = asker({ maxTransactionMs: 1 })
    expect(await ask()).toBeNull()
    await client.$transaction(async (tx: any) => {
      await tx.$executeRawUnsafe('CREATE TABLE prepared (id int)')
      await tx.$executeRawUnsafe(`PREPARE TRANSACTION 'left'`)
    })
    await vi.waitFor(async () => expect(await ask()).toMatch(/^a transaction is open for /), POLL)
    await run(`ROLLBACK PREPARED 'left'`)
    expect(await ask()).toBeNull()
  })

  it('is that of its replicas: how far they are behind, and whether they are there', async () => {
    const throttle = { maxReplicationLagMs: 1_000 }
    await expect(openPace({ client, provider: 'postgresql' }, { throttle })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringContaining('This database has no replica'),
    })
    await run('CREATE TABLE written (id int)')
    const standby = await startStandby(primary, FLAGS)
    const replica = connect(standby.url)
    try {
      const ask = asker(throttle)
      await vi.waitFor(async () => expect(await ask()).toBeNull(), POLL)
      await replica.$executeRawUnsafe('SELECT pg_wal_replay_pause()')
      await vi.waitFor(async () => {
        await run('INSERT INTO written VALUES (1)')
        expect(await ask()).toMatch(
          /^replica standby 127\.0\.0\.1 is [\d.]+ s behind \(limit 1\.0 s\)$/,
        )
      }, POLL)
      await replica.$executeRawUnsafe('SELECT pg_wal_replay_resume()')
      await vi.waitFor(async () => expect(await ask()).toBeNull(), POLL)
      await replica.$disconnect()
      await standby.stop()
      await vi.waitFor(async () => {
        expect(await ask()).toBe('replica standby 127.0.0.1 is not connected')
      }, POLL)
    } finally {
      await replica.$disconnect()
      await standby.stop()
    }
  })
})
