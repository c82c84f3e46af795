import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { listRuns } from '../src/index.ts'
import { Command } from './command.ts'
import { onEachWrite } from './intercept.ts'
import { GUARDS, guard, guarded, notes, unguard, type Note } from './refusing.ts'
import { closeWorlds, drain, PROVIDERS, world, type World } from './world.ts'

afterAll(closeWorlds)

const KEY = { orderBy: [{ tenant: 'asc' }, { name: 'asc' }] }
const read = ({ sealed }: World): Promise<any[]> => sealed.note.findMany(KEY)
const stored = ({ plain }: World): Promise<any[]> => plain.note.findMany(KEY)
const inQuarantine = (w: World): Promise<any[]> =>
  w.query(
    'SELECT model, field, record_key, code FROM rowseal_quarantine ORDER BY record_key, field',
  )

/** Counts the transactions of a client. */
function counting(client: any): { readonly client: any; readonly count: () => number } {
  let count = 0
  const proxy = new Proxy(client, {
    get: (target, name) =>
      name !== '$transaction'
        ? target[name]
        : (...args: unknown[]) => {
            count++
            return target.$transaction(...args)
          },
  })
  return { client: proxy, count: () => count }
}

describe.each(PROVIDERS)('a drain of rows that the database refuses, on %s', (provider) => {
  const COUNT = 80
  let w: World
  let all: Note[]
  let bad: Note[]
  beforeAll(async () => {
    w = await world(provider, guarded(provider))
    all = notes(provider, COUNT)
    bad = all.filter((note) => note.guard !== null)
    await w.sealed.note.createMany({ data: all })
    await guard(w)
    await w.rotate()
  })
  const isStale = (value: string | null): boolean =>
    value !== null && Number.parseInt(value.slice(4, 12), 16) !== w.keyring.activeKeyId

  it('puts each field of them into quarantine, with a code and no content, and writes all else', async () => {
    const values = await read(w)
    const counted = counting(w.config.client)
    const report = await drain({ ...w.config, client: counted.client })
    expect(report).toMatchObject({
      outcome: 'incomplete',
      rows: COUNT - bad.length + 1, // of one of them a field was written
      superseded: 0,
      quarantined: bad.length,
    })
    const entries = bad.flatMap(({ tenant, name, guard: by, text }) =>
      ['title', 'text']
        .filter((field) => (field === 'text' ? text !== null : by !== 'text'))
        .map((field) => {
          const key = JSON.stringify([String(tenant), name])
          return { model: 'Note', field, record_key: key, code: GUARDS[by!] }
        }),
    )
    const byKey = (a: any, b: any): number =>
      a.record_key < b.record_key
        ? -1
        : a.record_key > b.record_key
          ? 1
          : a.field < b.field
            ? -1
            : 1
    expect((await inQuarantine(w)).sort(byKey)).toEqual(entries.sort(byKey))
    expect(await read(w)).toEqual(values)
    for (const { guard: by, title, text } of await stored(w)) {
      expect([by, isStale(title)]).toEqual([by, by !== null && by !== 'text'])
      expect([by, isStale(text)]).toEqual([by, by !== null && text !== null])
    }
    // Two passes over one batch each.
    expect(counted.count()).toBeLessThan(2 * 2 * entries.length * Math.log2(COUNT))
    const tables = ['rowseal_quarantine', 'rowseal_runs', 'rowseal_parts']
    const kept = await Promise.all(tables.map((name) => w.query(`SELECT * FROM ${name}`)))
    expect(
      JSON.stringify([report, kept], (_, v) => (typeof v === 'bigint' ? Number(v) : v)),
    ).not.toMatch(/SECRET|rs1\.|Title/)
  })

  it('ends the run as failed, and the command with 3, and says how many', async () => {
    const command = new Command(w)
    const { code, stderr, stdout } = await command.run('drain', '--now')
    command.remove()
    expect(code).toBe(3)
    expect(stderr).toContain(`${bad.length} rows were left as they are`)
    expect(stderr + stdout).not.toMatch(/SECRET|rs1\.|Title/)
    const [run] = await listRuns(w.config)
    expect(run).toMatchObject({ state: 'failed', quarantined: bad.length })
    expect(run!.reason).toBe(`${bad.length} rows have a value in quarantine`)
  })

  it('is whole when they are not refused any more', async () => {
    await unguard(w)
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: bad.length })
    expect((await stored(w)).some(({ title, text }) => isStale(title) || isStale(text))).toBe(false)
    expect(await inQuarantine(w)).toEqual([])
  })
})

