import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { rowseal } from '@rowseal/prisma-extension'
import {
  applyFence,
  fenceStatements,
  fenceStatus,
  MigrationError,
  planDrain,
  reindex,
  removeFence,
  rotateIndex,
  status,
  unfenceStatements,
  verify,
  type FenceReport,
} from '../src/index.ts'
import { accounts, FOLLOW } from './accounts.ts'
import { Command } from './command.ts'
import {
  drain,
  addPatients,
  clinic,
  closeWorlds,
  patient,
  PROVIDERS,
  readAll,
  world,
  type Provider,
  type World,
} from './world.ts'

let command: Command | undefined
afterEach(async () => {
  command?.remove()
  command = undefined
  await closeWorlds()
})

async function drained(provider: Provider, patients = 20): Promise<World> {
  const w = await world(provider, clinic(provider))
  await addPatients(w, patients)
  await w.rotate()
  await drain(w.config)
  return w
}

const statesOf = ({ columns }: FenceReport): string[] => [...new Set(columns.map((c) => c.state))]

/** Put a value under a key where nobody sees it done: as a process would that froze long ago. */
async function smuggle(w: World, keyId: number): Promise<void> {
  const hex = keyId.toString(16).padStart(8, '0')
  await w.run(`INSERT INTO "Staff" ("id", "name", "pin") VALUES (${keyId}, '', 'rs1.${hex}.AAAA')`)
}

