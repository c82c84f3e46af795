import type { Provider } from '../client/databases.ts'
import type { Cell } from './cells.ts'

/** An example for each cell: arguments that are the same for both twins. */

type Args = Record<string, any>

export interface World {
  readonly provider: Provider
  readonly Prisma: any
  /** The client the arguments are for: field references are its own. */
  readonly db: any
}

/** What each operation is called with before the clause is put in. */
const BASE: Readonly<Record<string, () => Args>> = {
  findUnique: () => ({ where: { id: 1 } }),
  findUniqueOrThrow: () => ({ where: { id: 1 } }),
  findFirst: () => ({ orderBy: { id: 'asc' } }),
  findFirstOrThrow: () => ({ orderBy: { id: 'asc' } }),
  findMany: () => ({ orderBy: { id: 'asc' } }),
  create: () => ({ data: { id: 50, email: 'new@x' } }),
  createMany: () => ({ data: [{ id: 50, email: 'new@x' }] }),
  createManyAndReturn: () => ({ data: [{ id: 50, email: 'new@x' }] }),
  update: () => ({ where: { id: 1 }, data: { plain: 'p' } }),
  updateMany: () => ({ where: { id: { gt: 1 } }, data: { plain: 'p' } }),
  updateManyAndReturn: () => ({ where: { id: { gt: 1 } }, data: { plain: 'p' } }),
  upsert: () => ({
    where: { id: 1 },
    create: { id: 50, email: 'new@x' },
    update: { plain: 'p' },
  }),
  delete: () => ({ where: { id: 4 } }),
  deleteMany: () => ({ where: { id: { gt: 3 } } }),
  count: () => ({}),
  aggregate: () => ({ _count: true, orderBy: { id: 'asc' } }),
  groupBy: () => ({ by: ['tenantId'], _count: true, orderBy: { tenantId: 'asc' } }),
}

/** A filter for each clause; `undefined` where the database has no such thing. */
const FILTERS: Readonly<Record<string, (world: World) => Args | undefined>> = {
  shorthand: () => ({ name: 'Ann' }),
  equals: () => ({ name: { equals: 'Ann' } }),
  in: () => ({ name: { in: ['Ann', 'Zed'] } }),
  notIn: () => ({ name: { notIn: ['Bob'] } }),
  not: () => ({ name: { not: 'Bob' }, lower: { not: { equals: 'zed' } } }),
  contains: () => ({ name: { contains: 'n' } }),
  startsWith: () => ({ name: { startsWith: 'A' } }),
  endsWith: () => ({ name: { endsWith: 'n' } }),
  search: () => ({ name: { search: 'Ann' } }),
  lt: () => ({ name: { lt: 'B' } }),
  lte: () => ({ name: { lte: 'B' } }),
  gt: () => ({ name: { gt: 'A' } }),
  gte: () => ({ name: { gte: 'A' } }),
  has: (world) => listed(world, { has: 'x' }),
  hasEvery: (world) => listed(world, { hasEvery: ['x'] }),
  hasSome: (world) => listed(world, { hasSome: ['x'] }),
  isEmpty: (world) => listed(world, { isEmpty: true }),
  path: () => ({ json: { path: ['a'] } }),
  string_contains: () => ({ json: { string_contains: 'a' } }),
  string_starts_with: () => ({ json: { string_starts_with: 'a' } }),
  string_ends_with: () => ({ json: { string_ends_with: 'a' } }),
  array_contains: () => ({ json: { array_contains: [1] } }),
  array_starts_with: () => ({ json: { array_starts_with: 1 } }),
  array_ends_with: () => ({ json: { array_ends_with: 1 } }),
  null: () => ({ name: null, code: { equals: null } }),
  'not null': () => ({ name: { not: null } }),
  'mode: insensitive': ({ provider }) =>
    provider === 'postgresql' ? { lower: { equals: 'ANN', mode: 'insensitive' } } : undefined,
  'a field reference': ({ db }) => ({ name: { equals: db.person.fields.plain } }),
  'equality without an index': () => ({ secret: 's1' }),
  'an index column': () => ({ nameIndex: 'x' }),
  'AND, OR, NOT': () => ({
    OR: [{ name: 'Ann' }, { AND: [{ NOT: { email: 'b@x' } }, { code: { in: ['c2'] } }] }],
  }),
  'some, every, none': () => ({
    notes: { some: { key: 'k1' }, every: { key: { in: ['k1', 'k2'] } }, none: { key: 'k3' } },
  }),
  'is, isNot': () => ({ profile: { is: { nick: 'n1' } }, boss: { isNot: { name: 'Zed' } } }),
  'a unique field': () => ({ email: 'a@x' }),
  'a compound unique': () => ({ tenantId_code: { tenantId: 1, code: 'c1' } }),
}

function listed({ provider }: World, tags: Args): Args | undefined {
  return provider === 'postgresql' ? { tags } : undefined
}

