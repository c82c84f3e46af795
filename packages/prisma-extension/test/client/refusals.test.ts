import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClinic, type TestClinic } from './clinic.ts'
import { openSealed, type SealedDatabase } from './databases.ts'
import { zoo } from './zoo.ts'

/** Each call would work on ciphertext. It is refused before anything is sent, naming the field. */
const REFUSED: readonly (readonly [
  name: string,
  field: string,
  call: (db: any) => Promise<unknown>,
])[] = [
  ['equality', 'Patient.email', (db) => db.patient.findMany({ where: { email: 'a' } })],
  ['equals', 'Patient.email', (db) => db.patient.findMany({ where: { email: { equals: 'a' } } })],
  ['in', 'Patient.email', (db) => db.patient.findMany({ where: { email: { in: ['a'] } } })],
  ['notIn', 'Patient.email', (db) => db.patient.findMany({ where: { email: { notIn: ['a'] } } })],
  ['not', 'Patient.email', (db) => db.patient.findMany({ where: { email: { not: 'a' } } })],
  [
    'nested not',
    'Patient.phone',
    (db) => db.patient.findMany({ where: { phone: { not: { equals: 'a' } } } }),
  ],
  [
    'contains',
    'Patient.email',
    (db) => db.patient.findFirst({ where: { email: { contains: 'a' } } }),
  ],
  ['a range', 'Patient.email', (db) => db.patient.findFirst({ where: { email: { gt: 'a' } } })],
  [
    'null with more beside it',
    'Patient.phone',
    (db) => db.patient.findMany({ where: { phone: { not: null, contains: 'a' } } }),
  ],
  [
    'Json equality',
    'Patient.notes',
    (db) => db.patient.findMany({ where: { notes: { equals: { a: 1 } } } }),
  ],
  [
    'a Json path',
    'Patient.notes',
    (db) => db.patient.findMany({ where: { notes: { path: ['a'], equals: 1 } } }),
  ],
  [
    'Bytes equality',
    'Patient.scan',
    (db) => db.patient.findMany({ where: { scan: new Uint8Array([1]) } }),
  ],
  [
    'below AND, OR and NOT',
    'Patient.email',
    (db) => db.patient.findMany({ where: { AND: [{ OR: [{ NOT: { email: 'a' } }] }] } }),
  ],
  [
    'beside a unique field',
    'Patient.email',
    (db) => db.patient.findUnique({ where: { id: 'x', email: 'a' } }),
  ],
  [
    'through some',
    'Patient.email',
    (db) => db.clinic.findMany({ where: { patients: { some: { email: 'a' } } } }),
  ],
  [
    'through every',
    'Visit.finding',
    (db) =>
      db.clinic.findMany({
        where: { patients: { every: { visits: { none: { finding: 'a' } } } } },
      }),
  ],
  [
    'through is',
    'Clinic.licence',
    (db) => db.patient.findMany({ where: { clinic: { is: { licence: 'a' } } } }),
  ],
  [
    'through a bare relation',
    'Clinic.licence',
    (db) => db.patient.findMany({ where: { clinic: { licence: 'a' } } }),
  ],
  [
    'a field reference',
    'Patient.email',
    (db) => db.patient.findMany({ where: { name: { equals: db.patient.fields.email } } }),
  ],
  [
    'a field reference in a list',
    'Patient.email',
    (db) => db.patient.findMany({ where: { OR: [{ name: { not: db.patient.fields.email } }] } }),
  ],
  ['orderBy', 'Patient.email', (db) => db.patient.findMany({ orderBy: { email: 'asc' } })],
  [
    'orderBy in a list',
    'Patient.phone',
    (db) =>
      db.patient.findMany({ orderBy: [{ id: 'asc' }, { phone: { sort: 'asc', nulls: 'last' } }] }),
  ],
  [
    'orderBy of a relation',
    'Clinic.licence',
    (db) => db.patient.findMany({ orderBy: { clinic: { licence: 'asc' } } }),
  ],
  [
    'orderBy below include',
    'Patient.email',
    (db) => db.clinic.findMany({ include: { patients: { orderBy: { email: 'asc' } } } }),
  ],
  [
    'where below select',
    'Patient.email',
    (db) => db.clinic.findMany({ select: { patients: { where: { email: 'a' } } } }),
  ],
  [
    'where of a relation count',
    'Patient.email',
    (db) =>
      db.clinic.findMany({
        include: { _count: { select: { patients: { where: { email: 'a' } } } } },
      }),
  ],
  ['distinct', 'Patient.email', (db) => db.patient.findMany({ distinct: ['email'] })],
  ['distinct of one name', 'Patient.email', (db) => db.patient.findMany({ distinct: 'email' })],
  [
    'distinct below include',
    'Patient.phone',
    (db) => db.clinic.findMany({ include: { patients: { distinct: ['phone'] } } }),
  ],
  ['groupBy', 'Patient.email', (db) => db.patient.groupBy({ by: ['email'] })],
  ['groupBy one name', 'Patient.email', (db) => db.patient.groupBy({ by: 'email' })],
  [
    'having',
    'Patient.email',
    (db) => db.patient.groupBy({ by: ['age'], having: { email: { _max: { gt: 'a' } } } }),
  ],
  [
    'having below AND',
    'Patient.email',
    (db) =>
      db.patient.groupBy({ by: ['age'], having: { AND: [{ email: { _count: { gt: 1 } } }] } }),
  ],
  [
    'orderBy an aggregate',
    'Patient.email',
    (db) => db.patient.groupBy({ by: ['age'], orderBy: { _max: { email: 'asc' } } }),
  ],
  ['_min', 'Patient.email', (db) => db.patient.aggregate({ _min: { email: true } })],
  [
    '_max of groupBy',
    'Patient.email',
    (db) => db.patient.groupBy({ by: ['age'], _max: { email: true } }),
  ],
  ['a cursor', 'Patient.email', (db) => db.patient.findMany({ cursor: { id: 'x', email: 'a' } })],
  [
    'where of update',
    'Patient.email',
    (db) => db.patient.update({ where: { id: 'x', email: 'a' }, data: {} }),
  ],
  [
    'where of deleteMany',
    'Patient.email',
    (db) => db.patient.deleteMany({ where: { email: 'a' } }),
  ],
  ['where of count', 'Patient.email', (db) => db.patient.count({ where: { email: 'a' } })],
  [
    'where of a nested connect',
    'Staff.pin',
    (db) =>
      db.visit.update({
        where: { day_room: { day: 1, room: 'a' } },
        data: { staff: { connect: { id: 1, pin: 'a' } } },
      }),
  ],
  [
    'where of a nested updateMany',
    'Visit.finding',
    (db) =>
      db.patient.update({
        where: { id: 'x' },
        data: { visits: { updateMany: { where: { finding: 'a' }, data: { day: 1 } } } },
      }),
  ],
  [
    'where of a nested deleteMany',
    'Visit.finding',
    (db) =>
      db.patient.update({
        where: { id: 'x' },
        data: { visits: { deleteMany: [{ finding: 'a' }] } },
      }),
  ],
  [
    'where of a nested upsert',
    'Profile.bio',
    (db) =>
      db.patient.update({
        where: { id: 'x' },
        data: {
          profile: { upsert: { where: { bio: 'a' }, create: { id: 1, bio: 'b' }, update: {} } },
        },
      }),
  ],
  [
    'where of a nested update',
    'Profile.bio',
    (db) =>
      db.patient.update({
        where: { id: 'x' },
        data: { profile: { update: { where: { bio: 'a' }, data: {} } } },
      }),
  ],
]

