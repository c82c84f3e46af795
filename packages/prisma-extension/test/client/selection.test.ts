import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rotate } from '../../src/keys/index.ts'
import { openClinic, type TestClinic } from './clinic.ts'
import { HAS, PROVIDERS, type Provider } from './databases.ts'
import { describeTwins, type Scenario } from './twins.ts'
import { zoo } from './zoo.ts'

async function family(db: any, n: number): Promise<{ id: number }> {
  const id = n * 100
  await db.person.create({
    data: {
      id,
      secret: 'root',
      team: { create: [{ id: id + 1, secret: 'a', pets: { create: { id, chip: 'c' } } }] },
      boss: { create: { id: id + 2, hint: 'h' } },
      wrapper: { create: { id, note: 'w', data: [1] } },
    },
  })
  return { id }
}

/** Every way to leave out the key, which re-encryption wants to know: it is added, and must not show. */
const SCENARIOS: Record<string, Scenario> = {
  'a selection without the key': async (db, n) => {
    const where = await family(db, n)
    return [
      await db.person.findUnique({ where, select: { secret: true } }),
      await db.person.findUnique({ where, select: { id: false, hint: true } }),
      await db.person.findUnique({ where, select: { id: undefined, hint: true } }),
      await db.person.findUnique({ where, select: { id: true, hint: true } }),
      await db.person.findUnique({ where, select: { name: true } }),
      await db.person.findUnique({ where, select: { team: true } }),
      await db.person.findUnique({ where, select: { team: { select: { secret: true } } } }),
      await db.person.findUnique({
        where,
        select: { team: { select: { pets: { select: { chip: true, owner: true } } } } },
      }),
      await db.person.findUnique({ where, select: { _count: true } }),
      await db.person.findUnique({ where, select: { _count: { select: { team: true } } } }),
      await db.person.findUnique({ where, select: { wrapper: true, boss: true, partner: true } }),
    ]
  },
  'include and omit, local and global': async (db, n) => {
    const where = await family(db, n)
    return [
      await db.person.findUnique({ where }),
      await db.person.findUnique({ where, omit: { id: true } }),
      await db.person.findUnique({ where, omit: { id: false } }),
      await db.person.findUnique({ where, omit: { id: undefined, hint: true } }),
      await db.person.findUnique({ where, omit: { secret: true, hint: true } }),
      await db.person.findUnique({ where, include: { team: true, boss: { omit: { id: true } } } }),
      await db.person.findUnique({
        where,
        include: { team: { include: { pets: { omit: { id: false } } } }, _count: true },
      }),
      await db.person.findUnique({ where, select: { team: { omit: { secret: true } } } }),
      await db.person.findUnique({
        where,
        include: { team: { where: { id: 1 } }, wrapper: false },
      }),
    ]
  },
  'what writes give back': async (db, n) => {
    const { id } = await family(db, n)
    const select = { secret: true }
    return [
      await db.person.create({ data: { id: id + 5 }, select }),
      await db.person.update({ where: { id }, data: { secret: 'x' }, select }),
      await db.person.upsert({ where: { id }, create: { id }, update: { hint: 'y' } }),
      await db.person.delete({ where: { id: id + 5 }, omit: { id: true } }),
    ]
  },
  'the fluent API': async (db, n) => {
    const where = await family(db, n)
    const { person, wrapper, pet } = db
    return [
      await person.findUnique({ where }).team(),
      await person.findUnique({ where }).team({ select: { secret: true }, orderBy: { id: 'asc' } }),
      await person.findUnique({ where }).team({ include: { pets: true } }),
      await person.findUnique({ where }).boss().team(),
      await person.findUnique({ where }).boss().boss(),
      await person.findUnique({ where }).partner(),
      await person.findUnique({ where: { id: -1 } }).team(),
      await person
        .findUnique({ where: { id: -1 } })
        .boss()
        .wrapper(),
      await person.findFirst({ where }).wrapper({ select: { data: true } }),
      await person.findUnique({ where, select: { name: true } }).wrapper(),
      await person
        .findUniqueOrThrow({ where: { id: -1 } })
        .boss()
        .catch((e: any) => e.code),
      await wrapper
        .findUnique({ where })
        .person()
        .boss({ select: { hint: true } }),
      await pet.findUnique({ where }).owner().pets(),
      await person.update({ where, data: { secret: 'u' } }).team(),
      await person.upsert({ where, create: where, update: { secret: 'v' } }).wrapper(),
      await wrapper
        .create({ data: { id: where.id + 1, person: { create: { id: where.id + 9 } } } })
        .person(),
      await wrapper.delete({ where }).person(),
    ]
  },
  'computed fields': async (db, n) => {
    const where = await family(db, n)
    const extended = db.$extends({
      result: {
        person: {
          card: { needs: { id: true, secret: true }, compute: (p: any) => `${p.id}/${p.secret}` },
          hint: { needs: { hint: true }, compute: (p: any) => p.hint?.toUpperCase() ?? 'NONE' },
          loud: { needs: { card: true }, compute: (p: any) => `${p.card}!` },
        },
        wrapper: { keys: { needs: { data: true }, compute: (w: any) => w.data?.length } },
      },
    })
    return [
      await extended.person.findUnique({ where, select: { card: true } }),
      await extended.person.findUnique({ where, select: { loud: true, name: true } }),
      await extended.person.findUnique({ where, include: { boss: true, wrapper: true } }),
      await extended.person.findUnique({ where, omit: { card: true, loud: true } }),
      await extended.person.findUnique({ where, omit: { id: true, secret: true } }),
      await extended.person.findMany({
        where,
        select: { wrapper: { select: { keys: true } }, boss: { select: { hint: true } } },
      }),
      await extended.person.findUnique({ where }).boss({ select: { card: true } }),
      await extended.person.update({ where, data: { secret: 'z' }, select: { loud: true } }),
    ]
  },
}

