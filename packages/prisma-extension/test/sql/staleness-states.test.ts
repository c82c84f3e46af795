import { afterEach, describe, expect, it } from 'vitest'
import type { ModelSource } from '../../src/plan/index.ts'
import {
  countByIndex,
  findStalenessIndexes,
  loadTable,
  stalenessLookups,
  type StalenessIndex,
} from '../../src/sql/index.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

const SOURCE = model({
  table: 'my "T"x',
  key: { id: 'Int' },
  sealed: { s: 'String', b: 'Bytes' },
  columns: { s: 'se"lect' },
})

let at: Connection
afterEach(async () => {
  await at.end()
})

async function found(source: ModelSource = SOURCE): Promise<StalenessIndex[]> {
  const { client } = at
  const table = await loadTable(client, at.provider, source)
  return findStalenessIndexes(client, table, source)
}

const states = async (source?: ModelSource): Promise<string[]> =>
  (await found(source)).map(({ state }) => state)

async function create(): Promise<void> {
  const text = at.provider === 'mysql' ? 'LONGTEXT' : 'TEXT'
  const bytes = at.provider === 'postgresql' ? 'bytea' : 'BLOB'
  await at.run(
    `CREATE TABLE ${at.q('my "T"x')} (id INTEGER NOT NULL PRIMARY KEY, ${at.q('se"lect')} ${text}, b ${bytes})`,
  )
}

describe.each(PROVIDERS)('a staleness index on %s', (provider) => {
  it('is named after its column, in 63 characters', async () => {
    at = await connect(provider)
    await create()
    const names = (await found()).map(({ name }) => name)
    expect(names[0]).toMatch(/^rowseal_stale_my_T_x_se_lect_[0-9a-f]{8}$/)
    expect(names[1]).toMatch(/^rowseal_stale_my_T_x_b_[0-9a-f]{8}$/)
    const long = model({ table: 'x'.repeat(60), key: { id: 'Int' }, sealed: { s: 'String' } })
    await at.run(`CREATE TABLE ${at.q(long.table)} (id INTEGER PRIMARY KEY, s TEXT)`)
    const [index] = await found(long)
    expect(index!.name).toMatch(/^rowseal_stale_x{32}_[0-9a-f]{8}$/)
    await at.exec(index!.statements!.create)
    expect(await states(long)).toEqual(['present'])
  })

  it('is known by what it is on, whatever its name', async () => {
    at = await connect(provider)
    await create()
    for (const { name, statements } of await found())
      await at.exec(statements!.create.replace(name!, `${name!.slice(14)}_own`))
    const indexes = await found()
    expect(indexes.map(({ state }) => state)).toEqual(['present', 'present'])
    expect(indexes[1]!.name).toMatch(/^my_T_x_b_[0-9a-f]{8}_own$/)
    // What is there by another name is not ours to drop.
    expect(indexes[1]!.statements!.drop).toContain('rowseal_stale_my_T_x_b')
  })

  it('is not what only has its name, or is on something else', async () => {
    at = await connect(provider)
    await create()
    const [, { name }] = (await found()) as [StalenessIndex, StalenessIndex]
    const [table, own] = [at.q('my "T"x'), at.q(name!)]
    await at.run(`CREATE INDEX ${own} ON ${table} (id)`)
    const other = {
      postgresql: `CREATE INDEX other ON ${table} ((left("se""lect"::text, 12)) COLLATE "C")`,
      sqlite: `CREATE INDEX other ON ${table} (substr("se""lect", 1, 12))`,
      mysql: `CREATE INDEX other ON ${table} (\`se"lect\`(12))`,
    }[provider]
    await at.run(other)
    expect(await states()).toEqual(['missing', 'invalid'])
    const table_ = await loadTable(at.client, provider, SOURCE)
    const wanted = table_.sealed.map((column) => ({ column, keyIds: [1] }))
    expect(stalenessLookups(table_, await found(), wanted)).toBe(null)
  })
})

