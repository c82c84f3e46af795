import { readReplicas } from '@prisma/extension-read-replicas'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { openSealed, PROVIDERS, type SealedDatabase } from '../client/databases.ts'
import { ADA, after, computed, logger, methods, schema } from './extensions.ts'

/** What the README says under "Order of extensions", line by line. */
describe.each(PROVIDERS)('extensions after Rowseal, on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, schema())
  })
  afterAll(() => sealed.close())
  beforeEach(async () => {
    await sealed.base.card.deleteMany()
    await sealed.base.pet.deleteMany()
    await sealed.base.owner.deleteMany()
    await sealed.prisma.owner.create({
      data: { ...ADA, pets: { create: { id: 1, name: 'Rex', chip: 'abc' } } },
    })
  })
  const where = { id: 1 }
  const stored = (): Promise<any> => sealed.base.owner.findUnique({ where })

  const adding = (extra: Record<string, any>): any =>
    after(sealed.prisma, ({ args, query }) => {
      const merged = Object.entries(extra).map(([key, value]) => [
        key,
        Array.isArray(value) ? value : { ...args[key], ...value },
      ])
      return query({ ...args, ...Object.fromEntries(merged) })
    })

  describe('one that filters, sorts or writes', () => {
    it.each([
      ['a filter', { where: { email: 'ada' } }],
      [
        'a filter in a list of conditions',
        { where: { OR: [{ id: 5 }, { email: { in: ['ada'] } }] } },
      ],
      ['a filter on a relation', { where: { pets: { some: { chip: { not: 'x' } } } } }],
      ['an order', { orderBy: { email: 'asc' } }],
      ['a distinct', { distinct: ['name', 'email'] }],
      ['a filter below a selection', { include: { pets: { where: { chip: 'abc' } } } }],
    ])('is refused with %s on an encrypted field', async (_name, extra) => {
      const client = adding(extra)
      await expect(client.owner.findMany()).rejects.toMatchObject({
        code: 'ERR_EXTENSION_ORDER',
        name: 'SchemaError',
        field: expect.stringMatching(/^(Owner\.email|Pet\.chip)$/) as string,
      })
      await expect(client.$transaction([client.owner.findMany()])).rejects.toMatchObject({
        code: 'ERR_EXTENSION_ORDER',
      })
    })

    it.each([
      ['text', { data: { email: 'other' } }],
      ['Json', { data: { notes: true } }],
      ['an empty object', { data: { notes: {} } }],
      ['bytes', { data: { scan: new Uint8Array([9]) } }],
      ['text below a relation', { data: { pets: { update: { where, data: { chip: 'p' } } } } }],
    ])(
      'is refused with %s for an encrypted field, and nothing is written',
      async (_name, extra) => {
        const before = await stored()
        const client = adding(extra)
        const refused = { code: 'ERR_EXTENSION_ORDER' }
        await expect(client.owner.update({ where, data: { name: 'B' } })).rejects.toMatchObject(
          refused,
        )
        if (!('pets' in extra.data)) {
          await expect(client.owner.updateMany({ data: { name: 'B' } })).rejects.toMatchObject(
            refused,
          )
        }
        expect(await stored()).toEqual(before)
      },
    )

    it('is refused with a minimum or maximum of an encrypted field', async () => {
      await expect(
        adding({ _max: { email: true } }).owner.aggregate({ _count: true }),
      ).rejects.toMatchObject({
        code: 'ERR_EXTENSION_ORDER',
        field: 'Owner.email',
      })
    })

    it('shows no value in the error', async () => {
      const error = await adding({ where: { email: 'a secret' } })
        .owner.findMany()
        .catch((e: Error) => e)
      expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/a secret|rs1\./)
    })

    it('works with plain fields, null, selections, and what it got', async () => {
      const found = { id: 1, email: 'ada' }
      const soft = { where: { deletedAt: null, notes: { not: sealed.Prisma.DbNull } } }
      expect(await adding(soft).owner.findMany()).toMatchObject([found])
      expect(
        await adding({ where: { pets: { some: { chip: { not: null } } } } }).owner.count(),
      ).toBe(1)
      expect(
        await adding({ omit: { name: true, notes: true } }).owner.findFirst(),
      ).not.toHaveProperty('notes')
      expect(await adding({ select: { email: true } }).owner.findMany()).toEqual([{ email: 'ada' }])
      expect(
        await adding({ data: { scan: null, name: 'B' } }).owner.update({
          where,
          data: { email: 'e' },
        }),
      ).toMatchObject({ name: 'B', email: 'e', scan: null })
      const halved = after(sealed.prisma, ({ args, query }) =>
        query({ ...args, data: args.data.slice(1) }),
      )
      const data = [2, 3].map((id) => ({ ...ADA, id }))
      expect(await halved.owner.createMany({ data })).toEqual({ count: 1 })
      expect(await sealed.prisma.owner.findUnique({ where: { id: 3 } })).toMatchObject({
        email: 'ada',
      })
    })
  })

  it('a logger there sees ciphertext only', async () => {
    const prisma = logger(sealed.prisma)
    const where = { id: 1, notes: { not: sealed.Prisma.DbNull } }
    expect(await prisma.owner.update({ where, data: { email: 'grace' } })).toMatchObject({
      email: 'grace',
    })
    expect(await prisma.owner.findUnique({ where }).pets()).toMatchObject([{ chip: 'abc' }])
    const lines = JSON.stringify(prisma.$lines)
    expect(lines).toMatch(/rs1\./)
    expect(lines).not.toMatch(/grace|"abc"/)
  })

  it('computed fields and methods work there as well', async () => {
    const prisma = methods(sealed.Prisma)(computed(sealed.prisma))
    const [row] = await prisma.owner.findMany({ select: { contact: true } })
    expect(row.contact).toBe('Ada <ada>')
    expect((await prisma.owner.findUnique({ where }).pets())[0].chip).toBe('ABC')
    expect(await prisma.$emails()).toEqual(['ada'])
    expect(await prisma.owner.exists({ notes: { not: sealed.Prisma.DbNull } })).toBe(true)
    await prisma.$transaction(async (tx: any) => {
      await tx.owner.update({ where, data: { email: 'inside' } })
      expect(await tx.$emails()).toEqual(['inside'])
    })
  })

  describe('Rowseal', () => {
    const again = (): any => rowseal({ plan: sealed.plan, keyring: sealed.keyring })
    const refused = { code: 'ERR_EXTENSION_ORDER', name: 'SchemaError' }
    const thrownBy = (call: () => unknown): unknown => {
      try {
        return call()
      } catch (error) {
        return error
      }
    }

    it('is refused a second time, whatever is between and whatever the plan', () => {
      const { prisma, plan, Prisma } = sealed
      const other = rowseal({ plan: structuredClone(plan), keyring: sealed.keyring })
      for (const client of [prisma, computed(logger(prisma)), methods(Prisma)(prisma)]) {
        expect(thrownBy(() => client.$extends(again()))).toMatchObject(refused)
        expect(thrownBy(() => client.$extends(other))).toMatchObject(refused)
      }
    })

    it('is refused after read replicas, whatever is between', () => {
      const replicated = sealed.base.$extends(readReplicas({ replicas: [sealed.base] }))
      for (const client of [replicated, computed(logger(replicated))]) {
        expect(thrownBy(() => client.$extends(again()))).toMatchObject(refused)
      }
    })

    it('may be on two clients side by side', async () => {
      const second = sealed.base.$extends(again())
      expect(await second.owner.findMany()).toMatchObject([ADA])
      expect(await sealed.prisma.owner.findMany()).toMatchObject([ADA])
    })

    it('refuses what replicas with Rowseal of their own have opened', async () => {
      const replica = sealed.base.$extends(again())
      const prisma = sealed.prisma.$extends(readReplicas({ replicas: [replica] }))
      await expect(prisma.owner.findMany()).rejects.toMatchObject({ code: 'ERR_PLAINTEXT_REFUSED' })
    })
  })
})

