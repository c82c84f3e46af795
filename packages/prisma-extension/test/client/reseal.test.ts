import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { recordSwapper, type PendingRecord } from '../../src/client/reseal.ts'
import { resumeKey, rotate } from '../../src/keys/index.ts'
import { compile, type ModelPlan } from '../../src/query/index.ts'
import { openClinic, type TestClinic } from './clinic.ts'
import { openSealed, PROVIDERS, type Provider, type SealedDatabase } from './databases.ts'

const keyId = (value: unknown): number => Number(`0x${String(value).slice(4, 12)}`)

/** Make the former version of a keyring active again, as an operator does to take a rotation back. */
async function takeBack({ keyring }: SealedDatabase, [former]: [number, number]): Promise<void> {
  await resumeKey(keyring, former)
}

describe.each(PROVIDERS)('a batch of stale records, on %s', (provider) => {
  let clinic: TestClinic
  let patient: ModelPlan
  let former: number
  beforeAll(async () => {
    clinic = await openClinic(provider, { reencryption: false })
    patient = compile(clinic.plan, [clinic.keyring]).get('Patient')!
  })
  afterAll(() => clinic.close())

  beforeEach(async () => {
    former = clinic.keyring.activeKeyId!
    await clinic.prisma.patient.createMany({
      data: ['a', 'b', 'c'].map((id) => ({ id, name: id, email: `e${id}`, phone: `p${id}` })),
    })
    await rotate(clinic.keyring)
  })
  afterEach(() => clinic.base.patient.deleteMany())

  const stored = (id: string): Promise<any> => clinic.base.patient.findUnique({ where: { id } })

  async function pending(...ids: string[]): Promise<PendingRecord[]> {
    const rows = await Promise.all(ids.map(stored))
    return rows.map((row) => ({
      key: [row.id],
      stored: new Map(
        ['email', 'phone'].map((name) => [
          patient.sealed.get(name)!,
          { stored: row[name], bound: [] },
        ]),
      ),
    }))
  }
  const swap = (records: PendingRecord[]): Promise<unknown> =>
    recordSwapper(clinic.base, provider)(patient, records)

  it('is rewritten under the active key, with one DEK for each record', async () => {
    expect(await swap(await pending('a', 'b', 'c'))).toEqual({
      done: 3,
      superseded: 0,
      failed: 0,
      error: null,
    })
    const [a, b] = [await stored('a'), await stored('b')]
    const wrapped = (value: string): string => value.slice(13, 13 + 80)
    expect([keyId(a.email), keyId(a.phone)]).toEqual([
      clinic.keyring.activeKeyId,
      clinic.keyring.activeKeyId,
    ])
    expect(wrapped(a.email)).toBe(wrapped(a.phone))
    expect(wrapped(a.email)).not.toBe(wrapped(b.email))
    expect(await clinic.prisma.patient.findUnique({ where: { id: 'a' } })).toMatchObject({
      email: 'ea',
      phone: 'pa',
    })
  })

  it('leaves a record that was written since, its other stale fields too', async () => {
    const records = await pending('a', 'b')
    await clinic.prisma.patient.update({ where: { id: 'a' }, data: { phone: 'written since' } })
    const written = await stored('a')
    expect(await swap(records)).toMatchObject({ done: 1, superseded: 1, failed: 0 })
    expect(await stored('a')).toEqual(written)
    expect(keyId(written.email)).toBe(former)
    expect(keyId((await stored('b')).email)).toBe(clinic.keyring.activeKeyId)
  })

  it('leaves a record whose field became NULL', async () => {
    const records = await pending('a')
    await clinic.prisma.patient.update({ where: { id: 'a' }, data: { phone: null } })
    expect(await swap(records)).toMatchObject({ done: 0, superseded: 1 })
    expect((await stored('a')).phone).toBeNull()
  })

  it('leaves records that were deleted, or deleted and created anew', async () => {
    const records = await pending('a', 'b', 'c')
    await clinic.prisma.patient.deleteMany({ where: { id: { in: ['a', 'b'] } } })
    await clinic.prisma.patient.create({ data: { id: 'b', name: 'b', email: 'another' } })
    expect(await swap(records)).toMatchObject({ done: 1, superseded: 2 })
    expect(await clinic.prisma.patient.findMany({ orderBy: { id: 'asc' } })).toMatchObject([
      { id: 'b', email: 'another', phone: null },
      { id: 'c', email: 'ec', phone: 'pc' },
    ])
  })

  it('rewrites nothing when it comes a second time', async () => {
    const records = await pending('a', 'b')
    await swap(records)
    const once = await stored('a')
    expect(await swap(records)).toMatchObject({ done: 0, superseded: 2 })
    expect(await stored('a')).toEqual(once)
  })

  it('is left as it is when its key is active again', async () => {
    const records = await pending('a', 'b')
    const before = await stored('a')
    await takeBack(clinic, [former, clinic.keyring.activeKeyId!])
    const { wraps } = clinic.keyring.stats()
    expect(await swap(records)).toEqual({ done: 0, superseded: 2, failed: 0, error: null })
    expect(await stored('a')).toEqual(before)
    expect(clinic.keyring.stats().wraps).toBe(wraps)
  })

  it('is rewritten but for a record that does not open', async () => {
    const [a, b] = (await pending('a', 'b')) as [PendingRecord, PendingRecord]
    const email = patient.sealed.get('email')!
    const text = a.stored.get(email)!.stored as string
    const altered = text.slice(0, 125) + (text[125] === 'A' ? 'B' : 'A') + text.slice(126)
    const bad = {
      key: a.key,
      stored: new Map([...a.stored, [email, { stored: altered, bound: [] }]]),
    }
    const before = await stored('a')
    expect(await swap([bad, b])).toMatchObject({
      done: 1,
      superseded: 0,
      failed: 1,
      error: { code: 'ERR_ENVELOPE_AUTH', field: 'Patient.email' },
    })
    expect(await stored('a')).toEqual(before)
  })

  it('fails as a whole when the active key is out of reach', async () => {
    const records = await pending('a')
    const before = await stored('a')
    const forProtect = clinic.keyring.forProtect.bind(clinic.keyring)
    clinic.keyring.forProtect = () => Promise.reject(new Error('the store is down'))
    await expect(swap(records)).rejects.toThrow('the store is down')
    clinic.keyring.forProtect = forProtect
    expect(await stored('a')).toEqual(before)
  })

  it('takes values of several megabytes', async () => {
    const email = 'ü'.repeat(2_500_000)
    await clinic.prisma.patient.update({ where: { id: 'a' }, data: { email } })
    await rotate(clinic.keyring)
    expect(await swap(await pending('a'))).toMatchObject({ done: 1 })
    expect((await clinic.prisma.patient.findUnique({ where: { id: 'a' } })).email).toBe(email)
  })
})

