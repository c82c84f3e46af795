import { checkOrder, rewriteCount, rewriteDistinct } from './clauses.ts'
import type { ModelPlan } from './compile.ts'
import { replace } from './copy-on-write.ts'
import { rewriteCursor } from './cursor.ts'
import { rewriteFilter, type FilterWalk } from './filter.ts'
import { OPERATIONS } from './matrix.ts'
import { assertArguments } from './refuse.ts'
import { isAbsent, isPlainObject, isSkip, type PlainObject } from './special.ts'
import { invalid } from './values.ts'

/** Fields added to a selection: hidden from the result again, at the same places. */
export interface Hidden {
  readonly fields: readonly string[]
  readonly relations: ReadonlyMap<string, Hidden>
}

/** What a walk over selections carries along. */
export interface ReadWalk extends FilterWalk {
  /** Add the primary key where a record with sealed fields is selected without it? */
  readonly wantsKeys: boolean
  /** The client's global `omit`, by Prisma's lower-camel model name. */
  readonly globalOmit: Readonly<Record<string, Readonly<Record<string, boolean>>>>
}

export interface Selection {
  readonly args: PlainObject
  readonly hidden: Hidden | null
}

/**
 * Rewrite what filters and orders within `select` and `include`, and add the columns that values are
 * bound to and the key fields that re-encryption needs to find a record again. Prisma selects the primary
 * key in SQL in any case.
 *
 * @param shown - further fields that the records must show.
 * @returns the same `args` when nothing was added.
 */
export function walkSelection(
  walk: ReadWalk,
  model: ModelPlan,
  args: PlainObject,
  shown: readonly string[] = [],
): Selection {
  const relations = new Map<string, Hidden>()
  let out = args
  for (const part of ['select', 'include', 'omit'] as const) {
    const chosen = args[part]
    if (!isPlainObject(chosen)) continue
    assertChoices(model, chosen)
    if (part === 'omit') continue
    const walked = walkRelations(walk, model, chosen, relations)
    if (walked === chosen) continue
    if (out === args) out = { ...args }
    out[part] = walked
  }
  const fields = missing(walk, model, args, wantedFields(walk, model, shown))
  if (fields.length > 0) out = withFields(out, fields)
  const hidden = fields.length > 0 || relations.size > 0 ? { fields, relations } : null
  return { args: out, hidden }
}

/** A sealed field is chosen or not: Prisma would print whatever else stands there. */
function assertChoices({ sealed }: ModelPlan, chosen: PlainObject): void {
  for (const name of Object.keys(chosen)) {
    const field = sealed.get(name)
    const value = chosen[name]
    if (field === undefined || typeof value === 'boolean' || isAbsent(value)) continue
    throw invalid(field, 'is selected or left out with true or false.')
  }
}

function walkRelations(
  walk: ReadWalk,
  model: ModelPlan,
  chosen: PlainObject,
  hidden: Map<string, Hidden>,
): PlainObject {
  let out = chosen
  for (const name of Object.keys(chosen)) {
    const value = chosen[name]
    if (name === '_count') {
      const count = rewriteCount(walk, model, value)
      if (count !== value) out = { ...out, _count: count }
      continue
    }
    const relation = model.relations.get(name)
    if (relation === undefined || !relation.reaches) continue
    if (value !== true && (!isPlainObject(value) || isAbsent(value))) continue
    const given = value === true ? {} : value
    const inner = rewriteRead(walk, relation, given)
    const walked = walkSelection(walk, relation, inner)
    if (walked.hidden !== null) hidden.set(name, walked.hidden)
    if (walked.args === given) continue
    if (out === chosen) out = { ...chosen }
    out[name] = walked.args
  }
  return out
}

const READ_ARGUMENTS = Object.keys(OPERATIONS['findMany']!.arguments)

/** The arguments that a read has below a relation. */
function rewriteRead(walk: ReadWalk, model: ModelPlan, args: PlainObject): PlainObject {
  assertArguments(model.name, args, READ_ARGUMENTS)
  checkOrder(model, args['orderBy'])
  let out: unknown = replace(args, 'where', (where) => rewriteFilter(walk, model, where))
  out = replace(out, 'cursor', (cursor) => rewriteCursor(walk, model, cursor))
  return replace(out, 'distinct', (names) => rewriteDistinct(walk, model, names)) as PlainObject
}

/**
 * The fields that opening and re-encryption need: what values are bound to, and the key. All of them,
 * whatever is selected: fields that other extensions compute may need any sealed field.
 */
function wantedFields(
  { wantsKeys }: ReadWalk,
  { source, sealed, isBound }: ModelPlan,
  shown: readonly string[],
): readonly string[] {
  const key = wantsKeys && sealed.size > 0 ? source.key : []
  if (!isBound && shown.length === 0) return key
  const bound = [...sealed.values()].flatMap(({ spec }) => spec.bind)
  return [...new Set([...key, ...bound, ...shown])]
}

/** Those of the wanted fields that the result would lack. */
function missing(
  walk: ReadWalk,
  model: ModelPlan,
  args: PlainObject,
  wanted: readonly string[],
): string[] {
  if (wanted.length === 0) return []
  const { select, omit } = args
  if (isPlainObject(select)) {
    // A selection of nothing is Prisma's error to report: adding to it would hide that.
    const isEmpty = !Object.values(select).some((value) => value !== false && !isAbsent(value))
    return isEmpty ? [] : wanted.filter((name) => select[name] !== true)
  }
  const local = isPlainObject(omit) ? omit : {}
  const global = walk.globalOmit[lowerFirst(model.name)] ?? {}
  return wanted.filter((name) => {
    // A local entry takes the place of the global one, `undefined` and `Prisma.skip` too.
    const omitted = Object.hasOwn(local, name) ? local[name] : global[name]
    return Boolean(omitted) && !isSkip(omitted)
  })
}

function withFields(args: PlainObject, fields: readonly string[]): PlainObject {
  const { select, omit } = args
  if (isPlainObject(select)) {
    return { ...args, select: { ...select, ...Object.fromEntries(fields.map((f) => [f, true])) } }
  }
  const shown = Object.fromEntries(fields.map((field) => [field, false]))
  return { ...args, omit: { ...(isPlainObject(omit) ? omit : {}), ...shown } }
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
