import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { generatedClient } from '@rowseal/test-support'
import { checksOf } from '../../src/pace/checks/checks.ts'
import type { Check } from '../../src/pace/checks/check.ts'
import { checkPace, type ThrottleOptions } from '../../src/pace/options.ts'
import { openPace } from '../../src/pace/pace.ts'
import { clinic, closeWorlds, PROVIDERS, world, type Provider, type World } from '../world.ts'

const NEVER = new AbortController().signal
const POLL = { timeout: 30_000, interval: 50 }

let w: World
const context = (client: any = w.config.client) => ({
  client,
  provider: w.provider,
  table: () => null,
  now: () => performance.now(),
})
/** The only check of some options. */
function checkOf(throttle: ThrottleOptions, client?: any): Check {
  const checked = { ...checkPace({}).throttle, ...throttle }
  return checksOf(context(client), checked)[0]!
}
const ask = (throttle: ThrottleOptions, client?: any): Promise<string | null> =>
  checkOf(throttle, client).run(NEVER)

async function withClient<R>(
  url: string,
  run: (client: any) => Promise<R>,
  connections = 5,
): Promise<R> {
  const { provider } = w
  const { PrismaClient } = await generatedClient({ provider, schema: clinic(provider) })
  const limited = new URL(url)
  limited.searchParams.set('connectionLimit', String(connections))
  const adapter =
    provider === 'mysql'
      ? new PrismaMariaDb(limited.href)
      : new PrismaPg({ connectionString: url, max: connections })
  const client = new PrismaClient({ adapter })
  return run(client).finally(() => client.$disconnect())
}

