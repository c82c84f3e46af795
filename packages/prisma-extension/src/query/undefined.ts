import type { FieldPlan, ModelPlan } from './compile.ts'
import {
  fieldReference,
  isAbsent,
  isDecimal,
  isPlainObject,
  isReplaced,
  isSkip,
  nullKind,
  type PlainObject,
} from './special.ts'
import { invalid } from './values.ts'

/**
 * With `strictUndefinedChecks`, an explicit `undefined` is an error to Prisma, which it finds when it
 * serialises the arguments. What a walk takes out, or puts something in the place of, it would not find.
 */

/** Is there nothing at this key of the data, so that something may be put there? An `undefined` stays for Prisma to refuse. */
export function isLeftOut({ isStrict }: ModelPlan, data: PlainObject, key: string): boolean {
  if (!Object.hasOwn(data, key)) return true
  return isStrict ? isSkip(data[key]) : isAbsent(data[key])
}

/** @throws {QueryError} `ERR_VALUE_INVALID` if a value of a sealed field is or holds an `undefined`. */
export function refuseUndefined(field: FieldPlan, value: unknown): void {
  if (holdsUndefined(value)) {
    throw invalid(field, 'holds an explicit undefined, which strictUndefinedChecks does not allow.')
  }
}

function holdsUndefined(value: unknown): boolean {
  if (value === undefined) return true
  if (Array.isArray(value)) return value.some(holdsUndefined)
  if (!isPlainObject(value) || isSkip(value) || isDecimal(value) || isReplaced(value)) return false
  if (nullKind(value) !== null || fieldReference(value) !== null) return false
  return Object.values(value).some(holdsUndefined)
}
