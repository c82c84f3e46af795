/// <reference lib="es2024.string" />
// String.isWellFormed: in Node since 20.0.

/**
 * The text that stands for a column in the additional data of a value bound to it. One value has one text,
 * so it does not matter by which of its spellings a query gave it.
 *
 * @see docs/spec/envelope-v1.md#bound-columns
 */

/** What a bound column holds: Prisma's type, `Uuid` for a String that the database keeps as a UUID. */
export type BoundType = 'String' | 'Uuid' | 'Int' | 'BigInt' | 'Boolean' | 'Enum'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** What Prisma takes for a BigInt in text. */
const INTEGER = /^-?\d{1,19}$/

const TEXTS: Readonly<Record<BoundType, (value: unknown) => string | null>> = {
  String: (value) => (typeof value === 'string' && value.isWellFormed() ? value : null),
  Uuid: (value) => (typeof value === 'string' && UUID.test(value) ? value.toLowerCase() : null),
  Int: integer,
  BigInt: (value) =>
    typeof value === 'string' && INTEGER.test(value) ? String(BigInt(value)) : integer(value),
  Boolean: (value) => (typeof value === 'boolean' ? String(value) : null),
  Enum: (value) => (typeof value === 'string' && value.isWellFormed() ? value : null),
}

/** The one text of a value of a bound column; null if it is no value of this type. */
export function boundText(type: BoundType, value: unknown): string | null {
  return TEXTS[type](value)
}

function integer(value: unknown): string | null {
  if (typeof value === 'bigint') return String(value)
  // Through BigInt, so that -0 is 0.
  return Number.isSafeInteger(value) ? String(BigInt(value as number)) : null
}
