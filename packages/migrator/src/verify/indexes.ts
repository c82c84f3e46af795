import { indexKeyIdOf, indexValue, normalize, parseText } from '@rowseal/prisma-extension/envelope'
import type { Keyring } from '@rowseal/prisma-extension'
import type { IndexRecord, IndexView } from '@rowseal/prisma-extension/keys'
import type { PageRow } from '@rowseal/prisma-extension/sql'
import type { BadValue } from '../engine/strategy.ts'
import type { Target, TargetIndex, TargetIndexColumn } from '../targets.ts'

/** The texts of a page that were opened, by `field` and place of the row. */
export type Texts = ReadonlyMap<string, ReadonlyMap<number, string>>

export interface CheckedIndexes {
  /** Rows whose value is what the field's value says, in the order of the model's indexes. */
  readonly right: readonly number[]
  readonly bad: readonly (BadValue & { readonly index: TargetIndex })[]
}

/**
 * Compare the blind indexes of a page with what was opened. What is wrong by keys that were read before is
 * looked at again with those of now: an index may have moved on.
 *
 * @param rows - with the values of `table.sealed`, then of `table.indexes`.
 */
export async function checkIndexes(
  target: Target,
  rows: readonly PageRow[],
  texts: Texts,
): Promise<CheckedIndexes> {
  if (target.indexes.length === 0) return { right: [], bad: [] }
  const checked = await compare(target, rows, texts, false)
  return checked.bad.length === 0 ? checked : compare(target, rows, texts, true)
}

async function compare(
  target: Target,
  rows: readonly PageRow[],
  texts: Texts,
  isRead: boolean,
): Promise<CheckedIndexes> {
  const bad: CheckedIndexes['bad'][number][] = []
  const views = new Map<Keyring | null, IndexView | 'closed' | null>()
  const right: number[] = []
  for (const index of target.indexes) {
    let count = 0
    const opened = texts.get(index.field.name)
    for (const [row, page] of rows.entries()) {
      const text = opened?.get(row) ?? null
      const keyring = text === null ? null : holderOf(target, index, page)
      if (!views.has(keyring)) views.set(keyring, await viewOf(keyring, isRead))
      const view = views.get(keyring) ?? null
      if (view === 'closed') continue
      const found = check(target, index, view, page, text)
      if (found === 'right') count++
      else if (found !== null) bad.push({ row, index, ...found })
    }
    right.push(count)
  }
  return { right, bad }
}

/** Null where there is nothing to compare, or the value did not open. */
function check(
  { table }: Target,
  index: TargetIndex,
  view: IndexView | null,
  { values }: PageRow,
  text: string | null,
): 'right' | { field: string; code: string } | null {
  const record = view?.record(index.id) ?? null
  const held = ({ column }: TargetIndexColumn): string | null =>
    values[table.sealed.length + table.indexes.indexOf(column)] as string | null
  const sealed = values[table.sealed.indexOf(index.field.column)] ?? null
  const slots = index.columns.flatMap((column, slot) =>
    column === null ? [] : [{ column, slot, value: held(column) }],
  )
  const bad = (column: TargetIndexColumn, code: string): { field: string; code: string } => {
    return { field: column.name, code }
  }
  if (sealed === null) {
    const left = slots.find(({ value }) => value !== null)
    return left === undefined ? null : bad(left.column, 'ERR_INDEX_LEFT')
  }
  if (text === null) return null
  const lookup = (record?.lookup ?? 1) - 1
  for (const { column, slot, value } of slots) {
    // A column that is being filled or cleared may lack values; nobody looks there.
    if (value === null && slot === lookup) return bad(column, 'ERR_INDEX_MISSING')
    if (value === null || (slot !== lookup && record?.writes !== 'both')) continue
    if (!isRight(index, column, view, record, slot, value, text))
      return bad(column, 'ERR_INDEX_MISMATCH')
  }
  return 'right'
}

/** The keyring under whose index keys a row's value should be: that of the sealed value. */
function holderOf({ table }: Target, { field }: TargetIndex, { values }: PageRow): Keyring | null {
  const sealed = values[table.sealed.indexOf(field.column)]
  const envelope = typeof sealed === 'string' ? parseText(sealed) : null
  // Plaintext, which the field allows, tells of no tenant.
  return envelope === null ? field.values.only : field.values.holder(envelope.keyId)
}

/** Read the index keys of all keyrings that a model's indexes are under. */
export async function refreshIndexes({ indexes }: Target): Promise<void> {
  for (const { field } of indexes)
    if (field.values.only !== null) await field.values.only.index.refresh()
}

/** `closed`: of a tenant that is about to be destroyed. Nothing is looked up any more that could be wrong. */
async function viewOf(
  keyring: Keyring | null,
  isRead: boolean,
): Promise<IndexView | 'closed' | null> {
  if (keyring === null) return null
  // A tenant's are read when its first row comes.
  if ((isRead || !keyring.index.exists) && !(await keyring.index.refresh())) return null
  const isClosed = keyring.index.keys().every(({ state }) => state !== 'active')
  return isClosed ? 'closed' : keyring.index.view()
}

function isRight(
  index: TargetIndex,
  column: TargetIndexColumn,
  view: IndexView | null,
  record: IndexRecord | null,
  slot: number,
  value: string,
  text: string,
): boolean {
  const keyId = indexKeyIdOf(value)
  if (view === null || keyId === null || !keysOf(view, record, slot).includes(keyId)) return false
  return value === indexValue(view.key(column.id, keyId), normalize(index.normalize, text))
}

/** Key ids that look-ups may find a value under. */
function keysOf(
  view: IndexView,
  record: IndexRecord | null,
  slot: number,
): readonly (number | null)[] {
  if (record?.isUnique !== true) return view.live
  return record.writes === 'none' ? record.keys : [record.keys[slot] ?? null]
}
