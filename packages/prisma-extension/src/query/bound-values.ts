import { boundText } from '../envelope/index.ts'
import type { BoundColumn } from '../plan/index.ts'
import { NOTHING_BOUND } from './binding.ts'
import { isFieldOf, type FieldPlan, type ModelPlan } from './compile.ts'
import { unfit } from './refuse-binding.ts'
import { isAbsent, isPlainObject, type PlainObject } from './special.ts'

/** Values of bound columns, as the text that stands for them in the additional data. */

/**
 * The text of a value to be written; null if it is none of the column's type, which Prisma will say.
 *
 * @throws {QueryError} `ERR_RECORD_BINDING` if the database may not give it back as it is.
 */
export function textToWrite(model: ModelPlan, column: string, value: unknown): string | null {
  const { type, maxChars } = boundColumn(model, column)
  const text = boundText(type, value)
  if (text === null) return null
  // SQLite gives back what stands before it, PostgreSQL refuses it.
  if (text.includes('\u0000')) throw unfit(model, column, 'holds U+0000')
  if (maxChars !== undefined && text.length > maxChars && Array.from(text).length > maxChars) {
    throw unfit(model, column, `is longer than the ${maxChars} characters of its column`)
  }
  return text
}

/**
 * What the AAD of a field's values holds of a record.
 *
 * @param record - a row of a result, or whatever else has the bound columns by name.
 * @throws {TypeError} if one of them is missing, or not of its type.
 */
export function boundIn(
  model: ModelPlan,
  field: FieldPlan,
  record: Readonly<Record<string, unknown>>,
): readonly Buffer[] {
  if (field.spec.bind.length === 0) return NOTHING_BOUND
  return field.spec.bind.map((column) => {
    const value = Object.hasOwn(record, column) ? record[column] : undefined
    const text = boundText(boundColumn(model, column).type, value)
    if (text !== null) return Buffer.from(text)
    throw new TypeError(
      `${field.label} is bound to ${column}, which is missing or has another type.`,
    )
  })
}

/** The texts of all bound columns of a record that was read. @throws {TypeError} as `boundIn`. */
export function boundTexts(
  model: ModelPlan,
  record: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const texts = Object.entries(model.source.bound).map(([column, { type }]) => {
    const text = boundText(type, record[column])
    if (text === null) throw new TypeError(`${model.name}.${column} has another type than planned.`)
    return [column, text]
  })
  return Object.fromEntries(texts) as Record<string, string>
}

/** The value, as a query takes it, that a text stands for. */
export function valueOf(model: ModelPlan, column: string, text: string): unknown {
  switch (boundColumn(model, column).type) {
    case 'Int':
      return Number(text)
    case 'BigInt':
      return BigInt(text)
    case 'Boolean':
      return text === 'true'
    default:
      return text
  }
}

/** What a `where` says that a column is equal to; null if it does not say, or not exactly. */
export function pinned(model: ModelPlan, where: unknown, column: string): string | null {
  if (!comparesExactly(model, column)) return null
  if (Array.isArray(where)) return firstOf(where, (item) => pinned(model, item, column))
  if (!isPlainObject(where)) return null
  return firstOf(Object.keys(where), (key) => {
    const value = where[key]
    if (isAbsent(value)) return null
    if (key === column) return equalTo(model, column, value)
    if (key === 'AND' && !isFieldOf(model, key)) return pinned(model, value, column)
    const isUnique = Object.hasOwn(model.source.uniques, key) || model.compounds.has(key)
    if (!isUnique || !isPlainObject(value) || !Object.hasOwn(value, column)) return null
    return equalTo(model, column, value[column])
  })
}

/** Does equality tell any two values apart? Text compares by the collation on MySQL, where 'a' may find 'A'. */
export function comparesExactly(model: ModelPlan, column: string): boolean {
  return model.provider !== 'mysql' || boundColumn(model, column).type !== 'String'
}

function equalTo(model: ModelPlan, column: string, value: unknown): string | null {
  const { type } = boundColumn(model, column)
  if (!isPlainObject(value)) return boundText(type, value)
  const isExact = Object.hasOwn(value, 'equals') && value['mode'] !== 'insensitive'
  return isExact ? boundText(type, value['equals']) : null
}

/**
 * Does a new record have what the `where` of an upsert names it by? Filters beside that do not count.
 */
export function namesCreated(model: ModelPlan, where: unknown, create: unknown): boolean {
  if (!isPlainObject(where) || !isPlainObject(create)) return false
  return Object.keys(where).every((key) => {
    const value = where[key]
    if (isAbsent(value)) return true
    if (!isPlainObject(value)) return !isColumn(model, key) || isSame(value, create[key])
    const isUnique = Object.hasOwn(model.source.uniques, key)
    return !isUnique || Object.keys(value).every((part) => isSame(value[part], create[part]))
  })
}

function isColumn(model: ModelPlan, key: string): boolean {
  return Object.hasOwn(model.source.columns, key)
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a instanceof Date && b instanceof Date && a.getTime() === b.getTime())
}

/** A condition that a bound column has this value. */
export function condition(model: ModelPlan, column: string, text: string): PlainObject {
  return { [column]: valueOf(model, column, text) }
}

/** Conditions on a bound column that no record meets. */
export function impossible(model: ModelPlan, column: string): PlainObject[] {
  // Booleans have no `in`.
  return boundColumn(model, column).type === 'Boolean'
    ? [{ [column]: true }, { [column]: false }]
    : [{ [column]: { in: [] } }]
}

function boundColumn(model: ModelPlan, column: string): BoundColumn {
  const found = model.source.bound[column]
  if (found === undefined) throw new TypeError(`${model.name}.${column} is no bound column.`)
  return found
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = find(item)
    if (found !== null) return found
  }
  return null
}
