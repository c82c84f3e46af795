import { describe, expect, it } from 'vitest'
import type { Provider } from '../../src/plan/index.ts'
import { keyText, loadTable, readPage, swapAlone, type Page } from '../../src/sql/index.ts'
import { connect, model, PROVIDERS } from './machine.ts'

interface Case {
  readonly prisma: string
  readonly type: Partial<Record<Provider, string>>
  /** SQL literals in the order of the database. */
  readonly literals: readonly string[]
  readonly before?: string
}

const CASES: readonly Case[] = [
  {
    prisma: 'Int',
    type: { postgresql: 'integer', sqlite: 'INTEGER', mysql: 'INT' },
    literals: ['-5', '0', '9', '10', '2147483647'],
  },
  {
    prisma: 'BigInt',
    type: { postgresql: 'bigint', sqlite: 'BIGINT', mysql: 'BIGINT' },
    literals: ['9007199254740992', '9007199254740993', '9223372036854775807'],
  },
  {
    prisma: 'BigInt',
    type: { mysql: 'BIGINT UNSIGNED' },
    literals: ['1', '18446744073709551614', '18446744073709551615'],
  },
  {
    prisma: 'String',
    type: { postgresql: 'text', sqlite: 'TEXT', mysql: 'VARCHAR(191)' },
    literals: [`''`, `'1'`, `'A''b"c'`, `'e,{}'`, `'é€𝄞'`],
  },
  { prisma: 'String', type: { postgresql: 'character(5)' }, literals: [`'a'`, `'ab'`, `'abcde'`] },
  { prisma: 'String', type: { postgresql: 'varchar(3)' }, literals: [`'a'`, `'abc'`] },
  {
    prisma: 'String',
    type: { postgresql: 'uuid' },
    literals: [`'00000000-0000-0000-0000-00000000000a'`, `'ffffffff-0000-0000-0000-000000000000'`],
  },
  {
    prisma: 'DateTime',
    type: { postgresql: 'timestamp(6)', mysql: 'DATETIME(6)' },
    literals: [`'2026-01-01 00:00:00.000001'`, `'2026-01-01 00:00:00.000002'`],
  },
  {
    prisma: 'DateTime',
    type: { postgresql: 'timestamptz(6)' },
    literals: [`'2026-01-01 00:00:00.000001+00'`, `'2026-01-01 00:00:00.000002+02'`].reverse(),
  },
  { prisma: 'DateTime', type: { postgresql: 'date', mysql: 'DATE' }, literals: [`'1999-12-31'`] },
  {
    prisma: 'DateTime',
    type: { sqlite: 'DATETIME' },
    literals: [
      `1700000000000`,
      `'2026-01-01T00:00:00.000+00:00'`,
      `'2026-01-01T00:00:00.001+00:00'`,
    ],
  },
  { prisma: 'Bytes', type: { postgresql: 'bytea' }, literals: [`'\\x'`, `'\\x00ff'`, `'\\xff'`] },
  {
    prisma: 'Bytes',
    type: { sqlite: 'BLOB', mysql: 'VARBINARY(20)' },
    literals: [`x''`, `x'00ff'`, `x'ff'`],
  },
  {
    prisma: 'Decimal',
    type: { postgresql: 'numeric(30,10)', mysql: 'DECIMAL(30,10)' },
    literals: ['0.0000000001', '12345678901234567890.0000000001'],
  },
  {
    prisma: 'Decimal',
    type: { sqlite: 'DECIMAL' },
    literals: ['0.1', '0.30000000000000004', '1', '1.10'],
  },
  {
    prisma: 'Float',
    type: { postgresql: 'double precision', sqlite: 'REAL', mysql: 'DOUBLE' },
    literals: ['-1.5e300', '0.1', '0.30000000000000004', '12345678.901234567'],
  },
  {
    prisma: 'Boolean',
    type: { postgresql: 'boolean', sqlite: 'BOOLEAN', mysql: 'TINYINT(1)' },
    literals: ['false', 'true'],
  },
  {
    prisma: 'Role',
    before: `CREATE TYPE "Ro""le" AS ENUM ('zebra', 'ape')`,
    type: { postgresql: '"Ro""le"' },
    literals: [`'zebra'`, `'ape'`],
  },
  {
    prisma: 'Role',
    type: { mysql: `ENUM('zebra', 'ape')` },
    literals: [`'zebra'`, `'ape'`],
  },
]

