import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  loadTable,
  readPage,
  RawJson,
  swapAlone,
  swapIn,
  TableError,
  type ColumnValue,
  type SwapRow,
  type Table,
} from '../../src/sql/index.ts'
import { swapStatement } from '../../src/sql/swap.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

const TYPES = {
  postgresql: { text: 'text', bytes: 'bytea', json: 'jsonb' },
  sqlite: { text: 'TEXT', bytes: 'BLOB', json: 'JSONB' },
  mysql: { text: 'TEXT', bytes: 'LONGBLOB', json: 'JSON' },
}
const BYTES = new Uint8Array([0x52, 0x53, 0x01, 0, 0, 0, 7, 0xff, 0])

let at: Connection
afterEach(async () => {
  await at.end()
})

function swap(table: Table, fields: readonly string[], rows: SwapRow[]): Promise<number> {
  return swapAlone(at.client, table, fields, rows)
}

async function values(table: Table): Promise<(readonly (ColumnValue | null)[])[]> {
  const request = { after: null, where: null, maxRows: 100, maxBytes: 1e9 }
  const page = await readPage(at.client, table, { columns: table.sealed, ...request })
  return page.rows.map((row) => row.values)
}

describe.each(PROVIDERS)('swapStatement on %s', (provider) => {
  const types = TYPES[provider]
  let table: Table
  beforeEach(async () => {
    at = await connect(provider)
    const { q, run } = at
    await run(
      `CREATE TABLE ${q('order')} (${q('group')} INTEGER NOT NULL PRIMARY KEY, ${q('a"b`c')} ${types.text}, j ${types.json}, b ${types.bytes})`,
      `INSERT INTO ${q('order')} VALUES (1, 'rs1.one', '"rs1.j1"', NULL), (2, 'rs1.two', NULL, NULL), (3, NULL, '{"x": 1}', NULL)`,
    )
    table = await loadTable(
      at.client,
      provider,
      model({
        table: 'order',
        key: { id: 'Int' },
        sealed: { text: 'String', json: 'Json', bytes: 'Bytes' },
        columns: { id: 'group', text: 'a"b`c', json: 'j', bytes: 'b' },
      }),
    )
    await swap(table, ['text'], [{ key: ['2'], old: ['rs1.two'], next: ["rs1.'2'"] }])
    await run(
      `UPDATE ${q('order')} SET b = ${provider === 'postgresql' ? `'\\x5253010000000` + `7ff00'` : `x'52530100000007ff00'`} WHERE ${q('group')} = 1`,
    )
  })

  it('sets text, Json and bytes of the rows that hold what was read', async () => {
    const count = await swap(
      table,
      ['text', 'json', 'bytes'],
      [
        {
          key: ['1'],
          old: ['rs1.one', 'rs1.j1', BYTES],
          next: ['rs1.A', 'rs1.B', BYTES.toReversed()],
        },
        { key: ['2'], old: ['rs1.changed', null, null], next: ['rs1.C', null, null] },
        { key: ['9'], old: ['rs1.gone', null, null], next: ['rs1.D', null, null] },
      ],
    )
    expect(count).toBe(1)
    const json = (await values(table))[2]?.[1]
    expect((json as RawJson).text.replaceAll(' ', '')).toBe('{"x":1}')
    expect((await values(table)).map((row) => row.map(plain)).slice(0, 2)).toEqual([
      ['rs1.A', 'rs1.B', [...BYTES.toReversed()]],
      ["rs1.'2'", null, null],
    ])
  })

  it('leaves alone the fields of a row that are null, in one statement with other rows', async () => {
    const count = await swap(
      table,
      ['text', 'json', 'bytes'],
      [
        { key: ['2'], old: ["rs1.'2'", null, null], next: ['rs1.C', null, null] },
        { key: ['1'], old: [null, 'rs1.j1', BYTES], next: [null, 'rs1.B', BYTES.toReversed()] },
      ],
    )
    expect(count).toBe(2)
    expect((await values(table)).map((row) => row.map(plain)).slice(0, 2)).toEqual([
      ['rs1.one', 'rs1.B', [...BYTES.toReversed()]],
      ['rs1.C', null, null],
    ])
  })

  it.each([
    ['text', ['rs1.ONE', 'rs1.j1', BYTES]],
    ['text, by a space at its end', ['rs1.one ', 'rs1.j1', BYTES]],
    ['Json', ['rs1.one', 'rs1.J1', BYTES]],
    ['bytes', ['rs1.one', 'rs1.j1', BYTES.subarray(1)]],
  ] as const)('changes no field of a row whose %s differs', async (_, old) => {
    const before = await values(table)
    const next = ['rs1.A', 'rs1.B', BYTES.toReversed()]
    expect(await swap(table, ['text', 'json', 'bytes'], [{ key: ['1'], old, next }])).toBe(0)
    expect(await values(table)).toEqual(before)
  })

  it('rewrites five hundred rows with one statement', async () => {
    const { q, run } = at
    const some = Array.from({ length: 500 }, (_, i) => `(${i + 100}, 'rs1.${i}', NULL, NULL)`)
    await run(`INSERT INTO ${q('order')} VALUES ${some.join(', ')}`)
    const rows = some.map((_, i) => ({
      key: [String(i + 100)],
      old: [`rs1.${i}`, null],
      next: [`rs1.new${i}`, null],
    }))
    expect(await swap(table, ['text', 'json'], rows)).toBe(500)
    expect((await values(table)).at(-1)?.[0]).toBe('rs1.new96')
  })

  it('refuses fields that are not sealed, and batches of nothing', () => {
    expect(() => swapStatement(table, ['id'], [{ key: ['1'], old: ['a'], next: ['b'] }])).toThrow(
      TypeError,
    )
    expect(() => swapStatement(table, ['text'], [])).toThrow(TypeError)
    expect(() =>
      swapStatement({ ...table, key: [] }, ['text'], [{ key: [], old: ['a'], next: ['b'] }]),
    ).toThrow(TypeError)
  })

  it('says which table or column is missing', async () => {
    const load = (source: ReturnType<typeof model>): Promise<unknown> =>
      loadTable(at.client, provider, source, 'Order')
    const key = { group: 'Int' }
    const none = load(model({ table: 'none', key, sealed: { a: 'String' } }))
    await expect(none).rejects.toThrow(/Model Order: the database has no table .none/)
    const lacks = load(model({ table: 'order', key, sealed: { z: 'String' } }))
    await expect(lacks).rejects.toThrow(/Order\.z: table .order. has no column .z./)
    await expect(lacks).rejects.toBeInstanceOf(TableError)
  })
})

