import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClinic, type TestClinic } from './clinic.ts'

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
