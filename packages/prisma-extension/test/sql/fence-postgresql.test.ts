import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelSource } from '../../src/plan/index.ts'
import {
  addFenceStatements,
  fencesOf,
  findFences,
  loadTable,
  validateFenceStatements,
  type Fence,
  type Table,
} from '../../src/sql/index.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

const KEY = 0x5c27_2241
const HEX = '5c272241'
const VALUE = `rs1.${HEX}.body`
const BYTES = `\\x525301${HEX}00`

let on: Connection
beforeEach(async () => {
  on = await connect('postgresql')
})
afterEach(() => on.end())

const run = (sql: string): Promise<number> => on.client.$executeRawUnsafe(sql)

async function fence(source: ModelSource): Promise<{ table: Table; fences: Fence[] }> {
  const table = await loadTable(on.client, 'postgresql', source)
  const fences = fencesOf(table, source, 'sealed', KEY)
  const parts = fences.flatMap((fence) => fence.parts)
  for (const sql of addFenceStatements(table, parts)) await run(sql)
  for (const sql of validateFenceStatements(table, fences)) await run(sql)
  return { table, fences }
}

/** Types of columns, with values under the key and values that only look so. */
const KINDS: Readonly<
  Record<string, { type: 'String' | 'Json' | 'Bytes'; refused: string[]; taken: string[] }>
> = {
  'varchar(300)': { type: 'String', refused: [`'${VALUE}'`], taken: [`'rs1.${HEX}'`, 'NULL'] },
  'char(300)': { type: 'String', refused: [`'${VALUE}'`], taken: [`'x'`] },
  json: {
    type: 'Json',
    refused: [`'"${VALUE}"'`, `E' \\n\\t"${VALUE}"'`],
    taken: [`'"\\u0000"'`, `'{"a":"\\u0000"}'`, `'["${VALUE}"]'`, `'null'`, 'NULL'],
  },
  'text[]': {
    type: 'String',
    refused: [`ARRAY['${VALUE}']`, `ARRAY['x', NULL, '${VALUE}']`],
    taken: [`ARRAY['a,${VALUE}', E'a\\n${VALUE}', '{${VALUE}', NULL]`, `'{}'`, 'NULL'],
  },
  'varchar(300)[]': {
    type: 'String',
    refused: [`ARRAY['x', '${VALUE}']`],
    taken: [`ARRAY['x${VALUE}']`],
  },
  'jsonb[]': {
    type: 'Json',
    refused: [`ARRAY['1', '"${VALUE}"']::jsonb[]`],
    taken: [`ARRAY['["${VALUE}"]', '{"a":"${VALUE}"}', 'null']::jsonb[]`, `'{}'`],
  },
  'json[]': {
    type: 'Json',
    refused: [`ARRAY['1', '"${VALUE}"']::json[]`, `ARRAY[' "${VALUE}"']::json[]`],
    taken: [`ARRAY['["${VALUE}"]', '"\\u0000"']::json[]`, `'{}'`],
  },
  'bytea[]': {
    type: 'Bytes',
    refused: [`ARRAY['\\x00', '${BYTES}']::bytea[]`],
    taken: [`ARRAY['\\x00525301${HEX}', '\\x525301']::bytea[]`, `'{}'`],
  },
}

