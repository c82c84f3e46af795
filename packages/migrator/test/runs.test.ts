import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { status, verify, type MigratorConfig } from '../src/index.ts'
import { HEARTBEAT_LAPSE_MS } from '../src/runs/errors.ts'
import { newOwner } from '../src/runs/owner.ts'
import { beforeTransaction } from './intercept.ts'
import { atEachStep } from './kills/steps.ts'
import {
  drain,
  addPatients,
  clinic,
  closeWorlds,
  PROVIDERS,
  readAll,
  world,
  type Provider,
  type World,
} from './world.ts'

afterEach(closeWorlds)

async function staleWorld(provider: (typeof PROVIDERS)[number], patients = 60): Promise<World> {
  const w = await world(provider, clinic(provider))
  await addPatients(w, patients)
  await w.rotate()
  return w
}

const run = (w: World): Promise<any[]> =>
  w.query(
    `SELECT r.state AS state, r.reason AS reason, p.owner AS owner, p.progress AS progress, p.checkpoint AS checkpoint FROM rowseal_runs r JOIN rowseal_parts p ON p.model = r.model WHERE r.model = 'Patient'`,
  )

const NOW: Readonly<Record<Provider, string>> = {
  postgresql: '(extract(epoch FROM now()) * 1000)::bigint',
  sqlite: `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
  mysql: 'CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)',
}

/** As another process would leave it. */
async function claimedBy(w: World, owner: string, silentMs = 0): Promise<void> {
  const now = NOW[w.provider]
  await w.run(
    `INSERT INTO rowseal_runs (model, kind, format, run, direction, layout, plan, state, began_at_ms, changed_at_ms)
VALUES ('Patient', 'write', 2, 3, 'drain', 'whole', '${w.config.plan.digest}', 'running', ${now} - 60000, ${now} - 60000)`,
    `INSERT INTO rowseal_parts (model, kind, part, run, epoch, owner, heartbeat_at_ms, progress)
VALUES ('Patient', 'write', 0, 3, 7, '${owner}', ${now} - ${silentMs}, 'open')`,
  )
}

/** A database that itself gives the run to somebody else, when the first batch is committed. */
const THIEF: Readonly<Record<Provider, readonly string[]>> = {
  postgresql: [
    `CREATE FUNCTION thief() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF new.checkpoint LIKE ''%"rows":20,%'' THEN new.epoch := new.epoch + 1; new.owner := ''thief''; END IF; RETURN new; END'`,
    'CREATE TRIGGER thief BEFORE UPDATE ON rowseal_parts FOR EACH ROW EXECUTE FUNCTION thief()',
  ],
  sqlite: [
    `CREATE TRIGGER thief AFTER UPDATE OF checkpoint ON rowseal_parts WHEN new.checkpoint LIKE '%"rows":20,%' BEGIN UPDATE rowseal_parts SET epoch = epoch + 1, owner = 'thief' WHERE model = new.model; END`,
  ],
  // A double quote would be taken for that of a name.
  mysql: [
    `CREATE TRIGGER thief BEFORE UPDATE ON rowseal_parts FOR EACH ROW SET
      new.epoch = new.epoch + COALESCE(new.checkpoint LIKE '%_rows_:20,%', 0),
      new.owner = IF(new.checkpoint LIKE '%_rows_:20,%', 'thief', new.owner)`,
  ],
}

