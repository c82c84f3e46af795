import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HAS, openSealed, PROVIDERS, type Provider, type SealedDatabase } from './databases.ts'
import { A, B, practice } from './practice.ts'

/** What is said in the place of some advice on MySQL, where naming a text in `where` would not help. */
const BY_ITSELF = 'by itself and outside of batches'

type Call = (db: any) => Promise<unknown>

/** What is refused → a part of the message that says why or what to do. */
const REFUSED: Readonly<Record<string, readonly [Call, part: string]>> = {
  'create that connects by another unique': [
    (db) => db.visit.create({ data: { id: 9, finding: 'f', patient: { connect: { code: 'a' } } } }),
    'Set patientId directly.',
  ],
  'create without the column at all': [
    (db) => db.patient.create({ data: { code: 'z', notes: 1 } }),
    'Patient.notes is bound to tenantId',
  ],
  'create below a record whose id is not known': [
    (db) =>
      db.ward.update({
        where: { tenantId_number: { tenantId: 1, number: 1 } },
        data: { number: 2, tenantId: 2, patients: { create: { code: 'z', notes: 1 } } },
      }),
    'Set tenantId directly.',
  ],
  'create beside two relations that disagree': [
    (db) =>
      db.patient.create({
        data: {
          code: 'z',
          notes: 1,
          tenant: { connect: { id: 2 } },
          ward: { connect: { tenantId_number: { tenantId: 1, number: 1 } } },
        },
      }),
    'Set tenantId directly.',
  ],
  'connectOrCreate whose two sides differ': [
    (db) =>
      db.patient.create({
        data: {
          code: 'z',
          notes: 1,
          tenant: { connectOrCreate: { where: { id: 1 }, create: { id: 2 } } },
        },
      }),
    'Set tenantId directly.',
  ],
  'a change of a bound column alone': [
    (db) => db.patient.update({ where: { id: A }, data: { tenantId: 2 } }),
    'Give notes in the same update',
  ],
  'a change with some of what is bound': [
    (db) =>
      db.patient.update({
        where: { id: A },
        data: { id: B.replace('b', 'c'), notes: 1, email: 'x' },
      }),
    'Give mail in the same update',
  ],
  'a change through connect': [
    (db) => db.patient.update({ where: { id: A }, data: { tenant: { connect: { id: 2 } } } }),
    'Patient.tenantId cannot change',
  ],
  'a change through a nested create': [
    (db) => db.patient.update({ where: { id: A }, data: { tenant: { create: { id: 7 } } } }),
    'Patient.tenantId cannot change',
  ],
  'a change through an arithmetic operation': [
    (db) => db.patient.update({ where: { id: A }, data: { tenantId: { increment: 1 }, notes: 1 } }),
    'does not say what it becomes',
  ],
  'a change through connect by another unique': [
    (db) =>
      db.visit.update({
        where: { id: 1 },
        data: { finding: 'x', patient: { connect: { code: 'b' } } },
      }),
    'does not say what it becomes',
  ],
  'a change through upsert of the record referred to': [
    (db) =>
      db.visit.update({
        where: { id: 1 },
        data: {
          finding: 'x',
          patient: { upsert: { create: { code: 'z', tenantId: 1 }, update: {} } },
        },
      }),
    'does not say what it becomes',
  ],
  'a change in an upsert': [
    (db) =>
      db.patient.upsert({
        where: { id: A },
        create: { code: 'z', tenantId: 1 },
        update: { tenantId: 2 },
      }),
    'Patient.tenantId cannot change',
  ],
  'a change of many records': [
    (db) => db.patient.updateMany({ where: { tenantId: 1 }, data: { tenantId: 2 } }),
    'update of many records would change it',
  ],
  'a change of many records with all that is bound': [
    (db) =>
      db.patient.updateMany({ where: { id: A, tenantId: 1 }, data: { tenantId: 2, notes: 1 } }),
    'update of many records would change it',
  ],
  'many records that where does not name': [
    (db) => db.patient.updateMany({ where: { tenantId: 1 }, data: { notes: 1 } }),
    'Name id in where.',
  ],
  'many records named in other ways than by equality': [
    (db) =>
      db.patient.updateMany({
        where: { id: { in: [A] }, OR: [{ tenantId: 1 }], NOT: { tenantId: 2 } },
        data: { notes: 1 },
      }),
    'Name id in where.',
  ],
  'many records up to a limit': [
    (db) => db.patient.updateMany({ where: { id: A, tenantId: 1 }, data: { notes: 1 }, limit: 1 }),
    'Update records one by one',
  ],
  'nested updateMany by what is no key': [
    (db) =>
      db.patient.update({
        where: { id: A },
        data: { visits: { updateMany: { where: { patientId: A }, data: { finding: 'x' } } } },
      }),
    'Update records one by one, with patientId in where.',
  ],
  'a nested update that does not name the record': [
    (db) => db.patient.update({ where: { id: A }, data: { profile: { update: { bio: 'x' } } } }),
    'Profile.bio is bound to id',
  ],
  'a nested update from the side of the foreign key': [
    (db) => db.visit.update({ where: { id: 1 }, data: { patient: { update: { email: 'x' } } } }),
    'Name id in where.',
  ],
  'connect from the other side': [
    (db) => db.patient.update({ where: { id: A }, data: { visits: { connect: { id: 2 } } } }),
    'nested "connect" would change Visit.patientId',
  ],
  'connect from the other side of a new record': [
    (db) => db.patient.create({ data: { code: 'z', tenantId: 1, visits: { connect: { id: 2 } } } }),
    'nested "connect" would change Visit.patientId',
  ],
  'connect from the other side of a single relation': [
    (db) => db.patient.update({ where: { id: B }, data: { profile: { connect: { id: 'p' } } } }),
    'nested "connect" would change Profile.patientId',
  ],
  'connectOrCreate from the other side': [
    (db) =>
      db.patient.update({
        where: { id: A },
        data: { visits: { connectOrCreate: { where: { id: 2 }, create: { id: 2 } } } },
      }),
    'nested "connectOrCreate" would change',
  ],
  'set from the other side': [
    (db) => db.patient.update({ where: { id: A }, data: { visits: { set: [{ id: 2 }] } } }),
    'nested "set" would change',
  ],
  'disconnect from the other side': [
    (db) => db.patient.update({ where: { id: A }, data: { visits: { disconnect: { id: 1 } } } }),
    'nested "disconnect" would change',
  ],
  'connect below an upsert': [
    (db) =>
      db.tenant.update({
        where: { id: 1 },
        data: {
          patients: {
            upsert: {
              where: { id: A },
              create: { code: 'z' },
              update: { visits: { connect: { id: 2 } } },
            },
          },
        },
      }),
    'nested "connect" would change',
  ],
  'connect two levels down': [
    (db) => db.tenant.update({ where: { id: 2 }, data: { patients: { connect: { id: A } } } }),
    'nested "connect" would change Patient.tenantId',
  ],
  'an upsert that reads first and would create another record': [
    (db) =>
      db.patient.upsert({
        where: { code: 'a' },
        create: { code: 'z', tenantId: 1 },
        update: { notes: 1 },
      }),
    'give create the same values as where',
  ],
  'a value that the database would cut': [
    (db) => db.defaulted.create({ data: { id: 1, word: 'a\u0000b', value: 'v' } }),
    'holds U+0000',
  ],
  'an id that is no UUID': [
    (db) =>
      db.patient.create({
        data: { id: { toString: () => A }, code: 'z', tenantId: 1, email: 'x' },
      }),
    'Patient.email is bound to id',
  ],
}

