import { expect } from 'vitest'
import { HAS, type Provider } from './databases.ts'
import { practice } from './practice.ts'
import { describeTwins, type Scenario } from './twins.ts'

const id = (n: number, k = 0): string =>
  `00000000-0000-4000-8000-${String(n * 100 + k).padStart(12, '0')}`
const patient = (n: number, k = 0): Record<string, unknown> => ({
  id: id(n, k),
  tenantId: n,
  code: `c${n}.${k}`,
})
/** A tenant of its own for each scenario, with a ward. */
const tenant = (db: any, n: number): Promise<unknown> =>
  db.tenant.create({ data: { id: n, name: `T${n}`, wards: { create: { number: 1 } } } })

const outcome = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => value,
    (error: any) => error.code ?? error.name,
  )

/** What differs between the twins by nature: generated ids. */
const withoutIds = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, inner) =>
      /^(id|patientId)$/.test(key)
        ? typeof inner
        : typeof inner === 'bigint'
          ? String(inner)
          : inner,
    ),
  )

const SCENARIOS: Record<string, Scenario> = {
  'create with every bound column given': async (db, n) => {
    await tenant(db, n)
    return db.patient.create({
      data: {
        ...patient(n),
        notes: { a: 1 },
        email: 'e',
        phone: 'p',
        scan: new Uint8Array([1]),
        active: false,
        kind: 'OUT',
        size: 5n,
      },
    })
  },
  'create with ids and defaults left out': async (db, n) => {
    await tenant(db, n)
    const made = await db.patient.create({
      data: { tenantId: n, code: `d${n}`, notes: [n], scan: new Uint8Array([2]) },
    })
    expect(made.id).toMatch(/^[0-9a-f-]{36}$/)
    const label = await db.label.create({ data: { text: 'x' } })
    expect(label.id).toHaveLength(9)
    return withoutIds([
      made,
      label,
      await db.patient.findUnique({ where: { id: made.id } }),
      await db.label.findUnique({ where: { id: label.id } }),
    ])
  },
  'create with undefined and skip for what has a default': async (db, n, Prisma) => {
    await tenant(db, n)
    const data = {
      tenantId: n,
      code: `u${n}`,
      id: undefined,
      active: Prisma.skip ?? undefined,
      notes: 1,
    }
    return withoutIds(await db.patient.create({ data }))
  },
  'create that connects by a compound of the referenced columns': async (db, n) => {
    await tenant(db, n)
    const { tenantId, ...data } = patient(n)
    const ward = { connect: { tenantId_number: { tenantId: n, number: 1 } } }
    return db.patient.create({
      data: { ...data, ward, tenant: { connect: { id: tenantId } }, notes: 'x' },
    })
  },
  'create on the side of the foreign key, nested': async (db, n) => {
    const data = { code: `n${n}`, notes: { n }, tenant: { create: { id: n } } }
    const made = await db.visit.create({
      data: { id: n, finding: 'f', price: '1', patient: { create: data } },
      include: { patient: true },
    })
    expect(made.patient.id).toBe(made.patientId)
    return withoutIds([
      made,
      await db.visit.findUnique({ where: { id: n }, include: { patient: true } }),
    ])
  },
  'create on the other side, nested to depth 3': async (db, n) => {
    const made = await db.tenant.create({
      data: {
        id: n,
        patients: {
          create: [
            {
              code: `x${n}`,
              notes: 1,
              visits: { create: { id: n * 100, finding: 'a' } },
              profile: { create: { bio: 'b' } },
            },
            {
              id: id(n),
              code: `y${n}`,
              notes: 2,
              visits: {
                createMany: { data: [{ id: n * 100 + 1, finding: 'c' }, { id: n * 100 + 2 }] },
              },
              labels: { create: { text: 'l' } },
            },
          ],
        },
      },
      include: {
        patients: {
          include: { visits: true, profile: true, labels: true },
          orderBy: { code: 'asc' },
        },
      },
    })
    const found = await db.visit.findMany({
      where: { patient: { tenantId: n } },
      orderBy: { id: 'asc' },
      select: { finding: true },
    })
    return withoutIds([made, found])
  },
  createMany: async (db, n) => {
    await tenant(db, n)
    const data = [
      { ...patient(n, 1), notes: 1 },
      { tenantId: n, code: `m${n}`, notes: 2 },
    ]
    const count = await db.patient.createMany({ data })
    const found = await db.patient.findMany({ where: { tenantId: n }, orderBy: { code: 'asc' } })
    return withoutIds([count, found])
  },
  'a literal default is what the value is bound to': async (db, n) => [
    await db.defaulted.create({ data: { id: n, value: 'v' } }),
    await db.defaulted.update({ where: { id: n, word: 'a word' }, data: { value: 'w' } }),
    await db.defaulted.findMany({ where: { id: n }, select: { value: true } }),
  ],
  'update by what where pins': async (db, n) => {
    await tenant(db, n)
    await db.patient.create({ data: patient(n) })
    const wheres = [
      { id: id(n), tenantId: n },
      { id: id(n), AND: { tenantId: { equals: n } } },
      { code: `c${n}.0`, AND: [{ id: id(n) }, { tenantId: n }] },
      { id: id(n), tenantId: n, active: true, kind: { in: ['IN', 'OUT'] } },
    ]
    const out = []
    for (const [k, where] of wheres.entries()) {
      out.push(await db.patient.update({ where, data: { notes: { k }, email: `e${k}` } }))
    }
    return [out, await db.patient.findUnique({ where: { id: id(n) } })]
  },
  'update by a record that is read first': async (db, n) => {
    await tenant(db, n)
    await db.patient.create({ data: { ...patient(n), mail: `m${n}` } })
    return [
      await db.patient.update({ where: { id: id(n) }, data: { notes: 1 } }),
      await db.patient.update({ where: { code: `c${n}.0` }, data: { notes: 2, email: 'x' } }),
      await db.patient.update({
        where: { mail: `m${n}` },
        data: { notes: 3, mail: `n${n}` },
        select: { mail: true, notes: true },
      }),
      await db.patient.update({ where: { mail: `n${n}` }, data: { scan: new Uint8Array([1]) } }),
      await db.patient.findUnique({ where: { id: id(n) } }),
    ]
  },
  'update that is not found': async (db, n) => {
    await tenant(db, n)
    return [
      await outcome(db.patient.update({ where: { id: id(n) }, data: { notes: 1 } })),
      await outcome(db.patient.update({ where: { id: id(n), tenantId: n }, data: { notes: 1 } })),
      await outcome(
        db.patient.update({ where: { code: 'nobody' }, data: { notes: 1, tenantId: n } }),
      ),
      await outcome(
        db.patient.update({
          where: { code: 'nobody' },
          data: {
            notes: 1,
            visits: {
              create: { id: n, finding: 'f' },
              update: { where: { id: n }, data: { finding: 'g' } },
            },
          },
        }),
      ),
      await outcome(
        db.patient.upsert({
          where: { code: `v${n}` },
          create: { id: id(n), code: `v${n}`, tenantId: n, notes: 1 },
          update: { visits: { update: { where: { id: n }, data: { finding: 'g' } } } },
        }),
      ),
      await db.patient.count({ where: { tenantId: n } }),
    ]
  },
  'update of what is not bound reads nothing and needs nothing': async (db, n) => {
    await tenant(db, n)
    await db.patient.create({ data: { ...patient(n), notes: 1 } })
    const where = { code: `c${n}.0` }
    return [
      await db.patient.update({ where, data: { phone: '1', scan: null, code: `d${n}` } }),
      await db.patient.updateMany({ where: { tenantId: n }, data: { phone: '2' } }),
      await db.patient.findMany({ where: { tenantId: n } }),
    ]
  },
  'a bound column changes with all that is bound to it': async (db, n) => {
    await tenant(db, n)
    await db.tenant.create({ data: { id: n + 5000 } })
    await db.patient.create({ data: { ...patient(n), notes: 1, scan: new Uint8Array([1]) } })
    const where = { id: id(n) }
    return [
      await db.patient.update({ where, data: { tenantId: n + 5000, notes: 2 } }),
      await db.patient.update({
        where,
        data: { tenantId: { set: n }, notes: { n } },
        select: { notes: true },
      }),
      await db.patient.update({
        where,
        data: { tenant: { connect: { id: n + 5000 } }, notes: [3] },
        select: { notes: true },
      }),
      await db.patient.update({
        where,
        data: { tenant: { create: { id: n + 6000 } }, notes: [4] },
      }),
      await db.patient.update({
        where,
        data: { active: false, kind: 'OUT', scan: new Uint8Array([7]) },
      }),
      await db.patient.update({ where, data: { active: true, scan: null } }),
      await db.patient.update({
        where: { ...where, tenantId: n + 6000 },
        data: { id: id(n, 1), notes: 5, email: 'e', mail: null },
      }),
      await db.patient.findUnique({ where: { id: id(n, 1) } }),
    ]
  },
  'a bound column that is written with the value it has': async (db, n) => {
    await tenant(db, n)
    const made = await db.patient.create({ data: { ...patient(n), notes: 1 } })
    return [
      await db.patient.update({
        where: { id: id(n) },
        data: { id: id(n), tenantId: n, email: 'a' },
      }),
      await db.patient.update({
        where: { code: made.code },
        data: { ...made, notes: { b: 1 }, wardNo: null },
      }),
      await db.patient.update({
        where: { code: made.code },
        data: { tenant: { connect: { id: n } }, email: 'c' },
      }),
      await db.patient.findUnique({ where: { id: id(n) } }),
    ]
  },
  'upsert by what where pins': async (db, n) => {
    await tenant(db, n)
    const call = (notes: unknown): Promise<unknown> =>
      db.patient.upsert({
        where: { id: id(n), tenantId: n },
        create: { ...patient(n), notes },
        update: { notes },
      })
    return [await call(1), await call(2), await db.patient.findUnique({ where: { id: id(n) } })]
  },
  'upsert by a record that is read first': async (db, n) => {
    await tenant(db, n)
    const call = (notes: unknown): Promise<unknown> =>
      db.patient.upsert({
        where: { code: `k${n}` },
        create: { tenantId: n, code: `k${n}`, notes },
        update: { notes },
      })
    const byMail = (mail: string, email: string): Promise<unknown> =>
      db.patient.upsert({
        where: { mail },
        create: { tenantId: n, code: mail, mail, email },
        update: { email, tenantId: n },
      })
    return withoutIds([
      await call(1),
      await call(2),
      await byMail(`a${n}`, '1'),
      await byMail(`a${n}`, '2'),
      await db.patient.findMany({ where: { tenantId: n }, orderBy: { code: 'asc' } }),
    ])
  },
  'records of a relation without foreign keys of their own': async (db, n) => {
    await tenant(db, n)
    await db.label.create({ data: { id: `l${n}`, text: 'l' } })
    const where = { id: id(n) }
    const labels = (write: object): Promise<unknown> =>
      db.patient.update({
        where,
        data: { labels: write },
        include: { labels: { orderBy: { id: 'asc' } } },
      })
    return [
      await db.patient.create({
        data: { ...patient(n), labels: { connect: { id: `l${n}` } } },
        include: { labels: true },
      }),
      await labels({ disconnect: { id: `l${n}` } }),
      await labels({
        connectOrCreate: { where: { id: `m${n}` }, create: { id: `m${n}`, text: 'm' } },
      }),
      await labels({ set: [{ id: `l${n}` }] }),
      await labels({ create: { id: `o${n}`, text: 'o' } }),
    ]
  },
  'connectOrCreate of the record referred to': async (db, n) => {
    const data = (k: number): Record<string, unknown> => {
      const { tenantId, ...rest } = patient(n, k)
      const named = { id: tenantId }
      return { ...rest, notes: k, tenant: { connectOrCreate: { where: named, create: named } } }
    }
    return [await db.patient.create({ data: data(0) }), await db.patient.create({ data: data(1) })]
  },
  'reading without the bound columns': async (db, n) => {
    await tenant(db, n)
    await db.patient.create({
      data: {
        ...patient(n),
        notes: 'n',
        visits: { create: { id: n, finding: 'f' } },
        profile: { create: { bio: 'b' } },
      },
    })
    const where = { id: id(n) }
    return [
      await db.patient.findUnique({ where, select: { notes: true } }),
      await db.patient.findUnique({ where, select: { code: true } }),
      await db.patient.findFirst({ where, omit: { id: true, tenantId: true } }),
      await db.patient.findMany({
        where,
        select: {
          notes: true,
          visits: { select: { finding: true } },
          profile: { omit: { id: true, patientId: true } },
        },
      }),
      await db.visit.findUnique({
        where: { id: n },
        select: { patient: { select: { notes: true } } },
      }),
      await db.visit.findUnique({ where: { id: n } }).patient({ select: { notes: true } }),
      await db.patient.findUnique({ where }).visits({ select: { finding: true } }),
      await db.visit
        .findUnique({ where: { id: n } })
        .patient()
        .tenant(),
      await db.tenant.findUnique({
        where: { id: n },
        include: { patients: { omit: { id: true } }, _count: true },
      }),
      await db.patient.update({ where, data: { notes: 'm' }, select: { notes: true } }),
      await db.patient
        .delete({ where, select: { notes: true, code: true } })
        .catch((e: any) => e.code),
    ]
  },
}

