/// <reference lib="es2024.string" />
// String.isWellFormed: in Node since 20.0.
import { indexValue, normalize } from '../envelope/index.ts'
import type { IndexView } from '../keys/index.ts'
import type { FieldPlan, IndexColumn, IndexPlan } from './compile.ts'
import type { IndexViews } from './index-views.ts'
import { notRegistered, notSearchable, offline } from './refuse.ts'
import { invalid } from './values.ts'

/** How a blind index is searched at the moment: by which column, and what a text may stand there as. */
export interface Lookup {
  readonly column: string
  /** One hash for each index key under which rows may stand: several while an index rotates. */
  readonly hashes: (text: unknown) => string[]
}

/** Normalizers after which upper and lower case are the same. */
const FOLDING: readonly string[] = ['lowercase', 'uppercase', 'email']

/**
 * The index that answers equality: the one that changes nothing if there is one, else the first.
 *
 * @param isFolding - upper and lower case must be the same to it.
 */
export function indexFor({ indexes }: FieldPlan, isFolding = false): IndexPlan | null {
  const fitting = isFolding
    ? indexes.filter(({ normalize }) => normalize.some((name) => FOLDING.includes(name)))
    : indexes
  return preferred(fitting)
}

/** Of several indexes of one field, the one that changes nothing, else the first. */
export function preferred(indexes: readonly IndexPlan[]): IndexPlan | null {
  return indexes.find(({ normalize }) => normalize.length === 0) ?? indexes[0] ?? null
}

/**
 * @throws {QueryError} `ERR_QUERY_UNSUPPORTED` if the index may not cover every row.
 * @throws {KeyError} `ERR_INDEX_STATE` if the key store says to search a column that the plan lacks.
 */
export function lookupOf(views: IndexViews, index: IndexPlan): Lookup {
  const view = views.of(index.field.keyring)
  const record = recordOf(view, index)
  if (record?.complete !== true) throw notSearchable(index)
  const column = index.columns[index.isUnique ? record.lookup - 1 : 0] ?? null
  if (column === null) throw notRegistered(index)
  const keyIds = index.isUnique
    ? record.keys.filter((_, i) => record.writes === 'none' || record.lookup === i + 1)
    : view.live
  const wanted = keyIds.filter((keyId) => keyId !== null)
  return {
    column: column.name,
    hashes: (text) => wanted.map((keyId) => hash(view, index, column, keyId, text)),
  }
}

/** As `lookupOf`, for a look-up that takes one value. @throws {KeyError} `ERR_INDEX_STATE`, retryable, while it has none. */
export function uniqueLookupOf(views: IndexViews, index: IndexPlan): Lookup {
  const record = recordOf(views.of(index.field.keyring), index)
  if (record?.writes === 'none') throw offline(index)
  return lookupOf(views, index)
}

/**
 * What a write puts into the columns of an index. Every column is written, so that none is left with the
 * hash of a former value.
 *
 * @param text - the field's new value; null leaves all of them NULL, for which no key is needed.
 * @throws {KeyError} `ERR_INDEX_STATE` if the key store does not know the index, or (retryable) while it
 * is rotated offline.
 */
export function indexEntries(
  views: IndexViews,
  index: IndexPlan,
  text: string | null,
): [column: string, value: string | null][] {
  const columns = index.columns.filter((column) => column !== null)
  if (text === null) return columns.map(({ name }) => [name, null])
  const view = views.of(index.field.keyring)
  const record = recordOf(view, index)
  if (record === null) throw notRegistered(index)
  if (record.writes === 'none') throw offline(index)
  const keyIds = index.isUnique
    ? record.keys.map((keyId, i) =>
        record.writes === 'both' || record.lookup === i + 1 ? keyId : null,
      )
    : [view.active]
  // A column that must be written and is not in the plan: the plan is older than the rotation.
  if (keyIds.some((keyId, i) => keyId !== null && index.columns[i] == null)) {
    throw notRegistered(index)
  }
  return columns.map((column, i) => {
    const keyId = keyIds[i] ?? null
    return [column.name, keyId === null ? null : hash(view, index, column, keyId, text)]
  })
}

/** The record of an index, if it is about the index that the plan has. */
function recordOf(view: IndexView, { id, normalize, isUnique }: IndexPlan) {
  const record = view.record(id)
  const isSame = record?.isUnique === isUnique && record.normalize.join() === normalize.join()
  return isSame ? record : null
}

function hash(
  view: IndexView,
  { field, normalize: names }: IndexPlan,
  column: IndexColumn,
  keyId: number,
  text: unknown,
): string {
  if (typeof text !== 'string') throw invalid(field, 'takes a string.')
  if (!text.isWellFormed()) throw invalid(field, 'cannot hold a lone surrogate.')
  return indexValue(view.key(column.id, keyId), normalize(names, text))
}
