import { afterEach, describe, expect, it } from 'vitest'
import type { ModelSource } from '../../src/plan/index.ts'
import {
  loadTable,
  swapAlone,
  swapIn,
  type SqlClient,
  type SwapRow,
  type Table,
} from '../../src/sql/index.ts'
import { mysqlLock } from '../../src/sql/swap-mysql.ts'
import { swapStatement } from '../../src/sql/swap.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

let at: Connection
afterEach(() => at.end())

async function load(source: ModelSource, ...ddl: string[]): Promise<Table> {
  at = await connect('mysql')
  await at.run(...ddl)
  return loadTable(at.client, 'mysql', source)
}

const rowsOf = (...ids: number[]): SwapRow[] =>
  ids.map((id) => ({ key: [String(id)], old: ['a'], next: ['b'] }))
const swap = (table: Table, rows: readonly SwapRow[]): Promise<number> =>
  swapAlone(at.client, table, ['a'], rows)
const held = async (column = 'a'): Promise<unknown[]> => {
  const rows = await at.client.$queryRawUnsafe<{ v: unknown }[]>(
    `SELECT ${column} AS v FROM T ORDER BY id`,
  )
  return rows.map(({ v }) => v)
}
const source = model({ key: { id: 'Int' }, sealed: { a: 'String' } })
const THREE = [
  'CREATE TABLE T (id INT PRIMARY KEY, a LONGTEXT)',
  `INSERT INTO T VALUES (1, 'a'), (2, 'a'), (3, 'a')`,
]

/** How each of a statement's tables is read, by alias. */
async function accessOf(client: SqlClient, statement: ReturnType<typeof mysqlLock>): Promise<any> {
  const plan = await client.$queryRawUnsafe<{ table: string; type: string; key: string }[]>(
    `EXPLAIN ${statement.sql}`,
    ...statement.params,
  )
  return Object.fromEntries(plan.map(({ table, type, key }) => [table, [type, key]]))
}

