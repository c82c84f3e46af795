import type { BoundColumn } from '../plan/index.ts'
import { bindingOf, NOTHING_GIVEN, unbound, type Binding, type Given } from './binding.ts'
import { pinned, textToWrite } from './bound-values.ts'
import type { ModelPlan } from './compile.ts'
import { Rewriting } from './copy-on-write.ts'
import { newId } from './new-id.ts'
import { isAbsent, isPlainObject, type PlainObject } from './special.ts'
import { isLeftOut } from './undefined.ts'

/** What the bound columns of a record will hold that a query creates. */
export function bindCreate(model: ModelPlan, given: PlainObject, above: Given): Binding {
  if (!model.isBound) return unbound(given)
  const data = fillIn(model, given, above)
  const text = (column: string): string | null => created(model, data, above, column)
  return bindingOf(model, data, text, text, {
    why: 'and this create does not say what that will be',
    fix: (column) => `Set ${column} directly.`,
  })
}

/** Write down the ids and defaults of bound columns that Prisma would fill in after us. */
function fillIn(model: ModelPlan, data: PlainObject, above: Given): PlainObject {
  const out = new Rewriting(data)
  for (const [column, bound] of Object.entries(model.source.bound)) {
    if (!isLeftOut(model, data, column) || above.has(column)) continue
    const value = filledIn(model, data, column, bound)
    if (value !== undefined) out.set(column, value)
  }
  return fillInRelated(model, out.result)
}

/** The same for records that a nested create makes on the other side of a foreign key, which gets their values. */
export function fillInRelated(model: ModelPlan, data: PlainObject): PlainObject {
  const out = new Rewriting(data)
  for (const [name, target] of relationsHere(model)) {
    const write = data[name]
    if (!isPlainObject(write) || !isPlainObject(write['create'])) continue
    const create = fillIn(target, write['create'], NOTHING_GIVEN)
    if (create !== write['create']) out.set(name, { ...write, create })
  }
  return out.result
}

function filledIn(
  model: ModelPlan,
  data: PlainObject,
  column: string,
  { type, generate, default: literal }: BoundColumn,
): unknown {
  if (generate !== undefined) return newId(generate)
  if (literal === undefined) return undefined
  // A relation beside a foreign key that is written out is an error to Prisma.
  const isForeignKey = relationsHere(model).some(([, , keys]) => Object.hasOwn(keys, column))
  if (isForeignKey && hasRelation(model, data)) return undefined
  return type === 'BigInt' ? BigInt(literal) : literal
}

function hasRelation(model: ModelPlan, data: PlainObject): boolean {
  return Object.entries(model.source.relations).some(
    ([name, relation]) => !relation.list && !isAbsent(data[name]),
  )
}

/** The relations of a model that set its bound foreign keys. */
export function relationsHere(
  model: ModelPlan,
): (readonly [name: string, target: ModelPlan, keys: Readonly<Record<string, string>>])[] {
  return Object.entries(model.source.relations).flatMap(([name, { boundHere }]) => {
    const target = model.relations.get(name)
    return boundHere === undefined || target === undefined
      ? []
      : [[name, target, boundHere] as const]
  })
}

/** What a column of a new record will hold; null if that is not known, or said in two ways. */
function created(model: ModelPlan, data: PlainObject, above: Given, column: string): string | null {
  const texts = [
    ...(above.has(column) ? [above.get(column)?.() ?? null] : []),
    ...(isAbsent(data[column]) ? [] : [textToWrite(model, column, data[column])]),
    ...relationsHere(model).flatMap(([name, target, keys]) => {
      const referred = keys[column]
      return referred === undefined || isAbsent(data[name])
        ? []
        : [related(target, data[name], referred)]
    }),
  ]
  return agreed(texts)
}

/**
 * The value of a column of the record that a nested write on the side of the foreign key leads to; null if
 * that is not known.
 */
export function related(target: ModelPlan, write: unknown, column: string): string | null {
  if (!isPlainObject(write)) return null
  const [operation, ...others] = Object.keys(write).filter((key) => !isAbsent(write[key]))
  if (operation === undefined || others.length > 0) return null
  const value = write[operation]
  switch (operation) {
    case 'connect':
      return pinned(target, value, column)
    case 'create':
      return createdBelow(target, value, column)
    case 'connectOrCreate':
      return isPlainObject(value)
        ? agreed([
            pinned(target, value['where'], column),
            createdBelow(target, value['create'], column),
          ])
        : null
    default:
      return null
  }
}

function createdBelow(target: ModelPlan, data: unknown, column: string): string | null {
  return isPlainObject(data) ? created(target, data, NOTHING_GIVEN, column) : null
}

/** The one text that all say; null if there is none. */
function agreed(texts: readonly (string | null)[]): string | null {
  const [first, ...others] = texts
  return first === undefined || others.some((text) => text !== first) ? null : first
}
