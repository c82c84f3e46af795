import type { Keyring } from '@rowseal/prisma-extension'
import { sealBytes, sealText, type Envelope } from '@rowseal/prisma-extension/envelope'
import {
  isList,
  type ColumnScalar,
  type ColumnValue,
  type PageRow,
  type SwapRow,
} from '@rowseal/prisma-extension/sql'
import { freshDeks, type Wanted } from '../engine/deks.ts'
import type { Batch, Change, Parts, StrategyField } from '../engine/strategy.ts'
import { collect, named, open, type Site } from '../engine/values.ts'
import type { Target, TargetField } from '../targets.ts'
import type { ValueKeyring } from '../tenants.ts'

/** What `swapStatement` writes into one row. */
export interface SealedChange extends Change, SwapRow {}

/** The stale key ids of each keyring, as a pass began with them. */
export type StaleKeys = ReadonlyMap<ValueKeyring, ReadonlySet<number>>

/**
 * Open every stale value of a page and seal the same plaintext bytes again, with one fresh DEK per
 * record and keyring. Everything else in a row stays: fresh values, plaintext, values that do not open.
 */
export async function reencrypt(
  { fields }: Target,
  rows: readonly PageRow[],
  stale: StaleKeys,
): Promise<Batch<SealedChange>> {
  const isStale = (envelope: Envelope, { values }: TargetField): boolean =>
    stale.get(values)?.has(envelope.keyId) ?? false
  const { sites, bad } = collect(fields, rows, isStale)
  const wanted = (site: Site): Wanted => {
    return { keyring: holderOf(fields[site.field]!, site), row: site.row }
  }
  const dekOf = await freshDeks(sites.map(wanted))
  const sealed: { site: Site; value: ColumnScalar }[] = []
  const unopened = await open(fields, sites, (site, plaintext) => {
    const field = fields[site.field]!
    const dek = dekOf(wanted(site))
    const seal = field.spec.type === 'Bytes' ? sealBytes : sealText
    sealed.push({ site, value: seal(dek, field.aad(dek.suite, site.bound), plaintext) })
  })
  return {
    changes: swapRows(fields, rows, sealed),
    bad: named(fields, [...bad, ...unopened]),
  }
}

/** The fields of a strategy whose changes are these, and whose columns are those of the fields. */
export function sealedFields(
  fields: readonly TargetField[],
  becomes: StrategyField['becomes'],
): StrategyField<SealedChange>[] {
  return fields.map((field, at) => ({
    field,
    places: [at],
    becomes,
    next: (change) => {
      const value = change.next[at] ?? null
      return value === null ? null : [value]
    },
  }))
}

/** The keyring that a stale value is in, and stays in. */
export function holderOf({ values, label }: TargetField, { envelope }: Site): Keyring {
  const keyring = values.holder(envelope.keyId)
  if (keyring === null) throw new TypeError(`${label}: no keyring has key ${envelope.keyId}.`)
  return keyring
}

/** The changes that put each value where its envelope was read. */
export function swapRows(
  fields: readonly TargetField[],
  rows: readonly PageRow[],
  values: readonly { readonly site: Site; readonly value: ColumnScalar }[],
): SealedChange[] {
  const nexts = new Map<number, (ColumnValue | null)[]>()
  for (const { site, value } of values) {
    let next = nexts.get(site.row)
    if (next === undefined) nexts.set(site.row, (next = fields.map(() => null)))
    const held = next[site.field] ?? rows[site.row]!.values[site.field]!
    next[site.field] = isList(held) ? held.with(site.element, value) : value
  }
  return [...nexts]
    .sort(([a], [b]) => a - b)
    .map(([row, next]) => {
      const { key, values } = rows[row]!
      return { row, key, next, old: next.map((value, at) => (value === null ? null : values[at]!)) }
    })
}

/** Each field is one part. @param fields - names, in the order of a change. */
export function partsOf(fields: readonly string[]): Parts<SealedChange> {
  const places = ({ next }: SealedChange): number[] =>
    [...next.keys()].filter((at) => next[at] !== null)
  return {
    split: (change) =>
      places(change).map((at) => ({
        ...change,
        old: change.old.map((value, i) => (i === at ? value : null)),
        next: change.next.map((value, i) => (i === at ? value : null)),
      })),
    fieldOf: (change) => fields[places(change)[0]!]!,
  }
}
