import { PrismaPg } from '@prisma/adapter-pg'
import { rowseal, type Keyring } from '@rowseal/prisma-extension'
import { quote } from '@rowseal/prisma-extension/sql'
import { afterEach, describe, expect, it } from 'vitest'
import { retireKey, verify } from '../../src/index.ts'
import { closeWorlds, drain, PROVIDERS, world, type Provider } from '../world.ts'
import { expectEveryRowMet, fill, type Filled } from './tables.ts'

afterEach(closeWorlds)

/** Names of tables with those of two key columns and of the sealed one and its index. */
const NAMES: readonly (readonly [
  table: string,
  a: string,
  b: string,
  secret: string,
  index: string,
])[] = [
  // What our statements call their own tables and columns.
  ['Rowseal_P', 'k1', 'k0', 'v1', 'v0'],
  ['rowseal_q', 'size', 'matched', 'preceding', 'k0'],
  ['rowseal_v', 'o0', 'n0', 'o1', 'n1'],
  ['rowseal_l', 'w0', 's0', 'o0_0', 'n0_0'],
  ['i', 'i', 'j', 'value', 'key'],
  ['p', 'p', 'q', 't', 'v'],
  ['t', 't', 'v', 'e', 'c'],
  ['v', 'v', 't', 'u', 'l'],
  ['u', 'kind', 'count', 'b0', 'm'],
  // Reserved words, mixed case, quotes, spaces, the longest there are, and what is no ASCII.
  ['order', 'group', 'select', 'where', 'null'],
  ['User', 'Id', 'ID2', 'userName', 'Index'],
  ['it\'s "so"', 'a"b', 'c`d', `e'f`, 'g h'],
  ['with space', ' a', 'b c', 'per%cent', 'que?stion'],
  ['t'.repeat(63), 'a'.repeat(63), 'b'.repeat(63), 's'.repeat(63), 'i'.repeat(63)],
  ['größe', 'straße', '名前', 'schlüssel', 'häsh'],
]

interface Named {
  readonly prisma: string
  readonly ddl: string
  readonly tables: Filled[]
}

/** Prisma's own DDL does not double the quotes in names. */
function createTable(
  provider: Provider,
  [table, a, b, secret, index]: (typeof NAMES)[number],
): string {
  const q = (name: string): string => quote(provider, name)
  const text = { postgresql: 'TEXT', sqlite: 'TEXT', mysql: 'VARCHAR(500)' }[provider]
  return `CREATE TABLE ${q(table)} (${q(a)} INT NOT NULL, ${q(b)} ${text} NOT NULL, n INT NOT NULL,
  ${q(secret)} ${text} NOT NULL, ${q(index)} ${text}, PRIMARY KEY (${q(a)}, ${q(b)}));\n`
}

function schema(provider: Provider): Named {
  const quoted = (name: string): string => JSON.stringify(name)
  const models = NAMES.map(
    ([table, a, b, secret, index], i) => `model M${i} {
  a           Int     @map(${quoted(a)})
  b           String  @map(${quoted(b)})
  n           Int
  /// @encrypted
  secret      String  @map(${quoted(secret)})${provider === 'mysql' ? ' @db.VarChar(500)' : ''}
  /// @blindIndex(secret)
  secretIndex String? @map(${quoted(index)})${provider === 'mysql' ? ' @db.VarChar(100)' : ''}
  @@id([a, b])
  @@map(${quoted(table)})
}`,
  )
  const rows = [0, 1].flatMap((x) => [`'x'`, `'y'`].map((y) => [String(x), y]))
  const tables = NAMES.map(([table, a, b, secret], i) => ({
    model: `M${i}`,
    table,
    key: [a, b],
    secret,
    rows,
  }))
  const ddl = NAMES.map((names) => createTable(provider, names)).join('')
  return { prisma: models.join('\n'), ddl, tables }
}

describe.each(PROVIDERS)('names on %s', (provider) => {
  it('may be anything, those of our own statements too', async () => {
    const { prisma, ddl, tables } = schema(provider)
    const w = await world(provider, prisma, { ddl })
    for (const table of tables) await fill(w, table)
    await expectEveryRowMet(w, tables)
    expect(tables.length).toBeGreaterThan(10)
  })
})

describe.runIf(PROVIDERS.includes('postgresql'))('several schemas', () => {
  it('have tables and enums of the same name each, outside the search path', async () => {
    const model = (name: string, place: string): string => `
model ${name} {
  role        ${name}Role
  id          Int
  n           Int
  /// @encrypted
  secret      String
  /// @blindIndex(secret)
  secretIndex String?
  @@id([role, id])
  @@map("rowseal_p")
  @@schema("${place}")
}
enum ${name}Role {
  zebra
  ape
  @@map("Role")
  @@schema("${place}")
}`
    const places = [
      ['First', 'one'],
      ['Second', 'Two "2"'],
      ['Third', 'select'],
    ] as const
    const schemas = places.map(([, place]) => place)
    const w = await world(
      'postgresql',
      places.map(([name, place]) => model(name, place.replaceAll('"', '\\"'))).join(''),
      {
        schemas,
        ddl: places
          .map(([, place]) => {
            const schema = quote('postgresql', place)
            return `CREATE SCHEMA ${schema};
CREATE TYPE ${schema}."Role" AS ENUM ('zebra', 'ape');
CREATE TABLE ${schema}.rowseal_p (role ${schema}."Role", id int, n int NOT NULL, secret text NOT NULL, "secretIndex" text, PRIMARY KEY (role, id));`
          })
          .join('\n'),
      },
    )
    const tables = places.map(([name, schema]): Filled => ({
      model: name,
      table: 'rowseal_p',
      schema,
      key: ['role', 'id'],
      rows: [`'zebra'`, `'ape'`].flatMap((role) => ['1', '2'].map((id) => [role, id])),
    }))
    for (const table of tables) await fill(w, table)
    await expectEveryRowMet(w, tables)
  })

  it('are those of the adapter, whatever else has tables of the same name', async () => {
    const w = await world('postgresql', SECRET)
    await w.sealed.secret.create({ data: { id: 1, text: 'in public' } })
    await w.run(
      'CREATE SCHEMA clinic',
      'CREATE TABLE clinic."Secret" (LIKE "Secret" INCLUDING ALL)',
    )
    const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
    const adapter = new PrismaPg({ connectionString: w.db.url }, { schema: 'clinic' })
    const client = new PrismaClient({ adapter })
    const { plan, keyring } = w.config
    const config = { ...w.config, client }
    try {
      await client
        .$extends(rowseal({ plan, keyring: keyring as Keyring, reencryption: false }))
        .secret.create({ data: { id: 1, text: 'in clinic' } })
      await w.rotate()
      await drain(w.config)
      expect(await verify(w.config)).toMatchObject({ outcome: 'done' })
      await expect(retireKey(config, 1, { now: true })).rejects.toMatchObject({
        code: 'ERR_KEY_IN_USE',
      })
      expect(await drain(config)).toMatchObject({ outcome: 'done', rows: 1 })
      const stored = await w.query('SELECT substr(text, 5, 8) AS key FROM clinic."Secret"')
      expect(stored).toEqual([{ key: '00000002' }])
      await retireKey(config, 1, { now: true })
    } finally {
      await client.$disconnect()
    }
  })
})

const SECRET = `
model Secret {
  id   Int    @id
  /// @encrypted
  text String
}
`