describe.each(PROVIDERS)('fences against a retired key, on %s', (provider) => {
  it('are put up and proven for every sealed column, once', async () => {
    const w = await drained(provider)
    const before = await fenceStatus(w.config, 1)
    expect(before).toMatchObject({ keyring: 'default', keyId: 1, keyState: 'suspended' })
    expect([statesOf(before), before.isProven]).toEqual([['absent'], false])

    const applied = await applyFence(w.config, 1)
    const columns = Object.entries(w.config.plan.models).flatMap(([model, { sealed }]) =>
      Object.keys(sealed).map((field) => `${model}.${field}`),
    )
    expect(applied.columns.map(({ model, field }) => `${model}.${field}`)).toEqual(columns)
    expect([statesOf(applied), applied.isProven]).toEqual([['holds'], true])
    expect(applied.added).toEqual(applied.columns.map(({ fence }) => fence))
    expect(applied.columns[0]).toMatchObject({
      model: 'Patient',
      field: 'email',
      table: 'table',
      column: 'select',
      kind: provider === 'postgresql' ? 'constraint' : 'triggers',
      values: 0,
    })

    const { added, ...proof } = await applyFence(w.config, 1)
    expect(added).toEqual([])
    expect(await fenceStatus(w.config, 1)).toEqual(proof)
    await expect(smuggle(w, 1)).rejects.toThrow()
    await smuggle(w, 3)
  })

  it('leave application, queue, drain and verify alone', async () => {
    const w = await drained(provider)
    const values = await readAll(w)
    await applyFence(w.config, 1)
    await w.sealed.patient.createMany({ data: [patient(provider, 100)] })
    await w.sealed.patient.updateMany({ where: { clinic: 1 }, data: { email: 'x', notes: [1] } })
    await w.rotate()
    const { models } = await planDrain(w.config)
    expect(models.flatMap(({ triggers }) => triggers)).toEqual([])
    const prisma = w.plain.$extends(rowseal({ plan: w.config.plan, keyring: w.keyring }))
    await prisma.patient.findMany({ take: 5 })
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(prisma.$rowseal.stats().reencryption).toMatchObject({ done: 5, failed: 0 })
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 16, quarantined: 0 })
    await applyFence(w.config, 2)
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0 })
    expect((await readAll(w)).length).toBe(values.length + 1)
    expect((await fenceStatus(w.config, 1)).isProven).toBe(true)
  })

  it('are refused while values name the key, with the rows by field', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 6)
    await w.sealed.staff.create({ data: { id: 1, name: '', pin: '1' } })
    await w.rotate()
    const error = await applyFence(w.config, 1).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(MigrationError)
    expect(error).toMatchObject({
      code: 'ERR_KEY_IN_USE',
      counts: { 'Patient.email': 6, 'Patient.scan': 4, 'Staff.pin': 1 },
    })
    expect((error as Error).message).toMatch(
      /Patient\.email: 6, .*Staff\.pin: 1.*npx rowseal drain/,
    )
    expect(statesOf(await fenceStatus(w.config, 1))).toEqual(['absent'])
    await drain(w.config)
    expect((await applyFence(w.config, 1)).isProven).toBe(true)
  })

  it('are refused for a key that is active, unknown, or no key id', async () => {
    const w = await world(provider, clinic(provider))
    await expect(applyFence(w.config, 1)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await expect(fenceStatements(w.config, 1)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await expect(applyFence(w.config, 99)).rejects.toMatchObject({ code: 'ERR_KEY_UNKNOWN' })
    for (const wrong of [0, 1.5, -1, 2 ** 32, Number.NaN])
      await expect(applyFence(w.config, wrong)).rejects.toThrow(TypeError)
    await expect(applyFence(w.config, 1, { lockTimeoutMs: 10 })).rejects.toThrow('lockTimeoutMs')
    expect(statesOf(await fenceStatus(w.config, 1))).toEqual(['absent'])
  })

  it('do not hold when one was taken down, or is something else of that name', async () => {
    const w = await drained(provider)
    const { columns } = await applyFence(w.config, 1)
    const [first] = columns
    const drop =
      provider === 'postgresql'
        ? `ALTER TABLE "table" DROP CONSTRAINT "${first!.fence}"`
        : `DROP TRIGGER "${first!.fence}_u"`
    const put = {
      postgresql: `ALTER TABLE "table" ADD CONSTRAINT "${first!.fence}" CHECK ("select" <> '')`,
      sqlite: `CREATE TRIGGER "${first!.fence}_u" BEFORE UPDATE ON "table" WHEN false BEGIN SELECT 1; END`,
      mysql: `CREATE TRIGGER "${first!.fence}_u" BEFORE UPDATE ON "table" FOR EACH ROW SET @x = 1`,
    }[provider]
    for (const [statements, state] of [
      [[drop], 'absent'],
      [[put], 'altered'],
    ] as const) {
      await w.run(...statements)
      const found = await fenceStatus(w.config, 1)
      expect(found.isProven).toBe(false)
      expect(found.columns.map((column) => column.state)).toEqual([
        state,
        ...columns.slice(1).map(() => 'holds'),
      ])
    }
    expect(await applyFence(w.config, 1)).toMatchObject({ isProven: true, added: [first!.fence] })
  })

  it('are taken down, and values under the key can be written again', async () => {
    const w = await drained(provider)
    await applyFence(w.config, 1)
    const { change } = await unfenceStatements(w.config, 1)
    expect(await removeFence(w.config, 1)).toEqual(change)
    expect(await removeFence(w.config, 1)).toEqual([])
    expect(statesOf(await fenceStatus(w.config, 1))).toEqual(['absent'])
    await smuggle(w, 1)
    expect((await fenceStatus(w.config, 1)).columns.at(-1)).toMatchObject({ values: 1 })
  })

  it('cover an index key, once no index is written under it', async () => {
    const w = await accounts(provider, 6)
    const former = w.keyring.index.keys().find(({ state }) => state === 'active')!.keyId
    await rotateIndex(w.config, { now: true })
    await expect(applyFence(w.config, former)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await reindex(w.config, { now: true })
    const applied = await applyFence(w.config, former)
    expect(applied).toMatchObject({ keyring: 'default/index', isProven: true })
    expect(applied.columns.map(({ field }) => field)).toEqual([
      'loginIndex',
      'loginOther',
      'codeIndex',
      'codeOther',
    ])
    const write = `UPDATE "Account" SET "codeIndex" = 'ri1.${former.toString(16).padStart(8, '0')}.x' WHERE "id" = 1`
    await expect(w.run(write)).rejects.toThrow()
    const next = await w.another(FOLLOW)
    const prisma: any = (next.client as any).$extends(
      rowseal({ plan: next.plan, keyring: next.keyring }),
    )
    await prisma.account.create({ data: { id: 100, tenant: 1, login: 'New', code: 'new' } })
    expect(await prisma.account.count({ where: { login: 'new' } })).toBe(1)
  })

  it('are printed by `rowseal ddl fence`, and what is printed is what is applied', async () => {
    const w = await drained(provider)
    command = new Command(w)
    const printed = await command.run('ddl', 'fence', '1')
    expect([printed.code, printed.stderr]).toEqual([0, ''])
    expect(printed.stdout).toMatch(/^-- Key 1 of keyring "default"/)
    const json = await command.run('ddl', 'fence', '1', '--json')
    const { change, validate, count } = JSON.parse(json.stdout)
    for (const sql of [...change, ...validate, ...count]) expect(printed.stdout).toContain(sql)
    expect(statesOf(await fenceStatus(w.config, 1))).toEqual(['absent'])
    for (const sql of [...change, ...validate]) await w.db.exec(sql)
    expect((await fenceStatus(w.config, 1)).isProven).toBe(true)
    expect((await command.run('ddl', 'fence', '1')).stdout).toContain('It does so already.')
    for (const sql of count)
      expect(Object.values((await w.plain.$queryRawUnsafe(sql))[0])).toEqual(
        expect.arrayContaining(['0']),
      )

    const dropped = await command.run('ddl', 'fence', '1', '--drop')
    expect(dropped.stdout).toContain('takes values under it again')
    for (const [args, code] of [
      [['ddl', 'fence', 'x'], 2],
      [['ddl', 'fence'], 2],
      [['ddl'], 2],
      [['ddl', 'fence', '2'], 1],
    ] as const)
      expect((await command.run(...args)).code, args.join(' ')).toBe(code)
  })
})

const SERVERS = PROVIDERS.filter((provider) => provider !== 'sqlite')

describe.each(SERVERS)('a fence while others write, on %s', (provider) => {
  it('waits for who wrote before it, and not for ever', async () => {
    const w = await drained(provider)
    const { client } = (await w.another()) as any
    const inside = client.$transaction(
      async (tx: any) => {
        await tx.staff.create({ data: { id: 1, name: '', pin: 'rs1.00000001.AAAA' } })
        const options = { lockTimeoutMs: 1000, maxWaitMs: 0 }
        await expect(applyFence(w.config, 1, options)).rejects.toMatchObject({
          code: 'ERR_DATABASE_FAILED',
          retryable: true,
          message: expect.stringContaining('Staff'),
        })
      },
      { timeout: 30_000 },
    )
    await inside
    // What it had not seen is there now.
    await expect(applyFence(w.config, 1)).rejects.toMatchObject({ counts: { 'Staff.pin': 1 } })
  })

  it('finds what was committed while it waited, and takes down what it put up', async () => {
    const w = await drained(provider)
    const { client } = (await w.another()) as any
    let fencing: Promise<unknown> = Promise.resolve()
    await client.$transaction(
      async (tx: any) => {
        await tx.staff.create({ data: { id: 1, name: '', pin: 'rs1.00000001.AAAA' } })
        fencing = applyFence(w.config, 1).catch((error: unknown) => error)
        await expect
          .poll(async () => (await fenceStatus(w.config, 1)).columns[0]!.state)
          .toBe('holds')
      },
      { timeout: 30_000 },
    )
    expect(await fencing).toMatchObject({ code: 'ERR_KEY_IN_USE', counts: { 'Staff.pin': 1 } })
    expect(statesOf(await fenceStatus(w.config, 1))).toEqual(['absent'])
    // Rows with such a value can be updated, drained or not.
    await w.plain.staff.update({ where: { id: 1 }, data: { name: 'n' } })
  })
})

it.runIf(PROVIDERS.includes('postgresql'))(
  'a fence that was cut off before it was validated is taken down if a value is there, else finished',
  async () => {
    const w = await drained('postgresql')
    const { change } = await fenceStatements(w.config, 1)
    await smuggle(w, 1)
    for (const sql of change) await w.run(sql)
    expect(statesOf(await fenceStatus(w.config, 1))).toEqual(['unproven'])
    await expect(applyFence(w.config, 1)).rejects.toMatchObject({ code: 'ERR_KEY_IN_USE' })
    expect(statesOf(await fenceStatus(w.config, 1))).toEqual(['absent'])
    await w.plain.staff.deleteMany()
    for (const sql of change) await w.run(sql)
    expect(await applyFence(w.config, 1)).toMatchObject({ isProven: true })
    expect((await status(w.config)).stale).toBe(0)
  },
)

it.runIf(PROVIDERS.includes('mysql'))('who may not make triggers is told what to do', async () => {
  const { PrismaMariaDb } = await import('@prisma/adapter-mariadb')
  const w = await drained('mysql')
  const name = `reader_${randomUUID().slice(0, 8)}`
  await w.run(
    `CREATE USER '${name}'@'%' IDENTIFIED BY 'reads'`,
    `GRANT SELECT, UPDATE, INSERT ON * TO '${name}'@'%'`,
  )
  const url = new URL(w.db.url)
  url.username = name
  url.password = 'reads'
  const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
  const client = new PrismaClient({ adapter: new PrismaMariaDb(url.href) })
  const error = await applyFence({ ...w.config, client }, 1).catch((thrown: unknown) => thrown)
  await client.$disconnect()
  await w.run(`DROP USER '${name}'@'%'`)
  expect(error).toMatchObject({ code: 'ERR_DATABASE_FAILED' })
  expect((error as Error).message).toContain('npx rowseal ddl fence 1')
})
