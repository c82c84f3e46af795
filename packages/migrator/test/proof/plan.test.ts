import { afterEach, describe, expect, it } from 'vitest'
import {
  decrypt,
  drain,
  encrypt,
  planRun,
  rotate,
  type FieldPlan,
  type RunPlan,
} from '../../src/index.ts'
import { Command } from '../command.ts'
import { closeWorlds, PROVIDERS, world, type World } from '../world.ts'
import { at, people, peopleOf } from './people.ts'

afterEach(closeWorlds)

const of = ({ models }: RunPlan, name: string): FieldPlan =>
  models[0]!.byField.find(({ field }) => field === name)!

/** All that a plan must leave alone, runs and keyrings with their registered indexes included. */
async function everything({ query }: World): Promise<unknown> {
  const own = ['runs', 'parts', 'quarantine', 'fields', 'keyrings'].map((name) => `rowseal_${name}`)
  const found = own.map((table) => query(`SELECT * FROM ${table}`))
  return Promise.all([...found, query('SELECT * FROM "Person" ORDER BY clinic, id')])
}

describe.each(PROVIDERS)('a plan on %s', (provider) => {
  it('of encrypt says what is plaintext, what becomes of it, and writes nothing', async () => {
    const w = await peopleOf(provider, 30, 'plain')
    const before = await everything(w)
    const plan = await planRun(w.config, 'encrypt', { batchRows: 20 })
    expect(await everything(w)).toEqual(before)
    expect(plan).toMatchObject({ direction: 'encrypt', rows: 30 })
    expect(plan.models).toMatchObject([
      { rows: 30, batches: 2, triggers: [], estimate: { sampledRows: 30, kmsCalls: 0 } },
    ])
    expect(of(plan, 'phone')).toMatchObject({ versions: [], plaintext: 24, changing: 24, null: 6 })
    await encrypt(w.config)
    const sizes = await w.query<{ bytes: bigint | number }>(
      `SELECT sum(length(phone)) AS bytes FROM "Person"`,
    )
    expect(of(plan, 'phone').bytes).toEqual({
      before: Array.from({ length: 30 }, (_, i) => (i % 5 === 0 ? 0 : `+49 ${i}`.length)).reduce(
        (a, b) => a + b,
      ),
      after: Number(sizes[0]!.bytes),
    })
    const after = await planRun(w.config, 'encrypt')
    expect(after).toMatchObject({ rows: 0, models: [{ estimate: null }] })
    expect(of(after, 'phone')).toMatchObject({ plaintext: 0, changing: 0, bytes: null })
  })

  it('of drain and decrypt goes by key versions, and names triggers', async () => {
    const w = await peopleOf(provider, 20, 'sealed')
    await w.rotate()
    await w.sealed.person.update({ ...at(3), data: { phone: 'new' } })
    const [active, former] = [w.keyring.activeKeyId!, w.keyring.staleKeyIds()[0]!]
    await w.run(
      ...{
        postgresql: [
          `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
          `CREATE TRIGGER seen BEFORE UPDATE ON "Person" FOR EACH ROW EXECUTE FUNCTION nothing()`,
        ],
        mysql: [
          `CREATE TRIGGER seen BEFORE UPDATE ON "Person" FOR EACH ROW SET NEW.note = OLD.note`,
        ],
        sqlite: [`CREATE TRIGGER seen AFTER UPDATE ON "Person" BEGIN SELECT 1; END`],
      }[provider],
    )
    const plan = await planRun(w.config, 'drain', { maxRowsPerSecond: 2 })
    expect(plan.models[0]).toMatchObject({
      rows: 20,
      triggers: ['seen'],
      estimate: { seconds: 10 },
    })
    expect(of(plan, 'phone')).toMatchObject({
      changing: 15,
      versions: [
        { keyId: former, count: 15 },
        { keyId: active, count: 1 },
      ].sort((a, b) => a.keyId - b.keyId),
    })
    const { before, after } = of(plan, 'phone').bytes!
    expect(after).toBe(before)
    expect((await drain(w.config, { now: true })).rows).toBe(20)

    const out = await world(provider, people('seal: off'), { on: w })
    const leaving = await planRun(out.config, 'decrypt')
    expect(of(leaving, 'phone')).toMatchObject({ changing: 16, plaintext: 0 })
    expect(of(leaving, 'phone').bytes!.after).toBeLessThan(16 * 10)
    expect((await decrypt(out.config)).rows).toBe(leaving.rows)
  })
})

describe('a plan of encrypt', () => {
  it('leaves a blind index as it is that a run would register', async () => {
    const schema = people('plaintext: allow')
    // Another column is the index of another field.
    const other = schema
      .replace(/\/\/\/ @blindIndex.*\n/, '')
      .replace('note   String?', '/// @blindIndex(phone)\n  note String?\n  @@index([note])')
    const before = await world('sqlite', other)
    const w = await world('sqlite', schema, { on: before, init: false })
    await w.plain.person.create({ data: { clinic: 0, id: 0, name: 'A', login: 'a' } })
    const keyrings = await everything(w)
    expect(await planRun(w.config, 'encrypt')).toMatchObject({ rows: 1 })
    expect(await everything(w)).toEqual(keyrings)
    expect(await encrypt(w.config)).toMatchObject({ outcome: 'done', rows: 1 })
    expect(await everything(w)).not.toEqual(keyrings)
  })
})

describe('the estimate of a plan', () => {
  it('is of as many calls of a KMS as a drain then makes', async () => {
    const w = await peopleOf('sqlite', 60, 'sealed')
    const config = await w.another({ wrapping: 'kms' })
    const calls = (): number => (config.keyring as typeof w.keyring).stats().rootKey.calls
    await rotate(config, { now: true })
    await drain(config, { now: true })
    await rotate(config, { now: true })
    const [plan] = (await planRun(config, 'drain')).models
    expect(plan).toMatchObject({ rows: 60, estimate: { sampledRows: 20 } })
    const before = calls()
    await drain(config, { now: true })
    const made = calls() - before
    // One to open and one to seal for each record, and a few for keys.
    expect(made).toBeGreaterThanOrEqual(120)
    expect(Math.abs(plan!.estimate!.kmsCalls - made)).toBeLessThan(12)
  })
})

describe.runIf(PROVIDERS.includes('postgresql'))('a plan for a narrow column', () => {
  it('counts the values that will not fit, as many as are put into quarantine', async () => {
    const w = await world('postgresql', people('plaintext: allow'))
    // Refused by the generator, so the database is not what the schema says.
    await w.run('ALTER TABLE "Person" ALTER COLUMN phone TYPE varchar(150)')
    const command = new Command(w)
    const phones = [1, 10, 11, 20, 40].map((length) => 'é' + 'x'.repeat(length))
    for (const [id, phone] of phones.entries())
      await w.plain.person.create({ data: { clinic: 0, id, name: 'A', login: `${id}`, phone } })
    const room = of(await planRun(w.config, 'encrypt'), 'phone').room!
    const { fitsBytes } = room
    const tooLong = phones.filter((phone) => Buffer.byteLength(phone) > fitsBytes!).length
    expect(room).toEqual({ maxLength: 150, fitsBytes, tooLong, by: 'table' })
    expect([fitsBytes, tooLong]).toEqual([12, 3])
    const { stderr, code } = await command.run('encrypt', '--dry-run')
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/Person\.phone[^\n]*room for 150[^\n]*quarantine/),
    ])
    const json = await command.run('encrypt', '--dry-run', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ direction: 'encrypt', rows: 5 })
    expect(await encrypt(w.config)).toMatchObject({ outcome: 'incomplete', quarantined: tooLong })
    command.remove()
  })
})