const INVALID: readonly (readonly [
  name: string,
  field: string,
  call: (db: any) => Promise<unknown>,
])[] = [
  [
    'a number for a String',
    'Patient.phone',
    (db) => db.patient.update({ where: { id: 'x' }, data: { phone: 5 } }),
  ],
  [
    'an object for a String',
    'Patient.phone',
    (db) => db.patient.update({ where: { id: 'x' }, data: { phone: { a: 1 } } }),
  ],
  [
    'a lone surrogate',
    'Patient.phone',
    (db) => db.patient.update({ where: { id: 'x' }, data: { phone: 'a\ud800b' } }),
  ],
  [
    'undefined in a Json array',
    'Patient.notes',
    (db) => db.patient.update({ where: { id: 'x' }, data: { notes: [undefined] } }),
  ],
  [
    'a field reference in Json',
    'Patient.notes',
    (db) =>
      db.patient.update({ where: { id: 'x' }, data: { notes: { a: db.patient.fields.name } } }),
  ],
  [
    'a function in Json',
    'Patient.notes',
    (db) => db.patient.update({ where: { id: 'x' }, data: { notes: { f: () => 1 } } }),
  ],
  [
    'text that is not base64 for Bytes',
    'Patient.scan',
    (db) => db.patient.update({ where: { id: 'x' }, data: { scan: 'not base64' } }),
  ],
  [
    'a list for Bytes',
    'Patient.scan',
    (db) => db.patient.update({ where: { id: 'x' }, data: { scan: [1, 2] } }),
  ],
  ['one value for a list', 'Lists.words', (db) => db.lists.create({ data: { id: 1, words: 'a' } })],
  [
    'an unknown list operation',
    'Lists.words',
    (db) => db.lists.update({ where: { id: 1 }, data: { words: { unset: true } } }),
  ],
]

