import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/keys/index.ts'
import { openSealed, PROVIDERS, sql, type SealedDatabase } from '../client/databases.ts'
import { computed, logger, schema } from './extensions.ts'

/** `$queryRaw` and `$executeRaw` pass what the database holds; `$rowseal` opens and seals beside them. */
describe.each(PROVIDERS)('raw SQL, on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, schema(), {
      before: (base) => logger(computed(base)),
      client: { omit: { owner: { name: true } } },
    })
    await rotate(sealed.keyring)
  })
  afterAll(() => sealed.close())
  beforeEach(() => sealed.base.owner.deleteMany())

  const ADA = { email: 'ada', notes: { a: ['b', null] }, scan: new Uint8Array([0, 255]) }
  const json: string = provider === 'postgresql' ? '::jsonb' : ''

  const table = (): unknown => sealed.Prisma.raw(sql(provider, '"Owner"'))

  async function stored(): Promise<{ email: string; notes: any; scan: Uint8Array }> {
    const { prisma, Prisma } = sealed
    const [row] = await prisma.$queryRaw(Prisma.sql`SELECT email, notes, scan FROM ${table()}`)
    return row
  }

  /** What a raw INSERT writes: for Json the envelope is a JSON string. */
  async function values(tag = ''): Promise<[string, string, string | Uint8Array]> {
    const { $rowseal } = sealed.prisma
    return [
      await $rowseal.seal('Owner.email', ADA.email + tag),
      JSON.stringify(await $rowseal.seal('Owner.notes', ADA.notes)),
      await $rowseal.seal('Owner.scan', ADA.scan),
    ]
  }

  it('reads pass unopened, and $rowseal.open opens them', async () => {
    const { prisma } = sealed
    await prisma.owner.create({ data: { id: 1, name: 'n', ...ADA } })
    const row = await stored()
    expect(row.email).toMatch(/^rs1\./)
    expect(await prisma.$rowseal.open('Owner.email', row.email)).toBe(ADA.email)
    // The driver of SQLite hands JSON out as text.
    const notes = row.notes.startsWith('"') ? JSON.parse(row.notes) : row.notes
    for (const given of [row.notes, notes, JSON.stringify(notes)])
      expect(await prisma.$rowseal.open('Owner.notes', given)).toEqual(ADA.notes)
    expect(await prisma.$rowseal.open('Owner.scan', row.scan)).toEqual(ADA.scan)
    expect(await prisma.$rowseal.open('Owner.scan', null)).toBeNull()
    const [unsafe] = await prisma.$queryRawUnsafe(
      sql(provider, 'SELECT email FROM "Owner" WHERE id = 1'),
    )
    expect(unsafe.email).toBe(row.email)
  })

  it('writes take what $rowseal.seal made, and reads open it', async () => {
    const { prisma, Prisma } = sealed
    const [email, notes, scan] = await values()
    await prisma.$executeRaw(
      Prisma.sql`INSERT INTO ${table()} (id, name, email, notes, scan)
        VALUES (1, 'n', ${email}, ${notes}${Prisma.raw(json)}, ${scan})`,
    )
    expect(await prisma.owner.findUnique({ where: { id: 1 } })).toMatchObject(ADA)
    const [other] = await values('2')
    const place = provider === 'postgresql' ? '$1' : '?'
    await prisma.$executeRawUnsafe(sql(provider, `UPDATE "Owner" SET email = ${place}`), other)
    expect(await prisma.owner.findMany({ select: { contact: true } })).toMatchObject([
      { contact: 'n <ada2>' },
    ])
  })

  it('works in transactions of both forms, and in one in another', async () => {
    const { prisma, Prisma } = sealed
    const [email, notes, scan] = await values()
    const [second] = await values('2')
    const insert = (client: any): Promise<number> =>
      client.$executeRaw`INSERT INTO ${table()} (id, name, email, notes, scan)
        VALUES (1, 'n', ${email}, ${notes}${Prisma.raw(json)}, ${scan})`
    const [count, rows, raw] = await prisma.$transaction([
      insert(prisma),
      prisma.owner.findMany({ where: { id: 1 } }),
      prisma.$queryRaw`SELECT email FROM ${table()}`,
    ])
    expect(count).toBe(1)
    expect(rows).toMatchObject([ADA])
    expect(raw).toEqual([{ email }])
    await prisma.$transaction(async (tx: any) => {
      await tx.$executeRaw`UPDATE ${table()} SET email = ${second}`
      expect(await tx.owner.findUnique({ where: { id: 1 } })).toMatchObject({ email: 'ada2' })
      const undone = tx.$transaction(async (inner: any) => {
        await inner.$executeRaw`UPDATE ${table()} SET email = ${email}`
        expect(await inner.owner.findFirst({ select: { email: true } })).toEqual({ email: 'ada' })
        throw new Error('back')
      })
      await expect(undone).rejects.toThrow('back')
      expect(await tx.$queryRaw`SELECT email FROM ${table()}`).toEqual([{ email: second }])
    })
    expect(await prisma.owner.findFirst()).toMatchObject({ email: 'ada2' })
  })

  it('$rowseal opens what is under an older key version, inside a transaction too', async () => {
    const { prisma } = sealed
    await prisma.owner.create({ data: { id: 1, name: 'n', ...ADA } })
    const { email } = await stored()
    await rotate(sealed.keyring)
    await prisma.$transaction(async (tx: any) => {
      expect(await tx.$rowseal.open('Owner.email', email)).toBe(ADA.email)
    })
  })

  it('a value of the wrong type, and one of another field, are refused', async () => {
    const { $rowseal } = sealed.prisma
    await expect($rowseal.seal('Owner.email', 5)).rejects.toMatchObject({
      code: 'ERR_VALUE_INVALID',
    })
    await expect($rowseal.seal('Owner.name', 'n')).rejects.toThrow(TypeError)
    await expect($rowseal.open('Pet.chip', (await values())[0])).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
    })
    await expect($rowseal.open('Owner.email', 'ada')).rejects.toMatchObject({
      code: 'ERR_PLAINTEXT_REFUSED',
    })
  })
})
