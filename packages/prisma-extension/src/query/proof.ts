import type { FieldPlan, ModelPlan } from './compile.ts'
import type { Current } from './current.ts'
import { isAbsent, isPlainObject, type PlainObject } from './special.ts'
import { isNullValue } from './values.ts'

/**
 * What the record of an update must hold once it is written. MySQL has no UPDATE that gives rows back: Prisma
 * looks for the record, writes it where it is still as it was read, and hands out what is there by its key. Where
 * somebody else came between, nothing was written, and nobody says so; but no two envelopes are alike.
 */
export interface Proof {
  readonly field: FieldPlan
  /** An upsert may have created the record instead. */
  readonly parts: readonly ('data' | 'create' | 'update')[]
}

/** @returns null where none is needed, or nothing sealed is written that could serve. */
export function proofOf(model: ModelPlan, current: Current, args: PlainObject): Proof | null {
  if (model.provider !== 'mysql' || current.state !== 'read') return null
  const parts = isAbsent(args['update']) ? (['data'] as const) : (['create', 'update'] as const)
  const field = [...model.sealed.values()].find((one) =>
    parts.every((part) => isSealedIn(one, args[part])),
  )
  return field === undefined ? null : { field, parts }
}

/** @param args - as they were sent. */
export function holds({ field, parts }: Proof, args: PlainObject, record: unknown): boolean {
  if (!isPlainObject(record) || !Object.hasOwn(record, field.name)) return true
  const stored = record[field.name]
  return parts.some((part) => isSame(valueIn(field, args[part]), stored))
}

/** Does an update write records beside its own, which are written in any case? */
export function hasNested(model: ModelPlan, args: PlainObject): boolean {
  const data = args['data'] ?? args['update']
  if (!isPlainObject(data)) return false
  return [...model.relations.keys()].some((name) => !isAbsent(data[name]))
}

function isSealedIn(field: FieldPlan, data: unknown): boolean {
  const value = valueIn(field, data)
  return field.spec.seal === 'on' && !isAbsent(value) && !isNullValue(field, value)
}

function valueIn({ name, spec }: FieldPlan, data: unknown): unknown {
  const given = isPlainObject(data) ? data[name] : undefined
  return spec.type !== 'Json' && isPlainObject(given) ? given['set'] : given
}

function isSame(a: unknown, b: unknown): boolean {
  const areBytes = a instanceof Uint8Array && b instanceof Uint8Array
  return areBytes ? Buffer.compare(a, b) === 0 : a === b
}
