import { expect, it } from 'vitest'
import { schema } from './clinic.ts'
import { HAS } from './databases.ts'
import { describeTwins, stripTimes, type Scenario } from './twins.ts'

const id = (n: number, k = 0): string =>
  `00000000-0000-4000-8000-${String(n * 100 + k).padStart(12, '0')}`
const patient = (n: number, k = 0): Record<string, unknown> => ({
  id: id(n, k),
  name: `P${n}.${k}`,
  email: `p${n}.${k}@example.org`,
})

const SCENARIOS: Record<string, Scenario> = {
  'create returns the row': (db, n) => db.patient.create({ data: { ...patient(n), phone: '123' } }),
  'create with every type': async (db, n) => {
    await db.patient.create({
      data: {
        ...patient(n),
        phone: '',
        notes: { a: [1, null, 'ü€😀'] },
        scan: new Uint8Array([0, 255]),
      },
    })
    return db.patient.findUnique({ where: { id: id(n) } })
  },
  'create with a string that is long': (db, n) =>
    db.patient.create({ data: { ...patient(n), email: 'x😀'.repeat(50_000) } }),
  'Json as Prisma serialises it': async (db, n, Prisma) => {
    const values = [
      new Date(0),
      5n,
      new Prisma.Decimal('1.50'),
      new Uint8Array([1, 2]),
      { d: new Date(0), x: [5n, new Prisma.Decimal(2)], u: undefined },
      new Map([[1, 2]]),
      NaN,
      -0,
      1e21,
      'text',
      true,
      [],
      { set: 1 },
      { $type: 'Raw', value: { a: 1 } },
      { a: Prisma.JsonNull },
      { toString: 1, constructor: 2 },
    ]
    const out = []
    for (const [k, notes] of values.entries()) {
      out.push(
        await db.patient.create({ data: { ...patient(n, k), notes }, select: { notes: true } }),
      )
    }
    return out
  },
  'Json null in its three forms': async (db, n, Prisma) => {
    await db.patient.create({ data: { ...patient(n, 1), notes: Prisma.JsonNull } })
    await db.patient.create({ data: { ...patient(n, 2), notes: Prisma.DbNull } })
    await db.patient.create({ data: { ...patient(n, 3), notes: null } })
    const where = { id: { in: [id(n, 1), id(n, 2), id(n, 3)] } }
    return [
      await db.patient.findMany({ where, orderBy: { id: 'asc' }, select: { notes: true } }),
      await db.patient.count({ where: { ...where, notes: { equals: Prisma.DbNull } } }),
      await db.patient.count({ where: { ...where, notes: { not: Prisma.DbNull } } }),
    ]
  },
  'update with value, set, null, undefined': async (db, n) => {
    await db.patient.create({ data: { ...patient(n), phone: '1', notes: [1] } })
    const where = { id: id(n) }
    return [
      await db.patient.update({ where, data: { phone: '2' }, select: { phone: true } }),
      await db.patient.update({ where, data: { phone: { set: '3' } }, select: { phone: true } }),
      await db.patient.update({
        where,
        data: { phone: undefined, name: 'X' },
        select: { phone: true, name: true },
      }),
      await db.patient.update({ where, data: { phone: { set: null } }, select: { phone: true } }),
      await db.patient.update({ where, data: { phone: '4' }, select: { phone: true } }),
      await db.patient.update({ where, data: { phone: null }, select: { phone: true } }),
      await db.patient.update({ where, data: { notes: { set: 1 } }, select: { notes: true } }),
    ]
  },
  'updateMany and the null comparisons': async (db, n) => {
    await db.patient.createMany({ data: [patient(n, 1), { ...patient(n, 2), phone: '5' }] })
    const where = { id: { in: [id(n, 1), id(n, 2)] } }
    return [
      await db.patient.updateMany({
        where: { ...where, phone: null },
        data: { phone: '6', name: 'M' },
      }),
      await db.patient.count({ where: { ...where, phone: { not: null } } }),
      await db.patient.count({ where: { ...where, NOT: { phone: null } } }),
      await db.patient.count({
        where: { ...where, OR: [{ phone: { equals: null } }, { name: 'M' }] },
      }),
      await db.patient.count({ where: { ...where, phone: {} } }),
      await db.patient.findMany({
        where,
        orderBy: { id: 'asc' },
        select: { phone: true, name: true },
      }),
    ]
  },
  'upsert creates, then updates': async (db, n) => {
    const call = (phone: string): Promise<unknown> =>
      db.patient.upsert({
        where: { id: id(n) },
        create: { ...patient(n), phone },
        update: { phone },
        select: { phone: true, email: true },
      })
    return [await call('first'), await call('second')]
  },
  'delete gives back what was there': async (db, n) => {
    await db.patient.create({ data: { ...patient(n), scan: Buffer.from('scan') } })
    return db.patient.delete({ where: { id: id(n) }, select: { email: true, scan: true } })
  },
  'a literal default is sealed': async (db, n) => {
    await db.clinic.create({ data: { id: n, name: `C${n}` } })
    await db.clinic.createMany({ data: [{ id: n + 1000, name: `C${n}b`, licence: undefined }] })
    return db.clinic.findMany({ where: { id: { in: [n, n + 1000] } }, orderBy: { id: 'asc' } })
  },
  'nested creates to depth three': async (db, n) => {
    await db.clinic.create({
      data: {
        id: n,
        name: `C${n}`,
        licence: 'L',
        patients: {
          create: [
            {
              ...patient(n, 1),
              visits: {
                create: {
                  day: n,
                  room: 'a',
                  finding: 'f',
                  staff: { create: { id: n, badge: `B${n}`, pin: '1' } },
                },
              },
              profile: { create: { id: n, bio: 'bio', data: { data: 1 } } },
            },
            patient(n, 2),
          ],
        },
        staff: {
          createMany: {
            data: [
              { id: n + 1000, badge: `B${n}b`, pin: '2' },
              { id: n + 2000, badge: `B${n}c` },
            ],
          },
        },
      },
    })
    return db.clinic.findUnique({
      where: { id: n },
      include: {
        patients: {
          include: { visits: { include: { staff: true } }, profile: true },
          orderBy: { id: 'asc' },
        },
        staff: { orderBy: { id: 'asc' } },
        _count: { select: { patients: { where: { phone: null } } } },
      },
    })
  },
  'nested update, updateMany, upsert, connectOrCreate, set, disconnect, delete': async (db, n) => {
    await db.patient.create({
      data: {
        ...patient(n),
        profile: { create: { id: n, bio: 'b0' } },
        visits: {
          create: [
            { day: n, room: 'a', finding: 'fa' },
            { day: n, room: 'b', finding: 'fb' },
          ],
        },
      },
    })
    const where = { id: id(n) }
    const key = (room: string): unknown => ({ day_room: { day: n, room } })
    const include = { profile: true, visits: { orderBy: { room: 'asc' } } }
    const step = (data: unknown): Promise<unknown> => db.patient.update({ where, data, include })
    return [
      await step({ profile: { update: { bio: 'b1' } } }),
      await step({
        profile: { update: { where: { id: n }, data: { bio: 'b2', data: { x: 1 } } } },
      }),
      await step({ profile: { upsert: { create: { id: n, bio: 'no' }, update: { bio: 'b3' } } } }),
      await step({ visits: { update: { where: key('a'), data: { finding: { set: 'fa2' } } } } }),
      await step({ visits: { updateMany: { where: { room: 'b' }, data: { finding: 'fb2' } } } }),
      await step({
        visits: {
          upsert: [
            {
              where: key('c'),
              create: { day: n, room: 'c', finding: 'fc' },
              update: { finding: 'no' },
            },
          ],
        },
      }),
      await step({
        visits: {
          connectOrCreate: { where: key('d'), create: { day: n, room: 'd', finding: 'fd' } },
        },
      }),
      await step({ visits: { disconnect: [key('a')], delete: key('b') } }),
      await step({ visits: { set: [key('a')] }, profile: { delete: true } }),
      await step({ visits: { connect: key('c'), deleteMany: { room: 'a' } } }),
    ]
  },
  'many to many, from both sides': async (db, n) => {
    await db.patient.create({
      data: {
        ...patient(n),
        carers: {
          create: { id: n, badge: `B${n}`, pin: '7' },
          connectOrCreate: {
            where: { id: n + 1000 },
            create: { id: n + 1000, badge: `B${n}b`, pin: '8' },
          },
        },
      },
    })
    await db.staff.update({
      where: { id: n },
      data: { pin: '9', patients: { update: { where: { id: id(n) }, data: { phone: '55' } } } },
    })
    return db.patient.findUnique({
      where: { id: id(n) },
      select: { phone: true, carers: { orderBy: { id: 'asc' } } },
    })
  },
  'select, include, omit and their nesting': async (db, n) => {
    await db.clinic.create({
      data: {
        id: n,
        name: `C${n}`,
        patients: {
          create: { ...patient(n), phone: '1', profile: { create: { id: n, bio: 'b' } } },
        },
      },
    })
    return [
      await db.clinic.findUnique({ where: { id: n }, select: { licence: true } }),
      await db.clinic.findUnique({ where: { id: n }, omit: { id: true, licence: true } }),
      await db.clinic.findUnique({
        where: { id: n },
        select: { patients: { select: { phone: true, profile: { select: { bio: true } } } } },
      }),
      await db.clinic
        .findUnique({ where: { id: n }, include: { patients: { omit: { updatedAt: true } } } })
        .then(stripTimes),
      await db.patient.findMany({
        where: { clinic: { name: `C${n}` } },
        select: { email: true, clinic: true },
      }),
      await db.patient.findFirst({
        where: { clinic: { is: { id: n } }, profile: { isNot: null } },
        select: { email: true },
      }),
      await db.clinic.findFirst({
        where: { patients: { some: { email: undefined, id: id(n) } } },
        select: { licence: true },
      }),
    ]
  },
  'the fluent API': async (db, n) => {
    await db.patient.create({
      data: {
        ...patient(n),
        clinic: { create: { id: n, name: `C${n}`, licence: 'LL' } },
        profile: { create: { id: n, bio: 'b' } },
      },
    })
    return [
      await db.patient.findUnique({ where: { id: id(n) } }).clinic(),
      await db.patient.findUnique({ where: { id: id(n) } }).clinic({ select: { licence: true } }),
      await db.profile
        .findUnique({ where: { id: n } })
        .patient()
        .clinic(),
      await db.clinic.findUnique({ where: { id: n } }).patients({ select: { email: true } }),
      await db.patient.findUnique({ where: { id: id(n + 50) } }).clinic(),
      await db.patient.update({ where: { id: id(n) }, data: { email: 'new' } }).profile(),
    ]
  },
  'aggregates that only count': async (db, n) => {
    await db.patient.createMany({
      data: [
        { ...patient(n, 1), age: 3 },
        { ...patient(n, 2), phone: '5', age: 5 },
      ],
    })
    const where = { id: { in: [id(n, 1), id(n, 2)] } }
    return [
      await db.patient.count({ where, select: { phone: true, _all: true } }),
      await db.patient.aggregate({
        where,
        _count: { phone: true },
        _max: { age: true },
        _avg: { age: true },
      }),
      await db.patient.groupBy({
        by: ['age'],
        where,
        _count: { phone: true },
        orderBy: { _count: { phone: 'desc' } },
      }),
    ]
  },
  'an interactive transaction, committed and rolled back': async (db, n) => {
    await db.$transaction(async (tx: any) => {
      await tx.patient.create({ data: patient(n) })
      await tx.patient.update({ where: { id: id(n) }, data: { phone: 'tx' } })
    })
    const failed = await db
      .$transaction(async (tx: any) => {
        await tx.patient.update({ where: { id: id(n) }, data: { phone: 'lost' } })
        throw new Error('back')
      })
      .catch((error: Error) => error.message)
    return [failed, await db.patient.findUnique({ where: { id: id(n) }, select: { phone: true } })]
  },
  'a batch transaction': async (db, n) => {
    const [created, found, counted] = await db.$transaction([
      db.patient.create({ data: patient(n), select: { email: true } }),
      db.patient.findUnique({ where: { id: id(n) }, select: { email: true } }),
      db.patient.count({ where: { id: id(n) } }),
    ])
    return [created, found, counted]
  },
  'a model with nothing sealed': async (db, n) => {
    await db.country.create({ data: { code: `c${n}`, name: 'rs1.not an envelope' } })
    return db.country.findMany({ where: { name: { startsWith: 'rs1' }, code: `c${n}` } })
  },
  'Prisma errors keep their code': async (db, n) => {
    const code = (call: Promise<unknown>): Promise<unknown> =>
      call.catch((error: any) => error.code)
    await db.staff.create({ data: { id: n, badge: `B${n}`, pin: '1' } })
    return [
      await code(db.staff.create({ data: { id: n, badge: `B${n}x`, pin: '1' } })),
      await code(db.staff.create({ data: { id: n + 1000, badge: `B${n}`, pin: '1' } })),
      await code(db.staff.update({ where: { id: n + 3000 }, data: { pin: '2' } })),
      await code(db.staff.findUniqueOrThrow({ where: { id: n + 3000 } })),
      await code(db.patient.create({ data: { ...patient(n), clinicId: 999_999 } })),
    ]
  },
}