describe.runIf(PROVIDERS.includes('postgresql'))('a fence of PostgreSQL', () => {
  it.each(Object.entries(KINDS))('knows values of %s', async (type, kind) => {
    await run(`CREATE TABLE "T" (id serial PRIMARY KEY, "Value" ${type})`)
    const source = model({
      key: { id: 'Int' },
      sealed: { Value: kind.type },
      lists: type.endsWith('[]'),
    })
    const { table, fences } = await fence(source)
    expect((await findFences(on.client, table, source, fences))[0]!.state).toBe('holds')
    const insert = (value: string): Promise<number> =>
      run(`INSERT INTO "T" ("Value") VALUES (${value})`)
    for (const value of kind.refused)
      await expect(insert(value), value).rejects.toMatchObject({
        message: expect.stringContaining(fences[0]!.name),
      })
    for (const value of kind.taken) expect(await insert(value), value).toBe(1)
  })

  it('knows bytes in a list however a session shows them', async () => {
    await run(`CREATE TABLE "T" (id serial PRIMARY KEY, "Value" bytea[])`)
    await fence(model({ key: { id: 'Int' }, sealed: { Value: 'Bytes' }, lists: true }))
    for (const output of ['hex', 'escape'])
      await expect(
        on.client.$transaction([
          run(`SET LOCAL bytea_output = ${output}`),
          run(`INSERT INTO "T" ("Value") VALUES (ARRAY['${BYTES}'::bytea])`),
        ]),
      ).rejects.toMatchObject({ message: expect.stringContaining('23514') })
  })

  it('compares bytes, whatever the collation of the column', async () => {
    await run(
      `CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`,
    )
    await run(`CREATE TABLE "T" (id serial PRIMARY KEY, "Value" text COLLATE blind)`)
    await fence(model({ key: { id: 'Int' }, sealed: { Value: 'String' } }))
    await expect(run(`INSERT INTO "T" ("Value") VALUES ('${VALUE}')`)).rejects.toThrow()
    expect(await run(`INSERT INTO "T" ("Value") VALUES ('${VALUE.toUpperCase()}')`)).toBe(1)
  })

  it('is of the table in its schema, and holds for partitions too', async () => {
    await run(`CREATE SCHEMA "user"`)
    for (const name of ['"T"', '"user"."T"'])
      await run(`CREATE TABLE ${name} (id int, "Value" text) PARTITION BY RANGE (id)`)
    await run(`CREATE TABLE "user".part PARTITION OF "user"."T" FOR VALUES FROM (0) TO (10)`)
    await run(`CREATE TABLE part PARTITION OF "T" FOR VALUES FROM (0) TO (10)`)
    await fence(model({ schema: 'user', key: { id: 'Int' }, sealed: { Value: 'String' } }))
    for (const name of ['"user"."T"', '"user".part'])
      await expect(run(`INSERT INTO ${name} VALUES (1, '${VALUE}')`), name).rejects.toThrow()
    expect(await run(`INSERT INTO "T" VALUES (1, '${VALUE}')`)).toBe(1)
  })

  it('does not hold if it leaves out tables that inherit, or is not enforced', async () => {
    await run(`CREATE TABLE "T" (id int, "Value" text)`)
    const source = model({ key: { id: 'Int' }, sealed: { Value: 'String' } })
    const { table, fences } = await fence(source)
    const { name, definition } = fences[0]!.parts[0]!
    const version = await on.client.$queryRawUnsafe<{ v: string }[]>(
      `SELECT current_setting('server_version_num') AS v`,
    )
    const others = ['NO INHERIT', ...(Number(version[0]!.v) >= 180000 ? ['NOT ENFORCED'] : [])]
    for (const other of others) {
      await run(`ALTER TABLE "T" DROP CONSTRAINT "${name}"`)
      await run(`ALTER TABLE "T" ADD CONSTRAINT "${name}" ${definition} ${other}`)
      const [found] = await findFences(on.client, table, source, fences)
      expect(found!.state, other).toBe('altered')
    }
  })

  it('is not validated while a value is under its key', async () => {
    await run(`CREATE TABLE "T" (id int, "Value" text)`)
    await run(`INSERT INTO "T" VALUES (1, '${VALUE}')`)
    const source = model({ key: { id: 'Int' }, sealed: { Value: 'String' } })
    await expect(fence(source)).rejects.toMatchObject({
      message: expect.stringContaining('23514'),
    })
    const table = await loadTable(on.client, 'postgresql', source)
    const [found] = await findFences(
      on.client,
      table,
      source,
      fencesOf(table, source, 'sealed', KEY),
    )
    expect(found!.state).toBe('unproven')
  })
})
