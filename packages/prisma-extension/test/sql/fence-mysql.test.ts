import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  addFenceStatements,
  fencesOf,
  findFences,
  loadTable,
  type Fence,
  type Table,
} from '../../src/sql/index.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

const KEY = 7
const VALUE = 'rs1.00000007.body'
const OTHER = 'rs1.00000008.body'
const SOURCE = model({ key: { id: 'Int' }, sealed: { value: 'String', json: 'Json' } })

let on: Connection
let table: Table
let fences: Fence[]
beforeEach(async () => {
  on = await connect('mysql')
  await on.exec(
    `CREATE TABLE T (id INT PRIMARY KEY, value VARCHAR(300) CHARACTER SET utf16 COLLATE utf16_general_ci, json JSON, n INT DEFAULT 0)`,
  )
  table = await loadTable(on.client, 'mysql', SOURCE)
  fences = fencesOf(table, SOURCE, 'sealed', KEY)
})
afterEach(() => on.end())

const statements = (): string[] =>
  addFenceStatements(
    table,
    fences.flatMap(({ parts }) => parts),
  )
const run = (sql: string): Promise<number> => on.client.$executeRawUnsafe(sql)

/** Statements of one session. */
const session = (...all: string[]): Promise<unknown> =>
  on.client.$transaction(async (tx) => {
    for (const sql of all) await tx.$executeRawUnsafe(sql)
  })

describe.runIf(PROVIDERS.includes('mysql'))('a fence of MySQL', () => {
  it.each(['ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'PIPES_AS_CONCAT', 'TRADITIONAL', ''])(
    'is the same whoever makes it, with sql_mode "%s"',
    async (mode) => {
      await session(
        `SET SESSION sql_mode = '${mode}'`,
        `SET NAMES latin1`,
        ...statements(),
        `SET NAMES utf8mb4`,
        `SET SESSION sql_mode = DEFAULT`,
      )
      const found = await findFences(on.client, table, SOURCE, fences)
      expect(found.map(({ state }) => state)).toEqual(['holds', 'holds'])
      await expect(run(`INSERT INTO T (id, value) VALUES (1, '${VALUE}')`)).rejects.toThrow('1644')
      expect(await run(`INSERT INTO T (id, value) VALUES (1, '${VALUE.toUpperCase()}')`)).toBe(1)
      await expect(run(`INSERT INTO T (id, json) VALUES (2, '"${VALUE}"')`)).rejects.toThrow('1644')
    },
  )

  it('leaves alone who updates other columns of a row with a value under its key', async () => {
    await run(`INSERT INTO T (id, value, json) VALUES (1, '${VALUE}', '"${VALUE}"')`)
    for (const sql of statements()) await run(sql)
    expect(await run(`UPDATE T SET n = n + 1`)).toBe(1)
    await expect(run(`UPDATE T SET value = '${VALUE}2'`)).rejects.toThrow('1644')
    await expect(run(`UPDATE T SET value = '${VALUE.replace('body', 'BODY')}'`)).rejects.toThrow()
    expect(await run(`UPDATE T SET value = '${OTHER}', json = '"${OTHER}"'`)).toBe(1)
    await expect(run(`UPDATE T SET value = '${VALUE}'`)).rejects.toThrow('1644')
    await expect(run(`UPDATE T SET json = '"${VALUE}"'`)).rejects.toThrow('1644')
  })

  it('waits for every transaction that has written to the table, not longer than it is told', async () => {
    const writer = on.another()
    await writer.$transaction(
      async (tx) => {
        await tx.$executeRawUnsafe(`INSERT INTO T (id, value) VALUES (1, '${VALUE}')`)
        await expect(
          session(`SET SESSION lock_wait_timeout = 1`, statements()[0]!),
        ).rejects.toThrow('1205')
        const found = await findFences(on.client, table, SOURCE, fences)
        expect(found[0]!.state).toBe('absent')
      },
      { timeout: 20_000 },
    )
    for (const sql of statements()) await run(sql)
  })

  it('is in the database of its table', async () => {
    const rows = await on.client.$queryRawUnsafe<{ name: string }[]>('SELECT DATABASE() AS name')
    const source = { ...SOURCE, schema: rows[0]!.name }
    const here = await loadTable(on.client, 'mysql', source)
    const own = fencesOf(here, source, 'sealed', KEY)
    const sql = addFenceStatements(
      here,
      own.flatMap(({ parts }) => parts),
    )
    const elsewhere = on.another()
    await elsewhere.$transaction(async (tx) => {
      await tx.$executeRawUnsafe('USE mysql')
      for (const statement of sql) await tx.$executeRawUnsafe(statement)
      await tx.$executeRawUnsafe(`USE ${rows[0]!.name}`)
    })
    const found = await findFences(on.client, here, source, own)
    expect(found.map(({ state }) => state)).toEqual(['holds', 'holds'])
  })
})
