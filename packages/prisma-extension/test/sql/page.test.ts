import { afterEach, describe, expect, it } from 'vitest'
import { bytesPrefix, textPrefix } from '../../src/envelope/index.ts'
import type { Provider } from '../../src/plan/index.ts'
import {
  countStatement,
  loadTable,
  readPage,
  staleCondition,
  swapAlone,
  type CountRow,
  type PageRequest,
  type Table,
} from '../../src/sql/index.ts'
import { pageStatement } from '../../src/sql/page.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

let at: Connection
afterEach(async () => {
  await at.end()
})

const ALL: Omit<PageRequest, 'columns'> = { after: null, where: null, maxRows: 100, maxBytes: 1e9 }

function bytes(provider: Provider, data: Uint8Array): string {
  const hex = Buffer.from(data).toString('hex')
  return provider === 'postgresql' ? `'\\x${hex}'` : `x'${hex}'`
}

/** Rows 1 to 6: key version 1, key version 0xfffffffe, plaintext, almost an envelope, malformed, NULL. */
async function sealedRows(provider: Provider): Promise<Table> {
  at = await connect(provider)
  const { q, run } = at
  const [json, blob] = {
    postgresql: ['jsonb', 'bytea'],
    sqlite: ['JSONB', 'BLOB'],
    mysql: ['JSON', 'BLOB'],
  }[provider]
  await run(
    `CREATE TABLE ${q('T')} (id INTEGER NOT NULL PRIMARY KEY, s ${provider === 'mysql' ? 'TEXT' : 'text'}, j ${json}, b ${blob})`,
  )
  const texts = [
    `${textPrefix(1)}AAAA`,
    `${textPrefix(0xfffffffe)}BBBB`,
    'hello',
    'xrs1.00000001.',
    'rs1.0000000g.',
  ]
  const blobs = [
    bytesPrefix(1),
    bytesPrefix(0xfffffffe),
    [1, 2],
    [0, ...bytesPrefix(1)],
    [0x52, 0x53, 1, 0],
  ]
  for (const [i, text] of texts.entries()) {
    const blob = bytes(provider, Uint8Array.from(blobs[i]!))
    await run(`INSERT INTO ${q('T')} VALUES (${i + 1}, '${text}', '"${text}"', ${blob})`)
  }
  await run(`INSERT INTO ${q('T')} VALUES (6, NULL, NULL, NULL)`)
  return loadTable(
    at.client,
    provider,
    model({ key: { id: 'Int' }, sealed: { s: 'String', j: 'Json', b: 'Bytes' } }),
  )
}