const RETURNING_MANY: Record<string, Scenario> = {
  'createManyAndReturn and updateManyAndReturn': async (db, n) => [
    await db.patient.createManyAndReturn({
      data: [patient(n, 1), patient(n, 2)],
      select: { email: true, id: true },
    }),
    await db.patient.updateManyAndReturn({
      where: { id: id(n, 2) },
      data: { email: 'e' },
      select: { email: true },
    }),
  ],
}

const LISTS: Record<string, Scenario> = {
  'lists created, set and pushed to': async (db, n) => {
    const docs = [{ a: 1 }, [1, 2], 'x', null]
    await db.lists.create({
      data: { id: n, words: ['a', 'ü,"{}\\ b'], docs, blobs: [new Uint8Array([1])] },
    })
    await db.lists.create({ data: { id: n + 1000 } })
    await db.lists.create({ data: { id: n + 2000, words: { set: ['s'] } } })
    const where = { id: n }
    return [
      await db.lists.findMany({
        where: { id: { in: [n, n + 1000, n + 2000] } },
        orderBy: { id: 'asc' },
      }),
      await db.lists.update({
        where,
        data: { words: { push: 'c' }, docs: { push: [7] }, blobs: { push: new Uint8Array() } },
      }),
      await db.lists.update({ where, data: { words: { push: ['d', 'e'] }, docs: { set: [] } } }),
      await db.lists.update({ where, data: { words: [], blobs: [new Uint8Array([9])] } }),
      await db.lists.updateMany({ where, data: { words: { set: ['z'] } } }),
      await db.lists.findUnique({ where }),
    ]
  },
}