describe('clauses on a sealed field', () => {
  let clinic: TestClinic
  beforeAll(async () => {
    clinic = await openClinic('postgresql')
  })
  afterAll(() => clinic.close())

  it.each(REFUSED)('refuses %s', async (_name, field, call) => {
    const error = await call(clinic.prisma).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'QueryError', code: 'ERR_QUERY_UNSUPPORTED', field })
    expect((error as Error).message).toContain(field)
    expect((error as any).fix).not.toBe('')
  })

  it.each(INVALID)('refuses %s', async (_name, field, call) => {
    const error = await call(clinic.prisma).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'QueryError', code: 'ERR_VALUE_INVALID', field })
  })

  it('refuses an argument, an operation and a nested write it does not know', async () => {
    const calls = [
      clinic.prisma.patient.findMany({ sample: 10 }),
      clinic.prisma.patient.findRaw({}),
      // Prisma builds these selections itself, and would take ours in their place.
      clinic.prisma.patient.aggregate({ select: { _min: { select: { email: true } } } }),
      clinic.prisma.patient.groupBy({ by: ['age'], select: { _max: { select: { email: true } } } }),
      clinic.prisma.patient.update({ where: { id: 'x' }, data: { visits: { replace: [] } } }),
    ]
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED' })
    }
  })

  it('sends nothing to the database when it refuses', async () => {
    await expect(
      clinic.prisma.$transaction([
        clinic.prisma.country.create({ data: { code: 'x', name: 'x' } }),
        clinic.prisma.patient.findMany({ where: { email: 'a' } }),
      ]),
    ).rejects.toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED' })
    expect(await clinic.prisma.country.count()).toBe(0)
  })
})

/** Prisma calls `toJSON`, and takes `values` of raw parameters, wherever it finds them in arguments. */
const REPLACED: readonly (readonly [
  name: string,
  call: (db: any, put: Put) => Promise<unknown>,
])[] = [
  ['data', (db, put) => db.person.create({ data: put({ id: 1, secret: 'x' }) })],
  ['data of many', (db, put) => db.person.createMany({ data: [put({ id: 1, secret: 'x' })] })],
  [
    'data of an update',
    (db, put) => db.person.updateMany({ where: {}, data: put({ secret: 'x' }) }),
  ],
  [
    'both branches of an upsert',
    (db, put) =>
      db.person.upsert({ where: { id: 1 }, create: { id: 1 }, update: put({ secret: 'x' }) }),
  ],
  ['a relation', (db, put) => db.person.create({ data: { id: 1, pets: put({ create: {} }) } })],
  [
    'a nested create',
    (db, put) => db.person.create({ data: { id: 1, pets: { create: [put({ id: 1 })] } } }),
  ],
  [
    'a nested update',
    (db, put) => db.pet.update({ where: { id: 1 }, data: { owner: { update: put({}) } } }),
  ],
  [
    'a nested connectOrCreate',
    (db, put) => db.person.create({ data: { id: 1, boss: { connectOrCreate: put({}) } } }),
  ],
  [
    'a nested createMany',
    (db, put) => db.person.create({ data: { id: 1, pets: { createMany: put({}) } } }),
  ],
  ['where', (db, put) => db.person.findMany({ where: put({ secret: 'x' }) })],
  ['AND', (db, put) => db.person.findMany({ where: { AND: [put({ secret: 'x' })] } })],
  ['a relation filter', (db, put) => db.person.findMany({ where: { boss: { is: put({}) } } })],
  ['orderBy', (db, put) => db.person.findMany({ orderBy: [put({ secret: 'asc' })] })],
  ['orderBy a relation', (db, put) => db.person.findMany({ orderBy: { boss: put({}) } })],
  ['distinct', (db, put) => db.person.findMany({ distinct: put(['secret']) })],
  ['cursor', (db, put) => db.person.findMany({ cursor: put({ id: 1 }) })],
  ['having', (db, put) => db.person.groupBy({ by: ['id'], having: put({}) })],
  [
    'where of an include',
    (db, put) => db.person.findMany({ include: { pets: { where: put({}) } } }),
  ],
]

