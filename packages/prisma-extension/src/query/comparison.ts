import type { FieldPlan, ModelPlan } from './compile.ts'
import type { IndexViews } from './index-views.ts'
import { indexFor, lookupOf, type Lookup } from './lookup.ts'
import { COMPARISONS } from './matrix.ts'
import { comparison, noIndex, refusal, unknownClause, unsupported } from './refuse.ts'
import { fieldReference, isAbsent, isPlainObject, nullKind, type PlainObject } from './special.ts'
import { invalid } from './values.ts'

/**
 * The filter of one sealed field, taken apart: comparisons with null stay on its own column, equality goes
 * to the column of a blind index.
 */
export interface Comparisons {
  /** For the sealed column; undefined if nothing is left there. */
  readonly sealed: unknown
  /** For the index column, all of which must hold. */
  readonly index: readonly unknown[]
  readonly column: string
}

/** `{ email: … }` of a `where`. Returns null if it compares with null only, and can stay as it is. */
export function compareSealed(
  views: IndexViews,
  model: ModelPlan,
  field: FieldPlan,
  value: unknown,
): Comparisons | null {
  if (isNull(field, value)) return null
  if (!isOperators(value)) {
    if (fieldReference(value) !== null) throw refusal(field.label, 'reference')
    const index = lookup(views, field, 'equality', false)
    const [one, ...others] = hashesOf(field, index, [value])
    return {
      sealed: undefined,
      column: index.column,
      index: [others.length === 0 ? one : { in: [one, ...others] }],
    }
  }
  const isFolding = foldsCase(model, field, value)
  const walk = new Comparing(views, field, isFolding)
  const { sealed, index, absent } = walk.operators(value, false)
  if (index.length === 0) return null
  const { column } = lookup(views, field, 'equality', isFolding)
  return { sealed: joined(sealed, absent), index, column }
}

/** The operators of one object. */
interface Operators {
  /** Comparisons with null. */
  readonly sealed: PlainObject | undefined
  readonly index: PlainObject[]
  /** Those that are `undefined`: nothing to some clients, for others to refuse. */
  readonly absent: PlainObject | undefined
}

class Comparing {
  readonly #views: IndexViews
  readonly #field: FieldPlan
  readonly #isFolding: boolean

  constructor(views: IndexViews, field: FieldPlan, isFolding: boolean) {
    this.#views = views
    this.#field = field
    this.#isFolding = isFolding
  }

  /** Every operator of one object, in which all must hold. */
  operators(filter: PlainObject, isWithinNot: boolean): Operators {
    const sealed: PlainObject = {}
    const absent: PlainObject = {}
    const index: PlainObject[] = []
    for (const operator of Object.keys(filter)) {
      const operand = filter[operator]
      if (operand === undefined) absent[operator] = operand
      if (isAbsent(operand) || (operator === 'mode' && !isWithinNot)) continue
      this.#assertKnown(operator)
      if (isNull(this.#field, operand) && (operator === 'equals' || operator === 'not')) {
        sealed[operator] = operand
      } else if (operator === 'not' && this.#field.spec.type !== 'Json' && isOperators(operand)) {
        const inner = this.operators(operand, true)
        if (inner.sealed !== undefined && inner.index.length > 0) throw this.#mixed()
        if (inner.sealed !== undefined) sealed['not'] = joined(inner.sealed, inner.absent)
        else {
          if (inner.index.length > 0) index.push({ not: merged(inner.index) ?? this.#fail() })
          if (inner.absent !== undefined) absent['not'] = inner.absent
        }
      } else index.push(this.#term(operator, operand, isWithinNot))
    }
    return { sealed: ifAny(sealed), index, absent: ifAny(absent) }
  }

  /** One comparison with values, in the form that takes all hashes they may stand as. */
  #term(operator: string, operand: unknown, isWithinNot: boolean): PlainObject {
    const field = this.#field
    if (fieldReference(operand) !== null) throw refusal(field.label, 'reference')
    // First of all: without an index every form of value is refused alike.
    const index = lookup(this.#views, field, `"${operator}"`, this.#isFolding)
    const isList = operator === 'in' || operator === 'notIn'
    if (isList !== Array.isArray(operand)) {
      throw invalid(field, `takes ${isList ? 'a list' : 'one value'} in "${operator}".`)
    }
    const values = isList ? (operand as unknown[]) : [operand]
    const hashes = hashesOf(field, index, values)
    if (isList) return { [operator]: hashes }
    if (hashes.length === 1) return { [operator]: hashes[0] }
    // Prisma undoes a `notIn` within a `not`, but not another `not`.
    if (operator === 'not' && isWithinNot) this.#fail()
    return { [operator === 'not' ? 'notIn' : 'in']: hashes }
  }

  #assertKnown(operator: string): void {
    const { label } = this.#field
    const treatment = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined
    if (treatment === undefined) throw unknownClause(label, `the comparison "${operator}"`, label)
    if (treatment !== 'index') throw comparison(label, operator, treatment.instead)
  }

  #mixed(): Error {
    const { label } = this.#field
    return unsupported(
      label,
      `${label} is encrypted, and one "not" cannot compare it with null and with a value.`,
      'Write two conditions, joined with AND or OR.',
    )
  }

  #fail(): never {
    const { label } = this.#field
    throw unsupported(
      label,
      `${label} is encrypted, and its index is being rotated, while one "not" holds several comparisons.`,
      'Write the comparisons as conditions of their own, joined with AND or OR.',
    )
  }
}

function ifAny(operators: PlainObject): PlainObject | undefined {
  return Object.keys(operators).length > 0 ? operators : undefined
}

function joined(a: PlainObject | undefined, b: PlainObject | undefined): PlainObject | undefined {
  return a === undefined || b === undefined ? (a ?? b) : { ...a, ...b }
}

/** One object of several whose operators differ; null if two have the same. */
function merged(parts: readonly PlainObject[]): PlainObject | null {
  const out: PlainObject = {}
  for (const part of parts) {
    for (const key of Object.keys(part)) {
      if (Object.hasOwn(out, key)) return null
      out[key] = part[key]
    }
  }
  return out
}

function hashesOf(field: FieldPlan, { hashes }: Lookup, values: readonly unknown[]): string[] {
  return values.flatMap((value) => {
    if (fieldReference(value) !== null) throw refusal(field.label, 'reference')
    return hashes(value)
  })
}

function lookup(views: IndexViews, field: FieldPlan, clause: string, isFolding: boolean): Lookup {
  const index = indexFor(field, isFolding)
  if (index !== null) return lookupOf(views, index)
  throw noIndex(field, isFolding ? `${clause} and mode: 'insensitive'` : clause)
}

/** `mode: 'insensitive'` needs an index to which upper and lower case are the same. */
function foldsCase({ provider }: ModelPlan, field: FieldPlan, filter: PlainObject): boolean {
  const { mode } = filter
  if (isAbsent(mode)) return false
  if (provider === 'postgresql' && (mode === 'default' || mode === 'insensitive')) {
    return mode === 'insensitive'
  }
  throw invalid(
    field,
    `does not take this "mode"${provider === 'postgresql' ? '' : ', which is for PostgreSQL'}.`,
  )
}

function isNull(field: FieldPlan, value: unknown): boolean {
  return field.spec.type === 'Json' ? nullKind(value) === 'DbNull' : value === null
}

/** An object of operators: not a special value or a reference. Within a comparison of Json it is a value. */
function isOperators(value: unknown): value is PlainObject {
  return isPlainObject(value) && nullKind(value) === null && fieldReference(value) === null
}
