import { COMPARISONS, NESTED_WRITES, OPERATIONS, type Place } from '../../src/query/matrix.ts'

/** One cell of the matrix: what an operation does with one clause at one of its arguments. */
export interface Cell {
  readonly operation: string
  readonly argument: string
  readonly place: Place
  readonly clause: string
  readonly treatment: Treatment
}

export type Treatment =
  | 'rewritten' // to the column of a blind index
  | 'passed' // as it is: it names no value of an encrypted field, or compares with NULL
  | 'sealed' // values are sealed, and blind indexes are written
  | 'opened' // values in the result are opened
  | 'refused' // ERR_QUERY_UNSUPPORTED

type Clauses = Readonly<Record<string, Treatment>>

const comparisons = Object.fromEntries(
  Object.entries(COMPARISONS).map(([name, treatment]): [string, Treatment] => [
    name,
    treatment === 'index' ? 'rewritten' : 'refused',
  ]),
)

const FILTERS: Clauses = {
  shorthand: 'rewritten',
  ...comparisons,
  null: 'passed',
  'not null': 'passed',
  'mode: insensitive': 'rewritten',
  'a field reference': 'refused',
  'equality without an index': 'refused',
  'an index column': 'refused',
  'AND, OR, NOT': 'rewritten',
  'some, every, none': 'rewritten',
  'is, isNot': 'rewritten',
}

const NAMES: Clauses = { 'an encrypted field': 'refused', 'an index column': 'refused' }

const nestedWrites = Object.fromEntries(
  Object.entries(NESTED_WRITES).map(([name, holds]): [string, Treatment] => [
    `nested ${name}`,
    (holds as readonly string[]).includes('data') ? 'sealed' : 'rewritten',
  ]),
)

/** The clauses that can stand at each place. */
export const CLAUSES: Readonly<Record<Place, Clauses>> = {
  filter: FILTERS,
  unique: { 'a unique field': 'rewritten', 'a compound unique': 'rewritten', ...FILTERS },
  cursor: {
    'a unique field': 'rewritten',
    'a compound unique': 'rewritten',
    shorthand: 'refused',
    equals: 'refused',
    null: 'refused',
    'AND, OR, NOT': 'refused',
    'some, every, none': 'refused',
    'an index column': 'refused',
  },
  order: NAMES,
  distinct: {
    'an indexed field': 'rewritten',
    'a field without an index': 'refused',
    'an index column': 'refused',
  },
  by: NAMES,
  having: NAMES,
  aggregate: NAMES,
  data: {
    'a value': 'sealed',
    set: 'sealed',
    push: 'sealed',
    null: 'passed',
    'undefined and Prisma.skip': 'passed',
    'an index column': 'refused',
    ...nestedWrites,
  },
  selection: {
    'an encrypted field': 'opened',
    'a relation': 'opened',
    'a relation with where': 'rewritten',
  },
  passed: { 'what it takes': 'passed' },
}

/** Every cell, in the order of the tables. */
export function cells(): Cell[] {
  return Object.entries(OPERATIONS).flatMap(([operation, row]) =>
    Object.entries(row.arguments).flatMap(([argument, place]) =>
      Object.entries(CLAUSES[place]).map(([clause, treatment]) => ({
        operation,
        argument,
        place,
        clause,
        treatment,
      })),
    ),
  )
}
