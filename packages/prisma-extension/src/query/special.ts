/**
 * Prisma's special values, told apart without importing Prisma: each generated client has its own classes.
 * Observed on 6.19 and 7.10.
 */

const OBJECT_ENUM = Symbol.for('prisma.objectEnumValue')

interface ObjectEnum {
  _getName(): string
}

interface DecimalLike {
  toFixed(): string
}

/** `DbNull`, `JsonNull` or `AnyNull`; null for every other value. */
export function nullKind(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null
  const marked = OBJECT_ENUM in value || '_getName' in value
  return marked && typeof (value as ObjectEnum)._getName === 'function'
    ? (value as ObjectEnum)._getName()
    : null
}

/** Is this `undefined` or `Prisma.skip`, which both mean "not given"? */
export function isAbsent(value: unknown): boolean {
  return value === undefined || isSkip(value)
}

export function isSkip(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'ifUndefined' in value
}

/** `{ modelName, name }` of a field reference (`prisma.user.fields.email`); null for every other value. */
export function fieldReference(value: unknown): { modelName: string; name: string } | null {
  if (typeof value !== 'object' || value === null) return null
  if (!('_toGraphQLInputType' in value)) return null
  return value as unknown as { modelName: string; name: string }
}

/** A decimal.js value of whichever copy of the library. */
export function isDecimal(value: object): value is DecimalLike {
  return 'd' in value && 'e' in value && 's' in value && 'toFixed' in value
}

export type PlainObject = Record<string, unknown>

/** An object whose keys are arguments: not an array, date, buffer or special value. */
export function isPlainObject(value: unknown): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Date)
  )
}
