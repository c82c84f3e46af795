import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HAS, openSealed, PROVIDERS, type SealedDatabase } from './databases.ts'

const schema = (hasLists: boolean): string => `
model Card {
  id       Int     @id
  holderId Int?
  holder   Holder? @relation(fields: [holderId], references: [id])
  /// @encrypted
  content  Json?
  /// @encrypted
  photo    Bytes?${
    hasLists
      ? `
  /// @encrypted
  words    String[]
  /// @encrypted
  docs     Json[]`
      : ''
  }
}
model Holder {
  id    Int    @id
  cards Card[]
}
`

/** In a comparison of Json each of these is a value, whatever it looks like. */
const values = ({ DbNull, JsonNull, AnyNull }: any): readonly unknown[] => [
  {},
  { equals: {} },
  { not: {} },
  { equals: DbNull },
  { not: { not: DbNull } },
  { equals: 'a' },
  { in: [] },
  { mode: 'default' },
  [],
  [1],
  'a',
  null,
  JsonNull,
  AnyNull,
]

/** The places of a filter on Card. */
const PLACES: Readonly<Record<string, (db: any, where: object) => Promise<unknown>>> = {
  where: (db, where) => db.card.findMany({ where }),
  'AND, OR and NOT': (db, where) => db.card.findMany({ where: { AND: { NOT: { OR: [where] } } } }),
  'a unique where': (db, where) => db.card.findUnique({ where: { id: 1, ...where } }),
  'a relation filter': (db, where) => db.holder.findMany({ where: { cards: { none: where } } }),
  'a selection': (db, where) => db.holder.findMany({ select: { cards: { where } } }),
  'a nested deleteMany': (db, where) =>
    db.holder.update({ where: { id: 1 }, data: { cards: { deleteMany: [where] } } }),
  updateMany: (db, where) => db.card.updateMany({ where, data: { holderId: null } }),
}

describe.each(PROVIDERS)('a filter of Json on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, schema(HAS[provider].lists))
    const { card, holder } = sealed.prisma
    await holder.create({ data: { id: 1 } })
    await card.create({ data: { id: 1, content: {}, photo: new Uint8Array([1]), holderId: 1 } })
    await card.create({ data: { id: 2, content: sealed.Prisma.DbNull, holderId: 1 } })
  })
  afterAll(() => sealed.close())

  async function expectRefused(field: string, call: Promise<unknown>): Promise<void> {
    const error = await call.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'QueryError', code: 'ERR_QUERY_UNSUPPORTED', field })
    expect(await sealed.base.card.count({ where: { holderId: 1 } })).toBe(2)
  }

  it.each(Object.keys(PLACES))('refuses to compare with a value in %s', async (place) => {
    for (const value of values(sealed.Prisma)) {
      for (const content of [{ equals: value }, { not: value }]) {
        await expectRefused('Card.content', PLACES[place]!(sealed.prisma, { content }))
      }
    }
  })

  it('refuses a value beside a comparison with null', async () => {
    const { DbNull } = sealed.Prisma
    for (const content of [
      { equals: DbNull, not: {} },
      { not: {}, equals: DbNull },
      { equals: {}, not: DbNull },
    ]) {
      await expectRefused('Card.content', sealed.prisma.card.findMany({ where: { content } }))
    }
  })

  it('finds what is NULL and what is not', async () => {
    const { DbNull } = sealed.Prisma
    const ids = async (where: object): Promise<number[]> =>
      (await sealed.prisma.card.findMany({ where, orderBy: { id: 'asc' } })).map(
        ({ id }: any) => id,
      )
    expect(await ids({ content: { equals: DbNull } })).toEqual([2])
    expect(await ids({ content: { not: DbNull } })).toEqual([1])
    expect(await ids({ NOT: { content: { equals: DbNull } } })).toEqual([1])
    expect(await ids({ content: {} })).toEqual([1, 2])
  })

  it('refuses bytes within a not, and finds what is NULL', async () => {
    const { card } = sealed.prisma
    for (const photo of [
      { not: { equals: new Uint8Array([1]) } },
      { not: { not: new Uint8Array([1]) } },
      { not: { in: [] } },
      { not: new Uint8Array() },
    ]) {
      await expectRefused('Card.photo', card.findMany({ where: { photo } }))
    }
    expect(await card.count({ where: { photo: { not: { not: null } } } })).toBe(1)
    expect(await card.count({ where: { photo: { not: {} } } })).toBe(2)
  })

  it.runIf(HAS[provider].lists)('refuses every comparison of a list with values', async () => {
    const { card } = sealed.prisma
    for (const equals of [[], ['a'], [{}]]) {
      await expectRefused('Card.words', card.findMany({ where: { words: { equals } } }))
      await expectRefused('Card.docs', card.findMany({ where: { docs: { equals } } }))
    }
    for (const docs of [{ not: {} }, { not: [] }, { equals: {} }, { equals: null }]) {
      await expectRefused('Card.docs', card.findMany({ where: { docs } }))
    }
    expect(await card.count({ where: { words: { equals: null } } })).toBe(2)
  })
})
