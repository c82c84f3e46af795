import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  openPlain,
  openSealed,
  PROVIDERS,
  type PlainDatabase,
  type Provider,
  type SealedDatabase,
} from './databases.ts'

const schema = (provider: Provider): string => `
model Person {
  id        String  @id @default(uuid())
  /// @encrypted
  name      String? @default("none")
  /// @blindIndex(name)
  nameIndex String?
  /// @encrypted(bind: [id])
  note      String? @default("none")
  /// @encrypted
  doc       Json?
  /// @encrypted
  bin       Bytes?
  ${provider === 'postgresql' ? '/// @encrypted\n  words String[]' : ''}
  bossId    String?
  boss      Person?  @relation("boss", fields: [bossId], references: [id])
  team      Person[] @relation("boss")
}
`

type Call = (person: any, skip: unknown) => Promise<unknown>

const find =
  (where: object): Call =>
  (person) =>
    person.findMany({ where, select: { id: true }, orderBy: { id: 'asc' } })
const nothing = undefined

/** Calls in which an `undefined` stands where Rowseal rewrites something. */
const CALLS: Readonly<Record<string, Call>> = {
  'beside a comparison': find({ name: { equals: nothing, in: ['Ann'] } }),
  'beside several comparisons': find({ name: { in: ['Ann', 'Bob'], not: 'Bob', equals: nothing } }),
  'a comparison within not': find({ name: { not: { equals: nothing, in: ['Ann'] } } }),
  'a not within not': find({ name: { not: { not: nothing, in: ['Ann'] } } }),
  'beside null': find({ name: { not: { equals: null, in: nothing } } }),
  'beside null and a value': find({ name: { not: null, equals: 'Ann', in: nothing } }),
  'a mode': find({ name: { equals: 'Ann', mode: nothing } }),
  'a filter of a relation': find({ team: { some: { name: { equals: 'Bob', in: nothing } } } }),
  'a filter beside an id': (person) =>
    person.findUnique({
      where: { id: 'a', name: { equals: 'Ann', not: nothing } },
      select: { name: true },
    }),
  'a value with a default': (person) =>
    person.create({ data: { id: 'c1', name: nothing }, select: { name: true } }),
  'a value with a default among many': (person) =>
    person.createMany({ data: [{ id: 'c2' }, { id: 'c3', name: nothing }] }),
  'a value with a default in an upsert': (person) =>
    person.upsert({
      where: { id: 'c4' },
      create: { id: 'c4', note: nothing },
      update: {},
      select: { note: true },
    }),
  'a value with a default in a nested create': (person) =>
    person.update({
      where: { id: 'a' },
      data: { team: { create: { id: 'c5', name: nothing } } },
      select: { id: true },
    }),
  'an id that values are bound to': (person) =>
    person.create({ data: { id: nothing, note: 'x' }, select: { note: true } }),
  'all data': (person) => person.create({ data: nothing, select: { name: true } }),
  'a property of Json': (person) =>
    person.create({ data: { id: 'c6', doc: { a: nothing } }, select: { doc: true } }),
  'a property deep in Json': (person) =>
    person.create({ data: { id: 'c7', doc: [{ a: [{ b: nothing }] }] }, select: { doc: true } }),
  'a value to set': (person) =>
    person.update({ where: { id: 'a' }, data: { name: { set: nothing } }, select: { name: true } }),
  'a value in an update': (person) =>
    person.update({ where: { id: 'a' }, data: { bin: nothing }, select: { bin: true } }),
}
const LISTS: Readonly<Record<string, Call>> = {
  'beside a list that is set': (person) =>
    person.update({
      where: { id: 'a' },
      data: { words: { set: ['a'], push: nothing } },
      select: { words: true },
    }),
}
const callsOn = (provider: Provider): [string, Call][] =>
  Object.entries({ ...CALLS, ...(provider === 'postgresql' ? LISTS : {}) })

const MODES = PROVIDERS.flatMap((provider) => [
  { provider, title: 'strict', previews: ['strictUndefinedChecks'] },
  { provider, title: 'lenient', previews: [] },
])

describe.each(MODES)('undefined on a $title client on $provider', ({ provider, previews }) => {
  let sealed: SealedDatabase
  let plain: PlainDatabase
  const isStrict = previews.length > 0
  beforeAll(async () => {
    ;[sealed, plain] = await Promise.all([
      openSealed(provider, schema(provider), { previews }),
      openPlain(provider, schema(provider), { previews }),
    ])
    for (const { prisma } of [sealed, plain]) {
      await prisma.person.create({ data: { id: 'a', name: 'Ann' } })
      await prisma.person.create({ data: { id: 'b', name: 'Bob', bossId: 'a' } })
    }
  })
  afterAll(() => Promise.all([sealed.close(), plain.close()]))

  it.each(callsOn(provider))('%s is refused, or is as if left out', async (_, call) => {
    const outcome = ({ prisma }: any): Promise<unknown> =>
      call(prisma.person, sealed.Prisma.skip).catch((error: Error) => {
        if (!/QueryError|PrismaClientValidationError/.test(error.name)) throw error
        return 'refused'
      })
    const [actual, expected] = [await outcome(sealed), await outcome(plain)]
    expect(actual).toEqual(expected)
    if (isStrict) expect(actual).toBe('refused')
    expect(await sealed.base.person.count()).toBe(await plain.prisma.person.count())
  })

  it.runIf(isStrict)('Prisma.skip leaves out what a strict client leaves out', async () => {
    const { skip } = sealed.Prisma
    const create = (id: string): Promise<unknown> =>
      sealed.prisma.person.create({
        data: { id, name: skip, note: skip, doc: { a: skip, b: 1 } },
        select: { name: true, note: true, doc: true },
      })
    expect(await create('s1')).toEqual({ name: 'none', note: 'none', doc: { b: 1 } })
    await sealed.base.person.delete({ where: { id: 's1' } })
    const where = { name: { equals: 'Ann', not: skip } }
    expect(await sealed.prisma.person.count({ where })).toBe(1)
  })

  it.runIf(isStrict)('a toJSON of an application may leave out properties', async () => {
    const doc = { toJSON: () => ({ a: undefined, b: 1 }) }
    const { prisma } = sealed
    await prisma.person.create({ data: { id: 's2', doc } })
    const read = await prisma.person.delete({ where: { id: 's2' } })
    expect(read.doc).toEqual({ b: 1 })
  })
})