type Put = (value: unknown) => unknown
const REPLACEMENTS: readonly (readonly [name: string, put: Put])[] = [
  ['a method toJSON', (value) => ({ toJSON: () => value })],
  ['raw parameters', (value) => ({ __prismaRawParameters__: true, values: value })],
]

describe('arguments that Prisma would replace by others', () => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed('sqlite', zoo('sqlite'))
  })
  afterAll(() => sealed.close())

  describe.each(REPLACEMENTS)('an object with %s', (_name, put) => {
    it.each(REPLACED)('is refused in %s', async (_place, call) => {
      await expect(call(sealed.prisma, put)).rejects.toMatchObject({
        name: 'QueryError',
        code: 'ERR_QUERY_UNSUPPORTED',
      })
      expect(await sealed.base.person.count()).toBe(0)
    })
  })

  it('a filter is refused where a sealed field has the name of an operator', async () => {
    for (const is of ['x', { contains: 'x' }, { id: 1 }]) {
      await expect(sealed.prisma.odd.findMany({ where: { parent: { is } } })).rejects.toMatchObject(
        {
          code: 'ERR_QUERY_UNSUPPORTED',
          field: 'Odd.is',
        },
      )
    }
  })

  it('names that are no fields, and data that is no object, are refused without their values', async () => {
    const { person, pet } = sealed.prisma
    const calls = [
      person.create({ data: { id: 1, secert: 'PLAIN' } }),
      person.create({ data: { id: 1, pets: { create: { id: 1, chp: 'PLAIN' } } } }),
      person.create({ data: { id: 1, pts: { create: { id: 1, chip: 'PLAIN' } } } }),
      person.create({ data: { id: 1, pets: [{ id: 1, chip: 'PLAIN' }] } }),
      person.create({ data: { id: 1, pets: { create: [[{ id: 1, chip: 'PLAIN' }]] } } }),
      person.update({ where: { id: 1 }, data: [{ secret: 'PLAIN' }] }),
      person.createMany({ data: 'PLAIN' }),
      person.findMany({ where: { secert: 'PLAIN' } }),
      person.findMany({ where: { pets: { some: { OR: [{ chp: 'PLAIN' }] } } } }),
      pet.update({ where: { id: 1 }, data: { owner: { connect: { id: 1, secert: 'PLAIN' } } } }),
    ]
    for (const call of calls) {
      const error = await call.catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'QueryError', code: 'ERR_QUERY_UNSUPPORTED' })
      expect(error.message).not.toContain('PLAIN')
    }
    // What is not given is not there.
    await person.create({ data: { id: 1, secert: undefined, pets: { create: [] } } })
    expect(await person.count({ where: { id: 1, secert: undefined } })).toBe(1)
    await person.deleteMany()
  })

  it('a nested update is refused where it can be read in two ways', async () => {
    const update = { data: { note: 'x' } }
    const call = sealed.prisma.person.update({ where: { id: 1 }, data: { wrapper: { update } } })
    await expect(call).rejects.toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED' })
  })
})
