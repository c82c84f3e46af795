import { afterEach, expect, it } from 'vitest'
import { status, verify } from '../src/index.ts'
import { drain, closeWorlds, PROVIDERS, world, type Provider } from './world.ts'

afterEach(closeWorlds)

/** One model for each type that a key can have, and what Prisma takes for it. */
const KEYS: Readonly<
  Record<string, { key: string; values: readonly unknown[]; only?: readonly Provider[] }>
> = {
  Small: { key: 'Int @id', values: [-1, 0, 9, 10, 2147483647] },
  Uuid: {
    key: 'String @id @db.Uuid',
    values: ['00000000-0000-4000-8000-00000000000a', 'ffffffff-0000-4000-8000-000000000000'],
    only: ['postgresql'],
  },
  Text: { key: 'String @id', values: ['', 'a', 'A', `'"\\{},`, 'é€𝄞'] },
  Moment: { key: 'DateTime @id', values: [new Date(0), new Date('2026-01-02T03:04:05.678Z')] },
  Binary: {
    key: 'Bytes @id',
    values: [new Uint8Array([0]), new Uint8Array([0, 255])],
    only: ['postgresql', 'sqlite'],
  },
  Octets: {
    key: 'Bytes @id @db.VarBinary(9)',
    values: [new Uint8Array([0]), new Uint8Array([0, 255])],
    only: ['mysql'],
  },
  Money: { key: 'Decimal @id', values: ['0.1', '12345.678'] },
  Kind: { key: 'Role @id', values: ['zebra', 'ape'], only: ['postgresql', 'mysql'] },
  Real: { key: 'Float @id', values: [0.1, 0.30000000000000004, -1e300] },
}

/** Times to the microsecond, which JavaScript would round. */
const PRECISE: Readonly<Record<Provider, { type: string; update: string } | null>> = {
  postgresql: {
    type: '@db.Timestamptz(6)',
    update: `UPDATE "Micro" SET id = timestamptz '2026-01-01' + (CASE WHEN id = timestamptz 'epoch' THEN 1 ELSE 2 END) * interval '1 microsecond'`,
  },
  sqlite: null,
  mysql: {
    type: '@db.DateTime(6)',
    update: `UPDATE "Micro" SET id = TIMESTAMPADD(MICROSECOND, IF(id = '1970-01-01', 1, 2), '2026-01-01')`,
  },
}

it.each(PROVIDERS)('finds the rows again by keys of every type on %s', async (provider) => {
  const models = Object.entries(KEYS).filter(
    ([, { only }]) => only === undefined || only.includes(provider),
  )
  const schema = models.map(
    ([name, { key }]) => `model ${name} {\n  id ${key}\n  /// @encrypted\n  secret String\n}\n`,
  )
  const role = provider !== 'sqlite' ? 'enum Role {\n  zebra\n  ape\n}\n' : ''
  const big = 'model Big {\n  id BigInt @id\n  /// @encrypted\n  secret String\n}\n'
  const precise = PRECISE[provider]
  const micro =
    precise === null
      ? ''
      : `model Micro {\n  id DateTime @id ${precise.type}\n  /// @encrypted\n  secret String\n}\n`
  const w = await world(provider, schema.join('') + role + big + micro)
  let rows = 0
  for (const [name, { values }] of models)
    for (const [i, id] of values.entries()) {
      await w.sealed[name.toLowerCase()].create({ data: { id, secret: `${name} ${i}` } })
      rows++
    }
  // Above 2^53 and below a millisecond: what JavaScript would round.
  await w.sealed.big.createMany({
    data: [
      { id: 1, secret: 'big 1' },
      { id: 2, secret: 'big 2' },
    ],
  })
  await w.run(`UPDATE "Big" SET id = id + 9007199254740992`)
  rows += 2
  if (precise !== null) {
    await w.sealed.micro.createMany({
      data: [
        { id: new Date(0), secret: 'micro 1' },
        { id: new Date(1), secret: 'micro 2' },
      ],
    })
    await w.run(precise.update)
    rows += 2
  }

  await w.rotate()
  expect(await drain(w.config, { batchRows: 1 })).toMatchObject({
    outcome: 'done',
    rows,
    superseded: 0,
  })
  expect((await status(w.config)).stale).toBe(0)
  expect(await verify(w.config)).toMatchObject({ outcome: 'done', opened: rows, bad: 0 })
  for (const [name, { values }] of models) {
    const found = await w.sealed[name.toLowerCase()].findMany()
    const expected = values.map((_, i) => `${name} ${i}`)
    expect(found.map((row: any) => row.secret).sort()).toEqual(expected)
  }
})

it.runIf(PROVIDERS.includes('postgresql'))(
  'drains tables of other schemas, without a primary key',
  async () => {
    const w = await world(
      'postgresql',
      `model Account {
  tenant Int
  code   String @map("user")
  /// @encrypted
  secret String
  @@unique([tenant, code])
  @@map("select")
}`,
    )
    await w.sealed.account.createMany({
      data: [1, 2, 3].map((tenant) => ({ tenant, code: 'x', secret: `s${tenant}` })),
    })
    await w.run('CREATE SCHEMA other', 'ALTER TABLE "select" SET SCHEMA other')
    await w.rotate()
    const plan = {
      ...w.config.plan,
      models: { Account: { ...w.config.plan.models['Account']!, schema: 'other' } },
    }
    expect(await drain({ ...w.config, plan }, { batchRows: 2 })).toMatchObject({
      outcome: 'done',
      rows: 3,
    })
  },
)

it.each(PROVIDERS)('quarantines a record with the longest of keys on %s', async (provider) => {
  const id = `String ${provider === 'mysql' ? '@db.VarChar(380)' : ''}`
  const w = await world(
    provider,
    `model Account {\n  a ${id}\n  b ${id}\n  /// @encrypted\n  secret String\n  @@id([a, b])\n}`,
  )
  const long = (c: string): string => c.repeat(380)
  await w.sealed.account.createMany({
    data: ['"', '€'].map((c) => ({ a: long('\\'), b: long(c), secret: c })),
  })
  await w.rotate()
  await w.run(`UPDATE "Account" SET secret = concat(secret, 'AAAA') WHERE b LIKE '€%'`)
  expect(await drain(w.config)).toMatchObject({ outcome: 'incomplete', rows: 1, quarantined: 1 })
  expect(await drain(w.config)).toMatchObject({ outcome: 'incomplete', rows: 0, quarantined: 1 })
  const rows = await w.query('SELECT record_key FROM rowseal_quarantine')
  expect(rows.map((row) => JSON.parse(row.record_key))).toEqual([[long('\\'), long('€')]])
})
