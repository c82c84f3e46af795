import type { FieldPlan } from './compile.ts'
import type { IndexViews } from './index-views.ts'
import { indexEntries } from './lookup.ts'
import type { WrittenRecord, SealSite, SealSites } from './sites.ts'
import { isAbsent, isPlainObject, type PlainObject } from './special.ts'
import { QueryError } from '../errors.ts'
import { invalid, isNullValue, refuseEnvelope, toPlaintext } from './values.ts'

/** The forms in which data gives the value of a sealed field: as it is, `set`, `push`, null, a list. */

export type Mode = 'create' | 'update'

/** Where values to seal are registered, and what index keys there are. */
export interface FieldWalk {
  readonly sites: SealSites
  readonly views: IndexViews
}

/** Register the value of one sealed field, in the shape its place takes, and write its blind indexes. */
export function sealField(
  { sites, views }: FieldWalk,
  record: WrittenRecord,
  field: FieldPlan,
  mode: Mode,
  out: PlainObject,
  value: unknown,
): void {
  if (field.spec.list) {
    out[field.name] = sealList(sites, record, field, mode, value)
  } else if (mode === 'update' && field.spec.type !== 'Json' && isSetOnly(value)) {
    const set = { ...value }
    out[field.name] = set
    if (isAbsent(set['set'])) return
    sealOne(sites, record, field, set, 'set', set['set'])
    writeIndexes(views, field, out, set['set'])
  } else {
    sealOne(sites, record, field, out, field.name, value)
    writeIndexes(views, field, out, value)
  }
}

/** A value that is not a text was refused already. */
function writeIndexes(views: IndexViews, field: FieldPlan, out: PlainObject, value: unknown): void {
  for (const index of field.indexes) {
    for (const [column, entry] of indexEntries(views, index, value as string | null)) {
      out[column] = entry
    }
  }
}

function sealOne(
  sites: SealSites,
  record: WrittenRecord,
  field: FieldPlan,
  target: PlainObject,
  key: string,
  value: unknown,
): void {
  if (!isNullValue(field, value)) put(sites, record, field, target, key, value)
}

/** One value that is not NULL: a site to seal, or with `seal: off` the value as it is. */
function put(
  sites: SealSites,
  record: WrittenRecord,
  field: FieldPlan,
  target: SealSite['target'],
  key: string | number,
  value: unknown,
): void {
  const plaintext = toPlaintext(field, value)
  if (field.spec.seal === 'on') sites.add(record, field, target, key, plaintext)
  else {
    refuseEnvelope(field, plaintext)
    target[key] = value
  }
}

/** `[…]`, `{ set: […] }` and, in an update, `{ push: x }`. */
function sealList(
  sites: SealSites,
  record: WrittenRecord,
  field: FieldPlan,
  mode: Mode,
  value: unknown,
): unknown {
  if (Array.isArray(value)) return sealElements(sites, record, field, value)
  const given = isPlainObject(value)
    ? Object.keys(value).filter((key) => !isAbsent(value[key]))
    : []
  const [operation] = given
  if (isPlainObject(value) && given.length === 1) {
    const operand = value[operation as string]
    // Prisma 7.10 stores the base64 text of bytes in a `set`, but not in a bare list, which means the same.
    if (operation === 'set' && Array.isArray(operand)) {
      const list = sealElements(sites, record, field, operand)
      return field.spec.type === 'Bytes' ? list : { set: list }
    }
    if (operation === 'push' && mode === 'update') return sealPush(sites, record, field, operand)
  }
  throw invalid(
    field,
    'is a list and takes a list, { set: [...] } or, in an update, { push: ... }.',
  )
}

function sealPush(
  sites: SealSites,
  record: WrittenRecord,
  field: FieldPlan,
  pushed: unknown,
): PlainObject {
  // Several values are pushed as a list, except into a Json list, where a list is one value.
  const several = Array.isArray(pushed) && field.spec.type !== 'Json'
  if (!several || (field.spec.type === 'Bytes' && pushed.length === 1)) {
    const out: PlainObject = {}
    put(sites, record, field, out, 'push', several ? pushed[0] : pushed)
    return out
  }
  if (field.spec.type !== 'Bytes') return { push: sealElements(sites, record, field, pushed) }
  throw new QueryError(
    'ERR_QUERY_UNSUPPORTED',
    `${field.label} is a list of bytes, of which Prisma 7 cannot push several at once: it would store their base64 text.`,
    { field: field.label, fix: 'Push them one at a time, or set the whole list.' },
  )
}

function sealElements(
  sites: SealSites,
  record: WrittenRecord,
  field: FieldPlan,
  values: readonly unknown[],
): unknown[] {
  const out = [...values]
  for (let i = 0; i < values.length; i++) {
    put(sites, record, field, out as never, i, values[i])
  }
  return out
}

/** In a Json field `{ set: x }` is a value, elsewhere an operation. */
function isSetOnly(value: unknown): value is PlainObject {
  return isPlainObject(value) && Object.keys(value).length === 1 && Object.hasOwn(value, 'set')
}