describe.each(PROVIDERS)('on %s', (provider) => {
  it('finds values by key id, and nothing that only looks alike', async () => {
    const table = await sealedRows(provider)
    for (const column of table.sealed) {
      const ids = async (keyIds: number[]): Promise<unknown[]> => {
        const where = staleCondition(table, column, keyIds)
        const page = await readPage(at.client, table, { ...ALL, columns: [column], where })
        return page.rows.map((row) => row.key[0])
      }
      expect(await ids([1])).toEqual(['1'])
      expect(await ids([5, 0xfffffffe])).toEqual(['2'])
      expect(await ids([1, 0xfffffffe])).toEqual(['1', '2'])
      expect(await ids([])).toEqual([])
    }
  })

  it('counts values by key version', async () => {
    const table = await sealedRows(provider)
    for (const column of table.sealed) {
      const rows = await at.client.$queryRawUnsafe<CountRow[]>(countStatement(table, column))
      expect(Object.fromEntries(rows.map(({ kind, count }) => [kind, count]))).toEqual({
        '00000001': '1',
        fffffffe: '1',
        plaintext: '2',
        malformed: '1',
        null: '1',
      })
    }
  })

  it.each(['p', 'q', 'v', 'l', 't', 'u', 'e', 'c', 'P'])(
    'reads, counts and rewrites a table that is called %s',
    async (name) => {
      const { q, run, client } = (at = await connect(provider))
      await run(
        `CREATE TABLE ${q(name)} (id INTEGER NOT NULL PRIMARY KEY, a VARCHAR(50))`,
        `INSERT INTO ${q(name)} VALUES (1, 'rs1.00000001.A')`,
      )
      const source = model({ table: name, key: { id: 'Int' }, sealed: { a: 'String' } })
      const table = await loadTable(client, provider, source)
      const page = await readPage(client, table, { ...ALL, columns: table.sealed })
      expect(page.rows).toEqual([{ key: ['1'], values: ['rs1.00000001.A'], bound: [] }])
      const [count] = await client.$queryRawUnsafe<CountRow[]>(
        countStatement(table, table.sealed[0]!),
      )
      expect(count).toEqual({ kind: '00000001', count: '1' })
      const row = { key: ['1'], old: ['rs1.00000001.A'], next: ['rs1.00000002.A'] }
      expect(await swapAlone(client, table, ['a'], [row])).toBe(1)
    },
  )

  it('ends a page at the bound on bytes, but never before the first row', async () => {
    const { q, run, client } = (at = await connect(provider))
    await run(
      `CREATE TABLE ${q('T')} (id INTEGER NOT NULL PRIMARY KEY, a ${provider === 'mysql' ? 'LONGTEXT' : 'TEXT'})`,
    )
    for (const [i, size] of [100, 100, 100, 5000, 100].entries())
      await run(`INSERT INTO ${q('T')} VALUES (${i}, '${'x'.repeat(size)}')`)
    const table = await loadTable(
      client,
      provider,
      model({ key: { id: 'Int' }, sealed: { a: 'String' } }),
    )
    const pages: string[][] = []
    for (let after: readonly string[] | null = null, isLast = false; !isLast;) {
      const page = await readPage(client, table, {
        ...ALL,
        columns: table.sealed,
        after,
        maxBytes: 250,
      })
      pages.push(page.rows.map((row) => row.key[0]!))
      after = page.rows.at(-1)?.key ?? null
      isLast = page.isLast
    }
    expect(pages).toEqual([['0', '1', '2'], ['3'], ['4']])
  })

  it('knows when no row is left', async () => {
    const table = await sealedRows(provider)
    const read = async (request: Partial<PageRequest>): Promise<boolean> =>
      (await readPage(at.client, table, { ...ALL, columns: table.sealed, ...request })).isLast
    expect(await read({ maxRows: 3 })).toBe(false)
    expect(await read({ maxRows: 3, after: ['3'] })).toBe(false)
    expect(await read({ maxRows: 3, after: ['4'] })).toBe(true)
    expect(await read({ after: ['6'] })).toBe(true)
  })
})