describeTwins('the same calls, sealed and plain,', {
  schema,
  scenarios: (provider) => ({
    ...SCENARIOS,
    ...(HAS[provider].returningMany ? RETURNING_MANY : {}),
    ...(HAS[provider].lists ? LISTS : {}),
  }),
  then: (sealed, provider) => {
    it.runIf(HAS[provider].lists)(
      'lists of bytes are right where Prisma stores base64 text',
      async () => {
        const [a, b] = [new Uint8Array([1]), new Uint8Array([2, 3])]
        const where = { id: 9000 }
        const { lists } = sealed().prisma
        const blobs = async (call: Promise<any>): Promise<unknown> => (await call).blobs
        expect(await blobs(lists.create({ data: { ...where, blobs: { set: [a] } } }))).toEqual([a])
        expect(await blobs(lists.update({ where, data: { blobs: { push: [b] } } }))).toEqual([a, b])
        expect(await blobs(lists.update({ where, data: { blobs: { set: [b, a] } } }))).toEqual([
          b,
          a,
        ])
        await expect(
          lists.update({ where, data: { blobs: { push: [a, b] } } }),
        ).rejects.toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED' })
      },
    )

    it('no plaintext is in a sealed column', async () => {
      const patients = await sealed().base.patient.findMany()
      expect(patients.length).toBeGreaterThan(20)
      for (const row of patients) {
        expect(row.email).toMatch(/^rs1\.[0-9a-f]{8}\./)
        for (const column of ['phone', 'notes']) {
          if (row[column] !== null) expect(row[column]).toMatch(/^rs1\.[0-9a-f]{8}\./)
        }
        if (row.scan !== null) expect([...row.scan.subarray(0, 3)]).toEqual([0x52, 0x53, 1])
      }
    })
  },
})
