import { QueryError } from '../errors.ts'
import { isPlainObject, isReplaced, type PlainObject } from './special.ts'

/** The clauses that would work on ciphertext, with what to do instead. */
const REFUSALS = {
  where: ['cannot be filtered by', 'Filter by another field, or compare it with null only.'],
  orderBy: ['cannot be sorted by', 'Remove it from orderBy, or sort after reading.'],
  cursor: ['cannot be a cursor', 'Use a cursor over another unique field.'],
  distinct: ['cannot be used in distinct', 'Remove duplicates after reading.'],
  by: ['cannot be grouped by', 'Group after reading.'],
  having: ['cannot be used in having', 'Group and filter after reading.'],
  aggregate: ['cannot be aggregated other than counted', 'Aggregate after reading.'],
  reference: ['cannot be compared with another field', 'Compare after reading.'],
} as const

export type Clause = keyof typeof REFUSALS

/** The error for a clause that names a sealed field. */
export function refusal(label: string, clause: Clause): QueryError {
  const [problem, fix] = REFUSALS[clause]
  return new QueryError('ERR_QUERY_UNSUPPORTED', `${label} is encrypted and ${problem}.`, {
    field: label,
    fix,
  })
}

/** The error for an operation, argument or nested write that this version does not know. */
export function unknownClause(model: string, what: string): QueryError {
  return new QueryError(
    'ERR_QUERY_UNSUPPORTED',
    `${model}: ${what} is not known to this version of Rowseal, which cannot tell if it touches encrypted fields.`,
    { fix: 'Check its spelling, or update @rowseal/prisma-extension.' },
  )
}

/** The error for a name that is no field. Prisma's own would print its value, which may be a misspelt sealed field's. */
export function unknownField(model: string, name: string): QueryError {
  return new QueryError('ERR_QUERY_UNSUPPORTED', `${model} has no field "${name}".`, {
    fix: 'Check its spelling, and that the plan and the client were generated together.',
  })
}

/** The error for data that is no object. Prisma's own would print it, unsealed. */
export function notData(what: string): QueryError {
  return new QueryError('ERR_QUERY_UNSUPPORTED', `${what} must be an object.`, {
    fix: 'Pass one record as an object, and several with createMany or as a list of nested writes.',
  })
}

/**
 * Is this an object whose keys are arguments? One in whose place Prisma would send something else is
 * refused: what a walk saw would not be what the database gets.
 *
 * @throws {QueryError} `ERR_QUERY_UNSUPPORTED`
 */
export function isArguments(value: unknown): value is PlainObject {
  if (!isPlainObject(value)) return false
  if (!isReplaced(value)) return true
  throw new QueryError(
    'ERR_QUERY_UNSUPPORTED',
    'An object with a method toJSON, or with raw parameters, stands where a query names fields, so Rowseal cannot see which.',
    { fix: 'Pass a plain object, such as what its toJSON() gives.' },
  )
}
