/**
 * What each operation does with a clause that names an encrypted field. This table drives the walks;
 * docs/spec/query-rewriting.md is written from it, and a test goes through every cell.
 */

/** What stands at an argument, and so how it is walked. */
export type Place =
  | 'filter' // a `where` that selects rows
  | 'unique' // a `where` that names one row
  | 'cursor'
  | 'order'
  | 'distinct'
  | 'by'
  | 'having'
  | 'aggregate' // _min, _max, _sum, _avg
  | 'data' // values to write
  | 'selection'
  | 'passed' // nothing in it names a field's value

/** What Prisma gives back: records, whose fields are opened, or counts and aggregates of plain fields. */
export type Result = 'rows' | 'values'

export interface Operation {
  readonly arguments: Readonly<Record<string, Place>>
  readonly result: Result
}

const SELECTION = { select: 'selection', include: 'selection', omit: 'selection' } as const
const LOADING = { relationLoadStrategy: 'passed' } as const
const PAGE = { orderBy: 'order', cursor: 'cursor', take: 'passed', skip: 'passed' } as const
const ONE = { where: 'unique', ...SELECTION, ...LOADING } as const
const MANY = { where: 'filter', ...PAGE, distinct: 'distinct', ...SELECTION, ...LOADING } as const
const AGGREGATES = {
  _count: 'passed',
  _min: 'aggregate',
  _max: 'aggregate',
  _sum: 'aggregate',
  _avg: 'aggregate',
} as const
const CREATE = { data: 'data', skipDuplicates: 'passed' } as const
const UPDATE = { where: 'filter', data: 'data', limit: 'passed' } as const

/** Every operation Prisma 7.10 has on a SQL model, with its arguments. What is not here is refused. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  findUnique: { arguments: ONE, result: 'rows' },
  findUniqueOrThrow: { arguments: ONE, result: 'rows' },
  findFirst: { arguments: MANY, result: 'rows' },
  findFirstOrThrow: { arguments: MANY, result: 'rows' },
  findMany: { arguments: MANY, result: 'rows' },
  create: { arguments: { data: 'data', ...SELECTION, ...LOADING }, result: 'rows' },
  createMany: { arguments: CREATE, result: 'values' },
  createManyAndReturn: { arguments: { ...CREATE, ...SELECTION }, result: 'rows' },
  update: { arguments: { ...ONE, data: 'data' }, result: 'rows' },
  updateMany: { arguments: UPDATE, result: 'values' },
  updateManyAndReturn: { arguments: { ...UPDATE, ...SELECTION }, result: 'rows' },
  upsert: { arguments: { ...ONE, create: 'data', update: 'data' }, result: 'rows' },
  delete: { arguments: ONE, result: 'rows' },
  deleteMany: { arguments: { where: 'filter', limit: 'passed' }, result: 'values' },
  // The `select` of a count names fields to count.
  count: {
    arguments: { where: 'filter', ...PAGE, distinct: 'distinct', select: 'passed' },
    result: 'values',
  },
  aggregate: {
    arguments: { where: 'filter', ...PAGE, distinct: 'distinct', ...AGGREGATES },
    result: 'values',
  },
  groupBy: {
    arguments: {
      where: 'filter',
      orderBy: 'order',
      take: 'passed',
      skip: 'passed',
      by: 'by',
      having: 'having',
      ...AGGREGATES,
    },
    result: 'values',
  },
}

/** A comparison in a filter: answered by the blind index, or refused with what to do instead. */
export type Comparison = 'index' | { readonly instead: string }

const WHOLE = { instead: 'Look for whole values with equals or in, or filter after reading.' }
const RANGE = { instead: 'Keep what is compared in a plain field, or compare after reading.' }
const LIST = { instead: 'Filter by another field, or filter after reading.' }
const INSIDE = { instead: 'Keep what is looked up in a field of its own, or filter after reading.' }

/** Every comparison Prisma 7.10 has for String, Json, Bytes and lists. `null` in one goes to the sealed column. */
export const COMPARISONS: Readonly<Record<string, Comparison>> = {
  equals: 'index',
  in: 'index',
  notIn: 'index',
  not: 'index',
  contains: WHOLE,
  startsWith: WHOLE,
  endsWith: WHOLE,
  search: WHOLE,
  lt: RANGE,
  lte: RANGE,
  gt: RANGE,
  gte: RANGE,
  has: LIST,
  hasEvery: LIST,
  hasSome: LIST,
  isEmpty: LIST,
  path: INSIDE,
  string_contains: INSIDE,
  string_starts_with: INSIDE,
  string_ends_with: INSIDE,
  array_contains: INSIDE,
  array_starts_with: INSIDE,
  array_ends_with: INSIDE,
}

/** What to do instead of the other clauses that would work on ciphertext. */
export const REFUSED = {
  cursor: [
    'cannot be a cursor unless it is unique by its blind index',
    'Use a cursor over an id or another unique field.',
  ],
  orderBy: ['cannot be sorted by', 'Remove it from orderBy, or sort after reading.'],
  by: ['cannot be grouped by', 'Group after reading.'],
  having: ['cannot be used in having', 'Group and filter after reading.'],
  aggregate: ['cannot be aggregated other than counted', 'Aggregate after reading.'],
  reference: ['cannot be compared with another field', 'Compare after reading.'],
} as const

/** What a nested write holds. `unique` names rows of a list; for a single relation it is a filter. */
export type NestedPlace = 'unique' | 'filter' | 'data'

/** Every nested write Prisma 7.10 has on a relation. What is not here is refused. */
export const NESTED_WRITES = {
  create: ['data'],
  createMany: ['data'],
  connectOrCreate: ['unique', 'data'],
  connect: ['unique'],
  disconnect: ['unique'],
  set: ['unique'],
  update: ['unique', 'data'],
  updateMany: ['filter', 'data'],
  upsert: ['unique', 'data'],
  delete: ['unique'],
  deleteMany: ['filter'],
} as const satisfies Readonly<Record<string, readonly NestedPlace[]>>

/** What the objects hold in which nested writes say which records, and what to write. */
export const NESTED_ARGUMENTS = {
  createMany: ['data', 'skipDuplicates'],
  connectOrCreate: ['where', 'create'],
  update: ['where', 'data'],
  updateMany: ['where', 'data'],
  upsert: ['where', 'create', 'update'],
} as const satisfies Partial<Record<keyof typeof NESTED_WRITES, readonly string[]>>
