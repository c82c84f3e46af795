import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { openSealed, PROVIDERS, type SealedDatabase } from '../client/databases.ts'
import { ADA, after, schema } from './extensions.ts'

/** Extensions that do more than pass a query on: what the README says of them. */
describe.each(PROVIDERS)('an extension beside Rowseal, on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, schema())
  })
  afterAll(() => sealed.close())
  beforeEach(async () => {
    await sealed.base.pet.deleteMany()
    await sealed.base.owner.deleteMany()
    await sealed.prisma.owner.create({
      data: { ...ADA, pets: { create: { id: 1, name: 'Rex', chip: 'abc' } } },
    })
  })
  const where = { id: 1 }
  const stored = (): Promise<any> => sealed.base.owner.findUnique({ where })

  it('one that wraps each query in a transaction works before and after', async () => {
    const wrap = (client: any): any =>
      client.$extends({
        query: {
          async $allOperations({ args, query }: any) {
            const [, result] = await client.$transaction([
              client.$queryRawUnsafe('SELECT 1'),
              query(args),
            ])
            return result
          },
        },
      })
    const before = wrap(sealed.base).$extends(
      rowseal({ plan: sealed.plan, keyring: sealed.keyring }),
    )
    for (const prisma of [before, wrap(sealed.prisma)]) {
      expect(await prisma.owner.update({ where, data: { email: 'wrapped' } })).toMatchObject({
        email: 'wrapped',
      })
      expect(await prisma.owner.findUnique({ where, include: { pets: true } })).toMatchObject({
        email: 'wrapped',
        pets: [{ chip: 'abc' }],
      })
      expect(await prisma.pet.findUnique({ where }).owner()).toMatchObject({ email: 'wrapped' })
    }
  })

  it('one that runs a query twice works after', async () => {
    const retrying = after(sealed.prisma, ({ args, query }) => query(args).then(() => query(args)))
    expect(await retrying.owner.update({ where, data: { email: 'twice' } })).toMatchObject({
      email: 'twice',
    })
  })

  describe('one that answers through a client instead of its query', () => {
    const forwarding = (client: any, to: any): any =>
      after(client, ({ operation, args, query }) => {
        if (operation === 'delete') return to.owner.update({ ...args, data: { name: 'gone' } })
        return operation === 'upsert' ? to.owner.create({ data: args.create }) : query(args)
      })

    it('works after Rowseal with the client below it', async () => {
      const prisma = forwarding(sealed.prisma, sealed.base)
      expect(await prisma.owner.delete({ where })).toMatchObject({ name: 'gone', email: 'ada' })
      const create = { ...ADA, id: 2 }
      const call = prisma.owner.upsert({ where: { id: 2 }, create, update: {} })
      expect(await call).toMatchObject({ id: 2, email: 'ada' })
      expect(await sealed.prisma.owner.findUnique({ where: { id: 2 } })).toMatchObject(create)
    })

    it('is refused after Rowseal with the extended client: values would be encrypted twice', async () => {
      const prisma = forwarding(sealed.prisma, sealed.prisma)
      for (const create of [
        { id: 2, name: 'n', email: 'e' },
        { ...ADA, id: 2 },
      ]) {
        const call = prisma.owner.upsert({ where: { id: 2 }, create, update: {} })
        await expect(call).rejects.toMatchObject({
          code: 'ERR_EXTENSION_ORDER',
          field: 'Owner.email',
        })
      }
      const writing = (field: string): any =>
        after(sealed.prisma, ({ args, query, operation }) =>
          operation === 'update'
            ? sealed.prisma.owner.updateMany({ data: { [field]: args.data[field] } })
            : query(args),
        )
      for (const field of ['notes', 'scan'] as const) {
        const call = writing(field).owner.update({ where, data: { [field]: ADA[field] } })
        await expect(call).rejects.toMatchObject({
          code: 'ERR_EXTENSION_ORDER',
          field: `Owner.${field}`,
        })
      }
      expect(await sealed.prisma.owner.findMany()).toMatchObject([ADA])
    })

    it('does its work and is refused after Rowseal, where the extended client opened the result', async () => {
      const prisma = forwarding(sealed.prisma, sealed.prisma)
      await expect(prisma.owner.delete({ where })).rejects.toMatchObject({
        code: 'ERR_PLAINTEXT_REFUSED',
      })
      expect(await stored()).toMatchObject({ name: 'gone' })
    })

    it('works before Rowseal with the client that has everything applied', async () => {
      const own: { client?: any } = {}
      const before = after(sealed.base, ({ operation, args, query }) =>
        operation === 'delete'
          ? own.client.owner.update({ ...args, data: { name: 'gone' } })
          : query(args),
      )
      own.client = before.$extends(rowseal({ plan: sealed.plan, keyring: sealed.keyring }))
      expect(await own.client.owner.delete({ where })).toMatchObject({ name: 'gone', email: 'ada' })
    })

    it('passes by Rowseal before it, with a client of its own', async () => {
      const prisma = forwarding(sealed.base, sealed.base).$extends(
        rowseal({ plan: sealed.plan, keyring: sealed.keyring }),
      )
      expect((await prisma.owner.delete({ where })).email).toMatch(/^rs1\./)
    })
  })

  it('a cache there must hand out copies: Rowseal opens results in place', async () => {
    const caching = (copy: (value: unknown) => unknown): any => {
      const kept = new Map<string, unknown>()
      return after(sealed.prisma, async ({ args, query }) => {
        const key = JSON.stringify(args)
        if (!kept.has(key)) kept.set(key, await query(args))
        return copy(kept.get(key))
      })
    }
    const good = caching(structuredClone)
    const bad = caching((value) => value)
    for (let i = 0; i < 2; i++) expect(await good.owner.findMany()).toMatchObject([ADA])
    expect(await bad.owner.findMany()).toMatchObject([ADA])
    await expect(bad.owner.findMany()).rejects.toMatchObject({ code: 'ERR_PLAINTEXT_REFUSED' })
  })
})