/** MySQL compares text by its collation, so a `where` pins no text there. */
const EXACT: Record<string, Scenario> = {
  'nested updates that find no record': async (db, n) => {
    await tenant(db, n)
    await db.patient.create({ data: patient(n) })
    const where = { id: id(n) }
    return [
      await outcome(
        db.patient.update({
          where,
          data: { visits: { update: { where: { id: n }, data: { finding: 'a' } } } },
        }),
      ),
      await outcome(
        db.patient.update({
          where,
          data: { profile: { update: { where: { id: 'p' }, data: { bio: 'a' } } } },
        }),
      ),
    ]
  },
  'a nested update of a record without foreign keys of its own': async (db, n) => {
    await tenant(db, n)
    const labels = { create: { id: `l${n}`, text: 'l' } }
    await db.patient.create({ data: { ...patient(n), labels } })
    return db.patient.update({
      where: { id: id(n) },
      data: { labels: { update: { where: { id: `l${n}` }, data: { text: 'n' } } } },
      include: { labels: true },
    })
  },
  'updateMany that sets a column to the value that where pins': async (db, n) => {
    await tenant(db, n)
    await db.patient.create({ data: { ...patient(n), notes: 1 } })
    const where = { id: id(n), tenantId: n }
    return [
      await db.patient.updateMany({ where, data: { tenantId: n, notes: 2 } }),
      await db.patient.findUnique({ where: { id: id(n) } }),
    ]
  },
  'create that connects by the referenced column': async (db, n) => {
    await tenant(db, n)
    const { tenantId, ...data } = patient(n)
    await db.patient.create({
      data: { ...data, tenant: { connect: { id: tenantId } }, notes: 'x' },
    })
    await db.visit.create({ data: { id: n, finding: 'f', patient: { connect: { id: id(n) } } } })
    return [
      await db.patient.findUnique({ where: { id: id(n) } }),
      await db.visit.findUnique({ where: { id: n }, include: { patient: true } }),
    ]
  },
  'updateMany by what where pins': async (db, n) => {
    await tenant(db, n)
    await db.patient.createMany({
      data: [{ ...patient(n, 1) }, { ...patient(n, 2), active: false }],
    })
    const scan = new Uint8Array([1, 2])
    return [
      await db.patient.updateMany({
        where: { tenantId: n, active: true, kind: 'IN', size: 5_000_000_000 },
        data: { scan },
      }),
      await db.patient.updateMany({ where: { id: id(n, 1), tenantId: n }, data: { notes: 'n' } }),
      await db.patient.updateMany({ where: { id: id(n, 1) }, data: { email: 'n' }, limit: 1 }),
      await db.patient.updateMany({ where: { AND: [{ id: id(n, 2) }] }, data: { email: 'm' } }),
      await db.patient.findMany({ where: { tenantId: n }, orderBy: { id: 'asc' } }),
    ]
  },
  'nested updates by what where pins, or by the record above': async (db, n) => {
    await tenant(db, n)
    await db.patient.create({
      data: {
        ...patient(n),
        visits: { create: [{ id: n }, { id: n + 5000, place: 'there' }] },
        profile: { create: { id: `p${n}` } },
      },
    })
    const where = { id: id(n) }
    const visits = (write: object): Promise<unknown> =>
      db.patient.update({
        where,
        data: { visits: write },
        include: { visits: { orderBy: { id: 'asc' } } },
      })
    return [
      await visits({ update: { where: { id: n }, data: { finding: 'a', price: '1' } } }),
      await visits({ update: [{ where: { id: n, patientId: id(n) }, data: { finding: 'b' } }] }),
      await visits({
        upsert: { where: { id: n }, create: { id: n, finding: 'c' }, update: { finding: 'd' } },
      }),
      await visits({
        upsert: {
          where: { id: n + 9000 },
          create: { id: n + 9000, finding: 'e', price: '2' },
          update: { finding: 'f', price: '3' },
        },
      }),
      await visits({ updateMany: { where: { id: n }, data: { price: '4', place: 'x' } } }),
      await visits({
        create: { id: n + 9001, finding: 'g' },
        createMany: { data: [{ id: n + 9002, finding: 'h' }] },
      }),
      await visits({ delete: { id: n + 9001 }, deleteMany: { id: n + 9002 } }),
      await db.patient.update({
        where,
        data: { profile: { update: { where: { id: `p${n}` }, data: { bio: 'i' } } } },
        include: { profile: true },
      }),
      await db.patient.update({
        where,
        data: {
          profile: {
            upsert: { where: { id: `p${n}` }, create: { bio: 'j' }, update: { bio: 'k' } },
          },
        },
        include: { profile: true },
      }),
      await db.patient.update({
        where: { code: `c${n}.0` },
        data: { visits: { update: { where: { id: n }, data: { finding: 'l' } } } },
        include: { visits: true },
      }),
      await db.visit.update({
        where: { id: n },
        data: {
          price: '5',
          patient: { update: { where: { id: id(n), tenantId: n }, data: { notes: 'n' } } },
        },
        include: { patient: true },
      }),
      await db.visit.findMany({ where: { patientId: id(n) }, orderBy: { id: 'asc' } }),
    ]
  },
  transactions: async (db, n) => {
    await tenant(db, n)
    const where = { id: id(n) }
    const batch = await db.$transaction([
      db.patient.create({ data: { ...patient(n), notes: 1 } }),
      db.patient.update({ where: { ...where, tenantId: n }, data: { notes: 2 } }),
      db.patient.update({ where: { code: `c${n}.0` }, data: { phone: '3' } }),
      db.patient.upsert({
        where: { ...where, tenantId: n },
        create: patient(n),
        update: { notes: 3 },
      }),
      db.patient.findUnique({ where, select: { notes: true } }),
    ])
    const interactive = await db.$transaction(async (tx: any) => [
      await tx.patient.create({ data: { ...patient(n, 1), notes: 4 } }),
      await tx.patient.update({ where: { code: `c${n}.1` }, data: { notes: 5 } }),
      await tx.patient.upsert({
        where: { code: `c${n}.1` },
        create: patient(n, 1),
        update: { notes: 6 },
      }),
      await tx.patient.findUnique({ where: { id: id(n, 1) }, select: { notes: true } }),
    ])
    return [
      batch,
      interactive,
      await db.patient.findMany({ where: { tenantId: n }, orderBy: { code: 'asc' } }),
    ]
  },
  'createManyAndReturn and updateManyAndReturn': async (db, n) => {
    await tenant(db, n)
    const data = [
      { ...patient(n, 3), notes: 3 },
      { tenantId: n, code: `o${n}`, notes: 4 },
    ]
    return withoutIds([
      await db.patient.createManyAndReturn({ data, select: { notes: true } }),
      await db.patient.updateManyAndReturn({
        where: { AND: [{ id: id(n, 3) }] },
        data: { email: 'm' },
        select: { email: true },
      }),
      await db.patient.findMany({ where: { tenantId: n }, orderBy: { code: 'asc' } }),
    ])
  },
}

const LISTS: Record<string, Scenario> = {
  'lists: set, push, and a new owner': async (db, n) => {
    const where = { id: n, owner: 'a' }
    return [
      await db.lists.create({ data: { id: n, owner: 'a', words: ['x', 'y'] } }),
      await db.lists.update({ where, data: { words: { push: 'z' } } }),
      await db.lists.update({ where: { id: n }, data: { words: { push: ['1', '2'] } } }),
      await db.lists.update({ where, data: { words: { set: ['v'] }, owner: 'b' } }),
      await db.lists.findUnique({ where: { id: n }, select: { words: true } }),
      await db.lists.update({ where: { id: n }, data: { words: [], owner: 'c' } }),
    ]
  },
}

describeTwins('bound values, sealed and plain,', {
  schema: practice,
  scenarios: (provider: Provider) => ({
    ...SCENARIOS,
    ...(provider === 'mysql' ? {} : EXACT),
    ...(HAS[provider].lists ? LISTS : {}),
  }),
  options: () => ({
    client: {
      omit: {
        visit: { place: true },
        profile: { id: true, patientId: true },
        patient: { mailIndex: true },
      },
    },
  }),
})
