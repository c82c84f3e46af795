import { parseBytes, textPrefix } from '@rowseal/prisma-extension/envelope'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { planDrain, status, verify, type RunEvent } from '../src/index.ts'
import { beforeTransaction, onEachWrite } from './intercept.ts'
import {
  drain,
  addPatients,
  clinic,
  closeWorlds,
  patient,
  PROVIDERS,
  type Provider,
  readAll,
  world,
  type World,
} from './world.ts'

afterEach(closeWorlds)

const stored = (w: World): Promise<any[]> =>
  w.plain.patient.findMany({ orderBy: [{ clinic: 'asc' }, { number: 'asc' }] })

describe.each(PROVIDERS)('drain on %s', (provider) => {
  const moves = 'moves every stale value to the active key, and every value stays what it was'
  it.each([0, 2])(`${moves}, with %i threads`, async (threads) => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 250)
    await w.sealed.staff.createMany({
      data: [
        { id: 1, name: 'Ann', pin: '1234' },
        { id: 2, name: 'Bob' },
      ],
    })
    const [values, before] = [await readAll(w), await stored(w)]
    await w.rotate()
    await addPatients(w, 10, 1000)

    const report = await drain(w.config, { batchRows: 40, threads })

    expect(report).toMatchObject({ outcome: 'done', rows: 251, superseded: 0, quarantined: 0 })
    expect(report.models.map((m) => [m.model, m.rows, m.passes])).toEqual([
      ['Patient', 250, 2],
      ['Staff', 1, 2],
    ])
    const after = (await stored(w)).filter((row) => !/^n'1\d{3}$/.test(row.number))
    expect((await readAll(w)).filter((row) => !/^n'1\d{3}$/.test(row.number))).toEqual(values)
    expect(after.map((row) => row.updatedAt)).toEqual(before.map((row) => row.updatedAt))
    expect((await status(w.config)).stale).toBe(0)
    // Nonces and DEKs are new: not one stored value is what it was.
    const texts = new Set(before.map((row) => row.email.slice(13)))
    expect(after.filter((row) => texts.has(row.email.slice(13)))).toEqual([])
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 0 })
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0 })
  })

  it('gives every record one DEK of its own, for all of its fields', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 30, 1)
    await w.rotate()
    await drain(w.config)
    const wrapped = (await stored(w)).map((row) => [
      dekOf(Buffer.from(row.email.slice(13), 'base64url')),
      ...(row.notes === null ? [] : [dekOf(Buffer.from(row.notes.slice(13), 'base64url'))]),
      ...(row.scan === null ? [] : [dekOf(Buffer.from(row.scan).subarray(7))]),
    ])
    for (const deks of wrapped) expect(new Set(deks).size).toBe(1)
    expect(new Set(wrapped.map(([dek]) => dek)).size).toBe(30)
  })

  it('leaves the checkpoint where it was if the batch behind it is not written', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 30)
    await w.rotate()
    let batches = 0
    const client = onEachWrite(w.config.client, (sql) => {
      if (/UPDATE/.test(sql) && /["`]table["`]/.test(sql) && ++batches === 2)
        throw new Error('gone')
    })
    await expect(drain({ ...w.config, client }, { batchRows: 10 })).rejects.toThrow()
    const active = textPrefix(w.keyring.activeKeyId!)
    const moved = (await stored(w)).filter((row) => row.email.startsWith(active))
    expect(moved.length).toBe(10)
    const [part] = await w.query(`SELECT checkpoint FROM rowseal_parts WHERE kind = 'write'`)
    const { clinic: last, number } = moved.at(-1)
    expect(JSON.parse(part.checkpoint).after).toEqual([String(last), number])
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 20 })
  })

  it('moves values of several former versions at once, and leaves fresh rows alone', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 10)
    await w.rotate()
    await addPatients(w, 10, 10)
    await w.rotate()
    await addPatients(w, 10, 20)
    const fresh = (await stored(w)).filter((row) => Number(row.number.slice(2)) >= 20)
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 20 })
    expect((await stored(w)).filter((row) => Number(row.number.slice(2)) >= 20)).toEqual(fresh)
    const report = await status(w.config)
    expect(report.keys.map((key) => [key.version, key.state, key.values > 0])).toEqual([
      [1, 'suspended', false],
      [2, 'suspended', false],
      [3, 'active', true],
    ])
  })

  it('leaves plaintext alone where a field allows it', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 3)
    await w.run(`UPDATE "table" SET phone = 'plain 1' WHERE "order" = 'n''1'`)
    await w.rotate()
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 3 })
    const phones = (await readAll(w)).map((row) => row.phone)
    expect(phones).toEqual(['+49 0', 'plain 1', '+49 2'])
    const report = await status(w.config)
    expect(report.fields.find((field) => field.field === 'phone')).toMatchObject({
      plaintext: 1,
      stale: 0,
    })
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0 })
  })

  it('does not undo what others write meanwhile, and still ends with nothing stale', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 300)
    await w.rotate()
    let writes = 0
    const write = async (): Promise<void> => {
      const i = (writes++ * 13) % 300
      const { clinic: c, number } = patient(provider, i)
      await w.sealed.patient.update({
        where: { clinic_number: { clinic: c, number } },
        data: { email: `new ${i}` },
      })
    }
    const pending: Promise<void>[] = []
    const report = await drain(w.config, {
      batchRows: 20,
      onEvent: (event) => {
        if (event.type === 'batch') pending.push(write(), write())
      },
    })
    await Promise.all(pending)
    expect(report.outcome).toBe('done')
    expect((await status(w.config)).stale).toBe(0)
    const written = new Set(Array.from({ length: writes }, (_, n) => (n * 13) % 300))
    const rows = await readAll(w)
    for (const row of rows) {
      const i = Number(row.number.slice(2))
      expect(row.email).toBe(written.has(i) ? `new ${i}` : `patient${i}@example.org`)
    }
  })

  it('counts a row that changed between reading and writing as superseded, and comes back for the rest of it', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 3, 1)
    await w.rotate()
    const { email } = (await stored(w))[0]
    // A run is begun, claimed and said to run; the first page has been read when the fourth transaction begins: write in between, under the old key.
    const client = beforeTransaction(w.plain, 4, () =>
      w.run(`UPDATE "table" SET "select" = '${email}' WHERE "order" = 'n''2'`),
    )
    const report = await drain({ ...w.config, client }, { models: ['Patient'] })
    expect(report).toMatchObject({ superseded: 1, quarantined: 0, rows: 3, outcome: 'done' })
    expect((await readAll(w)).map((row) => row.email)).toEqual(
      Array(2).fill('patient1@example.org').concat('patient3@example.org'),
    )
  })

  it('quarantines values that do not open, moves all others, and forgets them when they are well again', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 20, 1)
    const [first] = await stored(w)
    await w.rotate()
    await w.run(
      `UPDATE "table" SET "select" = concat(substr("select", 1, 120), 'AAAA', substr("select", 125)) WHERE "order" = 'n''3'`,
      `UPDATE "table" SET phone = 'rs1.00000001.broken!' WHERE "order" = 'n''4'`,
    )
    const report = await drain(w.config, { batchRows: 6 })
    expect(report).toMatchObject({ outcome: 'incomplete', rows: 20, quarantined: 2 })
    const sql = 'SELECT model, field, record_key, code FROM rowseal_quarantine ORDER BY field'
    expect(await w.query(sql)).toEqual([
      { model: 'Patient', field: 'email', record_key: '["3","n\'3"]', code: 'ERR_ENVELOPE_AUTH' },
      {
        model: 'Patient',
        field: 'phone',
        record_key: '["4","n\'4"]',
        code: 'ERR_ENVELOPE_MALFORMED',
      },
    ])
    const now = await status(w.config)
    expect(now.stale).toBe(2)
    expect(now.fields.find((field) => field.field === 'email')).toMatchObject({
      stale: 1,
      quarantined: 1,
    })
    expect(await verify(w.config)).toMatchObject({ outcome: 'incomplete', bad: 2 })

    await w.sealed.patient.updateMany({
      where: { number: { in: ["n'3", "n'4"] } },
      data: { email: 'x', phone: 'y' },
    })
    expect(await drain(w.config)).toMatchObject({ outcome: 'done' })
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0 })
    expect(await w.query(sql)).toEqual([])
    expect(first.number).toBeDefined()
  })

  it('tells what it does as it goes', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 50)
    await w.rotate()
    const events: RunEvent[] = []
    await drain(w.config, {
      batchRows: 20,
      models: ['Patient'],
      onEvent: (event) => void events.push(event),
    })
    const none = { superseded: 0, quarantined: 0, model: 'Patient' }
    expect(events).toEqual([
      {
        type: 'model',
        model: 'Patient',
        fields: expect.any(Array),
        rows: 50,
        isResumed: false,
      },
      { type: 'batch', pass: 1, rows: 20, ...none },
      { type: 'batch', pass: 1, rows: 20, ...none },
      { type: 'batch', pass: 1, rows: 10, ...none },
      { type: 'pass', pass: 1, rows: 50, ...none },
      { type: 'pass', pass: 2, rows: 0, ...none },
    ])
  })

  it('bounds a batch by bytes', async () => {
    const w = await world(provider, clinic(provider))
    const data = [1, 2, 3].map((id) => ({ id, name: '', pin: 'x'.repeat(50_000) }))
    await w.sealed.staff.createMany({ data })
    await w.rotate()
    let batches = 0
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'batch') batches++
    }
    expect(await drain(w.config, { batchBytes: 1000, onEvent })).toMatchObject({
      rows: 3,
      outcome: 'done',
    })
    expect(batches).toBe(3)
  })

  it('plans without writing, and names the triggers that will fire', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 50)
    await w.rotate()
    await w.run(...TRIGGERS[provider])
    const before = await stored(w)
    const plan = await planDrain(w.config, { batchRows: 20 })
    expect(plan).toMatchObject({
      staleRows: 50,
      models: [
        { model: 'Patient', staleRows: 50, batches: 3, triggers: ['audit'] },
        { model: 'Staff', staleRows: 0 },
      ],
    })
    expect(await stored(w)).toEqual(before)
  })

  it('stops after the batch in hand when told, and goes on from there', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 100)
    await w.rotate()
    const controller = new AbortController()
    const stop = (event: RunEvent): void => {
      if (event.type === 'batch') controller.abort()
    }
    const first = await drain(w.config, { batchRows: 10, signal: controller.signal, onEvent: stop })
    expect(first.outcome).toBe('stopped')
    expect(first.rows).toBeLessThanOrEqual(30)
    const events: RunEvent[] = []
    const second = await drain(w.config, { onEvent: (event) => void events.push(event) })
    expect(events[0]).toMatchObject({ isResumed: true })
    expect(second.outcome).toBe('done')
    expect(first.rows + second.rows).toBe(100)
  })
})

it.runIf(PROVIDERS.includes('mysql'))(
  'leaves alone what MySQL moves with every update, and rows that somebody holds',
  async () => {
    const w = await world('mysql', clinic('mysql'))
    await addPatients(w, 40)
    await w.run(
      `ALTER TABLE "table" ADD COLUMN "touched at" TIMESTAMP NOT NULL DEFAULT '2001-01-01' ON UPDATE CURRENT_TIMESTAMP`,
    )
    await w.rotate()
    const times = `SELECT DISTINCT CAST("touched at" AS CHAR) AS t FROM "table"`
    const held = patient('mysql', 20)
    const other = (await w.another()).client as any
    await other.$transaction(
      async (tx: any) => {
        await tx.$queryRawUnsafe(
          'SELECT 1 FROM `table` WHERE `group` = ? AND `order` = ? FOR UPDATE',
          held.clinic,
          held.number,
        )
        const report = await drain(w.config, { batchRows: 10, maxPasses: 2 })
        expect(report).toMatchObject({ outcome: 'incomplete', rows: 39, superseded: 2 })
      },
      { timeout: 30_000 },
    )
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 1, superseded: 0 })
    expect(await w.query(times)).toEqual([{ t: '2001-01-01 00:00:00' }])
  },
)

/** One of an update, and some of what is none. */
const TRIGGERS: Readonly<Record<Provider, readonly string[]>> = {
  postgresql: [
    `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
    `CREATE TRIGGER audit AFTER UPDATE ON "table" FOR EACH ROW EXECUTE FUNCTION f()`,
    `CREATE TRIGGER other AFTER DELETE ON "table" FOR EACH ROW EXECUTE FUNCTION f()`,
  ],
  sqlite: [`CREATE TRIGGER audit AFTER UPDATE ON "table" BEGIN SELECT 1; END`],
  mysql: [
    `CREATE TRIGGER audit AFTER UPDATE ON "table" FOR EACH ROW SET @x = 1`,
    `CREATE TRIGGER other AFTER DELETE ON "table" FOR EACH ROW SET @x = 1`,
  ],
}

/** The wrapped DEK of an envelope's body, as hex. */
function dekOf(body: Buffer): string {
  return body.subarray(1, 61).toString('hex')
}

it('seals a page again that had to wait for its commit, under the key that is active by then', async () => {
  const w = await world('sqlite', clinic('sqlite'))
  await addPatients(w, 20)
  await w.rotate()
  const [former, now] = [w.keyring.activeKeyId!, performance.now.bind(performance)]
  const clock = vi.spyOn(performance, 'now')
  const sent: string[] = []
  let pages = 0
  const client = new Proxy(
    onEachWrite(w.config.client, (_, params) => sent.push(...textsOf(params))),
    {
      get: (target, name) =>
        name !== '$queryRawUnsafe'
          ? target[name]
          : async (sql: string, ...params: unknown[]) => {
              // The first page is prepared by now, and this one was about to be read when the run was paused.
              if (sql.includes('"table"') && /LIMIT/.test(sql) && ++pages === 2) {
                await w.rotate()
                clock.mockImplementation(() => now() + 60_000)
              }
              return target.$queryRawUnsafe(sql, ...params)
            },
    },
  )
  expect(await drain({ ...w.config, client }, { batchRows: 10 })).toMatchObject({ outcome: 'done' })
  expect(pages).toBeGreaterThan(1)
  const under = (keyId: number): string[] =>
    sent.filter((text) => text.startsWith(textPrefix(keyId)))
  expect(under(former)).toEqual([])
  expect(under(w.keyring.activeKeyId!).length).toBeGreaterThan(20)
  clock.mockRestore()
})

/** The text envelopes among parameters of a statement. */
function textsOf(params: readonly unknown[]): string[] {
  return JSON.stringify(params).match(/rs1\.[0-9a-f]{8}\.[\w-]+/g) ?? []
}

it.runIf(PROVIDERS.includes('postgresql'))(
  'moves bytes where the database takes a backslash in a literal for an escape',
  async () => {
    const w = await world(
      'postgresql',
      'model Scan {\n id Int @id\n /// @encrypted(plaintext: allow)\n data Bytes\n}',
    )
    const name = new URL(w.db.url).pathname.slice(1)
    await w.db.exec(`ALTER DATABASE "${name}" SET standard_conforming_strings = off;\n`)
    const data = Array.from({ length: 5 }, (_, id) => ({ id, data: new Uint8Array([id]) }))
    await w.sealed.scan.createMany({ data })
    await w.rotate()
    const config = await w.another()
    expect(await drain(config)).toMatchObject({ outcome: 'done', rows: 5 })
    expect(await status(config)).toMatchObject({ stale: 0, fields: [{ plaintext: 0 }] })
    const scans = await w.plain.scan.findMany()
    expect(scans.map((row: any) => parseBytes(row.data)?.keyId)).toEqual([2, 2, 2, 2, 2])
    expect(await w.sealed.scan.findMany({ orderBy: { id: 'asc' } })).toEqual(data)
  },
)

it.runIf(PROVIDERS.includes('postgresql'))(
  'names the triggers of partitions, and is ended by what one of them makes of values',
  async () => {
    const w = await world(
      'postgresql',
      'model Memo {\n id Int @id\n /// @encrypted\n body String\n}',
      {
        ddl: `CREATE TABLE "Memo" (id int PRIMARY KEY, body text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF "Memo" FOR VALUES FROM (0) TO (100);
CREATE TABLE high PARTITION OF "Memo" FOR VALUES FROM (100) TO (200);\n`,
      },
    )
    const data = [1, 2, 3, 101, 102].map((id) => ({ id, body: `Memo ${id}` }))
    await w.sealed.memo.createMany({ data })
    await w.run(
      `CREATE FUNCTION small() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := lower(NEW.body); RETURN NEW; END $$`,
      'CREATE TRIGGER small BEFORE UPDATE ON high FOR EACH ROW EXECUTE FUNCTION small()',
    )
    await w.rotate()
    expect(await planDrain(w.config)).toMatchObject({ models: [{ triggers: ['small'] }] })
    const error = { code: 'ERR_PROOF_FAILED' }
    await expect(drain(w.config, { batchRows: 2 })).rejects.toMatchObject(error)
    expect(await w.sealed.memo.findMany({ orderBy: { id: 'asc' } })).toEqual(data)
  },
)