const KEYS: readonly (readonly [model: string, id: string, values: readonly unknown[]])[] = [
  ['ByInt', 'id Int @id', [-5, 2147483647]],
  ['ByBigInt', 'id BigInt @id', [-(2n ** 53n) + 1n, 2n ** 53n - 1n]],
  ['ByLarge', 'id BigInt @id', [-(2n ** 63n), 2n ** 53n + 1n]],
  ['ByText', 'id String @id', ['', ' a\'"\\\n%_ ', '\u00c9', 'E\u0301']],
  ['ByDecimal', 'id Decimal @id', ['0.1', '12345678901234567890.123456789', '-1e-7']],
  ['ByFloat', 'id Float @id', [0.1, 1e300, -2.5e-7]],
  ['ByTime', 'id DateTime @id', [new Date(0), new Date('2024-02-29T23:59:59.999Z')]],
  ['ByBytes', 'id Bytes @id', [new Uint8Array([0, 255]), new Uint8Array([1])]],
  ['ByEnum', 'id Kind @id', ['CAT', 'DOG', 'toString']],
  ['ByBoolean', 'id Boolean @id', [true, false]],
  ['ByUuid', 'id String @id @default(uuid()) @db.Uuid', ['6F9619FF-8B86-D011-B42D-00C04FC964FF']],
  ['ByUnique', 'id String @unique', ['u']],
]
/** Types that PostgreSQL alone has. */
const TIMES: typeof KEYS = [
  ['ByClock', 'id DateTime @id @db.Time(3)', [new Date(0), new Date('1970-01-01T23:59:59.999Z')]],
  ['ByZone', 'id DateTime @id @db.Timestamptz(3)', [new Date('2024-02-29T23:59:59.999Z')]],
  ['ByDate', 'id DateTime @id @db.Date', [new Date('0099-01-02'), new Date('2024-02-29')]],
]

