import type { Before } from './before.ts'
import { bindingOf, unbound, type Binding } from './binding.ts'
import { fillInRelated, related, relationsHere } from './bound-create.ts'
import { textToWrite } from './bound-values.ts'
import type { FieldPlan, ModelPlan } from './compile.ts'
import { changed, changedInMany, changedUnknown } from './refuse-binding.ts'
import { isAbsent, isPlainObject, nullKind, type PlainObject } from './special.ts'

/**
 * What the bound columns of a record will hold that a query updates: what they held before, or what the
 * query changes them to. A column changes only together with all values that are bound to it.
 *
 * @throws {QueryError} `ERR_RECORD_BINDING` if a change would leave values behind that do not open.
 */
export function bindUpdate(model: ModelPlan, given: PlainObject, before: Before): Binding {
  if (!model.isBound) return unbound(given)
  const data = fillInRelated(model, given)
  const changes = changesIn(model, data)
  for (const [column, text] of changes) {
    const isSame = assertMayChange(model, data, before, column, text)
    if (isSame) changes.delete(column)
  }
  const text = (column: string): string | null =>
    changes.has(column) ? (changes.get(column) ?? null) : before.text(column)
  // Whether records below find this one by the former value or by the new one is for Prisma to know.
  const handedDown = (column: string): string | null =>
    changes.has(column) ? null : before.text(column)
  return bindingOf(model, data, text, handedDown, before.unknown)
}

/** Bound columns that an update sets, with their new text; null if it does not say. */
function changesIn(model: ModelPlan, data: PlainObject): Map<string, string | null> {
  const changes = new Map<string, string | null>()
  for (const column of Object.keys(model.source.bound)) {
    const value = setTo(data[column])
    if (!isAbsent(value)) changes.set(column, textToWrite(model, column, value))
  }
  for (const [name, target, keys] of relationsHere(model)) {
    const write = data[name]
    if (isAbsent(write) || isOnlyUpdate(write)) continue
    for (const [key, referred] of Object.entries(keys)) {
      const text = related(target, write, referred)
      changes.set(key, changes.has(key) && changes.get(key) !== text ? null : text)
    }
  }
  return changes
}

/** `{ set: x }` sets to x. Other operations, such as `increment`, stay objects, which have no text. */
function setTo(value: unknown): unknown {
  return isPlainObject(value) && Object.keys(value).length === 1 && Object.hasOwn(value, 'set')
    ? value['set']
    : value
}

/** A nested update on the side of the foreign key leaves that key as it is. */
function isOnlyUpdate(write: unknown): boolean {
  return (
    isPlainObject(write) &&
    Object.keys(write).every((key) => key === 'update' || isAbsent(write[key]))
  )
}

/** @returns true if the column already has that value. */
function assertMayChange(
  model: ModelPlan,
  data: PlainObject,
  before: Before,
  column: string,
  text: string | null,
): boolean {
  const binders = [...model.sealed.values()].filter(({ spec }) => spec.bind.includes(column))
  if (binders.length === 0) return false
  if (text === null) throw changedUnknown(model, column)
  if (before.pinned(column) === text) return true
  const missing = binders.filter((field) => !isWhollyGiven(field, data[field.name]))
  if (missing.length === 0 && !before.isMany) return false
  const former = before.text(column)
  if (former === text || before.isAbsent) return true
  throw before.isMany ? changedInMany(model, column) : changed(model, column, missing)
}

/** Does the update leave nothing of the field's former value? A push does. */
function isWhollyGiven({ spec }: FieldPlan, value: unknown): boolean {
  if (isAbsent(value)) return false
  if (spec.list) return Array.isArray(value) || (isPlainObject(value) && !isAbsent(value['set']))
  if (spec.type === 'Json' || !isPlainObject(value) || nullKind(value) !== null) return true
  return !isAbsent(value['set'])
}
