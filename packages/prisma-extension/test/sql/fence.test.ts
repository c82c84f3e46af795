import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelSource, Provider } from '../../src/plan/index.ts'
import {
  addFenceStatements,
  dropFenceStatements,
  fenceIn,
  fencedRowsStatement,
  fenceName,
  fencesOf,
  findFences,
  loadTable,
  validateFenceStatements,
  type Fence,
  type Table,
} from '../../src/sql/index.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

/** Reserved words, a quote, and more than a name can say. */
const COLUMNS = {
  email: 'order',
  notes: 'select',
  scan: `it's "a" \`column\` with a name as long as databases take`,
  hash: 'index',
}

const TYPES: Readonly<Record<Provider, Readonly<Record<string, string>>>> = {
  postgresql: { text: 'text', json: 'jsonb', bytes: 'bytea' },
  sqlite: { text: 'TEXT', json: 'JSONB', bytes: 'BLOB' },
  mysql: {
    text: 'LONGTEXT CHARACTER SET latin1 COLLATE latin1_swedish_ci',
    json: 'JSON',
    bytes: 'LONGBLOB',
  },
}

const SOURCE: ModelSource = {
  ...model({
    table: 'group',
    key: { id: 'Int' },
    sealed: { email: 'String', notes: 'Json', scan: 'Bytes' },
    columns: COLUMNS,
  }),
  indexes: {
    hash: { field: 'email', id: 'T.hash', normalize: [], slot: 1, unique: false },
  },
}
const WITH_HASH: ModelSource = {
  ...SOURCE,
  columns: { ...SOURCE.columns, hash: { type: 'String', column: COLUMNS.hash } },
}

/** A key id whose bytes are printable, a quote and a backslash among them. */
const KEY = 0x5c27_2241
const HEX = '5c272241'
const OTHER = KEY + 1
const hexOf = (keyId: number): string => keyId.toString(16).padStart(8, '0')

const bytes = (keyId: number): Uint8Array =>
  Buffer.concat([Buffer.from(`525301${hexOf(keyId)}`, 'hex'), Buffer.from('body')])
const text = (keyId: number): string => `rs1.${hexOf(keyId)}.body`
const hash = (keyId: number): string => `ri1.${hexOf(keyId)}.${'0'.repeat(64)}`

let on: Connection
afterEach(() => on.end())

async function add(fences: readonly Fence[], table: Table): Promise<void> {
  const parts = fences.flatMap((fence) => fence.parts)
  for (const sql of addFenceStatements(table, parts)) await on.exec(sql)
}

const states = async (table: Table, fences: readonly Fence[], source = WITH_HASH) =>
  (await findFences(on.client, table, source, fences)).map(({ state }) => state)