const keysSchema = (provider: Provider): string => `
enum Kind {
  CAT
  DOG @map("le chien")
  toString
}
${keysOf(provider)
  .map(([model, id]) => `model ${model} {\n  ${id}\n  /// @encrypted\n  secret String\n}`)
  .join('\n')}
model Compound {
  a      Int
  // The database's names differ, and need quotes.
  b      DateTime @map("the b")
  kind   Kind
  /// @encrypted
  secret String   @map("select")
  @@id([kind, b, a])
  @@map("order by")
}
`
function keysOf(provider: Provider): typeof KEYS {
  // SQLite keeps decimals as floats, and libsql hands out no integer above 2^53.
  const others = {
    postgresql: [],
    sqlite: ['ByUuid', 'ByDecimal', 'ByLarge'],
    mysql: ['ByUuid'],
  }[provider] as string[]
  const keys = KEYS.filter(([model]) => !others.includes(model))
  if (provider === 'postgresql') return [...keys, ...TIMES]
  if (provider === 'sqlite') return keys
  // An index of MySQL takes no bytes without a length.
  return keys.map(([model, id, values]) => [
    model,
    id.replace('Bytes @id', 'Bytes @id @db.VarBinary(20)'),
    values,
  ])
}

describe.each(PROVIDERS)('keys of every type, on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, keysSchema(provider))
  })
  afterAll(() => sealed.close())

  const accessor = (model: string): string => model.charAt(0).toLowerCase() + model.slice(1)

  async function isRewritten(model: string, rows: readonly object[]): Promise<void> {
    const { prisma, base, keyring } = sealed
    await prisma[model].createMany({ data: rows.map((row, i) => ({ ...row, secret: `s${i}` })) })
    await rotate(keyring)
    const before = prisma.$rowseal.stats().reencryption
    const read = await prisma[model].findMany({ select: { secret: true } })
    expect(await prisma.$rowseal.flush()).toBe(true)
    const { done, superseded, failed } = prisma.$rowseal.stats().reencryption
    expect({ done, superseded, failed }).toEqual({
      done: before.done + rows.length,
      superseded: before.superseded,
      failed: before.failed,
    })
    const secrets = (await base[model].findMany()).map((row: any) => keyId(row.secret))
    expect(new Set(secrets)).toEqual(new Set([keyring.activeKeyId]))
    expect(read.map((row: any) => row.secret).sort()).toEqual(rows.map((_, i) => `s${i}`))
  }

  it.each(keysOf(provider).map(([model, , values]) => [model, values] as const))(
    '%s finds every record again',
    (model, values) =>
      isRewritten(
        accessor(model),
        values.map((id) => ({ id })),
      ),
  )

  it('finds records by several fields under other names', () =>
    isRewritten('compound', [
      { a: 1, b: new Date(1), kind: 'CAT' },
      { a: 1, b: new Date(1), kind: 'DOG' },
      { a: 2, b: new Date(-1), kind: 'CAT' },
    ]))
})

const TWO_SCHEMAS = `
model Inner {
  id     Int    @id
  /// @encrypted
  secret String
  @@map("same")
  @@schema("inner")
}
model Outer {
  id     Int    @id
  /// @encrypted
  secret String
  @@map("same")
  @@schema("public")
}
`

it('tables of one name in two schemas are told apart', async () => {
  const options = { schemas: ['inner', 'public'] }
  const { prisma, base, keyring, close } = await openSealed('postgresql', TWO_SCHEMAS, options)
  for (const model of ['inner', 'outer']) {
    await prisma[model].create({ data: { id: 1, secret: model } })
  }
  const outer = await base.outer.findFirst()
  await rotate(keyring)
  expect((await prisma.inner.findFirst()).secret).toBe('inner')
  expect(await prisma.$rowseal.flush()).toBe(true)
  expect(keyId((await base.inner.findFirst()).secret)).toBe(keyring.activeKeyId)
  expect(await base.outer.findFirst()).toEqual(outer)
  await close()
})
