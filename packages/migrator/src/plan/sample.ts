import {
  isList,
  RawJson,
  readPage,
  type ColumnValue,
  type PageRow,
} from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import type { Change, Strategy, StrategyField } from '../engine/strategy.ts'
import { elements } from '../engine/values.ts'
import { kmsCallsOf } from '../pace/kms-calls.ts'
import type { Target, TargetField } from '../targets.ts'

const ROWS = 200
/** Each may cost two calls of a KMS, which costs money. */
const KMS_ROWS = 20
const MAX_BYTES = 8 * 1024 * 1024

/** What the first rows show that a run would be about. */
export interface Sample {
  readonly rows: number
  /** Of reading and preparing a row, when keys are in memory. */
  readonly msPerRow: number
  readonly kmsCallsPerRow: number
  /** That are made once, for keys. */
  readonly kmsCallsFirst: number
  /** In the order of the strategy's fields. */
  readonly fields: readonly SampledField[]
}

/** Of the values that would change. */
export interface SampledField {
  readonly values: number
  readonly before: number
  readonly after: number
  /** Longer than the column is declared. */
  readonly tooLong: number
}

/** Read a page and do the cryptography, twice: the first time keys are not in memory yet. Writes nothing. */
export async function sampleOf(
  { client, keyrings }: Context,
  { table, fields }: Target,
  strategy: Strategy,
): Promise<Sample | null> {
  const { columns, where, lookups = null } = strategy
  const maxRows = fields.some(isByKms) ? KMS_ROWS : ROWS
  const request = { columns, after: null, where, lookups, maxRows, maxBytes: MAX_BYTES }
  const [readMs, { rows }] = await timed(() => readPage(client, table, request))
  if (rows.length === 0) return null
  const calls = [kmsCallsOf(keyrings.values())]
  await strategy.prepare(rows)
  calls.push(kmsCallsOf(keyrings.values()))
  const [ms, { changes, kmsCalls = 0 }] = await timed(() => strategy.prepare(rows))
  calls.push(kmsCallsOf(keyrings.values()))
  const [first, second] = [calls[1]! - calls[0]!, calls[2]! - calls[1]!]
  return {
    rows: rows.length,
    msPerRow: (readMs + ms) / rows.length,
    kmsCallsPerRow: (second + kmsCalls) / rows.length,
    kmsCallsFirst: Math.max(0, first - second),
    fields: (strategy.fields ?? []).map((field) => sampledField(strategy, field, rows, changes)),
  }
}

/** Does the root key wrap the DEKs that values of a field are sealed with? */
export function isByKms({ values }: TargetField): boolean {
  const rows = values.open().flatMap((keyring) => keyring.keys())
  return rows.some(({ state, suite }) => state === 'active' && suite === 0x02)
}

function sampledField(
  { columns }: Strategy,
  field: StrategyField,
  rows: readonly PageRow[],
  changes: readonly Change[],
): SampledField {
  const sum = { values: 0, before: 0, after: 0, tooLong: 0 }
  const { maxLength } = columns[field.places[0]!]!.database
  for (const change of changes) {
    const next = field.next(change)
    if (next === null) continue
    const old = field.places.map((place) => rows[change.row]!.values[place] ?? null)
    const [before, after] = [elements(old[0] ?? null), elements(next[0] ?? null)]
    sum.values += after.filter((value, i) => value !== before[i]).length
    sum.before += sizeOf(old)
    sum.after += sizeOf(next)
    if (maxLength !== null && lengthOf(next[0] ?? null) > maxLength) sum.tooLong++
  }
  return sum
}

function sizeOf(values: readonly (ColumnValue | null)[]): number {
  return values.reduce<number>((sum, value) => {
    if (value === null) return sum
    if (isList(value)) return sum + sizeOf(value)
    if (value instanceof Uint8Array) return sum + value.byteLength
    return sum + Buffer.byteLength(value instanceof RawJson ? value.text : value)
  }, 0)
}

/** As a column counts: characters of text, or bytes. */
function lengthOf(value: ColumnValue | null): number {
  return value === null || isList(value) || value instanceof RawJson ? 0 : value.length
}

async function timed<R>(work: () => Promise<R>): Promise<[ms: number, result: R]> {
  const began = performance.now()
  const result = await work()
  return [performance.now() - began, result]
}
