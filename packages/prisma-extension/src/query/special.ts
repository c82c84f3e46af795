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
  if (typeof value !== 'object' || value === null || !('ifUndefined' in value)) return false
  // A method of its class: a property of that name is the application's own.
  return typeof value.ifUndefined === 'function' && !Object.hasOwn(value, 'ifUndefined')
}

/** `{ modelName, name }` of a field reference (`prisma.user.fields.email`); null for every other value. */
export function fieldReference(value: unknown): { modelName: string; name: string } | null {
  if (typeof value !== 'object' || value === null) return null
  if (!('_toGraphQLInputType' in value)) return null
  if (typeof value._toGraphQLInputType !== 'function') return null
  return value as unknown as { modelName: string; name: string }
}

/** A decimal.js value of whichever copy of the library: what Prisma takes for one. */
export function isDecimal(value: object): value is DecimalLike {
  const { d, e, s, toFixed } = value as Record<string, unknown>
  return (
    Array.isArray(d) &&
    typeof e === 'number' &&
    typeof s === 'number' &&
    typeof toFixed === 'function'
  )
}

export type PlainObject = Record<string, unknown>

/** Does Prisma write something else in the place of this object: what `toJSON` gives, or raw parameters? */
export function isReplaced(value: PlainObject): boolean {
  return typeof value['toJSON'] === 'function' || value['__prismaRawParameters__'] === true
}

/** An object with properties: not an array, date or buffer. */
export function isPlainObject(value: unknown): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Date)
  )
}