const RETURNING_MANY: Record<string, Scenario> = {
  'what writes of many give back': async (db, n) => {
    const { id } = await family(db, n)
    return [
      await db.person.createManyAndReturn({ data: [{ id: id + 6 }], select: { hint: true } }),
      await db.person.updateManyAndReturn({ where: { id }, data: { name: 'n' } }),
    ]
  },
}

const scenarios = (provider: Provider): Record<string, Scenario> => ({
  ...SCENARIOS,
  ...(HAS[provider].returningMany ? RETURNING_MANY : {}),
})

describeTwins('selections, sealed and plain,', { schema: zoo, scenarios })

describeTwins('selections where the client omits keys, sealed and plain,', {
  schema: zoo,
  scenarios,
  options: () => ({
    client: {
      omit: { person: { id: true }, pet: { id: true, chip: true }, wrapper: { id: true } },
    },
  }),
})

describe.each(PROVIDERS)('re-encryption of what was selected, on %s', (provider) => {
  let clinic: TestClinic
  beforeAll(async () => {
    clinic = await openClinic(provider, {
      before: (base) =>
        base.$extends({
          result: {
            patient: {
              badge: {
                needs: { id: true, email: true },
                compute: (p: any) => `${p.id} ${p.email}`,
              },
            },
          },
        }),
    })
  })
  afterAll(() => clinic.close())

  it.each([
    ['a computed field of an extension before', { select: { badge: true } }],
    ['a relation alone', { select: { visits: { select: { finding: true } } } }],
    ['an omitted key', { omit: { id: true } }],
  ])('finds the record through %s', async (_name, args) => {
    await clinic.prisma.visit.deleteMany()
    await clinic.prisma.patient.deleteMany()
    const visits = { create: { day: 1, room: 'r', finding: 'f' } }
    await clinic.prisma.patient.create({ data: { id: 'p', name: 'n', email: 'e', visits } })
    await rotate(clinic.keyring)
    const { done } = clinic.prisma.$rowseal.stats().reencryption
    const [row] = await clinic.prisma.patient.findMany(args)
    expect(Object.keys(row)).not.toContain('id')
    if ('badge' in row) expect(row.badge).toBe('p e')
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({ done: done + 1, failed: 0 })
  })
})