describe.runIf(PROVIDERS.includes('postgresql'))('on postgresql', () => {
  it('is not used while it is built, on a part of the rows, or under another collation', async () => {
    at = await connect('postgresql')
    await create()
    const on = `ON "my ""T""x" ((left("se""lect"::text, 13))`
    await at.run(
      `CREATE INDEX partly ${on} COLLATE "C") WHERE id > 5`,
      `CREATE INDEX posix ${on} COLLATE "POSIX")`,
    )
    expect(await states()).toEqual(['missing', 'missing'])
    for (const { statements } of await found()) await at.exec(statements!.create)
    expect(await states()).toEqual(['present', 'present'])
    // As after a build with CONCURRENTLY that failed.
    await at.run(
      `UPDATE pg_index SET indisvalid = false FROM pg_class c WHERE c.oid = indexrelid AND c.relname LIKE 'rowseal_stale_%'`,
    )
    expect(await states()).toEqual(['invalid', 'invalid'])
  })

  it('is there for jsonb and for text of every kind, and not for json and lists', async () => {
    at = await connect('postgresql')
    await at.run(
      'CREATE DOMAIN mail AS varchar(300)',
      'CREATE TABLE "T" (id int PRIMARY KEY, v varchar(300), c char(300), d mail, j jsonb, b bytea)',
    )
    const source = model({
      key: { id: 'Int' },
      sealed: { v: 'String', c: 'String', d: 'String', j: 'Json', b: 'Bytes' },
    })
    for (const { statements } of await found(source)) await at.exec(statements!.create)
    expect(await states(source)).toEqual(Array(5).fill('present'))
    await at.run('CREATE TABLE "J" (id int PRIMARY KEY, j json)')
    const json = await found(model({ table: 'J', key: { id: 'Int' }, sealed: { j: 'Json' } }))
    expect(json).toMatchObject([{ state: 'unsupported', unsupported: 'json', name: null }])
    await at.run('CREATE TABLE "L" (id int PRIMARY KEY, s text[])')
    const lists = model({ table: 'L', key: { id: 'Int' }, sealed: { s: 'String' }, lists: true })
    expect(await found(lists)).toMatchObject([{ state: 'unsupported', unsupported: 'list' }])
  })

  it('is made of a partitioned table, and in the schema of its table', async () => {
    at = await connect('postgresql')
    await at.run(
      'CREATE SCHEMA own',
      'CREATE TABLE own."T" (id int PRIMARY KEY, s text) PARTITION BY RANGE (id)',
      'CREATE TABLE own.a PARTITION OF own."T" FOR VALUES FROM (0) TO (10)',
      'CREATE TABLE own.b PARTITION OF own."T" FOR VALUES FROM (10) TO (20)',
      `INSERT INTO own."T" VALUES (1, 'rs1.00000001.A'), (11, 'rs1.00000001.A')`,
    )
    const source = model({ schema: 'own', key: { id: 'Int' }, sealed: { s: 'String' } })
    const [index] = await found(source)
    await at.exec(index!.statements!.create)
    expect(await states(source)).toEqual(['present'])
    const table = await loadTable(at.client, 'postgresql', source)
    expect(await countByIndex(at.client, table, table.sealed[0]!, true)).toEqual([
      { kind: '00000001', count: '2' },
    ])
    await at.exec(index!.statements!.drop)
    expect(await states(source)).toEqual(['missing'])
  })

  it('counts by reading the table where prefixes are many', async () => {
    at = await connect('postgresql')
    await at.run(
      'CREATE TABLE "T" (id int PRIMARY KEY, s text)',
      `INSERT INTO "T" SELECT i, 'rs1.' || lpad(to_hex(i), 8, '0') || '.A' FROM generate_series(1, 100) i`,
    )
    const source = model({ key: { id: 'Int' }, sealed: { s: 'String' } })
    const [index] = await found(source)
    await at.exec(index!.statements!.create)
    const table = await loadTable(at.client, 'postgresql', source)
    expect(await countByIndex(at.client, table, table.sealed[0]!, true)).toHaveLength(100)
  })
})

describe.runIf(PROVIDERS.includes('mysql'))('on mysql', () => {
  it('is an index of the whole column too, and none that is ignored', async () => {
    at = await connect('mysql')
    const source = model({ key: { id: 'Int' }, sealed: { s: 'String' } })
    await at.run(
      'CREATE TABLE T (id INT PRIMARY KEY, s VARCHAR(191))',
      'CREATE UNIQUE INDEX whole ON T (s)',
    )
    expect(await found(source)).toMatchObject([{ state: 'present', name: 'whole' }])
    await at.run('ALTER TABLE T ALTER INDEX whole IGNORED')
    expect(await states(source)).toEqual(['missing'])
  })

  it('is not there for Json in text that compares like words', async () => {
    at = await connect('mysql')
    const source = model({ key: { id: 'Int' }, sealed: { j: 'Json' } })
    await at.run('CREATE TABLE T (id INT PRIMARY KEY, j LONGTEXT COLLATE utf8mb4_general_ci)')
    expect(await found(source)).toMatchObject([{ state: 'unsupported', unsupported: 'json' }])
    await at.run('ALTER TABLE T MODIFY j JSON')
    expect(await states(source)).toEqual(['missing'])
  })
})
