import { decode, indexKeyIdOf, indexValue, normalize } from '@rowseal/prisma-extension/envelope'
import type { IndexView } from '@rowseal/prisma-extension/keys'
import {
  indexStaleCondition,
  indexSwapIn,
  presentCondition,
  type IndexedColumn,
  type IndexSwap,
  type PageRow,
} from '@rowseal/prisma-extension/sql'
import type { Batch, Strategy } from '../engine/strategy.ts'
import { collect, named, open, type BadSite } from '../engine/values.ts'
import type { Target, TargetField, TargetIndex, TargetIndexColumn } from '../targets.ts'
import { duplicates, parts, type IndexChange } from './duplicates.ts'
import type { Wanted } from './rotation.ts'

/** What a pass is to make of an index. */
export interface IndexWork {
  readonly index: TargetIndex
  readonly wanted: Wanted
  /** Is every value computed anew and compared, not just its key id looked at? */
  readonly isChecked: boolean
}

/** All that is to be done for one sealed field. */
interface FieldWork {
  readonly field: TargetField
  readonly columns: readonly ColumnWork[]
  readonly isChecked: boolean
}

interface ColumnWork extends TargetIndexColumn {
  readonly index: TargetIndex
  readonly keyId: number | null
}

type Texts = (string | null)[]

/** Bring index columns to what they should be. @param target - see `Strategy`. */
export function reindexStrategy(
  model: Target,
  work: readonly IndexWork[],
  target: string,
): Strategy<IndexChange> {
  const { table } = model
  const fields = byField(work)
  const own = fields.map((field) => field.columns)
  const columns: IndexedColumn[] = fields.map(({ field, columns: indexed }) => ({
    sealed: field.column,
    indexes: indexed.map(({ column }) => column),
  }))
  return {
    target,
    columns: columns.flatMap(({ sealed, indexes }) => [sealed, ...indexes]),
    where: fields
      .map(({ field, columns: indexed, isChecked }) =>
        isChecked
          ? presentCondition([field.column, ...indexed.map(({ column }) => column)])
          : indexStaleCondition(table, field.column, indexed),
      )
      .join(' OR '),
    prepare: (rows) => prepare(fields, rows),
    write: (tx, changes) => indexSwapIn(tx, table, columns, changes),
    parts: parts(own),
    duplicates: duplicates(model, own),
  }
}

function byField(work: readonly IndexWork[]): FieldWork[] {
  return [...new Set(work.map(({ index }) => index.field))].map((field) => {
    const own = work.filter(({ index }) => index.field === field)
    return {
      field,
      isChecked: own.some(({ isChecked }) => isChecked),
      columns: own.flatMap(({ index, wanted }) =>
        index.columns.flatMap((column, slot) =>
          column === null ? [] : [{ ...column, index, keyId: wanted[slot] ?? null }],
        ),
      ),
    }
  })
}

/** The values of one field of a page: what was sealed, and what its indexes hold. */
interface Held {
  readonly sealed: string | null
  readonly old: Texts
}

function heldOf(fields: readonly FieldWork[], { values }: PageRow): Held[] {
  let at = 0
  return fields.map(({ columns }) => {
    const [sealed = null, ...old] = values.slice(at, (at += 1 + columns.length)) as Texts
    return { sealed, old }
  })
}

async function prepare(
  fields: readonly FieldWork[],
  rows: readonly PageRow[],
): Promise<Batch<IndexChange>> {
  const held = rows.map((row) => heldOf(fields, row))
  const swaps: (IndexSwap | null)[][] = held.map((row) =>
    row.map(({ sealed, old }) => {
      const isLeft = sealed === null && old.some((value) => value !== null)
      return isLeft ? { sealed, old, next: old.map(() => null) } : null
    }),
  )
  const { texts, bad } = await textsOf(fields, rows, held)
  const views = new Map<unknown, IndexView>()
  for (const { keyring } of new Set(texts.map(({ at }) => fields[at]!.field)))
    views.set(keyring, await keyring.index.view())
  for (const { row, at, text } of texts) {
    const { field, columns } = fields[at]!
    const { sealed, old } = held[row]![at]!
    const next = columns.map((column) => valueOf(views.get(field.keyring)!, column, text))
    if (next.some((value, i) => value !== old[i])) swaps[row]![at] = { sealed, old, next }
  }
  const changes = swaps.flatMap((own, row) =>
    own.some((swap) => swap !== null) ? [{ row, key: rows[row]!.key, swaps: own }] : [],
  )
  return {
    changes,
    bad: named(
      fields.map(({ field }) => field),
      bad,
    ),
  }
}

function valueOf(view: IndexView, { id, keyId, index }: ColumnWork, text: string): string | null {
  if (keyId === null) return null
  return indexValue(view.key(id, keyId), normalize(index.normalize, text))
}

interface Text {
  readonly row: number
  /** Place of the field. */
  readonly at: number
  readonly text: string
}

/** Open what indexes have to be computed from. Plaintext is taken as it is where the field allows it. */
async function textsOf(
  work: readonly FieldWork[],
  rows: readonly PageRow[],
  held: readonly (readonly Held[])[],
): Promise<{ texts: Text[]; bad: BadSite[] }> {
  const fields = work.map(({ field }) => field)
  const texts: Text[] = []
  const refused: BadSite[] = []
  const needed = rows.map(({ key, bound }, row) => ({
    key,
    bound,
    values: held[row]!.map((own, at) => (isNeeded(work[at]!, own) ? own.sealed : null)),
  }))
  const onPlain = (row: number, at: number): void => {
    const { plaintext, seal } = fields[at]!.spec
    if (plaintext === 'allow' || seal === 'off')
      texts.push({ row, at, text: needed[row]!.values[at]! })
    else refused.push({ row, field: at, code: 'ERR_PLAINTEXT_REFUSED' })
  }
  const { sites, bad } = collect(fields, needed, () => true, onPlain)
  const unopened = await open(fields, sites, ({ row, field: at }, plaintext) => {
    texts.push({ row, at, text: decode('String', plaintext, fields[at]!.label) })
  })
  return { texts, bad: [...refused, ...bad, ...unopened] }
}

function isNeeded({ isChecked, columns }: FieldWork, { sealed, old }: Held): boolean {
  if (sealed === null) return false
  const isWrong = columns.some(({ keyId }, i) => keyIdOf(old[i] ?? null) !== keyId)
  return isChecked || isWrong
}

/** NaN for what is no value of an index. */
function keyIdOf(value: string | null): number | null {
  return value === null ? null : (indexKeyIdOf(value) ?? NaN)
}