describe.each(PROVIDERS)('keys on %s', (provider) => {
  for (const { prisma, type, literals, before } of CASES) {
    const declared = type[provider]
    if (declared === undefined) continue

    it(`finds every row again by its key of type ${declared}`, async () => {
      const { client, run, q, end } = await connect(provider)
      if (before !== undefined) await run(before)
      await run(`CREATE TABLE ${q('T')} (id ${declared} NOT NULL PRIMARY KEY, a TEXT)`)
      for (const literal of literals) await run(`INSERT INTO ${q('T')} VALUES (${literal}, 'old')`)
      const table = await loadTable(
        client,
        provider,
        model({ key: { id: prisma }, sealed: { a: 'String' } }),
      )

      // One row to a page, so that every key is a cursor once.
      const keys: (readonly string[])[] = []
      for (let page: Page | null = null; page === null || !page.isLast;) {
        page = await readPage(client, table, {
          columns: table.sealed,
          after: keys.at(-1) ?? null,
          where: null,
          maxRows: 1,
          maxBytes: 1000,
        })
        keys.push(...page.rows.map((row) => row.key))
        if (page.rows.length === 0) break
      }
      expect(new Set(keys.map((key) => key[0])).size).toBe(literals.length)
      expect(keys).toHaveLength(literals.length)

      const swaps = keys.map((key, i) => ({ key, old: ['old'], next: [`new ${i}`] }))
      expect(await swapAlone(client, table, ['a'], swaps)).toBe(literals.length)
      const rows = await client.$queryRawUnsafe<{ a: string }[]>(
        `SELECT a FROM ${q('T')} ORDER BY a`,
      )
      expect(rows.map((row) => row.a)).toEqual(literals.map((_, i) => `new ${i}`))
      await end()
    })
  }

  it('pages through a composite key in its order', async () => {
    const { client, run, q, end } = await connect(provider)
    const text = provider === 'mysql' ? 'VARCHAR(20)' : 'TEXT'
    await run(
      `CREATE TABLE ${q('T')} (x ${text} NOT NULL, y BIGINT NOT NULL, a TEXT, PRIMARY KEY (x, y))`,
      `INSERT INTO ${q('T')} VALUES ('b', 9, 'old'), ('b', 10, 'old'), ('a', 100, 'old'), ('c', 1, 'old'), ('a', 2, 'old')`,
    )
    const table = await loadTable(
      client,
      provider,
      model({ key: { x: 'String', y: 'BigInt' }, sealed: { a: 'String' } }),
    )
    const keys: (readonly string[])[] = []
    for (let isLast = false; !isLast;) {
      const page = await readPage(client, table, {
        columns: table.sealed,
        after: keys.at(-1) ?? null,
        where: null,
        maxRows: 2,
        maxBytes: 1000,
      })
      keys.push(...page.rows.map((row) => row.key))
      isLast = page.isLast
    }
    expect(keys).toEqual([
      ['a', '2'],
      ['a', '100'],
      ['b', '9'],
      ['b', '10'],
      ['c', '1'],
    ])
    const chosen = [keys[1]!, keys[2]!, ['b', '2']]
    const swaps = chosen.map((key) => ({ key, old: ['old'], next: ['new'] }))
    expect(await swapAlone(client, table, ['a'], swaps)).toBe(2)
    await end()
  })
})

describe('keyText', () => {
  const date = new Date('2026-01-02T03:04:05.678Z')
  it.each([
    ['postgresql', 1, '1'],
    ['postgresql', 2n ** 60n, '1152921504606846976'],
    ['postgresql', 'a', 'a'],
    ['postgresql', true, 'true'],
    ['sqlite', true, '1'],
    ['mysql', false, '0'],
    ['postgresql', date, '2026-01-02 03:04:05.678Z'],
    ['sqlite', date, '2026-01-02T03:04:05.678+00:00'],
    ['mysql', date, '2026-01-02 03:04:05.678'],
    ['sqlite', new Uint8Array([0, 255]), '00ff'],
    ['postgresql', { toFixed: () => '1.10' }, '1.10'],
  ] as const)('writes for %s the key %s as %s', (provider, value, text) => {
    expect(keyText(provider, value)).toBe(text)
  })

  it.each([[null], [undefined], [{}], [Symbol('x')]])('refuses %s', (value) => {
    expect(() => keyText('sqlite', value)).toThrow(TypeError)
  })
})