describe.each(PROVIDERS)('runs on %s', (provider) => {
  it('refuses a second run on the same model, and says whose the first is', async () => {
    const w = await staleWorld(provider)
    const other = await w.another()
    let second = null as Promise<unknown> | null
    // The first one is at its model until the second has been refused.
    const client = atEachStep(w.config.client, async ({ kind }) => {
      if (kind === 'before BEGIN') await second
    })
    const first = await drain(
      { ...w.config, client },
      {
        batchRows: 20,
        onEvent: (event) => {
          if (event.type === 'model' && event.model === 'Patient')
            second = drain(other).catch((error: unknown) => error)
        },
      },
    )
    expect(first).toMatchObject({ outcome: 'done', rows: 60 })
    const error = (await second) as { code: string; message: string }
    expect(error.code).toBe('ERR_RUN_STATE')
    expect(error.message).toContain(`${hostname()}:${process.pid}:`)
    expect(error.message).toMatch(/since 20\d\d-/)
  })

  it('of two that claim at the same moment exactly one wins', async () => {
    const w = await staleWorld(provider)
    const configs = [w.config, await w.another()]
    const results = await Promise.allSettled(
      configs.map((config) => drain(config, { models: ['Patient'] })),
    )
    const lost = results.filter((result) => result.status === 'rejected')
    // The second may also come so late that the first has ended.
    expect(lost.length).toBeLessThanOrEqual(1)
    for (const { reason } of lost) expect(reason.code).toMatch(/ERR_RUN_STATE|ERR_DATABASE_BUSY/)
    expect((await status(w.config)).stale).toBe(0)
  })

  it('refuses while a run of another host may be alive', async () => {
    const w = await staleWorld(provider, 1)
    await claimedBy(w, 'another-host:1:abcdef')
    await expect(drain(w.config)).rejects.toMatchObject({ code: 'ERR_RUN_STATE' })
    expect((await status(w.config)).runs).toMatchObject([
      { state: 'running', workers: ['another-host:1:abcdef'] },
    ])
  })

  it('takes over a run whose heartbeat has lapsed', async () => {
    const w = await staleWorld(provider, 1)
    await claimedBy(w, 'another-host:1:abcdef', HEARTBEAT_LAPSE_MS + 1000)
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 1 })
    expect(await run(w)).toMatchObject([{ state: 'succeeded', owner: null, progress: 'closed' }])
  })

  it('takes over the run of a dead process of this host at once', async () => {
    const w = await staleWorld(provider, 1)
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    await claimedBy(w, newOwner().replace(`:${process.pid}:`, `:${pid}:`))
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 1 })
  })

  it('refuses while a run of another container with the same host name may be alive', async () => {
    const w = await staleWorld(provider, 1)
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    await claimedBy(w, `${hostname()}:${pid}:0123456789abcdef`)
    await expect(drain(w.config)).rejects.toMatchObject({ code: 'ERR_RUN_STATE' })
  })

  it('rolls back the batch in hand of a run that was taken over meanwhile', async () => {
    const w = await staleWorld(provider)
    await w.run(...THIEF[provider])
    const error = await drain(w.config, { batchRows: 20, models: ['Patient'] }).catch(
      (e: unknown) => e,
    )
    expect(error).toMatchObject({ code: 'ERR_RUN_STATE' })
    expect((error as Error).message).toContain('taken over')
    const left = await w.query(
      `SELECT count(*) AS n FROM "table" WHERE "select" LIKE 'rs1.00000001.%'`,
    )
    expect(Number(left[0].n)).toBe(40)
    expect(await run(w)).toMatchObject([{ owner: 'thief' }])
  })

  it('leaves a checkpoint of a newer version alone', async () => {
    const w = await staleWorld(provider, 3)
    await claimedBy(w, 'x:1:y', HEARTBEAT_LAPSE_MS + 1000)
    await w.run(`UPDATE rowseal_runs SET format = 3`)
    await expect(drain(w.config)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_NEWER' })
    expect(await run(w)).toMatchObject([{ state: 'running', owner: 'x:1:y' }])
  })

  it('begins a pass anew when the keys are others than at the checkpoint', async () => {
    const w = await staleWorld(provider, 30)
    const controller = new AbortController()
    const stopped = await drain(w.config, {
      batchRows: 10,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'batch') controller.abort()
      },
    })
    expect(stopped.outcome).toBe('stopped')
    expect((await run(w))[0].checkpoint).toContain('"after":')
    await w.rotate()
    let isResumed: boolean | null = null
    const report = await drain(w.config, {
      models: ['Patient'],
      onEvent: (event) => {
        if (event.type === 'model') isResumed = event.isResumed
      },
    })
    expect(isResumed).toBe(false)
    expect(report).toMatchObject({ outcome: 'done', rows: 30 })
  })

  it('gives the model back when the key store fails, and goes on after', async () => {
    const w = await staleWorld(provider)
    const values = await readAll(w)
    // When the first batch of Patient is committed the store is gone, which the second pass finds.
    const client = beforeTransaction(w.plain, 4, () =>
      w.run('ALTER TABLE rowseal_keys RENAME TO hidden'),
    )
    await expect(drain({ ...w.config, client })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_KEY/),
    })
    expect((await run(w))[0]).toMatchObject({
      owner: null,
      state: 'failed',
      reason: expect.stringMatching(/^ERR_KEY/),
    })
    await w.run('ALTER TABLE hidden RENAME TO rowseal_keys')
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 0 })
    expect((await run(w))[0]).toMatchObject({ owner: null, state: 'succeeded' })
    expect((await status(w.config)).stale).toBe(0)
    expect(await readAll(w)).toEqual(values)
  })

  it('says that init is missing', async () => {
    const w = await world(provider, clinic(provider), { init: false })
    for (const command of [drain, verify] as ((config: MigratorConfig) => Promise<unknown>)[])
      await expect(command(w.config)).rejects.toMatchObject({
        code: 'ERR_RUN_TABLES',
        fix: 'Run `npx rowseal init`.',
      })
    await expect(status(w.config)).rejects.toMatchObject({ code: 'ERR_KEYRING_MISSING' })
  })

  it('says what the database lacks, and writes nothing', async () => {
    const w = await staleWorld(provider, 3)
    const values = await readAll(w)
    await w.run('ALTER TABLE "Staff" RENAME COLUMN pin TO code')
    await expect(drain(w.config)).rejects.toMatchObject({
      code: 'ERR_PLAN_DATABASE',
      field: 'Staff.pin',
    })
    await w.run('ALTER TABLE "Staff" RENAME TO "Gone"')
    await expect(status(w.config)).rejects.toMatchObject({
      code: 'ERR_PLAN_DATABASE',
      field: 'Staff',
    })
    expect(await readAll(w)).toEqual(values)
    expect((await w.query('SELECT * FROM rowseal_runs')).length).toBe(0)
  })

  it('refuses options out of bounds and models that do not exist', async () => {
    const w = await world(provider, clinic(provider))
    await expect(drain(w.config, { batchRows: 0 })).rejects.toThrow(TypeError)
    await expect(drain(w.config, { batchRows: 5001 })).rejects.toThrow(/batchRows/)
    await expect(drain(w.config, { models: ['Country'] })).rejects.toThrow(
      /Country.*Patient, Staff/,
    )
    await expect(drain({ ...w.config, client: {} as never })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
    await expect(drain({ ...w.config, keyring: [] })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
  })
})

