import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSealed, type SealedDatabase } from './databases.ts'
import { zoo } from './zoo.ts'

/** Values in places where none belongs, of models with sealed fields. Prisma prints the arguments it refuses. */

type Place = readonly [operation: string, args: (value: unknown) => object]

const nested = (data: (value: unknown) => object): Place => [
  'update',
  (value) => ({ where: { id: 1 }, data: data(value) }),
]

const PLACES: Readonly<Record<string, Place>> = {
  'a field in select': ['findMany', (value) => ({ select: { secret: value } })],
  'a field in include': ['findMany', (value) => ({ include: { secret: value } })],
  'a field in select below include': [
    'findMany',
    (value) => ({ include: { pets: { select: { chip: value } } } }),
  ],
  'a field in omit below select': [
    'findMany',
    (value) => ({ select: { pets: { omit: { chip: value } } } }),
  ],
  'data below include': ['findMany', (chip) => ({ include: { pets: { data: { chip } } } })],
  'an argument below include': ['findMany', (chip) => ({ include: { pets: { chip } } })],
  'a nested update beside data': nested((chip) => ({
    pets: { update: { where: { id: 1 }, data: {}, chip } },
  })),
  'a nested update of one beside data': nested((secret) => ({
    boss: { update: { data: {}, secret } },
  })),
  'a nested updateMany beside data': nested((chip) => ({
    pets: { updateMany: { where: {}, data: {}, chip } },
  })),
  'a nested upsert beside update': nested((chip) => ({
    pets: { upsert: { where: { id: 1 }, create: { id: 1 }, update: {}, data: { chip } } },
  })),
  'a nested connectOrCreate beside create': nested((chip) => ({
    pets: { connectOrCreate: { where: { id: 1 }, create: { id: 1 }, data: { chip } } },
  })),
  'a nested createMany beside data': nested((chip) => ({
    pets: { createMany: { data: [], chip } },
  })),
  'a nested update without data': nested((chip) => ({ pets: { update: { chip } } })),
  'a nested write': nested((pets) => ({ pets })),
  'a nested delete': nested((value) => ({ pets: { delete: { chip: value, id: {} } } })),
  'a wrapper with more than set': nested((set) => ({ secret: { set, foo: 'x' } })),
  'a field that is no text': nested((a) => ({ secret: { a } })),
  'a comparison': ['findMany', (foo) => ({ where: { secret: { foo } } })],
  'a comparison in not': ['findMany', (foo) => ({ where: { secret: { not: { foo } } } })],
  'beside a relation filter': ['findMany', (chip) => ({ where: { pets: { some: {}, chip } } })],
}

/** Beside these, Prisma refuses: names stay, values go. */
const PRINTED: Readonly<Record<string, Place>> = {
  'a relation in include': ['findMany', (pets) => ({ include: { pets } })],
  where: ['findMany', (where) => ({ where })],
  orderBy: ['findMany', (name) => ({ orderBy: { name } })],
  take: ['findMany', (take) => ({ take })],
  'a count': ['count', (secret) => ({ select: { secret } })],
  'an aggregate': ['aggregate', (secret) => ({ _count: { secret } })],
  skipDuplicates: ['createMany', (skipDuplicates) => ({ data: [], skipDuplicates })],
  'a plain field': ['create', (value) => ({ data: { id: 1, bossId: value, secret: 'x' } })],
}

const TEXTS: readonly unknown[] = ['SECRETVALUE', ['a"b\n\\SECRETVALUE'], { equals: 'SECRETVALUE' }]
const OBJECTS: readonly unknown[] = [
  { SECRETKEY: 1 },
  [{ SECRETKEY: 'x' }],
  { a: { SECRETKEY: 1 } },
]

describe('a value in the wrong place', () => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed('sqlite', zoo('sqlite'))
    await sealed.prisma.person.create({ data: { id: 1 } })
  })
  afterAll(() => sealed.close())

  async function expectHidden([operation, args]: Place, value: unknown): Promise<Error> {
    const error = await sealed.prisma.person[operation](args(value)).then(
      () => expect.unreachable('nothing was thrown'),
      (thrown: unknown) => thrown,
    )
    // What the error quotes of this file holds no call.
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(
      /SECRETVALUE|: "x"|99887766/,
    )
    return error
  }

  it.each(Object.entries(PLACES))('is refused without it: %s', async (_, place) => {
    for (const value of [...TEXTS, 99887766]) await expectHidden(place, value)
  })

  it.each(
    Object.entries(PLACES).filter(([name]) => !/^a (comparison|nested (write|delete))/.test(name)),
  )('is refused without what is in it: %s', async (_, place) => {
    for (const value of OBJECTS) {
      const error = await expectHidden(place, value)
      expect(error.message).not.toContain('SECRETKEY')
    }
  })

  it.each(Object.entries(PRINTED))('is not printed by Prisma: %s', async (name, place) => {
    for (const value of TEXTS) {
      const error = await expectHidden(place, value)
      if (name === 'a plain field') expect(error.message).toMatch(/bossId: ["[{]/)
    }
  })
})
