import { HAS } from './databases.ts'
import { describeTwins, type Scenario } from './twins.ts'
import { zoo } from './zoo.ts'

/** Writes at every nesting, odd names, and nothing at all in every place. */
const SCENARIOS: Record<string, Scenario> = {
  'relations to itself, created in circles': async (db, n) => {
    const id = n * 100
    await db.person.create({
      data: {
        id,
        secret: 'me',
        boss: { create: { id: id + 1, hint: 'b', boss: { create: { id: id + 2, secret: 'bb' } } } },
        team: {
          create: [
            { id: id + 3, secret: 't', team: { create: { id: id + 4, hint: 'tt' } } },
            { id: id + 5 },
          ],
          connectOrCreate: [
            { where: { id: id + 6 }, create: { id: id + 6, secret: 'new' } },
            { where: { id: id + 2 }, create: { id: id + 2, secret: 'never' } },
          ],
        },
        friends: { create: { id: id + 7, secret: 'f', friends: { create: { id: id + 8 } } } },
        partner: { create: { id: id + 9, pets: { createMany: { data: [{ id, chip: 'c' }] } } } },
        partnerOf: { connectOrCreate: { where: { id: id + 10 }, create: { id: id + 10 } } },
      },
    })
    return db.person.findUnique({
      where: { id },
      include: {
        boss: { include: { boss: true, team: { select: { secret: true } } } },
        team: { orderBy: { id: 'asc' }, include: { team: true } },
        friends: { include: { friendOf: { orderBy: { id: 'asc' } }, friends: true } },
        partner: { include: { pets: true, partnerOf: true } },
        partnerOf: true,
        _count: { select: { team: { where: { hint: null } } } },
      },
    })
  },
  'nested updates of one record, in every form': async (db, n) => {
    const id = n * 100
    await db.person.create({
      data: { id, boss: { create: { id: id + 1 } }, partnerOf: { create: { id: id + 2 } } },
    })
    const include = { boss: true, partnerOf: { include: { pets: true } } }
    const step = (data: unknown): Promise<unknown> =>
      db.person.update({ where: { id }, data, include })
    return [
      await step({ boss: { update: { secret: '1' } } }),
      await step({ boss: { update: { data: { secret: '2' } } } }),
      await step({ boss: { update: { where: { id: id + 1 }, data: { secret: { set: '3' } } } } }),
      await step({ boss: { update: { data: { secret: '4' }, where: undefined } } }),
      await step({ boss: { update: { data: { hint: '5' }, extra: undefined } } }),
      await step({ boss: { upsert: { create: { id: id + 3 }, update: { hint: { set: null } } } } }),
      await step({
        boss: {
          upsert: { where: { name: 'x' }, create: { id: id + 3, secret: 'u' }, update: {} },
        },
      }),
      await step({ partnerOf: { update: { pets: { create: { id, chip: '6' } } } } }),
      await step({ partnerOf: { update: { data: { pets: { updateMany: [] } } } } }),
      await step({ partnerOf: { delete: { id: id + 1 } } }).catch((error: any) => error.code),
      await step({ boss: { disconnect: true }, partnerOf: { disconnect: { id: 1 } } }),
    ]
  },
  'nested updates of many records, in every form': async (db, n) => {
    const id = n * 100
    await db.person.create({
      data: { id, pets: { create: [{ id, chip: 'a' }, { id: id + 1 }, { id: id + 2 }] } },
    })
    const include = { pets: { orderBy: { id: 'asc' } } }
    const step = (pets: unknown): Promise<unknown> =>
      db.person.update({ where: { id }, data: { pets }, include })
    return [
      await step({ update: { where: { id }, data: { chip: 'b' }, extra: undefined } }),
      await step({ update: [{ where: { id, kind: 'CAT' }, data: { chip: null } }] }),
      await step({ updateMany: { where: {}, data: { chip: 'all' } } }),
      await step({ updateMany: [{ where: { chip: { not: null } }, data: { chip: 'x' } }] }),
      await step({
        upsert: { where: { id: id + 3 }, create: { id: id + 3, chip: 'u' }, update: {} },
      }),
      await step({
        upsert: [{ where: { id: id + 3 }, create: { id: 1 }, update: { chip: { set: 'v' } } }],
      }),
      await step({ createMany: { data: { id: id + 4, chip: 'one' } } }),
      await step({ createMany: { data: [] }, create: [], update: [], upsert: [], deleteMany: {} }),
      await step({ connectOrCreate: [] }),
    ]
  },
  'upsert with nested writes in both branches': async (db, n) => {
    const id = n * 100
    const call = (): Promise<unknown> =>
      db.person.upsert({
        where: { id },
        create: { id, secret: 'c', pets: { create: { id, chip: 'created' } } },
        update: {
          secret: { set: 'u' },
          pets: { update: { where: { id }, data: { chip: 'updated' } } },
        },
        include: { pets: true },
      })
    return [await call(), await call()]
  },
  'nothing in every place': async (db, n) => {
    const id = n * 100
    const where = { id }
    const failing = (call: Promise<unknown>): Promise<unknown> => call.catch(() => 'refused')
    return [
      await db.person.create({
        data: {
          id,
          hint: undefined,
          secret: undefined,
          team: {},
          pets: { create: [], createMany: undefined, connect: [] },
          boss: undefined,
          partner: {},
        },
        include: {},
      }),
      await db.person.update({ where, data: {} }),
      await failing(db.person.update({ where, data: { secret: { set: undefined } } })),
      await db.person.update({ where, data: { hint: { set: null } } }),
      await db.person.updateMany({ where: { ...where, AND: [], NOT: {} }, data: {} }),
      await db.person.createMany({ data: [] }),
      await db.person.findMany({ where: { ...where, hint: {}, boss: undefined }, orderBy: [] }),
      await db.person.findMany({ where: { ...where, OR: [] } }),
      await db.person.findMany({ where: { ...where, boss: null, pets: { none: {} } }, omit: {} }),
      await db.person.findFirst({ where, select: null, include: null, omit: null, distinct: [] }),
      await db.person.findFirst({ where, orderBy: { secret: undefined }, cursor: undefined }),
      await db.person.findFirst({ where, select: { id: true, boss: false, team: undefined } }),
      await failing(db.person.findFirst({ where, select: {} })),
      await failing(db.person.findFirst({ where, select: { secret: false } })),
      await failing(db.person.findFirst({ where, select: { pets: null } })),
      await failing(db.person.create({ data: null })),
      await failing(db.person.create()),
      await failing(db.person.update({ where, data: { boss: null } })),
      await failing(db.person.update({ where, data: { secret: null } })),
      await failing(db.person.update({ where, data: [{ secret: 'x' }] })),
      await failing(db.person.create({ data: { id: id + 1, pets: { create: [[{ id }]] } } })),
      await db.person.count({ where: { id: { in: [id, id + 1] } } }),
    ]
  },
  'data of other kinds of object': async (db, n) => {
    class Data {
      id = n * 100
      secret = 'field'
    }
    const inherited = Object.create({ secret: 'inherited' })
    inherited.id = n * 100 + 1
    const bare = Object.assign(Object.create(null), { id: n * 100 + 2, secret: 'bare' })
    const getter = {
      id: n * 100 + 3,
      get secret() {
        return 'got'
      },
    }
    const out = []
    for (const data of [new Data(), inherited, bare, Object.freeze(getter)]) {
      out.push(await db.person.create({ data }))
    }
    return out
  },
  'fields with the names of operators and arguments': async (db, n) => {
    const id = n * 100
    const values = {
      set: 's',
      is: 'i',
      AND: 'a',
      where: 'w',
      select: 'x',
      constructor: 'c',
      toString: 't',
      toJSON: 'j',
      create: 'r',
      update: 'u',
      equals: 'e',
      push: 'p',
    }
    await db.odd.create({ data: { id, ...values, some: { create: { id: id + 1, ...values } } } })
    await db.odd.create({ data: { id: id + 2, set: 'only' } })
    const where = { id }
    return [
      await db.odd.findMany({
        where: { id: { gte: id, lte: id + 2 } },
        orderBy: { id: 'asc' },
        include: { some: true, parent: true },
      }),
      await db.odd.findUnique({ where, select: { constructor: true } }),
      await db.odd.findUnique({ where: { id: id + 2 }, omit: { constructor: true } }),
      await db.odd.update({
        where,
        data: { set: { set: 'z' }, update: 'v', some: { update: { set: { set: 'deep' } } } },
        include: { some: true },
      }),
      await db.odd.updateMany({ where: { id, is: { not: null } }, data: { where: null } }),
      await db.odd.count({ where: { id, where: null, parent: { is: null } } }),
    ]
  },
  'a record of defaults': async (db, n) => {
    const note = { note: true, valueOf: true }
    return [
      await db.blank.create({ select: note }),
      await db.blank.create({ data: undefined, select: note }),
      await db.blank.create({ data: {}, select: note }),
      await db.blank.createMany({ data: [{}, { n }, { n, note: 'given' }] }),
      await db.blank.upsert({ where: { id: n + 5000 }, create: {}, update: {}, select: note }),
      await db.blank.findMany({ where: { n }, select: note, orderBy: { id: 'asc' } }),
    ]
  },
  'a model with a unique in the place of an id, and enums': async (db, n) => {
    const where = { code: `c${n}` }
    await db.noId.create({ data: { ...where, kind: 'DOG', value: new Uint8Array([n]) } })
    return [
      await db.noId.update({ where, data: { kind: { set: 'CAT' } } }),
      await db.noId.findMany({ where: { ...where, kind: 'CAT' }, select: { value: true } }),
      await db.noId.upsert({ where, create: { ...where, kind: 'CAT' }, update: { value: null } }),
      await db.noId.groupBy({ by: ['kind'], where, _count: { value: true, _all: true } }),
    ]
  },
  'a nested update of a model with a field named data': async (db, n) => {
    const id = n * 100
    await db.person.create({ data: { id, wrapper: { create: { id, data: { a: 1 }, note: 'n' } } } })
    const step = (update: unknown): Promise<unknown> =>
      db.person.update({
        where: { id },
        data: { wrapper: { update } },
        select: { wrapper: { select: { data: true, note: true } } },
      })
    return [
      await step({ data: { b: 2 }, note: 'm' }),
      await step({ where: {}, data: { data: { c: 3 } } }),
      await step({ where: { id }, data: { note: null } }),
    ]
  },
  'limits, cursors and pages': async (db, n) => {
    const id = n * 100
    const data = [1, 2, 3, 4, 5].map((k) => ({ id: id + k, name: `${k % 2}`, secret: `s${k}` }))
    await db.person.createMany({ data })
    const where = { id: { gt: id, lt: id + 10 } }
    const orderBy = { id: 'asc' }
    const select = { secret: true }
    return [
      await db.person.findFirst({ where, orderBy, cursor: { id: id + 2 }, skip: 1, select }),
      await db.person.findMany({ where, orderBy, cursor: { id: id + 4 }, take: -2, select }),
      await db.person.findMany({ where, orderBy, distinct: ['name'], select }),
      await db.person.findMany({ where, orderBy: { name: 'desc' }, take: 1, skip: 3, select }),
      await db.person.count({ where, take: 2, orderBy }),
      await db.person.updateMany({ where, data: { hint: 'h' }, limit: 5 }),
      await db.person.deleteMany({ where: { ...where, hint: { not: null } }, limit: 5 }),
    ]
  },
  'a record deleted and given back with its relations': async (db, n) => {
    const id = n * 100
    await db.person.create({ data: { id, secret: 'owner', pets: { create: { id, chip: 'a' } } } })
    return db.pet.delete({ where: { id }, select: { owner: { select: { secret: true } } } })
  },
  'counts, groups and aggregates': async (db, n) => {
    const id = n * 100
    await db.person.createMany({
      data: [
        { id, hint: 'h', name: 'a' },
        { id: id + 1, name: 'a' },
      ],
    })
    const where = { id: { in: [id, id + 1] } }
    return [
      await db.person.count({ where }),
      await db.person.count({ where, select: { hint: true, _all: true } }),
      await db.person.aggregate({ where, _count: true }),
      await db.person.aggregate({
        where,
        _count: { hint: true, secret: false },
        _sum: { id: true },
      }),
      await db.person.groupBy({
        by: ['name'],
        where,
        _count: true,
        _max: { id: true },
        having: { id: { _count: { gt: 1 } } },
        orderBy: [{ _count: { hint: 'asc' } }, { name: 'asc' }],
      }),
      await db.person.findMany({
        where,
        orderBy: [{ team: { _count: 'asc' } }, { boss: { name: 'asc' } }, { id: 'asc' }],
        select: { _count: true },
      }),
      await db.person.findFirst({ where, select: { _count: { select: { team: true } } } }),
    ]
  },
}

