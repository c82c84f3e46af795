import { rotate } from '../../src/keys/index.ts'
import { expect, it } from 'vitest'
import { HAS, openSealed } from './databases.ts'
import { practice, seed } from './practice.ts'
import { describeTwins, type Scenario } from './twins.ts'
import { zoo } from './zoo.ts'

const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    () => 'refused',
  )

const SCENARIOS: Record<string, Scenario> = {
  'Prisma.skip means not given, in every place': async (db, n, { skip }) => {
    const id = n * 100
    const where = { id }
    return [
      await db.person.create({
        data: { id, secret: skip, hint: 'h', boss: skip, pets: { create: { id, chip: skip } } },
        include: { pets: true, boss: skip },
      }),
      await db.person.update({ where, data: { hint: skip, name: 'n', pets: skip } }),
      await db.person.update({ where, data: { hint: { set: 'i' }, boss: { create: skip } } }),
      await db.person.update({
        where,
        data: { pets: { update: { where: { id }, data: { chip: 'c' }, extra: skip } } },
        select: { hint: true, id: skip, pets: { select: { chip: true } } },
      }),
      await db.person.findMany({ where: { id, hint: skip, OR: skip }, orderBy: skip, omit: skip }),
      await db.person.findMany({ where, orderBy: { secret: skip }, omit: { id: skip } }),
      await db.person.findMany({ where: { ...where, hint: { not: skip } }, include: skip }),
      await db.person.upsert({ where, create: { id, hint: skip }, update: { hint: skip } }),
      await db.person.count({ where: { ...where, boss: skip } }),
      await db.wrapper.create({ data: { id, data: { a: skip, b: 1 } } }),
      await failure(db.wrapper.update({ where, data: { data: [skip] } })),
      await db.blank.create({ data: skip, select: { note: true } }),
    ]
  },
  'undefined is refused wherever plain Prisma refuses it': async (db, n) => {
    const id = n * 100
    await db.person.create({ data: { id } })
    const where = { id }
    const refused = [
      db.person.create({ data: { id: id + 1, hint: undefined } }),
      db.person.update({ where, data: { secret: { set: undefined } } }),
      db.person.update({ where, data: { pets: undefined } }),
      db.person.update({ where, data: { pets: { create: undefined } } }),
      db.person.findMany({ where: { hint: undefined } }),
      db.person.findMany({ where: { boss: { hint: undefined } } }),
      db.person.findMany({ where, select: { hint: undefined } }),
      db.person.findMany({ where, include: { pets: undefined } }),
      db.person.findMany({ where, orderBy: undefined }),
    ]
    return [await Promise.all(refused.map(failure)), await db.person.count({ where })]
  },
  'relations by join and by query': async (db, n) => {
    const id = n * 100
    await db.person.create({
      data: {
        id,
        secret: 'root',
        pets: { create: [{ id, chip: 'c' }, { id: id + 1 }] },
        team: { create: { id: id + 1, hint: 'h', wrapper: { create: { id, data: { x: [1] } } } } },
        boss: { create: { id: id + 2, secret: 'ü"\\' } },
      },
    })
    const out = []
    for (const relationLoadStrategy of ['join', 'query']) {
      out.push(
        await db.person.findMany({
          where: { id },
          relationLoadStrategy,
          include: {
            pets: { orderBy: { id: 'asc' } },
            team: { include: { wrapper: true } },
            boss: { select: { secret: true } },
            _count: true,
          },
        }),
        await db.person.findUnique({
          where: { id },
          relationLoadStrategy,
          select: { team: { select: { wrapper: { select: { data: true } } } } },
        }),
        await db.person.update({
          where: { id },
          relationLoadStrategy,
          data: { hint: 'x' },
          select: { hint: true, pets: { select: { chip: true }, orderBy: { id: 'desc' } } },
        }),
      )
    }
    return out
  },
}

const PREVIEWS = ['relationJoins', 'strictUndefinedChecks']

describeTwins('preview features, sealed and plain,', {
  schema: zoo,
  scenarios: (provider) =>
    HAS[provider].joins
      ? SCENARIOS
      : Object.fromEntries(Object.entries(SCENARIOS).filter(([name]) => !name.includes('join'))),
  options: (provider) => ({
    previews: PREVIEWS.filter((name) => HAS[provider].joins || name !== 'relationJoins'),
  }),
})

it('values that came by a join are re-encrypted, bytes and lists too', async () => {
  const schema = `
model Parent {
  id    Int     @id
  parts Part[]
}
model Part {
  id       Int      @id
  /// @encrypted
  bytes    Bytes
  /// @encrypted
  json     Json
  /// @encrypted
  words    String[]
  /// @encrypted
  blobs    Bytes[]
  parentId Int
  parent   Parent   @relation(fields: [parentId], references: [id])
}`
  const { prisma, base, keyring, close } = await openSealed('postgresql', schema, {
    previews: PREVIEWS,
  })
  const part = {
    bytes: new Uint8Array([1, 255]),
    json: { a: ['ü'] },
    words: ['a', 'b'],
    blobs: [new Uint8Array([3]), new Uint8Array()],
  }
  await prisma.parent.create({ data: { id: 1, parts: { create: { id: 2, ...part } } } })
  await rotate(keyring)
  const read = (): Promise<any> =>
    prisma.parent.findFirst({ relationLoadStrategy: 'join', include: { parts: true } })
  expect((await read()).parts[0]).toMatchObject(part)
  expect(await prisma.$rowseal.flush()).toBe(true)
  expect(prisma.$rowseal.stats().reencryption).toMatchObject({ done: 1, failed: 0 })
  const stored = await base.part.findFirst()
  const id = Buffer.alloc(4)
  id.writeUInt32BE(keyring.activeKeyId!)
  expect(Buffer.from(stored.bytes).subarray(3, 7)).toEqual(id)
  for (const blob of stored.blobs) expect(Buffer.from(blob).subarray(3, 7)).toEqual(id)
  for (const text of [stored.json, ...stored.words])
    expect(text.slice(4, 12)).toBe(id.toString('hex'))
  expect((await read()).parts[0]).toMatchObject(part)
  await close()
})

it('a clause that is skipped does not get in the way of what an update takes for granted', async () => {
  const { prisma, Prisma, close } = await openSealed('sqlite', practice('sqlite'), {
    previews: ['strictUndefinedChecks'],
  })
  await seed(prisma)
  const where = { code: 'a', AND: Prisma.skip }
  const select = { notes: true }
  expect(await prisma.patient.update({ where, data: { notes: 1 }, select })).toEqual({ notes: 1 })
  const create = { code: 'a', tenantId: 1 }
  expect(await prisma.patient.upsert({ where, create, update: { notes: 2 }, select })).toEqual({
    notes: 2,
  })
  await close()
})
