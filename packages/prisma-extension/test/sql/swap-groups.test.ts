import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ModelSource, Provider } from '../../src/plan/index.ts'
import {
  groupSwapIn,
  loadTable,
  readPage,
  RawJson,
  type ColumnValue,
  type GroupSwap,
  type GroupSwapRow,
  type Table,
} from '../../src/sql/index.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

const JSON_TYPE: Readonly<Record<Provider, string>> = {
  postgresql: 'jsonb',
  sqlite: 'JSONB',
  mysql: 'JSON',
}
const HASH = `ri1.00000001.${'a'.repeat(64)}`

/** A text with an index, bound to two columns; Json and bytes. */
function source(): ModelSource {
  const plain = model({ key: { id: 'Int' }, sealed: { a: 'String', j: 'Json', b: 'Bytes' } })
  return {
    ...plain,
    sealed: { ...plain.sealed, a: { ...plain.sealed['a']!, bind: ['owner', 'on'] } },
    columns: {
      ...plain.columns,
      ai: { type: 'String', column: 'ai' },
      owner: { type: 'String', column: 'group' },
      on: { type: 'Boolean', column: 'is on' },
    },
    indexes: { ai: { field: 'a', id: 'T.ai', normalize: [], slot: 1, unique: false } },
  }
}

describe.each(PROVIDERS)('groups of columns on %s', (provider) => {
  let at: Connection
  let table: Table
  beforeAll(async () => {
    at = await connect(provider)
    const { q, run } = at
    const [text, bytes] = {
      postgresql: ['text', 'bytea'],
      sqlite: ['TEXT', 'BLOB'],
      mysql: ['LONGTEXT', 'LONGBLOB'],
    }[provider] as [string, string]
    await run(
      `CREATE TABLE ${q('T')} (id INTEGER NOT NULL PRIMARY KEY, a ${text}, ai VARCHAR(191), j ${JSON_TYPE[provider]}, b ${bytes}, ${q('group')} VARCHAR(20) NOT NULL, ${q('is on')} BOOLEAN NOT NULL)`,
    )
    table = await loadTable(at.client, provider, source())
  })
  afterAll(() => at.end())
  beforeEach(() =>
    at.run(
      `DELETE FROM ${at.q('T')}`,
      `INSERT INTO ${at.q('T')} VALUES (1, 'one', NULL, '{"n":1}', NULL, 'Ann', true), (2, 'two', '${HASH}', '1', NULL, 'Bob', false), (3, NULL, NULL, NULL, NULL, 'Ann', true)`,
    ),
  )

  const swap = (rows: GroupSwapRow[]): Promise<number> => {
    const [a, j, b] = table.sealed
    const both = [a!, table.indexes[0]!]
    const groups = [
      { compared: both, set: both, bound: table.bound },
      { compared: [j!], set: [j!], bound: [] },
      { compared: [b!], set: [b!], bound: [] },
    ]
    return at.client.$transaction((tx) => groupSwapIn(tx, table, groups, rows))
  }
  const stored = async (): Promise<(readonly (ColumnValue | null)[])[]> => {
    const columns = [...table.sealed, ...table.indexes]
    const request = { columns, after: null, where: null, maxRows: 9, maxBytes: 1e9 }
    const { rows } = await readPage(at.client, table, request)
    return rows.map(({ values }) => values)
  }
  const json = async (): Promise<string> => {
    const [value] = (await stored())[0]!.slice(1)
    return value instanceof RawJson ? value.text : JSON.stringify(value)
  }
  const one: GroupSwap = { old: ['one', null], next: ['rs1.x', HASH], bound: ['Ann', 'true'] }

  it('are set together where all of it is what was read, each row by its own', async () => {
    const [before] = (await stored())[0]!.slice(1)
    const count = await swap([
      { key: ['1'], swaps: [one, { old: [before!], next: ['rs1.j'], bound: [] }, null] },
      {
        key: ['2'],
        swaps: [{ old: ['two', HASH], next: ['rs1.y', null], bound: ['Bob', 'false'] }, null, null],
      },
      { key: ['3'], swaps: [null, null, { old: [null], next: [Buffer.from('x')], bound: [] }] },
    ])
    expect(count).toBe(3)
    expect((await stored()).map((row) => row.map(plain))).toEqual([
      ['rs1.x', 'rs1.j', null, HASH],
      ['rs1.y', '1', null, null],
      [null, null, [120], null],
    ])
  })

  it.each<[string, GroupSwap]>([
    ['the value', { ...one, old: ['One', null] }],
    ['the value, by a space', { ...one, old: ['one ', null] }],
    ['the index', { ...one, old: ['one', HASH] }],
    ['what it is bound to', { ...one, bound: ['ann', 'true'] }],
    ['what it is bound to, by a space', { ...one, bound: ['Ann ', 'true'] }],
    ['another column it is bound to', { ...one, bound: ['Ann', 'false'] }],
  ])('stay as they are where %s differs', async (_, changed) => {
    const before = await stored()
    expect(await swap([{ key: ['1'], swaps: [changed, null, null] }])).toBe(0)
    expect(await stored()).toEqual(before)
  })

  it('tell a JSON number from the string of its digits', async () => {
    const asText: GroupSwap = { old: ['1'], next: ['rs1.j'], bound: [] }
    expect(await swap([{ key: ['2'], swaps: [null, asText, null] }])).toBe(0)
    const asNumber = { ...asText, old: [new RawJson('1')] }
    expect(await swap([{ key: ['2'], swaps: [null, asNumber, null] }])).toBe(1)
  })

  it.each(['{"a":[1,"\\u00e9\\n",null],"b":{}}', 'null', 'true', '"a\\"b"', '12.5', '[]'])(
    'take the JSON %s, and are found by it',
    async (text) => {
      const [before] = (await stored())[0]!.slice(1)
      const next = new RawJson(text)
      const swapped = { old: [before!], next: [next], bound: [] }
      expect(await swap([{ key: ['1'], swaps: [null, swapped, null] }])).toBe(1)
      expect(JSON.parse(await json())).toEqual(JSON.parse(text))
      const [after] = (await stored())[0]!.slice(1)
      const back = { old: [after!], next: ['rs1.j'], bound: [] }
      expect(await swap([{ key: ['1'], swaps: [null, back, null] }])).toBe(1)
    },
  )

  it('hold numbers with every digit', async () => {
    const digits = '0.30000000000000004'
    await at.run(`UPDATE ${at.q('T')} SET j = '${digits}' WHERE id = 1`)
    expect(await json()).toBe(digits)
    const [held] = (await stored())[0]!.slice(1)
    const next = { old: [held!], next: ['rs1.j'], bound: [] }
    expect(await swap([{ key: ['1'], swaps: [null, next, null] }])).toBe(1)
  })
})

function plain(value: ColumnValue | null): unknown {
  if (value instanceof RawJson) return value.text
  return value instanceof Uint8Array ? [...value] : value
}