describe.each(PROVIDERS)('a fence, on %s', (provider) => {
  let table: Table
  let fences: Fence[]
  const q = (name: string): string => on.q(name)
  const T = (): string => q('group')
  const mark = (i: number): string => (provider === 'postgresql' ? `$${i}` : '?')
  const as = (type: string): string => (provider === 'postgresql' ? `::${type}` : '')

  beforeEach(async () => {
    on = await connect(provider)
    const { text, json, bytes } = TYPES[provider] as Record<string, string>
    const index = provider === 'mysql' ? 'VARCHAR(191)' : text!
    await on.exec(
      `CREATE TABLE ${T()} (id INT PRIMARY KEY, ${q(COLUMNS.email)} ${text!}, ${q(COLUMNS.notes)} ${json!}, ${q(COLUMNS.scan)} ${bytes!}, ${q(COLUMNS.hash)} ${index})`,
    )
    table = await loadTable(on.client, provider, WITH_HASH)
    fences = [
      ...fencesOf(table, WITH_HASH, 'sealed', KEY),
      ...fencesOf(table, WITH_HASH, 'indexes', KEY),
    ]
  })

  type Cell = readonly [value: unknown, type: string]
  /** A value as each column has it. */
  const VALUES = {
    email: (keyId: number): Cell => [text(keyId), 'text'],
    notes: (keyId: number): Cell => [JSON.stringify(text(keyId)), 'text::jsonb'],
    scan: (keyId: number): Cell => [bytes(keyId), 'bytea'],
    hash: (keyId: number): Cell => [hash(keyId), 'text'],
  }
  const NULLS = { email: 'text', notes: 'jsonb', scan: 'bytea', hash: 'text' } as const
  type Field = keyof typeof VALUES
  const FIELDS = Object.keys(VALUES) as Field[]

  const insert = (field: Field, id: number, [value, type]: readonly [unknown, string]) =>
    on.client.$executeRawUnsafe(
      `INSERT INTO ${T()} (id, ${q(COLUMNS[field])}) VALUES (${id}, ${mark(1)}${as(type)})`,
      value,
    )
  const update = (field: Field, id: number, [value, type]: readonly [unknown, string]) =>
    on.client.$executeRawUnsafe(
      `UPDATE ${T()} SET ${q(COLUMNS[field])} = ${mark(1)}${as(type)} WHERE id = ${id}`,
      value,
    )

  it('refuses a value under its key in an insert and an update, and no other', async () => {
    await add(fences, table)
    for (const [id, field] of FIELDS.entries()) {
      const name = fenceName(WITH_HASH, field, KEY)
      const refused = await insert(field, id, VALUES[field](KEY)).catch((error: unknown) => error)
      const { originalMessage } = (refused as any).meta.driverAdapterError.cause
      expect(fenceIn(originalMessage), field).toEqual({ name, keyId: KEY })
      expect(await insert(field, id, VALUES[field](OTHER)), field).toBe(1)
      await expect(update(field, id, VALUES[field](KEY)), field).rejects.toThrow()
      expect(await update(field, id, VALUES[field](OTHER)), field).toBe(1)
      expect(await update(field, id, [null, NULLS[field]]), field).toBe(1)
    }
  })

  it('takes what only looks like a value under its key', async () => {
    await add(fences, table)
    const others: [Field, unknown, string][] = [
      ['email', text(KEY).toUpperCase(), 'text'],
      ['email', ` ${text(KEY)}`, 'text'],
      ['email', `rs1.${HEX}`, 'text'],
      ['email', `ri1.${HEX}.`, 'text'],
      ['email', '', 'text'],
      ['notes', JSON.stringify({ [text(KEY)]: text(KEY) }), 'text::jsonb'],
      ['notes', JSON.stringify([text(KEY)]), 'text::jsonb'],
      ['notes', JSON.stringify(` ${text(KEY)}`), 'text::jsonb'],
      ['notes', 'null', 'text::jsonb'],
      ['notes', '1', 'text::jsonb'],
      ['scan', Buffer.from(`525301${HEX}`, 'hex').subarray(0, 6), 'bytea'],
      ['scan', Buffer.from(text(KEY)), 'bytea'],
      ['scan', Buffer.from([]), 'bytea'],
      ['hash', `ri1.${HEX}`, 'text'],
      ['hash', text(KEY), 'text'],
    ]
    for (const [i, [field, value, type]] of others.entries())
      expect(await insert(field, i, [value, type]), `${field} ${i}`).toBe(1)
  })

  it('is found in the catalog if it is what it should be, and holds', async () => {
    expect(await states(table, fences)).toEqual(fences.map(() => 'absent'))
    await add(fences, table)
    const added = provider === 'postgresql' ? 'unproven' : 'holds'
    expect(await states(table, fences)).toEqual(fences.map(() => added))
    for (const sql of validateFenceStatements(table, fences)) await on.client.$executeRawUnsafe(sql)
    expect(await states(table, fences)).toEqual(fences.map(() => 'holds'))
    const others = fencesOf(table, WITH_HASH, 'sealed', OTHER)
    expect(await states(table, others)).toEqual(others.map(() => 'absent'))
  })

  it('is not found by its name alone', async () => {
    const [fence] = fences
    const other = fencesOf(table, WITH_HASH, 'sealed', OTHER)[0]!
    await add([fence!], table)
    const disguise = (sql: string): string => sql.replaceAll(other.name, fence!.name)
    const names = fence!.parts.map(({ name }) => name)
    for (const sql of dropFenceStatements(table, WITH_HASH, names)) await on.exec(sql)
    for (const sql of addFenceStatements(table, other.parts)) await on.exec(disguise(sql))
    expect(await states(table, [fence!])).toEqual(['altered'])
  })

  it('is taken down again', async () => {
    await add(fences, table)
    const names = fences.flatMap(({ parts }) => parts.map(({ name }) => name))
    for (let twice = 0; twice < 2; twice++)
      for (const sql of dropFenceStatements(table, WITH_HASH, names)) await on.exec(sql)
    expect(await states(table, fences)).toEqual(fences.map(() => 'absent'))
    expect(await insert('email', 1, VALUES.email(KEY))).toBe(1)
  })

  it('counts what it would refuse', async () => {
    for (const [id, field] of FIELDS.entries()) {
      await insert(field, id * 2, VALUES[field](KEY))
      await insert(field, id * 2 + 1, VALUES[field](OTHER))
    }
    const rows = await on.client.$queryRawUnsafe(fencedRowsStatement(table, fences))
    expect(rows).toEqual([{ c0: '1', c1: '1', c2: '1', c3: '1' }])
  })

  it('lets nobody past who overwrites or ignores conflicts', async () => {
    await add(fences, table)
    await insert('email', 1, VALUES.email(OTHER))
    const column = q(COLUMNS.email)
    const value = `'${text(KEY)}'`
    const statements = {
      postgresql: [
        `INSERT INTO ${T()} (id, ${column}) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET ${column} = ${value}`,
        `INSERT INTO ${T()} (id, ${column}) VALUES (2, ${value}) ON CONFLICT DO NOTHING`,
      ],
      sqlite: [
        `INSERT INTO ${T()} (id, ${column}) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET ${column} = ${value}`,
        `INSERT OR IGNORE INTO ${T()} (id, ${column}) VALUES (2, ${value})`,
        `INSERT OR REPLACE INTO ${T()} (id, ${column}) VALUES (1, ${value})`,
        `UPDATE OR IGNORE ${T()} SET ${column} = ${value}`,
      ],
      mysql: [
        `INSERT INTO ${T()} (id, ${column}) VALUES (1, 'x') ON DUPLICATE KEY UPDATE ${column} = ${value}`,
        `INSERT IGNORE INTO ${T()} (id, ${column}) VALUES (2, ${value})`,
        `REPLACE INTO ${T()} (id, ${column}) VALUES (1, ${value})`,
        `UPDATE IGNORE ${T()} SET ${column} = ${value}`,
      ],
    }[provider]
    for (const sql of statements) await on.client.$executeRawUnsafe(sql).catch(() => undefined)
    const rows = await on.client.$queryRawUnsafe(`SELECT ${column} AS v FROM ${T()}`)
    expect(rows).toEqual([{ v: text(OTHER) }])
  })
})