/** Buffers and arrays that hold the same are the same here. */
function plain(value: ColumnValue | null): unknown {
  return value instanceof Uint8Array ? [...value] : value
}

describe('swapStatement on sqlite', () => {
  it('compares bytes where the column says NOCASE', async () => {
    at = await connect('sqlite')
    await at.run(
      'CREATE TABLE T (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE)',
      `INSERT INTO T VALUES (1, 'rs1.one')`,
    )
    const table = await loadTable(
      at.client,
      'sqlite',
      model({ key: { id: 'Int' }, sealed: { a: 'String' } }),
    )
    expect(await swap(table, ['a'], [{ key: ['1'], old: ['RS1.ONE'], next: ['x'] }])).toBe(0)
  })

  it('finds rows by the index of the primary key', async () => {
    at = await connect('sqlite')
    await at.run('CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a TEXT)')
    const table = await loadTable(
      at.client,
      'sqlite',
      model({ key: { id: 'String' }, sealed: { a: 'String' } }),
    )
    const { sql, params } = swapStatement(table, ['a'], [{ key: ['1'], old: ['a'], next: ['b'] }])
    const plan = await at.client.$queryRawUnsafe<{ detail: string }[]>(
      `EXPLAIN QUERY PLAN ${sql}`,
      ...params,
    )
    expect(plan.map((step) => step.detail).join('\n')).toMatch(
      /SEARCH t USING INDEX sqlite_autoindex_T_1/,
    )
  })
})