describe.each(PROVIDERS)('plain Json beside encrypted fields, on %s', (provider) => {
  const text = provider === 'mysql' ? ' @db.Text' : ''
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(
      provider,
      `model Doc {
  id     Int   @id
  /// @encrypted
  email  String?${text}
  meta   Json?
  data   Json?
  where  Json?
  parts  Part[]
}
model Part {
  id     Int   @id
  /// @encrypted
  chip   String?${text}
  meta   Json?
  docId  Int?
  doc    Doc?  @relation(fields: [docId], references: [id])
}`,
    )
  })
  afterAll(() => sealed.close())
  beforeEach(async () => {
    await sealed.base.part.deleteMany()
    await sealed.base.doc.deleteMany()
    await sealed.prisma.doc.create({
      data: { id: 1, email: 'ada', meta: {}, parts: { create: { id: 1, chip: 'c' } } },
    })
  })
  const value = { email: 'by whom', chip: [1], where: { email: 'x' }, distinct: ['email'] }
  const client = (data: object, clause = 'data'): any =>
    sealed.prisma.$extends({
      query: {
        doc: {
          $allOperations: ({ args, query }: any) =>
            query({ ...args, [clause]: { ...args[clause], ...data } }),
        },
      },
    })
  const where = { id: 1 }

  it.each([
    ['meta', { meta: value }],
    ['data', { data: value }],
    ['where', { where: value }],
  ])('an extension after may write keys of their names, in a column called %s', async (_, data) => {
    const name = Object.keys(data)[0]!
    const done = await client(data).doc.update({ where, data: { email: 'eve' } })
    expect(done).toMatchObject({ email: 'eve', [name]: value })
    await client(data).doc.updateMany({ data: { email: 'eva' } })
    expect(await sealed.prisma.doc.findFirst()).toMatchObject({ email: 'eva', [name]: value })
  })

  it('below a relation as well, and compare with them', async () => {
    const parts = { update: { where, data: { meta: value } }, create: { id: 2, meta: value } }
    await client({ parts }).doc.update({ where, data: { email: 'eve' } })
    const found = { where: { ...where, meta: { equals: {} } }, include: { parts: true } }
    expect(await sealed.prisma.doc.findFirst(found)).toMatchObject({
      parts: [{ chip: 'c', meta: value }, { meta: value }],
    })
    expect(await client({ NOT: { meta: { equals: value } } }, 'where').doc.count()).toBe(1)
    expect(
      await client({ parts: { some: { meta: { equals: value } } } }, 'where').doc.count(),
    ).toBe(1)
  })

  it.each([
    ['beside such a column', { meta: value, email: 'x' }],
    ['below a relation', { parts: { create: { id: 3, meta: value, chip: 'x' } } }],
    ['below a relation, in an update', { parts: { update: { where, data: { chip: 'x' } } } }],
  ])('what it writes in the clear is refused %s', async (_, data) => {
    await expect(client(data).doc.update({ where, data: {} })).rejects.toMatchObject({
      code: 'ERR_EXTENSION_ORDER',
    })
  })
})