const RETURNING_MANY: Record<string, Scenario> = {
  'records created and given back with their relations': async (db, n) => {
    const id = n * 100
    await db.person.create({ data: { id, secret: 'owner' } })
    return [
      await db.pet.createManyAndReturn({
        data: [{ id, chip: 'a', ownerId: id }, { id: id + 1 }],
        include: { owner: true },
      }),
      await db.pet.updateManyAndReturn({
        where: { id },
        data: { chip: 'b' },
        select: { chip: true, owner: { select: { secret: true } } },
      }),
    ]
  },
}

const SKIPPING: Record<string, Scenario> = {
  'creates that skip duplicates': async (db, n) => [
    await db.pet.create({ data: { id: n, chip: 'first' } }),
    await db.pet.createMany({
      data: [
        { id: n, chip: 'second' },
        { id: n + 1000, chip: 'c' },
      ],
      skipDuplicates: true,
    }),
    await db.person.create({
      data: {
        id: n * 100,
        pets: {
          createMany: { data: [{ id: n * 100, chip: 'x' }, { id: n * 100 }], skipDuplicates: true },
        },
      },
      include: { pets: true },
    }),
    await db.pet.findMany({ where: { id: { in: [n, n + 1000] } }, orderBy: { id: 'asc' } }),
  ],
}

const STRINGS: Record<string, Scenario> = {
  'a list with a default, and creates that skip duplicates': async (db, n) => [
    await db.strings.create({ data: { id: n } }),
    await db.strings.createMany({
      data: [{ id: n }, { id: n + 1000, list: [] }],
      skipDuplicates: true,
    }),
    await db.strings.update({ where: { id: n }, data: { list: { push: [] } } }),
    await db.strings.update({ where: { id: n }, data: { list: { push: 'c', set: undefined } } }),
    await db.strings.upsert({ where: { id: n + 2000 }, create: { id: n + 2000 }, update: {} }),
  ],
}

describeTwins('shapes, sealed and plain,', {
  schema: zoo,
  scenarios: (provider) => ({
    ...SCENARIOS,
    ...(HAS[provider].returningMany ? RETURNING_MANY : {}),
    ...(HAS[provider].skipDuplicates ? SKIPPING : {}),
    ...(HAS[provider].lists ? STRINGS : {}),
  }),
})