describe.runIf(PROVIDERS.includes('postgresql'))('swapStatement on postgresql', () => {
  const load = async (ddl: string[], source: ReturnType<typeof model>): Promise<Table> => {
    at = await connect('postgresql')
    await at.run(...ddl)
    return loadTable(at.client, 'postgresql', source)
  }

  it.each([
    ['varchar(20)', 'rs1.one', 'rs1.two'],
    ['json', '"rs1.one"', '"rs1.two"'],
    ['text COLLATE "ci"', 'rs1.one', 'rs1.two'],
    ['sealed_text', 'rs1.one', 'rs1.two'],
  ])('compares and sets %s', async (type, stored, after) => {
    const json = type === 'json'
    const table = await load(
      [
        `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
        `CREATE DOMAIN sealed_text AS text`,
        `CREATE TABLE "T" (id int PRIMARY KEY, a ${type})`,
        `INSERT INTO "T" VALUES (1, '${stored}')`,
      ],
      model({ key: { id: 'Int' }, sealed: { a: json ? 'Json' : 'String' } }),
    )
    expect(await swap(table, ['a'], [{ key: ['1'], old: ['RS1.ONE'], next: ['no'] }])).toBe(0)
    expect(await swap(table, ['a'], [{ key: ['1'], old: ['rs1.one'], next: ['rs1.two'] }])).toBe(1)
    const rows = await at.client.$queryRawUnsafe('SELECT a::text AS a FROM "T"')
    expect(rows).toEqual([{ a: after }])
  })

  it('refuses a value longer than its column, and never cuts it off', async () => {
    const table = await load(
      ['CREATE TABLE "T" (id int PRIMARY KEY, a varchar(4))', `INSERT INTO "T" VALUES (1, 'abcd')`],
      model({ key: { id: 'Int' }, sealed: { a: 'String' } }),
    )
    await expect(
      swap(table, ['a'], [{ key: ['1'], old: ['abcd'], next: ['abcde'] }]),
    ).rejects.toThrow(/too long/)
  })

  it('compares and sets whole lists, with what is plaintext in them untouched', async () => {
    const table = await load(
      [
        'CREATE TABLE "T" (id int PRIMARY KEY, s text[], j jsonb[], b bytea[])',
        `INSERT INTO "T" VALUES (1, ARRAY['rs1.a', '', NULL, 'q"u\\o,t{e}', 'NULL'],
          ARRAY['"rs1.j"', '12345678901234567890.123', '{"k": [1, "\\""]}', 'null']::jsonb[],
          ARRAY['\\x525301', '\\x']::bytea[]), (2, '{}', NULL, '{}')`,
      ],
      model({ key: { id: 'Int' }, sealed: { s: 'String', j: 'Json', b: 'Bytes' }, lists: true }),
    )
    const [first] = await values(table)
    const [s, j, b] = first as unknown as [string[], (string | RawJson)[], Uint8Array[]]
    expect(s).toEqual(['rs1.a', '', null, 'q"u\\o,t{e}', 'NULL'])
    expect(j).toEqual([
      'rs1.j',
      new RawJson('12345678901234567890.123'),
      new RawJson('{"k": [1, "\\""]}'),
      new RawJson('null'),
    ])
    const other = [s.with(0, 'rs1.b'), j.with(0, 'rs1.k'), b.with(0, BYTES)]
    const stale = [['rs1.A', ...s.slice(1)], j, b]
    expect(await swap(table, ['s', 'j', 'b'], [{ key: ['1'], old: stale, next: other }])).toBe(0)
    expect(await swap(table, ['s', 'j', 'b'], [{ key: ['1'], old: [s, j, b], next: other }])).toBe(
      1,
    )
    const rows = await at.client.$queryRawUnsafe(
      `SELECT s[1] s, s[4] q, j[1]::text j, j[2]::text n, encode(b[1], 'hex') b, cardinality(b) c FROM "T" WHERE id = 1`,
    )
    const hex = Buffer.from(BYTES).toString('hex')
    expect(rows).toEqual([
      { s: 'rs1.b', q: 'q"u\\o,t{e}', j: '"rs1.k"', n: '12345678901234567890.123', b: hex, c: 2 },
    ])
  })

  it('leaves out rows that somebody has locked, without waiting', async () => {
    const table = await load(
      [
        'CREATE TABLE "T" (id int PRIMARY KEY, a text)',
        `INSERT INTO "T" VALUES (1, 'a'), (2, 'a')`,
      ],
      model({ key: { id: 'Int' }, sealed: { a: 'String' } }),
    )
    const rows = ['1', '2'].map((id) => ({ key: [id], old: ['a'], next: ['b'] }))
    await at.another().$transaction(async (other) => {
      await other.$queryRawUnsafe('SELECT 1 FROM "T" WHERE id = 1 FOR UPDATE')
      expect(await swap(table, ['a'], rows)).toBe(1)
    })
    expect(await swap(table, ['a'], rows)).toBe(1)
  })

  it.each([
    ['writes rows that others are about to refer to, and lets them', '', 1],
    ['leaves them out where a foreign key could be about the column, without waiting', 'UNIQUE', 0],
  ])('%s', async (_, constraint, count) => {
    const table = await load(
      [
        `CREATE TABLE "T" (id int PRIMARY KEY, a text ${constraint})`,
        'CREATE TABLE "Child" (t int REFERENCES "T")',
        `INSERT INTO "T" VALUES (1, 'a'), (2, 'b')`,
      ],
      model({ key: { id: 'Int' }, sealed: { a: 'String' } }),
    )
    const other = at.another()
    await other.$transaction(async (tx) => {
      await tx.$executeRawUnsafe('INSERT INTO "Child" VALUES (1)')
      expect(await swap(table, ['a'], [{ key: ['1'], old: ['a'], next: ['c'] }])).toBe(count)
    })
    if (count === 0) return
    await at.client.$transaction(async (tx) => {
      expect(await swapIn(tx, table, ['a'], [{ key: ['2'], old: ['b'], next: ['d'] }])).toBe(1)
      expect(await other.$executeRawUnsafe('INSERT INTO "Child" VALUES (2)')).toBe(1)
    })
  })

  it('finds rows by the index of the primary key in a large table', async () => {
    const table = await load(
      [
        'CREATE TABLE "T" (id uuid PRIMARY KEY, n int, a text, b text)',
        `INSERT INTO "T" SELECT gen_random_uuid(), i, repeat('a', 200), repeat('b', 200) FROM generate_series(1, 100000) i`,
        'ANALYZE "T"',
      ],
      model({ key: { id: 'String' }, sealed: { a: 'String', b: 'String' } }),
    )
    const found = await at.client.$queryRawUnsafe<{ id: string }[]>(
      'SELECT id::text FROM "T" LIMIT 500',
    )
    const rows = found.map(({ id }) => ({ key: [id], old: ['x', null], next: ['y', null] }))
    const { sql, params } = swapStatement(table, ['a', 'b'], rows)
    const plan = await at.client.$queryRawUnsafe<Record<string, string>[]>(
      `EXPLAIN ${sql}`,
      ...params,
    )
    const text = plan.map((row) => row['QUERY PLAN']).join('\n')
    expect(text).toMatch(/Index Scan using "T_pkey"/)
    expect(text).not.toMatch(/Seq Scan/)
  })

  it('finds the table of another schema', async () => {
    const table = await load(
      [
        'CREATE SCHEMA "s.1"',
        'CREATE TABLE "s.1"."T" (id int PRIMARY KEY, a text)',
        `INSERT INTO "s.1"."T" VALUES (1, 'a')`,
      ],
      model({ schema: 's.1', key: { id: 'Int' }, sealed: { a: 'String' } }),
    )
    expect(await swap(table, ['a'], [{ key: ['1'], old: ['a'], next: ['b'] }])).toBe(1)
  })

  it('refuses columns of another type than the plan says', async () => {
    const wrong = load(
      ['CREATE TABLE "T" (id int PRIMARY KEY, a bytea)'],
      model({ key: { id: 'Int' }, sealed: { a: 'String' } }),
    )
    await expect(wrong).rejects.toThrow(/T\.a: column "a" has the type bytea/)
  })
})
