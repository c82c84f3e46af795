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
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

const SOURCE = model({
  key: { g: 'String', id: 'Int' },
  sealed: { s: 'String', c: 'String', j: 'Json', b: 'Bytes' },
})
const KEY_IDS = [1, 10, 0xffffffff]

/** `s` and `c` are of collations that take much for the same. */
const COLUMNS: Readonly<Record<Provider, string>> = {
  postgresql: 's text COLLATE ci, c varchar(200), j jsonb, b bytea',
  sqlite: 's TEXT COLLATE NOCASE, c TEXT, j JSONB, b BLOB',
  mysql: 's TEXT COLLATE utf8mb4_unicode_ci, c VARCHAR(191) CHARACTER SET latin1, j JSON, b BLOB',
}

/** Parts of the table, one of them without rows. */
const RANGES: readonly (readonly [Keys, Keys])[] = [
  [null, ['g0', '40']],
  [
    ['g0', '40'],
    ['g0', '41'],
  ],
  [
    ['g0', '41'],
    ['g1', '20'],
  ],
  [['g1', '20'], null],
]

const hexOf = (keyId: number): string => keyId.toString(16).padStart(8, '0')

/** Envelopes under each key, and what one might take for some. */
function texts(): string[] {
  const values = KEY_IDS.flatMap((keyId) => {
    const prefix = `rs1.${hexOf(keyId)}.`
    const near = [
      prefix.toUpperCase(),
      ` ${prefix}`,
      `${prefix.slice(0, -1)}-`,
      prefix.slice(0, -1),
    ]
    const ends = ['', ' ', '\t', 'A', 'AAAA', ' A', '%', '_']
    return [...ends.map((end) => prefix + end), ...near, ...near.map((text) => `${text}AA`)]
  })
  const others = [
    '',
    ' ',
    '\t',
    'null',
    'rs1.',
    'rs1/',
    'rs1.0000000g.A',
    'rs1.0000000A.A',
    'rs1.%',
  ]
  return [
    ...values,
    ...others,
    'rs1.00000001x',
    'rs1\\.00000001.',
    'RS1.',
    'r',
    'zz',
    'rs1.\u00ff',
    '\u00dfs1.00000001.A',
  ]
}

/** JSON texts: canonical strings, and other ways to write the same ones. */
function jsons(provider: Provider): string[] {
  const plain = texts().map((text) => JSON.stringify(text))
  const written = ['null', '1', '{"a":"rs1.00000001."}', '["rs1.00000001.A"]']
  const escaped = plain.flatMap((text) => [
    ` ${text}`,
    `\n${text}`,
    text.replace('r', '\\u0072'),
    text.replace('.', '\\u002e'),
    text.replace(
      /([0-9a-f])[.]/,
      (_, digit: string) => `\\u00${digit.charCodeAt(0).toString(16)}.`,
    ),
    text.replace(/[.](?=[^.]*$)/, '\\u002E'),
  ])
  // SQLite takes only what begins with a quote for a string.
  return [...plain, ...written, ...(provider === 'sqlite' ? [] : escaped)]
}

function blobs(): string[] {
  const of = (keyId: number): string => `525301${hexOf(keyId)}`
  const values = KEY_IDS.flatMap((keyId) => [of(keyId), `${of(keyId)}00`, `${of(keyId)}ffff`])
  return [...values, '', '00', '52', '5253', '525301', '52530100', '525302', '525301000000', 'ff']
}

let at: Connection
let table: Table

