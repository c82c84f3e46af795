import { fieldReference, isDecimal, isSkip, nullKind } from './special.ts'

/** What Prisma cannot serialise; the caller turns it into an error that names the field. */
export class NotJson extends Error {}

/**
 * The JSON text Prisma would store for a value of a Json field, so that a sealed field reads back as a
 * plain one: dates as ISO strings, bigint as a string, bytes as base64, a Decimal as a number at the top
 * and a string below, NaN as null, undefined properties dropped.
 *
 * @throws {NotJson} for a function, a symbol, a field reference, `undefined` in an array or an invalid date.
 */
export function jsonText(value: unknown): string {
  if (typeof value === 'object' && value !== null && isDecimal(value)) return value.toFixed()
  return JSON.stringify(serializable(value))
}

/** The same value if `JSON.stringify` already writes it as Prisma does, else a copy that it does. */
function serializable(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? null : object(value)
    default:
      throw new NotJson(`a value of type ${typeof value}`)
  }
}

function object(value: object): unknown {
  if (Array.isArray(value)) return array(value)
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new NotJson('an invalid date')
    return value.toISOString()
  }
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  }
  if (isDecimal(value)) return value.toFixed()
  const special = nullKind(value)
  if (special !== null) return special
  if (fieldReference(value) !== null) throw new NotJson('a reference to a field')
  if (hasToJson(value)) return serializable(value.toJSON())
  return properties(value as Record<string, unknown>)
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function'
}

function array(value: readonly unknown[]): unknown {
  let copy: unknown[] | null = null
  for (let i = 0; i < value.length; i++) {
    if (value[i] === undefined || isSkip(value[i])) throw new NotJson('undefined in an array')
    const item = serializable(value[i])
    if (item !== value[i]) (copy ??= [...value])[i] = item
  }
  return copy ?? value
}

function properties(value: Record<string, unknown>): unknown {
  const prototype: unknown = Object.getPrototypeOf(value)
  // Prisma walks inherited keys too; JSON.stringify does not.
  let copy = prototype === Object.prototype || prototype === null ? null : copyOf(value)
  for (const key in value) {
    const before = value[key]
    const after = before === undefined || isSkip(before) ? undefined : serializable(before)
    if (after !== before) define((copy ??= copyOf(value)), key, after)
  }
  return copy ?? value
}

function copyOf(value: Record<string, unknown>): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const key in value) define(copy, key, value[key])
  return copy
}

/** As an own property even for `__proto__`. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  })
}
