import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelSource, Provider } from '../../src/plan/index.ts'
import {
  countRowsStatement,
  holdersStatement,
  indexCountStatement,
  indexKeyCondition,
  indexStaleCondition,
  indexSwapIn,
  loadTable,
  TableError,
  type CountRow,
  type IndexSwapRow,
  type SqlClient,
  type Table,
} from '../../src/sql/index.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

/** Compares upper and lower case as equal, as people configure it. */
const TEXT: Readonly<Record<Provider, string>> = {
  postgresql: 'text COLLATE "ci"',
  sqlite: 'TEXT COLLATE NOCASE',
  mysql: 'VARCHAR(191) COLLATE utf8mb4_general_ci',
}

const value = (keyId: number, digit: string): string =>
  `ri1.${keyId.toString(16).padStart(8, '0')}.${digit.repeat(64)}`
const A = value(1, 'a')
const B = value(2, 'b')

/** A sealed field with an index in two slots, and another one with one index. */
function source(): ModelSource {
  const plain = model({
    table: 'order',
    key: { tenant: 'Int', id: 'String' },
    sealed: { email: 'String', phone: 'String' },
    columns: { tenant: 'group', email: 'select' },
  })
  const index = (field: string, id: string, slot: 1 | 2): ModelSource['indexes'][string] => {
    return { field, id, normalize: [], slot, unique: false }
  }
  const columns = { e1: 'from', e2: 'e2', p1: 'p1' }
  return {
    ...plain,
    columns: {
      ...plain.columns,
      ...Object.fromEntries(
        Object.entries(columns).map(([name, column]) => [name, { type: 'String', column }]),
      ),
    },
    indexes: {
      e1: index('email', 'e1', 1),
      e2: index('email', 'e2', 2),
      p1: index('phone', 'p1', 1),
    },
  }
}

let at: Connection
afterEach(() => at.end())