const ON_POSTGRESQL: typeof REFUSED = {
  'a push to a list whose owner changes': [
    (db) =>
      db.lists.update({ where: { id: 1, owner: 'a' }, data: { words: { push: 'x' }, owner: 'b' } }),
    'Give words in the same update',
  ],
  'a spelling of a UUID that is not the canonical one': [
    (db) =>
      db.patient.create({
        data: { id: A.replaceAll('-', ''), code: 'z', tenantId: 1, email: 'x' },
      }),
    'Patient.email is bound to id',
  ],
  'a filter that takes upper and lower case for the same': [
    (db) =>
      db.defaulted.updateMany({
        where: { word: { equals: 'A', mode: 'insensitive' } },
        data: { value: 'v' },
      }),
    'Name word in where.',
  ],
}

/** Text that a query names is not the text that the row has, if the collation takes them for the same. */
const ON_MYSQL: typeof REFUSED = {
  'an update of many records by a text': [
    (db) => db.patient.updateMany({ where: { id: A }, data: { email: 'x' } }),
    'on MySQL, where may find another spelling',
  ],
  'an update in a batch by a text': [
    (db) => db.$transaction([db.patient.update({ where: { id: A }, data: { email: 'x' } })]),
    'outside of batches',
  ],
  'a nested update by a text': [
    (db) =>
      db.tenant.update({
        where: { id: 1 },
        data: { patients: { update: { where: { id: A }, data: { email: 'x' } } } },
      }),
    'Patient.email is bound to id',
  ],
  'connect by a text': [
    (db) => db.visit.create({ data: { id: 9, finding: 'f', patient: { connect: { id: A } } } }),
    'Set patientId directly.',
  ],
  'a text that the database would cut at its spaces': [
    (db) => db.defaulted.create({ data: { id: 1, word: `a${' '.repeat(200)}`, value: 'v' } }),
    'longer than the 191 characters',
  ],
}
const ON: Readonly<Record<Provider, typeof REFUSED>> = {
  postgresql: ON_POSTGRESQL,
  sqlite: {},
  mysql: ON_MYSQL,
}

