import { KeyError, QueryError } from '../errors.ts'
import type { FieldPlan, IndexPlan } from './compile.ts'
import { REFUSED } from './matrix.ts'
import { isAbsent, isPlainObject, isReplaced, type PlainObject } from './special.ts'

export type Clause = keyof typeof REFUSED

/** The error for a clause that names a sealed field. */
export function refusal(label: string, clause: Clause): QueryError {
  const [problem, fix] = REFUSED[clause]
  return unsupported(label, `${label} is encrypted and ${problem}.`, fix)
}

/** The error for a comparison of a sealed field that no blind index answers. */
export function comparison(label: string, operator: string, instead: string): QueryError {
  return unsupported(
    label,
    `${label} is encrypted and cannot be filtered by "${operator}".`,
    instead,
  )
}

/** The error for equality on a sealed field without a blind index that answers it. */
export function noIndex({ label, name, spec, indexes }: FieldPlan, clause: string): QueryError {
  const problem = `${label} is encrypted and cannot be looked up with ${clause}, because it has no blind index for that.`
  if (spec.type !== 'String' || spec.list) {
    const isJson = spec.type === 'Json' && !spec.list
    const nothing = `null only${isJson ? ', which is Prisma.DbNull' : ''}`
    return unsupported(label, problem, `Filter by another field, or compare it with ${nothing}.`)
  }
  const model = label.slice(0, label.indexOf('.'))
  // Beside an index of another kind, which has the plain name as a rule.
  const column = indexes.length === 0 ? `${name}Index` : `${name}LowerIndex`
  return unsupported(
    label,
    problem,
    `Add two lines to model ${model}, "/// @blindIndex(${name}${optionFor(clause)})" and "${column} String?", with @unique if it names one row and @@index([${column}]) otherwise; generate, migrate, and run \`npx rowseal reindex\`.`,
  )
}

function optionFor(clause: string): string {
  return clause.includes('insensitive') ? ', normalize: [lowercase]' : ''
}

/** The error for a look-up through an index that may not cover every row. */
export function notSearchable({ label, field }: IndexPlan): QueryError {
  return unsupported(
    field.label,
    `${field.label} cannot be looked up yet: it is not known that ${label} covers every row.`,
    'Run `npx rowseal reindex`, which fills it in and records that it is complete.',
  )
}

/** The error for a blind index named in a query. */
export function isIndexColumn({ field }: IndexPlan, column: string): QueryError {
  return unsupported(
    field.label,
    `${column} is a blind index, which Rowseal writes and searches by itself.`,
    `Name ${field.label} instead. For raw SQL there is prisma.$rowseal.index.`,
  )
}

/** The error for a value of a field whose index the key store does not know, or knows otherwise. */
export function notRegistered({ label, field }: IndexPlan): KeyError {
  return new KeyError(
    'ERR_INDEX_STATE',
    `The key store does not know the blind index ${label} as the plan has it.`,
    {
      field: field.label,
      fix: 'Run `npx rowseal init`, which registers it, or says why it cannot.',
    },
  )
}

/** The error while an index without a second column is rotated. */
export function offline({ label, field }: IndexPlan): KeyError {
  return new KeyError(
    'ERR_INDEX_STATE',
    `${field.label} cannot be written or name a row while its blind index ${label} is rotated offline.`,
    { field: field.label, fix: 'Try again when `npx rowseal reindex` has ended.', retryable: true },
  )
}

/** The error for a sealed field in a clause, in general. */
export function unsupported(field: string, message: string, fix: string): QueryError {
  return new QueryError('ERR_QUERY_UNSUPPORTED', message, { field, fix })
}

/** The error for an operation, argument or nested write that this version does not know. */
export function unknownClause(model: string, what: string, field?: string): QueryError {
  return new QueryError(
    'ERR_QUERY_UNSUPPORTED',
    `${model}: ${what} is not known to this version of Rowseal, which cannot tell if it touches encrypted fields.`,
    {
      fix: 'Check its spelling, or update @rowseal/prisma-extension.',
      ...(field === undefined ? {} : { field }),
    },
  )
}

/**
 * Prisma would print what stands at a name that it does not know.
 *
 * @throws {QueryError} `ERR_QUERY_UNSUPPORTED` for an argument that is not among those known.
 */
export function assertArguments(model: string, args: unknown, known: readonly string[]): void {
  if (!isPlainObject(args)) return
  const unknown = Object.keys(args).find((key) => !known.includes(key) && !isAbsent(args[key]))
  if (unknown !== undefined) throw unknownClause(model, `the argument "${unknown}"`)
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
