import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Provider } from '../../src/plan/index.ts'
import {
  countByIndex,
  countRowsStatement,
  findStalenessIndexes,
  loadTable,
  readPage,
  staleCondition,
  stalenessLookups,
  type PageRequest,
  type StalenessIndex,
  type Table,
} from '../../src/sql/index.ts'
import { countByIndexStatement } from '../../src/sql/count.ts'
import { pageStatement } from '../../src/sql/page.ts'
import { CountStatements } from '../../src/sql/staleness/count-statements.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

const ROWS = 8_000
const SOURCE = model({ key: { id: 'Int' }, sealed: { s: 'String', b: 'Bytes' } })

const TYPES: Readonly<Record<Provider, string>> = {
  postgresql: 's text, b bytea, filler text) WITH (autovacuum_enabled = false',
  sqlite: 's TEXT, b BLOB, filler TEXT',
  mysql: 's TEXT, b BLOB, filler TEXT',
}

/** As many rows, all of them stale but few by now: every 1000th is under key 1. */
const INSERT: Readonly<Record<Provider, string>> = {
  postgresql: `INSERT INTO "T" SELECT i, 'rs1.00000001.A', '\\x52530100000001ff', repeat('x', 200) FROM generate_series(1, ${ROWS}) i`,
  sqlite: `INSERT INTO "T" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) SELECT i, 'rs1.00000001.A', x'52530100000001ff', printf('%.200c', 'x') FROM n`,
  mysql: `INSERT INTO \`T\` SELECT seq, 'rs1.00000001.A', x'52530100000001ff', repeat('x', 200) FROM seq_1_to_${ROWS}`,
}
const FRESH: Readonly<Record<Provider, string>> = {
  postgresql: `UPDATE "T" SET s = 'rs1.00000002.A', b = '\\x52530100000002ff' WHERE id % 1000 <> 0`,
  sqlite: `UPDATE "T" SET s = 'rs1.00000002.A', b = x'52530100000002ff' WHERE id % 1000 <> 0`,
  mysql: "UPDATE `T` SET s = 'rs1.00000002.A', b = x'52530100000002ff' WHERE id % 1000 <> 0",
}

let at: Connection
let table: Table
let indexes: readonly StalenessIndex[]

async function explain(provider: Provider, sql: string, params: unknown[] = []): Promise<string> {
  const command = provider === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'
  const rows = await at.client.$queryRawUnsafe<Record<string, unknown>[]>(
    `${command} ${sql}`,
    ...params,
  )
  const line = (row: Record<string, unknown>): string =>
    provider === 'mysql'
      ? `${String(row['table'])} ${String(row['type'])} ${String(row['key'])}`
      : String(row['QUERY PLAN'] ?? row['detail'])
  return rows.map(line).join('\n')
}

const analyze = (provider: Provider): Promise<void> =>
  at.run(
    // MySQL's statistics would count what it has not yet purged.
    { postgresql: 'VACUUM ANALYZE "T"', sqlite: 'ANALYZE', mysql: 'OPTIMIZE TABLE `T`' }[provider],
  )

function request(keyIds: readonly number[]): PageRequest {
  const { sealed: columns } = table
  const wanted = columns.map((column) => ({ column, keyIds }))
  return {
    columns,
    after: ['10'],
    where: columns.map((column) => staleCondition(table, column, keyIds)).join(' OR '),
    lookups: stalenessLookups(table, indexes, wanted),
    maxRows: 500,
    maxBytes: 1e9,
  }
}