it('ends on SQLITE_BUSY with what to do, and loses nothing', async () => {
  const w = await staleWorld('sqlite')
  const values = await readAll(w)
  const other = (await w.another()).client as any
  // Without a timeout in the adapter a writer elsewhere is met at once.
  const { PrismaLibSql } = await import('@prisma/adapter-libsql')
  const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
  const impatient = new PrismaClient({ adapter: new PrismaLibSql({ url: w.db.url }) })
  let batches = 0
  let release: (() => void) | null = null
  let blocked = null as Promise<unknown> | null
  const error = await drain(
    {
      ...w.config,
      client: beforeTransaction(impatient, 6, async () => {
        await new Promise<void>((isLocked) => {
          blocked = other.$transaction(
            async (tx: any) => {
              await tx.$executeRawUnsafe(`UPDATE "Staff" SET name = name`)
              isLocked()
              await new Promise<void>((done) => (release = done))
            },
            { timeout: 20_000 },
          )
        })
      }),
    },
    {
      batchRows: 10,
      onEvent: (event) => {
        if (event.type === 'batch') batches++
      },
    },
  ).catch((e: unknown) => e)
  release!()
  await blocked
  await impatient.$disconnect()
  expect(error).toMatchObject({
    code: 'ERR_DATABASE_BUSY',
    fix: expect.stringContaining('rowseal drain'),
  })
  expect(batches).toBe(2)
  const left = await w.query(
    `SELECT count(*) AS n FROM "table" WHERE "select" LIKE 'rs1.00000001.%'`,
  )
  expect(Number(left[0].n)).toBe(40)

  // The run could not be given back either; its process (this one) lives, so time must pass.
  await w.run(`UPDATE rowseal_parts SET heartbeat_at_ms = 0`)
  expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 40 })
  expect(await readAll(w)).toEqual(values)
})