const DATA: Readonly<Record<string, (world: World) => Args | undefined>> = {
  'a value': () => ({ name: 'New', code: 'c9', lower: 'New', secret: 's', json: [1] }),
  set: () => ({ name: { set: 'New' }, code: { set: null } }),
  push: (world) => listed(world, { push: 'z' }),
  null: () => ({ name: null, code: null }),
  'undefined and Prisma.skip': ({ Prisma }) => ({ name: undefined, code: Prisma.skip }),
  'an index column': () => ({ nameIndex: 'x' }),
  'nested create': () => ({ notes: { create: { id: 90, key: 'k9', text: 't9' } } }),
  'nested createMany': () => ({ notes: { createMany: { data: [{ id: 90, key: 'k9' }] } } }),
  'nested connectOrCreate': () => ({
    notes: {
      connectOrCreate: [
        { where: { key: 'k3' }, create: { id: 90, key: 'k3' } },
        { where: { key: 'k9' }, create: { id: 91, key: 'k9' } },
      ],
    },
  }),
  'nested connect': () => ({
    notes: { connect: [{ key: 'k3' }] },
    boss: { connect: { email: 'd@x' } },
  }),
  'nested disconnect': () => ({ notes: { disconnect: { key: 'k1' } } }),
  'nested set': () => ({ notes: { set: [{ key: 'k2' }, { key: 'k3' }] } }),
  'nested update': () => ({
    notes: { update: { where: { key: 'k1' }, data: { key: 'k9', text: null } } },
    profile: { update: { where: { nick: 'n1' }, data: { nick: 'n2' } } },
  }),
  'nested updateMany': () => ({
    notes: { updateMany: { where: { key: { not: 'k2' } }, data: { text: 't' } } },
  }),
  'nested upsert': () => ({
    notes: {
      upsert: { where: { key: 'k1' }, create: { id: 90, key: 'k1' }, update: { key: 'k8' } },
    },
    profile: { upsert: { create: { id: 9, nick: 'n9' }, update: { nick: 'n8' } } },
  }),
  'nested delete': () => ({ notes: { delete: [{ key: 'k1' }] } }),
  'nested deleteMany': () => ({ notes: { deleteMany: { key: { in: ['k1', 'k3'] } } } }),
}

const PASSED: Readonly<Record<string, unknown>> = {
  take: 2,
  skip: 1,
  limit: 1,
  skipDuplicates: true,
  relationLoadStrategy: 'join',
  _count: { name: true, id: true },
  select: { name: true, id: true },
}

/** Arguments for a cell, or undefined where the database has no such thing. */
export function exampleOf(cell: Cell, world: World): Args | undefined {
  const args = BASE[cell.operation]!()
  const put = PLACES[cell.place](cell, world, args[cell.argument])
  if (put === undefined) return undefined
  args[cell.argument] = put
  // Prisma takes either of the two.
  if (cell.argument === 'select' && cell.operation !== 'count') delete args['include']
  return args
}

type Put = (cell: Cell, world: World, given: any) => unknown

const PLACES: Readonly<Record<Cell['place'], Put>> = {
  filter: ({ clause }, world, given) => {
    const filter = FILTERS[clause]!(world)
    return filter && { ...given, ...filter }
  },
  unique: ({ clause }, world, given) => {
    const filter = FILTERS[clause]!(world)
    if (filter === undefined) return undefined
    return clause.includes('unique') ? filter : { ...given, ...filter }
  },
  cursor: ({ clause }, world) => {
    const filter = FILTERS[clause]!(world)
    return clause.includes('unique') ? filter : { id: 1, ...filter }
  },
  order: ({ clause }) => (clause === 'an index column' ? { nameIndex: 'asc' } : { name: 'asc' }),
  distinct: ({ clause }) => [DISTINCT[clause]],
  by: ({ clause }) => [clause === 'an index column' ? 'nameIndex' : 'name'],
  having: ({ clause }) => (clause === 'an index column' ? { nameIndex: 'x' } : { name: 'Ann' }),
  aggregate: ({ clause }) => ({ [clause === 'an index column' ? 'nameIndex' : 'name']: true }),
  data: ({ clause }, world, given) => {
    const data = DATA[clause]!(world)
    if (data === undefined) return undefined
    return Array.isArray(given)
      ? given.map((item) => ({ ...item, ...data }))
      : { ...given, ...data }
  },
  selection: ({ clause, argument }) => SELECTIONS[argument]![clause],
  passed: ({ argument }) => PASSED[argument],
}

const DISTINCT: Readonly<Record<string, string>> = {
  'an indexed field': 'name',
  'a field without an index': 'secret',
  'an index column': 'nameIndex',
}

const found = { where: { key: { in: ['k1', 'k3'] } }, orderBy: { id: 'asc' } }
const SELECTIONS: Readonly<Record<string, Args>> = {
  select: {
    'an encrypted field': { name: true },
    'a relation': { id: true, notes: { orderBy: { id: 'asc' } }, boss: true, _count: true },
    'a relation with where': {
      id: true,
      notes: found,
      _count: { select: { notes: { where: { key: 'k1' } } } },
    },
  },
  include: {
    'an encrypted field': { profile: true },
    'a relation': { notes: { orderBy: { id: 'asc' } }, boss: { include: { profile: true } } },
    'a relation with where': { notes: found },
  },
  omit: {
    'an encrypted field': { name: true },
    'a relation': { id: true },
    'a relation with where': { tenantId: true },
  },
}