async function insertRows(provider: Provider): Promise<void> {
  const literal = (text: string): string => {
    const doubled = text.replaceAll("'", "''")
    return provider === 'mysql' ? `'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
  }
  const [s, j, b] = [texts(), jsons(provider), blobs()]
  const rows = Array.from({ length: Math.max(s.length, j.length, b.length) }, (_, i) => {
    const at = <T>(list: readonly T[], by: number): T | undefined =>
      i % by === by - 1 ? undefined : list[i % list.length]
    const text = at(s, 13)
    const [other, json, blob] = [at(s, 11), at(j, 17), at(b, 7)]
    const bytes =
      blob === undefined ? 'NULL' : provider === 'postgresql' ? `'\\x${blob}'` : `x'${blob}'`
    const of = (value: string | undefined): string =>
      value === undefined ? 'NULL' : literal(value)
    return `(${literal(`g${i % 3}`)}, ${i}, ${of(text)}, ${of(other?.replace('ÿ', ''))}, ${of(json)}, ${bytes})`
  })
  await at.run(`INSERT INTO ${at.q('T')} (g, id, s, c, j, b) VALUES ${rows.join(', ')}`)
}

async function counts(isIndexed: boolean): Promise<unknown> {
  const all = []
  for (const column of table.sealed) {
    const rows = await countByIndex(at.client, table, column, isIndexed)
    const entries = rows.map(({ kind, count }) => [kind, Number(count)] as const)
    all.push([column.field, Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))])
  }
  return all
}

type Keys = readonly string[] | null

/** All pages of a range about some fields and key ids. */
async function pages(
  fields: readonly string[],
  keyIds: readonly number[],
  indexes: readonly StalenessIndex[] | null,
  [begin, until]: readonly [Keys, Keys] = [null, null],
): Promise<unknown[]> {
  const columns = table.sealed.filter(({ field }) => fields.includes(field))
  const wanted = columns.map((column) => ({ column, keyIds }))
  const lookups = indexes && stalenessLookups(table, indexes, wanted)
  expect(lookups === null).toBe(indexes === null)
  const where = columns.map((column) => staleCondition(table, column, keyIds)).join(' OR ')
  const found: unknown[] = []
  let after = begin
  for (let isLast = false; !isLast;) {
    const request: PageRequest = {
      columns,
      after,
      until,
      where,
      lookups,
      maxRows: 4,
      maxBytes: 200,
    }
    const page = await readPage(at.client, table, request)
    expect(page.isLookedUp).toBe(lookups !== null)
    found.push(page.rows)
    after = page.rows.at(-1)?.key ?? after
    isLast = page.isLast
  }
  if (begin === null && until === null) {
    const [count] = await at.client.$queryRawUnsafe<{ count: string }[]>(
      countRowsStatement(table, where),
    )
    expect(found.flat()).toHaveLength(Number(count?.count))
  }
  return found
}

describe.each(PROVIDERS)('staleness indexes on %s', (provider) => {
  beforeAll(async () => {
    at = await connect(provider)
    if (provider === 'postgresql')
      await at.run(
        `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`,
      )
    const key = provider === 'mysql' ? 'VARCHAR(20)' : 'TEXT'
    await at.run(
      `CREATE TABLE ${at.q('T')} (g ${key} NOT NULL, id INTEGER NOT NULL, ${COLUMNS[provider]}, PRIMARY KEY (g, id))`,
    )
    await insertRows(provider)
    table = await loadTable(at.client, provider, SOURCE)
  })
  afterAll(async () => {
    await at.end()
  })

  it('change no count and no page', async () => {
    const before = await findStalenessIndexes(at.client, table, SOURCE)
    expect(before.map(({ state }) => state)).toEqual(Array(4).fill('missing'))
    const asked: (readonly [string[], number[]])[] = [
      [['s'], [1]],
      [['c'], [10]],
      [['j'], [1]],
      [['j'], KEY_IDS],
      [['b'], [0xffffffff, 1]],
      [['s', 'b'], [10]],
      [['s', 'c', 'j', 'b'], KEY_IDS],
      [['s', 'c', 'j', 'b'], [5]],
    ]
    const all = async (indexes: readonly StalenessIndex[] | null): Promise<unknown[][]> => {
      const done: unknown[][] = []
      for (const [fields, keyIds] of asked) done.push(await pages(fields, keyIds, indexes))
      const [fields, keyIds] = asked[6]!
      for (const range of RANGES) done.push(await pages(fields, keyIds, indexes, range))
      return done
    }
    const expected = [await counts(false), await all(null)]
    for (const { statements } of before) await at.exec(statements!.create)
    const after = await findStalenessIndexes(at.client, table, SOURCE)
    expect(after.map(({ state }) => state)).toEqual(Array(4).fill('present'))
    expect([await counts(true), await all(after)]).toEqual(expected)
    const [first] = expected[1] as unknown[][]
    expect(first!.flat().length).toBeGreaterThan(8)
    const parts = (expected[1] as unknown[][]).slice(-RANGES.length).map((part) => part.flat())
    expect(parts.flat()).toEqual((expected[1] as unknown[][])[6]!.flat())
    expect(parts.map((part) => part.length > 0)).toEqual([true, false, true, true])
    for (const { statements } of after) await at.exec(statements!.drop)
    expect(await findStalenessIndexes(at.client, table, SOURCE)).toEqual(before)
  })
})