describe.each(PROVIDERS)('with staleness indexes, %s', (provider) => {
  beforeAll(async () => {
    at = await connect(provider)
    await at.run(
      `CREATE TABLE ${at.q('T')} (id INTEGER NOT NULL PRIMARY KEY, ${TYPES[provider]})`,
      INSERT[provider],
    )
    table = await loadTable(at.client, provider, SOURCE)
    const missing = await findStalenessIndexes(at.client, table, SOURCE)
    for (const { statements } of missing) await at.exec(statements!.create)
    indexes = await findStalenessIndexes(at.client, table, SOURCE)
    // From when all rows were stale, which is what a planner believes in right after a drain.
    await analyze(provider)
    await at.run(FRESH[provider])
  })
  afterAll(async () => {
    await at.end()
  })

  it('looks up the rows of a page, whatever the statistics say', async () => {
    for (const keyIds of [[1], [1, 3]]) {
      const { sql, params } = pageStatement(table, request(keyIds))
      const plan = await explain(provider, sql, params)
      for (const { name } of indexes)
        expect(plan).toMatch(
          {
            postgresql: new RegExp(`Index Scan using "${name!}" on`),
            sqlite: new RegExp(`SEARCH t USING INDEX ${name!} \\(<expr>>`),
            mysql: new RegExp(`t range ${name!}`),
          }[provider],
        )
      const page = await readPage(at.client, table, request(keyIds))
      expect(page.rows.map(({ key }) => key[0])).toEqual([
        '1000',
        '2000',
        '3000',
        '4000',
        '5000',
        '6000',
        '7000',
        '8000',
      ])
      expect([page.isLast, page.isLookedUp]).toEqual([true, true])
    }
  })

  it('walks along the key where many rows are stale', async () => {
    const page = await readPage(at.client, table, request([2]))
    expect([page.isLast, page.isLookedUp, page.rows.length]).toEqual([false, false, 500])
    const walked = await readPage(at.client, table, { ...request([2]), lookups: null })
    expect(walked).toEqual(page)
  })

  it('walks through a range where many rows elsewhere are stale', async () => {
    const range = (after: string, until: string): PageRequest => {
      return { ...request([2]), after: [after], until: [until] }
    }
    const some = await readPage(at.client, table, range('997', '1002'))
    expect(some.rows.map(({ key }) => key[0])).toEqual(['998', '999', '1001', '1002'])
    const none = await readPage(at.client, table, range('999', '1000'))
    expect(none.rows).toEqual([])
    expect([some, none].map((page) => [page.isLast, page.isLookedUp])).toEqual([
      [true, false],
      [true, false],
    ])
  })

  it('looks up the rows of a range', async () => {
    const part = { ...request([1]), after: ['2000'], until: ['4000'] }
    const page = await readPage(at.client, table, part)
    expect(page.rows.map(({ key }) => key[0])).toEqual(['3000', '4000'])
    expect([page.isLast, page.isLookedUp]).toEqual([true, true])
  })

  it('counts few stale rows by the index', async () => {
    await analyze(provider)
    for (const [i, column] of table.sealed.entries()) {
      const statement = countRowsStatement(table, staleCondition(table, column, [1]))
      const plan = await explain(provider, statement)
      expect(plan).toMatch(
        {
          postgresql: new RegExp(`(Index Scan using|Bitmap Index Scan on) "${indexes[i]!.name!}"`),
          sqlite: new RegExp(`(SEARCH|SCAN) t USING INDEX ${indexes[i]!.name!}`),
          mysql: new RegExp(`t range ${indexes[i]!.name!}`),
        }[provider],
      )
      expect(plan).not.toContain('Seq Scan')
      expect(await at.client.$queryRawUnsafe(statement)).toEqual([{ count: '8' }])
    }
  })

  it('counts all values by key version', async () => {
    for (const column of table.sealed) {
      const rows = await countByIndex(at.client, table, column, true)
      expect(Object.fromEntries(rows.map(({ kind, count }) => [kind, count]))).toEqual({
        '00000001': '8',
        '00000002': '7992',
      })
    }
  })

  it.runIf(provider === 'sqlite')('reads no row to count them', async () => {
    for (const [i, column] of table.sealed.entries()) {
      const plan = await explain(provider, countByIndexStatement(table, column))
      expect(plan).toContain(`USING INDEX ${indexes[i]!.name!}`)
      expect(plan).not.toMatch(/SCAN t$/m)
    }
  })

  it.runIf(provider === 'postgresql')('reads few rows to count them', async () => {
    for (const [i, column] of table.sealed.entries()) {
      const { name } = indexes[i]!
      const statements = new CountStatements(table, column, 65)
      const prefixes =
        column.kind === 'bytes'
          ? ['52530100000001', '52530100000002']
          : ['rs1.00000001.', 'rs1.00000002.']
      const listed = await explain(provider, statements.list())
      expect(listed).toMatch(new RegExp(`Index Scan using "${name!}" on`))
      expect(listed).not.toContain('Seq Scan')
      const kinds = ['plaintext', 'null', ...prefixes]
      const { sql, params } = statements.count(kinds, prefixes[1]!)
      const counted = await explain(provider, sql, params)
      expect(counted).toContain('Index Only Scan using')
      expect(counted).not.toContain('Seq Scan')
    }
  })
})