describe.each(PROVIDERS)('columns of blind indexes on %s', (provider) => {
  let table: Table
  beforeEach(async () => {
    at = await connect(provider)
    const { q, run } = at
    if (provider === 'postgresql')
      await run(
        `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
      )
    const long = provider === 'mysql' ? 'LONGTEXT' : 'TEXT'
    const text = TEXT[provider]
    await run(
      `CREATE TABLE ${q('order')} (${q('group')} INTEGER NOT NULL, id VARCHAR(20) NOT NULL, ${q('select')} ${long}, phone ${long}, ${q('from')} ${text}, e2 ${text}, p1 ${text}, PRIMARY KEY (${q('group')}, id))`,
      `INSERT INTO ${q('order')} VALUES (1, 'a', 'rs1.a', 'rs1.p', NULL, NULL, NULL), (1, 'b', NULL, 'rs1.q', '${A}', NULL, NULL), (2, 'a', 'rs1.c', NULL, '${A}', '${B}', NULL)`,
    )
    table = await loadTable(at.client, provider, source())
  })

  const swap = (rows: IndexSwapRow[], client: SqlClient = at.client): Promise<number> => {
    const [email, phone] = table.sealed
    const [e1, e2, p1] = table.indexes
    const columns = [
      { sealed: email!, indexes: [e1!, e2!] },
      { sealed: phone!, indexes: [p1!] },
    ]
    return client.$transaction((tx) => indexSwapIn(tx, table, columns, rows))
  }
  const stored = async (): Promise<unknown[][]> => {
    const { q } = at
    const rows = await at.client.$queryRawUnsafe<Record<string, unknown>[]>(
      `SELECT ${q('from')} AS e1, e2, p1 FROM ${q('order')} ORDER BY ${q('group')}, id`,
    )
    return rows.map(({ e1, e2, p1 }) => [e1, e2, p1])
  }
  const count = async (where: string): Promise<number> => {
    const rows = await at.client.$queryRawUnsafe<{ count: string }[]>(
      countRowsStatement(table, where),
    )
    return Number(rows[0]!.count)
  }

  it('are set, to NULL too, where the sealed value and they themselves are what was read', async () => {
    const written = await swap([
      {
        key: ['1', 'a'],
        swaps: [
          { sealed: 'rs1.a', old: [null, null], next: [A, B] },
          { sealed: 'rs1.p', old: [null], next: [B] },
        ],
      },
      { key: ['1', 'b'], swaps: [{ sealed: null, old: [A, null], next: [null, null] }, null] },
      { key: ['2', 'a'], swaps: [{ sealed: 'rs1.c', old: [A, B], next: [null, B] }, null] },
    ])
    expect(written).toBe(3)
    expect(await stored()).toEqual([
      [A, B, B],
      [null, null, null],
      [null, B, null],
    ])
  })

  it.each<[string, IndexSwapRow]>([
    [
      'the sealed value changed',
      { key: ['1', 'a'], swaps: [{ sealed: 'rs1.A', old: [null, null], next: [A, B] }, null] },
    ],
    [
      'the sealed value came',
      { key: ['1', 'a'], swaps: [{ sealed: null, old: [null, null], next: [A, B] }, null] },
    ],
    [
      'the sealed value went',
      { key: ['1', 'b'], swaps: [{ sealed: 'rs1.b', old: [A, null], next: [A, B] }, null] },
    ],
    [
      'an index changed',
      {
        key: ['2', 'a'],
        swaps: [{ sealed: 'rs1.c', old: [A.toUpperCase(), B], next: [B, B] }, null],
      },
    ],
    [
      'an index came',
      { key: ['2', 'a'], swaps: [{ sealed: 'rs1.c', old: [A, null], next: [B, B] }, null] },
    ],
    [
      'an index went',
      { key: ['1', 'a'], swaps: [{ sealed: 'rs1.a', old: [A, null], next: [B, B] }, null] },
    ],
    [
      'the other field changed',
      {
        key: ['1', 'a'],
        swaps: [
          { sealed: 'rs1.a', old: [null, null], next: [A, B] },
          { sealed: 'rs1.P', old: [null], next: [B] },
        ],
      },
    ],
    [
      'the row went',
      { key: ['7', 'a'], swaps: [{ sealed: null, old: [null, null], next: [A, B] }, null] },
    ],
  ])('stay as they are where %s', async (_, row) => {
    const before = await stored()
    expect(await swap([row])).toBe(0)
    expect(await stored()).toEqual(before)
  })

  it.skipIf(provider === 'sqlite')('of rows that others have locked stay as they are', async () => {
    const { q } = at
    await at.another().$transaction(async (other) => {
      await other.$executeRawUnsafe(`UPDATE ${q('order')} SET phone = 'x' WHERE ${q('group')} = 2`)
      const swaps = [{ sealed: 'rs1.c', old: [A, B], next: [null, B] }, null]
      const rows = [
        { key: ['2', 'a'], swaps },
        { key: ['1', 'b'], swaps: [{ sealed: null, old: [A, null], next: [null, null] }, null] },
      ]
      expect(await swap(rows)).toBe(1)
    })
    expect((await stored())[2]).toEqual([A, B, null])
  })

  it('are told apart by key id, length and case', async () => {
    const { q, run } = at
    const [email] = table.sealed
    const [e1, e2] = table.indexes
    const stale = (first: number | null, second: number | null): Promise<number> =>
      count(
        indexStaleCondition(table, email!, [
          { column: e1!, keyId: first },
          { column: e2!, keyId: second },
        ]),
      )
    const only = async (text: string | null): Promise<void> =>
      run(
        `DELETE FROM ${q('order')}`,
        `INSERT INTO ${q('order')} VALUES (1, 'a', 'rs1.a', NULL, ${text === null ? 'NULL' : `'${text}'`}, NULL, NULL)`,
      )
    expect(await stale(1, 2)).toBe(2) // one is empty, one left over
    expect(await stale(1, null)).toBe(3)
    for (const [text, isStale] of [
      [A, false],
      [B, true],
      [null, true],
      [A.toUpperCase(), true],
      [A.slice(0, -1), true],
      ['', true],
    ] as const) {
      await only(text)
      expect([text, await stale(1, null)]).toEqual([text, isStale ? 1 : 0])
      expect(await count(indexKeyCondition(table, e1!, [1]))).toBe(
        text?.startsWith('ri1.00000001.') === true ? 1 : 0,
      )
    }
    expect(await count(indexKeyCondition(table, e1!, []))).toBe(0)
  })

  it('are counted by what they hold', async () => {
    const { q, run } = at
    const [email] = table.sealed
    const [e1] = table.indexes
    await run(
      `INSERT INTO ${q('order')} VALUES (3, 'a', 'rs1.d', NULL, '${A.toUpperCase()}', NULL, NULL), (3, 'b', NULL, NULL, NULL, NULL, NULL), (3, 'c', 'rs1.e', NULL, '${B}', NULL, NULL)`,
    )
    const rows = await at.client.$queryRawUnsafe<CountRow[]>(
      indexCountStatement(table, email!, e1!),
    )
    expect(new Map(rows.map(({ kind, count: n }) => [kind, n]))).toEqual(
      new Map([
        ['00000001', '1'],
        ['00000002', '1'],
        ['left', '1'],
        ['malformed', '1'],
        ['missing', '1'],
        ['null', '1'],
      ]),
    )
  })

  it('name the rows that have a value already, among those of the same constraint', async () => {
    const [e1] = table.indexes
    const holders = async (others: string[][]): Promise<string[]> => {
      const { sql, params } = holdersStatement(table, e1!, A, ['1', 'a'], others)
      const rows = await at.client.$queryRawUnsafe<{ k0: string; k1: string }[]>(sql, ...params)
      return rows.map(({ k0, k1 }) => `${k0} ${k1}`).sort()
    }
    expect(await holders([[]])).toEqual(['1 b', '2 a'])
    expect(await holders([['group']])).toEqual(['1 b'])
    expect(await holders([['group'], ['id']])).toEqual(['1 b', '2 a'])
    expect(await holders([['group', 'id']])).toEqual([])
  })

  it('have to be there', async () => {
    await at.run(`ALTER TABLE ${at.q('order')} DROP COLUMN p1`)
    const error = await loadTable(at.client, provider, source(), 'Order').catch((e: unknown) => e)
    expect(error).toBeInstanceOf(TableError)
    expect((error as TableError).field).toBe('Order.p1')
  })
})