describe.each(PROVIDERS)('what is refused because values are bound, on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, practice(provider))
    const { prisma } = sealed
    await prisma.tenant.createMany({ data: [{ id: 1 }, { id: 2 }] })
    await prisma.ward.create({ data: { tenantId: 1, number: 1 } })
    const patient = (id: string, code: string): object => ({
      id,
      code,
      tenantId: 1,
      notes: 1,
      email: 'e',
      mail: code,
    })
    await prisma.patient.create({
      data: {
        ...patient(A, 'a'),
        visits: { create: { id: 1, finding: 'f' } },
        profile: { create: { id: 'p', bio: 'b' } },
      },
    })
    await prisma.patient.create({
      data: { ...patient(B, 'b'), visits: { create: { id: 2, finding: 'f' } } },
    })
    if (HAS[provider].lists)
      await prisma.lists.create({ data: { id: 1, owner: 'a', words: ['w'] } })
  })
  afterAll(() => sealed.close())

  const snapshot = (): Promise<unknown> =>
    Promise.all([
      sealed.prisma.patient.findMany({
        include: { visits: true, profile: true },
        orderBy: { code: 'asc' },
      }),
      sealed.prisma.tenant.findMany({ orderBy: { id: 'asc' } }),
      sealed.prisma.defaulted.findMany(),
    ])

  it.each(Object.entries({ ...REFUSED, ...ON[provider] }))('%s', async (_, [call, part]) => {
    const before = await snapshot()
    const error: any = await call(sealed.prisma).then(
      () => 'no error',
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({
      name: 'QueryError',
      code: 'ERR_RECORD_BINDING',
      retryable: false,
    })
    const parts = provider === 'mysql' ? [part, BY_ITSELF] : [part]
    expect(
      parts.some((text) => error.message.includes(text)),
      error.message,
    ).toBe(true)
    expect(error.field).toMatch(/^\w+\.\w+$/)
    expect(await snapshot()).toEqual(before)
  })
})
