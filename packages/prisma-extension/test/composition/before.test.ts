import { expect, it } from 'vitest'
import { describeTwins, type Scenario } from '../client/twins.ts'
import { computed, logger, schema, softDelete, type Extend } from './extensions.ts'

/** The calls work on plain clients with the same extensions too: that is the oracle. */
async function family(db: any, n: number): Promise<{ id: number }> {
  const id = n * 100
  await db.owner.create({
    data: {
      id,
      name: 'Ada',
      email: `ada${id}@example.org`,
      notes: ['a', { b: 1 }],
      scan: new Uint8Array([1, 2, 3]),
      card: { create: { id, number: '1111222233334444' } },
      pets: {
        create: [
          { id, name: 'Rex', chip: 'abc' },
          { id: id + 1, name: 'Tom' },
        ],
      },
    },
  })
  return { id }
}

const EVERYWHERE: Record<string, Scenario> = {
  'writes and reads': async (db, n) => {
    const where = await family(db, n)
    const { owner, pet } = db
    return [
      await owner.findUnique({ where, include: { pets: { orderBy: { id: 'asc' } }, card: true } }),
      await owner.update({ where, data: { email: 'new', pets: { deleteMany: { name: 'Tom' } } } }),
      await owner.upsert({
        where,
        create: { ...where, name: 'x', email: 'y' },
        update: { name: 'B' },
      }),
      await owner.updateMany({ where, data: { notes: [5] } }),
      await owner.findMany({ where, select: { email: true, notes: true } }),
      await owner.findMany({ where, omit: { id: true, email: true } }),
      await owner.findUnique({ where }).pets(),
      await pet.findFirst({ where }).owner({ select: { email: true } }),
      await owner.count({ where }),
      await owner.aggregate({ where, _count: { email: true }, _max: { name: true } }),
      await owner.groupBy({ by: ['name'], where, _count: true }),
      await db.shop.create({ data: { id: where.id, name: 'plain' } }),
    ]
  },
  'transactions in both forms, and one in another': async (db, n) => {
    const where = await family(db, n)
    const read = { where, include: { card: true } }
    const batch = await db.$transaction([
      db.owner.update({ where, data: { email: 'batch' }, select: { email: true } }),
      db.owner.findUnique(read),
      db.pet.findMany({ where: { ownerId: where.id }, orderBy: { id: 'asc' } }),
    ])
    const interactive = await db.$transaction(async (tx: any) => {
      await tx.owner.update({ where, data: { email: 'outer' } })
      const undone = tx.$transaction(async (inner: any) => {
        await inner.owner.update({ where, data: { email: 'inner' } })
        throw new Error('back')
      })
      return [await undone.catch((error: Error) => error.message), await tx.owner.findUnique(read)]
    })
    return [batch, interactive, await db.owner.findUnique({ where }).card()]
  },
}

const COMPUTED: Record<string, Scenario> = {
  'a selection that names only the computed field': async (db, n) => {
    const where = await family(db, n)
    const { owner, pet } = db
    return [
      await owner.findUnique({ where, select: { contact: true } }),
      await owner.findUnique({ where, select: { badge: true } }),
      await owner.findUnique({ where, select: { greeting: true } }),
      await owner.findMany({ where, select: { size: true, first: true } }),
      await pet.findMany({
        where: { ownerId: where.id },
        select: { chip: true },
        orderBy: { id: 'asc' },
      }),
      await owner.create({
        data: { id: where.id + 9, name: 'n', email: 'e' },
        select: { contact: true },
      }),
      await owner.update({ where, data: { notes: ['z'] }, select: { first: true } }),
    ]
  },
  'computed fields below relations, in fluent calls and beside omitted fields': async (db, n) => {
    const where = await family(db, n)
    const { owner, pet, card } = db
    return [
      await owner.findUnique({ where, include: { pets: { orderBy: { id: 'asc' } }, card: true } }),
      await owner.findUnique({
        where,
        select: { pets: { select: { tag: true }, orderBy: { id: 'asc' } } },
      }),
      await card.findUnique({ where, select: { owner: { select: { greeting: true } } } }),
      await pet.findUnique({
        where,
        include: { owner: { include: { card: { select: { last: true } } } } },
      }),
      await owner.findUnique({ where }).card(),
      await owner.findUnique({ where }).card({ select: { last: true } }),
      await pet.findUnique({ where }).owner({ select: { contact: true } }),
      await pet.findUnique({ where }).owner().card(),
      await owner.findUnique({ where, omit: { id: true, email: true, contact: true } }),
      await owner.findUnique({ where, omit: { badge: true, greeting: true } }),
    ]
  },
  'computed fields in transactions': async (db, n) => {
    const where = await family(db, n)
    const select = { greeting: true }
    return [
      await db.$transaction([
        db.owner.update({ where, data: { email: 'b' }, select }),
        db.owner.findUnique({ where, select }),
      ]),
      await db.$transaction(async (tx: any) => tx.owner.findMany({ where, select })),
    ]
  },
}

const SOFT: Record<string, Scenario> = {
  'deleted rows stay, are not found, and come back': async (db, n) => {
    const where = await family(db, n)
    db.$final.client = db
    const { owner, pet } = db
    return [
      await owner.delete({ where }),
      await owner.delete({ where, select: { email: true } }),
      await owner.findUnique({ where }),
      await owner.findMany({ where }),
      await owner.count({ where }),
      await owner.findFirstOrThrow({ where, include: { pets: true } }),
      await pet.deleteMany({ where: { ownerId: where.id, chip: null } }),
      await pet.findMany({ where: { ownerId: where.id } }),
      await owner.update({ where, data: { deletedAt: null } }),
      await owner.findUnique({ where }),
    ]
  },
}

const LOGGED: Record<string, Scenario> = {
  'the logger sees plaintext, in arguments and results': async (db, n) => {
    db.$lines.length = 0
    const where = await family(db, n)
    await db.owner.findUnique({ where, include: { card: true } })
    await db.owner.updateMany({ where, data: { email: 'many' } })
    await db.$transaction([db.owner.findMany({ where, select: { email: true } })])
    return db.$lines
  },
}

const CHAINS: Record<string, { before: Extend; scenarios: Record<string, Scenario> }> = {
  'a soft delete': { before: softDelete, scenarios: { ...EVERYWHERE, ...SOFT } },
  'a logger': { before: logger, scenarios: { ...EVERYWHERE, ...LOGGED } },
  'computed fields': { before: computed, scenarios: { ...EVERYWHERE, ...COMPUTED } },
  'computed fields, a logger and a soft delete': {
    before: (client) => softDelete(logger(computed(client))),
    scenarios: { ...EVERYWHERE, ...SOFT, ...COMPUTED, ...LOGGED },
  },
}

for (const [name, { before, scenarios }] of Object.entries(CHAINS)) {
  describeTwins(`${name} before Rowseal,`, {
    schema,
    scenarios: () => scenarios,
    options: () => ({ before, client: { omit: { card: { id: true } } } }),
    then: (sealed) => {
      it('and all of it is encrypted', async () => {
        const stored: any[] = await sealed().base.owner.findMany()
        expect(stored.length).toBeGreaterThan(0)
        for (const { email, notes } of stored) {
          expect(email).toMatch(/^rs1\./)
          expect(notes ?? 'rs1.').toMatch(/^rs1\./)
        }
      })
    },
  })
}
