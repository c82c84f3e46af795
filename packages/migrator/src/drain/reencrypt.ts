import type { Keyring } from '@rowseal/prisma-extension'
import { keyIdOf } from '@rowseal/prisma-extension/envelope'
import {
  isList,
  RawJson,
  type ColumnScalar,
  type ColumnValue,
  type PageRow,
  type SwapRow,
} from '@rowseal/prisma-extension/sql'
import type { Batch, Change, Parts, StrategyField } from '../engine/strategy.ts'
import { named, parse, visitValues, type BadSite, type Place } from '../engine/values.ts'
import { groupBy } from '../group-by.ts'
import type { Target, TargetField } from '../targets.ts'
import type { ValueKeyring } from '../tenants.ts'
import type { CipherThreads } from '../threads/threads.ts'
import { reencryptUnder, type Reencrypted, type StaleSite } from './under-keyring.ts'

/** What `swapStatement` writes into one row. */
export interface SealedChange extends Change, SwapRow {}

/** The stale key ids of each keyring, as a pass began with them. */
export type StaleKeys = ReadonlyMap<ValueKeyring, ReadonlySet<number>>

/**
 * Open every stale value of a page and seal the same plaintext bytes again, with one fresh DEK per
 * record and keyring. Everything else in a row stays: fresh values, plaintext, values that do not open.
 *
 * @param threads - do the cryptography. Default: the thread that asks.
 */
export async function reencrypt(
  { fields }: Target,
  rows: readonly PageRow[],
  stale: StaleKeys,
  threads?: CipherThreads,
): Promise<Batch<SealedChange>> {
  const { values, bad } = staleValues(fields, rows, stale)
  const done: Reencrypted[] = []
  const holder = ({ field, keyId }: StaleSite): Keyring => holderOf(fields[field]!, keyId)
  for (const [keyring, mine] of groupBy(values, holder))
    done.push(await reencryptUnder(keyring, fields, mine, threads))
  return {
    changes: swapRows(
      fields,
      rows,
      done.flatMap(({ sealed }) => sealed),
    ),
    bad: named(fields, [...bad, ...done.flatMap((one) => one.bad)]),
  }
}

/** What begins with a stale key id; and what would be no envelope, whatever it is under. */
function staleValues(
  fields: readonly TargetField[],
  rows: readonly PageRow[],
  stale: StaleKeys,
): { values: StaleSite[]; bad: BadSite[] } {
  const values: StaleSite[] = []
  const bad = visitValues(fields, rows, (value, row, field, element) => {
    if (value instanceof RawJson) return void parse(value)
    const keyId = keyIdOf(value)
    const isStale = keyId !== null && stale.get(fields[field]!.values)?.has(keyId) === true
    if (isStale) values.push({ row, field, element, keyId, value, bound: rows[row]!.bound })
    else parse(value)
  })
  return { values, bad }
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
export function holderOf({ values, label }: TargetField, keyId: number): Keyring {
  const keyring = values.holder(keyId)
  if (keyring === null) throw new TypeError(`${label}: no keyring has key ${keyId}.`)
  return keyring
}

/** The changes that put each value where its envelope was read. */
export function swapRows(
  fields: readonly TargetField[],
  rows: readonly PageRow[],
  values: readonly { readonly site: Place; readonly value: ColumnScalar }[],
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