it('reads a page on sqlite by the index of the key, without sorting', async () => {
  at = await connect('sqlite')
  await at.run('CREATE TABLE T (x TEXT NOT NULL, y INTEGER NOT NULL, a TEXT, PRIMARY KEY (x, y))')
  const table = await loadTable(
    at.client,
    'sqlite',
    model({ key: { x: 'String', y: 'Int' }, sealed: { a: 'String' } }),
  )
  const { sql, params } = pageStatement(table, { ...ALL, columns: table.sealed, after: ['a', '1'] })
  const plan = await at.client.$queryRawUnsafe<{ detail: string }[]>(
    `EXPLAIN QUERY PLAN ${sql}`,
    ...params,
  )
  const text = plan.map((step) => step.detail).join('\n')
  expect(text).toMatch(/SEARCH t USING INDEX sqlite_autoindex_T_1 \(\(x,y\)>/)
  expect(text).toMatch(/SEARCH t USING INDEX sqlite_autoindex_T_1 \(x=\? AND y=\?\)/)
})

describe.runIf(PROVIDERS.includes('postgresql'))('on postgresql', () => {
  it('finds and counts the elements of lists', async () => {
    const { client, run } = (at = await connect('postgresql'))
    await run(
      'CREATE TABLE "T" (id int PRIMARY KEY, s text[], j jsonb[], b bytea[])',
      `INSERT INTO "T" VALUES
(1, ARRAY['x', 'rs1.00000001.A'], ARRAY['{}', '"rs1.00000001.A"']::jsonb[], ARRAY['\\x00', '\\x5253010000000100']::bytea[]),
(2, ARRAY['rs1.00000002.A', 'rs1.00000002.A'], ARRAY['"rs1.00000002.A"', '"rs1.00000002.A"']::jsonb[], ARRAY['\\x52530100000002', '\\x52530100000002']::bytea[]),
(3, '{}', NULL, '{}')`,
    )
    const table = await loadTable(
      client,
      'postgresql',
      model({ key: { id: 'Int' }, sealed: { s: 'String', j: 'Json', b: 'Bytes' }, lists: true }),
    )
    for (const column of table.sealed) {
      const where = staleCondition(table, column, [1])
      const page = await readPage(client, table, { ...ALL, columns: [column], where })
      expect(page.rows.map((row) => row.key)).toEqual([['1']])
      const rows = await client.$queryRawUnsafe<CountRow[]>(countStatement(table, column))
      const counts = Object.fromEntries(rows.map(({ kind, count }) => [kind, count]))
      expect(counts).toEqual({ '00000001': '1', '00000002': '2', plaintext: '1', null: '1' })
    }
  })

  it('reads a page by the index of a composite key in a large table', async () => {
    const { client, run } = (at = await connect('postgresql'))
    await run(
      'CREATE TABLE "T" (x uuid, y int, a text, PRIMARY KEY (x, y))',
      `INSERT INTO "T" SELECT gen_random_uuid(), i, 'rs1.00000001.' || repeat('a', 200) FROM generate_series(1, 100000) i`,
      'ANALYZE "T"',
    )
    const table = await loadTable(
      client,
      'postgresql',
      model({ key: { x: 'String', y: 'Int' }, sealed: { a: 'String' } }),
    )
    const { sql, params } = pageStatement(table, {
      ...ALL,
      columns: table.sealed,
      where: staleCondition(table, table.sealed[0]!, [1]),
      after: ['80000000-0000-0000-0000-000000000000', '1'],
    })
    const plan = await client.$queryRawUnsafe<Record<string, string>[]>(`EXPLAIN ${sql}`, ...params)
    const text = plan.map((row) => row['QUERY PLAN']).join('\n')
    expect(text.match(/Index Scan using "T_pkey"/g)).toHaveLength(2)
    expect(text).not.toMatch(/Seq Scan/)
  })
})

describe.runIf(PROVIDERS.includes('mysql'))('on mysql', () => {
  const source = model({ key: { id: 'Int' }, sealed: { s: 'String' } })

  it('takes no text for an envelope that only a collation takes for one', async () => {
    const { client, run } = (at = await connect('mysql'))
    await run(
      'CREATE TABLE T (id INT PRIMARY KEY, s TEXT COLLATE utf8mb4_general_ci)',
      `INSERT INTO T VALUES (1, 'RS1.0000000A.A'), (2, 'rs1.0000000A.A'), (3, 'rs1.0000000a.A'), (4, 'RS1.')`,
    )
    const table = await loadTable(client, 'mysql', source)
    const [column] = table.sealed
    const where = staleCondition(table, column!, [10])
    const page = await readPage(client, table, { ...ALL, columns: table.sealed, where })
    expect(page.rows.map((row) => row.key)).toEqual([['3']])
    const rows = await client.$queryRawUnsafe<CountRow[]>(countStatement(table, column!))
    const counts = Object.fromEntries(rows.map(({ kind, count }) => [kind, count]))
    expect(counts).toEqual({ '0000000a': '1', malformed: '1', plaintext: '2' })
  })

  it('reads a page by a range of the index of a composite key', async () => {
    const { client, run } = (at = await connect('mysql'))
    const values = Array.from({ length: 300 }, (_, i) => `('${i % 3}', ${i}, 'rs1.00000001.A')`)
    await run(
      'CREATE TABLE T (x VARCHAR(36) NOT NULL, y INT NOT NULL, s TEXT, PRIMARY KEY (x, y))',
      `INSERT INTO T VALUES ${values.join(', ')}`,
      'ANALYZE TABLE T',
    )
    const composite = model({ key: { x: 'String', y: 'Int' }, sealed: { s: 'String' } })
    const table = await loadTable(client, 'mysql', composite)
    const { sql, params } = pageStatement(table, {
      ...ALL,
      columns: table.sealed,
      where: staleCondition(table, table.sealed[0]!, [1]),
      after: ['2', '200'],
    })
    const plan = await client.$queryRawUnsafe<{ table: string; type: string }[]>(
      `EXPLAIN ${sql}`,
      ...params,
    )
    const access = plan.filter((row) => row.table === 't').map((row) => row.type)
    expect(access.toSorted()).toEqual(['eq_ref', 'range'])
  })
})