describe.runIf(PROVIDERS.includes('mysql'))('a swap on mysql', () => {
  it('leaves out rows that somebody has locked, without waiting, in the smallest of tables', async () => {
    const table = await load(source, ...THREE)
    await at.another().$transaction(async (other) => {
      await other.$executeRawUnsafe(`UPDATE T SET a = 'theirs' WHERE id = 2`)
      // Waiting would end in an error.
      const impatient = at.another()
      await impatient.$transaction(
        async (tx) => {
          await tx.$executeRawUnsafe('SET innodb_lock_wait_timeout = 1')
          expect(await swapIn(tx, table, ['a'], rowsOf(1, 2))).toBe(1)
          expect(await swapIn(tx, table, ['a'], rowsOf(2))).toBe(0)
        },
        { isolationLevel: 'ReadCommitted' },
      )
      // What is none of its business is not locked either.
      await other.$executeRawUnsafe('SET innodb_lock_wait_timeout = 1')
      await other.$executeRawUnsafe(`UPDATE T SET a = 'theirs' WHERE id = 3`)
    })
    expect(await held()).toEqual(['b', 'theirs', 'theirs'])
  })

  it('leaves what it did not find free for others to insert, until its transaction ends', async () => {
    const table = await load(source, ...THREE)
    await at.client.$transaction(
      async (tx) => {
        expect(await swapIn(tx, table, ['a'], rowsOf(1, 7))).toBe(1)
        const other = at.another()
        await other.$transaction(async (theirs) => {
          await theirs.$executeRawUnsafe('SET innodb_lock_wait_timeout = 1')
          await theirs.$executeRawUnsafe(`INSERT INTO T VALUES (7, 'theirs')`)
        })
      },
      { isolationLevel: 'ReadCommitted' },
    )
    expect(await held()).toEqual(['b', 'a', 'a', 'theirs'])
  })

  it('runs at READ COMMITTED', async () => {
    const table = await load(source, ...THREE, 'CREATE TABLE Seen (level VARCHAR(50))')
    await at.exec(
      `CREATE TRIGGER spy BEFORE UPDATE ON T FOR EACH ROW INSERT INTO Seen
        SELECT trx_isolation_level FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = CONNECTION_ID()`,
    )
    expect(await swap(table, rowsOf(1))).toBe(1)
    expect(await at.client.$queryRawUnsafe('SELECT level FROM Seen')).toEqual([
      { level: 'READ COMMITTED' },
    ])
  })

  it.each([
    ['a primary key', 'id INT, a TEXT, PRIMARY KEY (id)', 'PRIMARY'],
    ['a unique column', 'id INT NOT NULL, a TEXT, UNIQUE INDEX `the ``key` (id)', 'the `key'],
    [
      'the unique index among others',
      'id INT NOT NULL, n INT, a TEXT, INDEX also (id, n), UNIQUE INDEX u (id)',
      'u',
    ],
    ['an index that begins with it', 'id INT NOT NULL, n INT, a TEXT, INDEX one (id, n)', 'one'],
  ])('goes by %s, never over the table', async (_, columns, index) => {
    const table = await load(
      source,
      `CREATE TABLE T (${columns})`,
      `INSERT INTO T (id, a) VALUES (1, 'a'), (2, 'a'), (3, 'a')`,
    )
    const rows = rowsOf(1, 2, 9)
    for (const statement of [mysqlLock(table, rows), swapStatement(table, ['a'], rows)])
      expect((await accessOf(at.client, statement)).t).toEqual([
        expect.stringMatching(/ref$/),
        index,
      ])
    expect(await swap(table, rows)).toBe(2)
  })

  it('goes by a composite key of several types, and by none where there is no index', async () => {
    const composite = model({
      key: { s: 'String', d: 'DateTime', id: 'BigInt' },
      sealed: { a: 'String' },
    })
    const table = await load(
      composite,
      'CREATE TABLE T (a TEXT, id BIGINT UNSIGNED, d DATETIME(6), s VARCHAR(50), PRIMARY KEY (id, s, d))',
      `INSERT INTO T VALUES ('a', 18446744073709551615, '2026-01-01 00:00:00.000001', 'x'), ('a', 1, '2026-01-01', 'x')`,
    )
    const row = {
      key: ['x', '2026-01-01 00:00:00.000001', '18446744073709551615'],
      old: ['a'],
      next: ['b'],
    }
    expect((await accessOf(at.client, mysqlLock(table, [row]))).t?.[1]).toBe('PRIMARY')
    expect(await swap(table, [row])).toBe(1)
    expect(await swap({ ...table, keyIndex: null }, [{ ...row, old: ['b'] }])).toBe(1)
  })

  it('sets columns that move with every update to themselves', async () => {
    const table = await load(
      source,
      `CREATE TABLE T (id INT PRIMARY KEY, a TEXT,
        at1 TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        \`at 2\` DATETIME NULL ON UPDATE CURRENT_TIMESTAMP)`,
      `INSERT INTO T VALUES (1, 'a', '2001-01-01 00:00:00.123', '2002-01-01')`,
    )
    const times = 'CONCAT(at1, " ", `at 2`)'
    const before = await held(times)
    expect(await swap(table, rowsOf(1))).toBe(1)
    expect(await held(times)).toEqual(before)
    expect(await held()).toEqual(['b'])
  })

  it('cuts nothing off, however long it is', async () => {
    const long = model({ key: { id: 'Int' }, sealed: { a: 'String', j: 'Json', b: 'Bytes' } })
    const table = await load(
      long,
      'CREATE TABLE T (id INT PRIMARY KEY, a LONGTEXT, j JSON, b LONGBLOB)',
      `INSERT INTO T VALUES (1, REPEAT('a', 1000001), CONCAT('"', REPEAT('j', 1000001), '"'), REPEAT('b', 1000001)), (2, 'a', '"j"', 'b')`,
    )
    const value = (c: string, last: string): string => c.repeat(1_000_000) + last
    const row = (end: string): SwapRow => ({
      key: ['1'],
      old: [value('a', end), value('j', 'j'), Buffer.from(value('b', 'b'))],
      next: [value('A', '1'), value('J', '2'), Buffer.from(value('B', '3'))],
    })
    const short = { key: ['2'], old: ['a', 'j', Buffer.from('b')], next: ['x', null, null] }
    const fields = ['a', 'j', 'b']
    expect(await swapAlone(at.client, table, fields, [short, row('x')])).toBe(1)
    expect(await swapAlone(at.client, table, fields, [short, row('a')])).toBe(1)
    const [after] = await at.client.$queryRawUnsafe<any[]>(
      `SELECT CONCAT(RIGHT(a, 1), RIGHT(j, 2), RIGHT(CONVERT(b USING utf8mb4), 1)) AS ends,
        CAST(LENGTH(a) + LENGTH(j) + LENGTH(b) AS CHAR) AS size FROM T WHERE id = 1`,
    )
    expect(after).toEqual({ ends: '12"3', size: '3000005' })
  })

  it('refuses a value longer than its column, and never cuts it off', async () => {
    const table = await load(
      source,
      'CREATE TABLE T (id INT PRIMARY KEY, a VARCHAR(4))',
      `INSERT INTO T VALUES (1, 'a')`,
    )
    const row = { key: ['1'], old: ['a'], next: ['abcde'] }
    await expect(swap(table, [row])).rejects.toThrow(/too long/i)
    expect(await held()).toEqual(['a'])
  })

  it.each([
    ['latin1', 'latin1_swedish_ci'],
    ['ascii', 'ascii_general_ci'],
    ['utf8mb3', 'utf8mb3_unicode_ci'],
    ['utf8mb4', 'utf8mb4_unicode_ci'],
    ['utf16', 'utf16_general_ci'],
  ])('compares exactly in a column of %s', async (charset, collation) => {
    const table = await load(
      source,
      `CREATE TABLE T (id INT PRIMARY KEY, a TEXT CHARACTER SET ${charset} COLLATE ${collation})`,
      `INSERT INTO T VALUES (1, 'a'), (2, 'A'), (3, 'a ')`,
    )
    expect(await swap(table, rowsOf(1, 2, 3))).toBe(1)
    expect(await held()).toEqual(['b', 'A', 'a '])
  })
})