describe.each(PROVIDERS)('a health check by SQL, on %s', (provider) => {
  beforeAll(async () => {
    w = await world(provider, clinic(provider), { init: false })
    await w.run(`INSERT INTO "Staff" ("id", "name") VALUES (1, '')`)
  })
  afterAll(closeWorlds)

  it.each([
    ['SELECT 2 > 1', /is (true|1)$/],
    ['SELECT 0.5', /is 0.5$/],
    [`SELECT 'backup is running'`, /^backup is running$/],
    ['SELECT count(*) FROM "Staff"', /is 1$/],
  ])('pauses: %s', async (query, reason) => {
    expect(await ask({ query: quoted(provider, query) })).toMatch(reason)
  })

  it.each(['SELECT 1 > 2', 'SELECT 0.0', `SELECT ''`, 'SELECT count(*) FROM "Country"'])(
    'lets the run go on: %s',
    async (query) => {
      expect(await ask({ query: quoted(provider, query) })).toBeNull()
    },
  )

  it.each([
    ['SELECT max("id") FROM "Staff" WHERE 1 = 0', /^It gave NULL/],
    ['SELECT "id" FROM "Staff" WHERE 1 = 0', /^It gave 0 rows/],
    ['SELECT 1 UNION ALL SELECT 2', /^It gave 2 rows/],
    ['SELECT "id", "name" FROM "Staff"', /^It gave 2 columns/],
  ])('tells nothing: %s', async (query, message) => {
    await expect(ask({ query: quoted(provider, query) })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it('that the database refuses keeps a run from beginning, and pauses one', async () => {
    const { client } = w.config
    const throttle = { query: 'SELECT 1 FROM nothing_like_it' }
    const problem = 'The health check throttle.query (--throttle-query) failed: The database'
    await expect(openPace({ client, provider }, { throttle })).rejects.toMatchObject({
      code: 'ERR_DATABASE_FAILED',
      message: expect.stringContaining(problem),
    })
    const stop = new AbortController()
    const reasons: (string | undefined)[] = []
    const onWait = (wait: { reason: string } | null): void => {
      reasons.push(wait?.reason)
      if (wait !== null) stop.abort()
    }
    const pace = await openPace({ client, provider, onWait }, {})
    pace.change({ throttle })
    expect(await pace.ready(stop.signal)).toBe(false)
    expect(reasons).toEqual([expect.stringContaining(problem), undefined])
  })

  it.runIf(provider !== 'sqlite')(
    'is ended by the database, in a session that stays as it was',
    async () => {
      const bound =
        provider === 'mysql' ? '@@max_statement_time' : `current_setting('statement_timeout')`
      expect(await ask({ query: `SELECT ${bound}` })).toMatch(/5s?$/)
      const left = await Promise.all(
        Array.from({ length: 5 }, () => w.query(`SELECT ${bound} AS b`)),
      )
      expect(left.flat().map(({ b }) => Number(b))).toEqual([0, 0, 0, 0, 0])
    },
  )
})

describe.each(PROVIDERS.filter((provider) => provider !== 'sqlite'))('health of %s', (provider) => {
  beforeAll(async () => {
    w = await world(provider, clinic(provider), { init: false })
    await w.run(`INSERT INTO "Staff" ("id", "name") VALUES (1, '')`)
  })
  afterAll(closeWorlds)

  it('is that of sessions and transactions', async () => {
    const other = (await w.another()).client as any
    const update = quoted(provider, `UPDATE "Staff" SET "name" = "name" WHERE "id" = 1`)
    let hold = (): void => undefined
    const held = new Promise<void>((done) => (hold = done))
    let end = (): void => undefined
    const ended = new Promise<void>((done) => (end = done))
    const holding = other.$transaction(
      async (tx: any) => {
        await tx.$executeRawUnsafe(update)
        hold()
        await ended
      },
      { timeout: 60_000 },
    )
    await held
    const waiting = (async () => {
      await vi.waitFor(async () => {
        expect(await ask({ maxTransactionMs: 1 })).toMatch(/^a transaction is open for [\d.]+ m?s /)
      }, POLL)
      await other.$executeRawUnsafe(update)
    })()
    try {
      await vi.waitFor(async () => {
        expect(await ask({ maxActiveSessions: 0 })).toMatch(/^\d+ sessions are active \(limit 0\)$/)
      }, POLL)
      expect(await ask({ maxActiveSessions: 1_000 })).toBeNull()
      expect(await ask({ maxTransactionMs: 3_600_000 })).toBeNull()
    } finally {
      end()
      await Promise.all([holding, waiting])
    }
  })

  it('is not that of the check itself', async () => {
    if (provider === 'postgresql') expect(await ask({ maxTransactionMs: 1 })).toBeNull()
    // Of MySQL's sessions, others on the server may be at work just now.
    await vi.waitFor(async () => expect(await ask({ maxActiveSessions: 0 })).toBeNull(), POLL)
  })

  it('is not known to a user who may not see others, and the run does not begin', async () => {
    const name = `watcher_${randomUUID().slice(0, 8)}`
    const url = new URL(w.db.url)
    ;[url.username, url.password] = [name, name]
    const create = {
      postgresql: `CREATE ROLE ${name} LOGIN PASSWORD '${name}'`,
      mysql: `CREATE USER ${name}@'%' IDENTIFIED BY '${name}'`,
    }
    const grant = {
      postgresql: `GRANT pg_read_all_stats TO ${name}`,
      mysql: `GRANT PROCESS ON *.* TO ${name}@'%'`,
    }
    await w.run(
      create[provider],
      ...(provider === 'mysql'
        ? [`GRANT SELECT ON ${url.pathname.slice(1)}.* TO ${name}@'%'`]
        : []),
    )
    const open = (throttle: ThrottleOptions): Promise<unknown> =>
      withClient(url.href, (client) => openPace({ client, provider }, { throttle }))
    try {
      const [all, some] = [{ maxTransactionMs: 1_000 }, { maxActiveSessions: 5 }]
      const options =
        provider === 'mysql' ? [all] : [all, some, { vacuum: true }, { maxReplicationLagMs: 1_000 }]
      for (const throttle of options)
        await expect(open(throttle)).rejects.toMatchObject({
          code: 'ERR_CONFIG_INVALID',
          message: expect.stringContaining(`may not see`),
          fix: expect.stringContaining(
            provider === 'mysql' ? 'GRANT PROCESS' : 'GRANT pg_read_all_stats',
          ),
        })
      await w.run(grant[provider])
      await open({ ...all, ...some })
    } finally {
      await w.run(provider === 'mysql' ? `DROP USER ${name}@'%'` : `DROP ROLE ${name}`)
    }
  })

  it('takes one connection beside those of the run', async () => {
    await withClient(
      w.db.url,
      async (client) => {
        await client.$transaction(async (tx: any) => {
          await tx.$queryRawUnsafe('SELECT 1')
          const limits = { maxActiveSessions: 100_000, maxTransactionMs: 86_400_000 }
          const throttle = { ...limits, query: 'SELECT 0' }
          const pace = await openPace({ client, provider }, { throttle })
          expect(await pace.ready()).toBe(true)
        })
      },
      2,
    )
  })
})

function quoted(provider: Provider, sql: string): string {
  return provider === 'mysql' ? sql.replaceAll('"', '`') : sql
}