describe.each(PROVIDERS)('what no row is to blame for, on %s', (provider) => {
  const COUNT = 40
  let w: World
  beforeAll(async () => {
    w = await world(provider, guarded(provider))
    await w.sealed.note.createMany({ data: notes(provider, COUNT) })
    await w.rotate()
  })
  /** Refuse every row, with what a function or a trigger does in its body. */
  const refuse = async (bodies: Record<typeof provider, string>): Promise<void> => {
    const body = bodies[provider]
    if (provider === 'mysql')
      return w.db.exec(`CREATE TRIGGER every BEFORE UPDATE ON \`Note\` FOR EACH ROW ${body};\n`)
    if (provider === 'sqlite')
      return w.db.exec(`CREATE TRIGGER every BEFORE UPDATE ON "Note" BEGIN ${body}; END;`)
    await w.run(
      `CREATE OR REPLACE FUNCTION every() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NEW; END $$`,
      'CREATE TRIGGER every BEFORE UPDATE ON "Note" FOR EACH ROW EXECUTE FUNCTION every()',
    )
  }
  const allow = (): Promise<void> =>
    w.db.exec(`DROP TRIGGER every${provider === 'postgresql' ? ' ON "Note"' : ''};\n`)

  it('ends the run at once, however many rows are in the batch', async () => {
    const sql = 'INSERT INTO missing (id) VALUES (1)'
    await refuse({ postgresql: sql, mysql: sql, sqlite: sql })
    const before = await stored(w)
    const counted = counting(w.config.client)
    await expect(drain({ ...w.config, client: counted.client })).rejects.toMatchObject({
      code: 'ERR_DATABASE_FAILED',
    })
    const others = 10 // of the run's own tables, and of the key store
    expect(counted.count()).toBeLessThan(others)
    expect(await stored(w)).toEqual(before)
    expect(await inQuarantine(w)).toEqual([])
    expect(await listRuns(w.config)).toMatchObject([{ state: 'failed', quarantined: 0 }])
    await allow()
  })

  it.skipIf(provider === 'sqlite')(
    'is tried a bounded number of times, each time with fewer rows, if it is a dead-lock',
    async () => {
      await refuse({
        postgresql: `RAISE EXCEPTION 'SECRET' USING ERRCODE = '40P01'`,
        mysql: `SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'SECRET'`,
        sqlite: '',
      })
      const before = await stored(w)
      const sizes: number[] = []
      const client = watching(w.config.client, (rows) => sizes.push(rows))
      const error = await drain({ ...w.config, client }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'ERR_DATABASE_FAILED', retryable: true })
      expect((error as Error).message).toMatch(/others were in the way .*(40P01|1213)/)
      expect((error as Error).message).not.toContain('SECRET')
      expect(sizes).toEqual([40, 20, 10, 5, 3, 2])
      expect(await stored(w)).toEqual(before)
      expect(await inQuarantine(w)).toEqual([])
      await allow()
      expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: COUNT })
    },
  )
})

/** Tells of each batch how many rows it is. */
function watching(client: any, onBatch: (rows: number) => void): any {
  return onEachWrite(client, (sql, [rows]) => {
    if (/UPDATE[^]*["`]Note["`]/.test(sql))
      onBatch((Array.isArray(rows) ? rows : JSON.parse(rows)).length)
  })
}

describe.runIf(PROVIDERS.includes('postgresql'))('on PostgreSQL', () => {
  it('writes in smaller batches what takes longer than a statement may', async () => {
    const w = await world('postgresql', guarded('postgresql'))
    await w.sealed.note.createMany({ data: notes('postgresql', 20) })
    await w.rotate()
    await w.run(
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$`,
      'CREATE TRIGGER slow BEFORE UPDATE ON "Note" FOR EACH ROW EXECUTE FUNCTION slow()',
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 600', current_database()); END $$`,
    )
    const config = await w.another()
    expect(await drain(config)).toMatchObject({ outcome: 'done', rows: 20, quarantined: 0 })
  })

  it('says what to do about a statement that is ended where it reads', async () => {
    const w = await world('postgresql', guarded('postgresql'))
    await w.sealed.note.createMany({ data: notes('postgresql', 5) })
    await w.rotate()
    await w.run(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 300', current_database()); END $$`,
    )
    const config = await w.another()
    const error = await w.plain.$transaction(async (tx: any) => {
      await tx.$executeRawUnsafe('LOCK TABLE "Note" IN ACCESS EXCLUSIVE MODE')
      return drain(config).catch((thrown: unknown) => thrown)
    })
    expect(error).toMatchObject({
      code: 'ERR_DATABASE_FAILED',
      message: expect.stringMatching(/^The database ended a statement that took too long.*57014/),
      fix: expect.stringContaining('statement_timeout'),
    })
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 5 })
  })

  it('finds the row that is refused when all is to be committed', async () => {
    const w = await world('postgresql', guarded('postgresql'))
    await w.sealed.note.createMany({ data: notes('postgresql', 20) })
    await w.rotate()
    await w.run(
      `CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.name LIKE '%007' THEN RAISE EXCEPTION 'SECRET'; END IF; RETURN NULL; END $$`,
      `CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON "Note" DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION late()`,
    )
    expect(await drain(w.config)).toMatchObject({ outcome: 'incomplete', rows: 19, quarantined: 1 })
    expect(await inQuarantine(w)).toMatchObject([
      { field: 'text', record_key: '["1","n,\\"007"]', code: 'ERR_TRIGGER_REFUSED' },
      { field: 'title', record_key: '["1","n,\\"007"]', code: 'ERR_TRIGGER_REFUSED' },
    ])
  })
})

describe.runIf(PROVIDERS.includes('mysql'))('on MySQL', () => {
  it('writes nothing where values that are too long would be cut off', async () => {
    const w = await world('mysql', guarded('mysql'))
    await w.sealed.note.createMany({ data: notes('mysql', 10) })
    await w.rotate()
    const before = await stored(w)
    const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
    const { hostname: host, port, username: user, password, pathname } = new URL(w.db.url)
    const database = pathname.slice(1)
    const adapter = new PrismaMariaDb({
      ...{ host, port: Number(port), user, password: decodeURIComponent(password), database },
      initSql: `SET sql_mode = 'NO_ENGINE_SUBSTITUTION'`,
    })
    const client = new PrismaClient({ adapter })
    await expect(drain({ ...w.config, client })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      fix: expect.stringContaining('STRICT_TRANS_TABLES'),
    })
    await client.$disconnect()
    expect(await stored(w)).toEqual(before)
  })
})
