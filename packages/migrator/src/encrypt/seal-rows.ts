import { sealBytes, sealText } from '@rowseal/prisma-extension/envelope'
import {
  isList,
  type ColumnScalar,
  type ColumnValue,
  type GroupSwap,
  type GroupSwapRow,
  type PageRow,
} from '@rowseal/prisma-extension/sql'
import type { Provider } from '@rowseal/prisma-extension/plan'
import { freshDeks, type Wanted } from '../engine/deks.ts'
import type { BadValue, Batch, Change } from '../engine/strategy.ts'
import { elements } from '../engine/values.ts'
import type { FieldWork } from './fields.ts'
import { indexValues, type IndexValues } from './index-values.ts'
import { examine } from './plaintext.ts'

/** What `groupSwapIn` writes into one row: one group for each field. */
export interface EncryptChange extends Change, GroupSwapRow {}

/** The plaintext of one value (an element, for a list), and where it stands. */
interface Site extends Wanted {
  readonly work: FieldWork
  readonly element: number
  readonly bytes: Buffer
  readonly text: string | null
}

/**
 * Seal every plaintext of a page, with one fresh DEK per record and keyring, and compute what blind indexes
 * hold for it. Envelopes stay, under whatever key.
 */
export async function sealRows(
  provider: Provider,
  fields: readonly FieldWork[],
  rows: readonly PageRow[],
): Promise<Batch<EncryptChange>> {
  const { sites, bad } = collect(provider, fields, rows)
  const dekOf = await freshDeks(sites)
  const valuesOf = await indexValues(fields)
  const nexts = new Map<number, Map<FieldWork, GroupSwap>>()
  for (const site of sites) {
    const { row, work, bytes } = site
    const dek = dekOf(site)
    const seal = work.field.spec.type === 'Bytes' ? sealBytes : sealText
    const sealed = seal(dek, work.field.aad(dek.suite, rows[row]!.bound), bytes)
    bytes.fill(0)
    let swaps = nexts.get(row)
    if (swaps === undefined) nexts.set(row, (swaps = new Map<FieldWork, GroupSwap>()))
    const before = swaps.get(work) ?? unchanged(fields, work, rows[row]!)
    swaps.set(work, changed(before, site, sealed, valuesOf))
  }
  const changes = [...nexts].map(([row, swaps]) => {
    return { row, key: rows[row]!.key, swaps: fields.map((work) => swaps.get(work) ?? null) }
  })
  return { changes, bad }
}

function collect(
  provider: Provider,
  fields: readonly FieldWork[],
  rows: readonly PageRow[],
): { sites: Site[]; bad: BadValue[] } {
  const sites: Site[] = []
  const bad: BadValue[] = []
  for (const [row, { values, bound }] of rows.entries()) {
    let at = 0
    for (const work of fields) {
      const { field, group } = work
      const value = values[at] ?? null
      at += group.compared.length
      for (const [element, one] of elements(value).entries()) {
        if (one === null) continue
        const found = examine(provider, field, one)
        if (found.kind === 'sealed') continue
        const isBound = work.bound.every((place) => typeof bound[place] === 'string')
        if (found.kind === 'bad') bad.push({ row, field: field.name, code: found.code })
        else if (!isBound) bad.push({ row, field: field.name, code: 'ERR_RECORD_BINDING' })
        else sites.push({ row, work, element, keyring: field.keyring, ...found })
      }
    }
  }
  return { sites, bad }
}

/** A group as it was read, which changes nothing yet. */
function unchanged(fields: readonly FieldWork[], work: FieldWork, row: PageRow): GroupSwap {
  const before = fields.slice(0, fields.indexOf(work))
  const from = before.reduce((sum, { group }) => sum + group.compared.length, 0)
  const old = row.values.slice(from, from + work.group.compared.length)
  return { old, next: old, bound: work.bound.map((place) => row.bound[place] as string) }
}

function changed(
  swap: GroupSwap,
  { work, element, text }: Site,
  sealed: ColumnScalar,
  valuesOf: IndexValues,
): GroupSwap {
  const [held, ...indexes] = swap.next
  const value: ColumnValue = isList(held!) ? held.with(element, sealed) : sealed
  return { ...swap, next: [value, ...(text === null ? indexes : valuesOf(work, text))] }
}
