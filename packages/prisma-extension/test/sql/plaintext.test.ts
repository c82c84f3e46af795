import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { sealBytes, sealText, type SealingKey } from '../../src/envelope/index.ts'
import { createSecretKey } from 'node:crypto'
import type { Provider, SealedType } from '../../src/plan/index.ts'
import { countRowsStatement, loadTable, plaintextCondition } from '../../src/sql/index.ts'
import { connect, model, PROVIDERS, type Connection } from './machine.ts'

const TYPES: Readonly<Record<Provider, Readonly<Record<SealedType, string>>>> = {
  postgresql: { String: 'text', Json: 'jsonb', Bytes: 'bytea' },
  sqlite: { String: 'TEXT', Json: 'JSONB', Bytes: 'BLOB' },
  mysql: { String: 'LONGTEXT COLLATE utf8mb4_general_ci', Json: 'JSON', Bytes: 'LONGBLOB' },
}
const kek: SealingKey = {
  keyId: 0xabcdef01,
  suite: 0x01,
  wrapped: randomBytes(60),
  key: createSecretKey(randomBytes(32)),
}
/** The shortest that there can be. */
const kms: SealingKey = { ...kek, suite: 0x02, wrapped: randomBytes(1) }
const seal = (key: SealingKey): string => sealText(key, randomBytes(20), randomBytes(1))
const long = sealText(kek, randomBytes(20), randomBytes(100_000))
const PLAIN = [
  'text',
  '',
  'rs1',
  'RS1.00000001.',
  'rs1.',
  'rs1.00000001',
  'rs1.00000001.too short',
  `rs1.0000000G.${'A'.repeat(60)}`,
  `rs1.ABCDEF01.${'A'.repeat(60)}`,
  `rs1.00000001.${'A'.repeat(20)}+${'A'.repeat(60)}`,
  `rs1.00000001-${'A'.repeat(60)}`,
  ` ${long}`,
  'é😀',
]

let at: Connection
afterEach(() => at.end())

/** Which of some values the condition is true of. */
async function found(provider: Provider, type: SealedType, values: unknown[]): Promise<boolean[]> {
  const { q, run, client } = at
  const name = `T${type}`
  await run(`CREATE TABLE ${q(name)} (id INTEGER PRIMARY KEY, v ${TYPES[provider][type]})`)
  const p = provider === 'postgresql' ? ['$1', '$2'] : ['?', '?']
  const cast = provider === 'postgresql' ? `::${TYPES[provider][type]}` : ''
  for (const [i, value] of values.entries())
    await client.$executeRawUnsafe(
      `INSERT INTO ${q(name)} VALUES (${p[0]}, ${p[1]}${cast})`,
      i,
      value,
    )
  const source = model({ table: name, key: { id: 'Int' }, sealed: { v: type } })
  const table = await loadTable(client, provider, source)
  const isFound = async (i: number): Promise<boolean> => {
    const where = `${plaintextCondition(table, table.sealed[0]!)} AND t.id = ${i}`
    const [row] = await client.$queryRawUnsafe<{ count: string }[]>(
      countRowsStatement(table, where),
    )
    return row?.count === '1'
  }
  return Promise.all(values.map((_, i) => isFound(i)))
}

describe.each(PROVIDERS)('what is not sealed on %s', (provider) => {
  it('is told from envelopes by how they begin', async () => {
    at = await connect(provider)
    const envelopes = [seal(kek), seal(kms), long]
    const texts = [null, ...envelopes, ...PLAIN]
    const isPlain = texts.map((text) => text !== null && !envelopes.includes(text))
    expect(await found(provider, 'String', texts)).toEqual(isPlain)

    const json = texts.map((text) => (text === null ? null : JSON.stringify(text)))
    const others = ['null', '1', 'true', '{"rs1.00000001.":1}', `["${long}"]`]
    expect(await found(provider, 'Json', [...json, ...others])).toEqual([
      ...isPlain,
      ...others.map(() => true),
    ])

    const shortest = sealBytes(kms, randomBytes(20), randomBytes(1))
    const bytes = [
      null,
      shortest,
      sealBytes(kek, randomBytes(20), randomBytes(9)),
      shortest.subarray(0, 39),
      Buffer.from([0x52, 0x53, 0x01]),
      Buffer.from('rs1.00000001.'),
      Buffer.alloc(0),
      randomBytes(200),
    ]
    const isPlainBytes = [false, false, false, true, true, true, true, true]
    expect(await found(provider, 'Bytes', bytes)).toEqual(isPlainBytes)
  })
})

it.runIf(PROVIDERS.includes('postgresql'))(
  'is found among the elements of a list, where NULL is none',
  async () => {
    at = await connect('postgresql')
    const source = model({ key: { id: 'Int' }, sealed: { v: 'String', j: 'Json' }, lists: true })
    await at.run('CREATE TABLE "T" (id INTEGER PRIMARY KEY, v text[], j jsonb[])')
    const one = seal(kek)
    const insert = (id: number, v: string, j: string): Promise<number> =>
      at.client.$executeRawUnsafe(`INSERT INTO "T" VALUES (${id}, ${v}, ${j})`)
    await insert(1, `NULL`, 'NULL')
    await insert(2, `'{}'`, `'{}'`)
    await insert(3, `ARRAY['${one}', NULL]`, `ARRAY['"${one}"', NULL]::jsonb[]`)
    await insert(4, `ARRAY['${one}', '']`, `ARRAY['"${one}"', 'null']::jsonb[]`)
    const table = await loadTable(at.client, 'postgresql', source)
    for (const column of table.sealed) {
      const rows = await at.client.$queryRawUnsafe<{ id: number }[]>(
        `SELECT id FROM "T" AS t WHERE ${plaintextCondition(table, column)}`,
      )
      expect(rows.map(({ id }) => id)).toEqual([4])
    }
  },
)

it.runIf(PROVIDERS.includes('postgresql'))(
  'is found in a column that keeps JSON as text, whatever its escapes stand for',
  async () => {
    at = await connect('postgresql')
    await at.run(
      'CREATE TABLE "T" (id INTEGER PRIMARY KEY, j json)',
      String.raw`INSERT INTO "T" VALUES (1, '"\u0000"'), (2, '"\ud800"'), (3, '"${seal(kek)}"'), (4, ' "rs1."')`,
    )
    const source = model({ key: { id: 'Int' }, sealed: { j: 'Json' } })
    const table = await loadTable(at.client, 'postgresql', source)
    const rows = await at.client.$queryRawUnsafe<{ id: number }[]>(
      `SELECT id FROM "T" AS t WHERE ${plaintextCondition(table, table.sealed[0]!)} ORDER BY id`,
    )
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 4])
  },
)
