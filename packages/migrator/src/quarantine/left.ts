import { readKeyedRows, type KeyedRow, type PageRow } from '@rowseal/prisma-extension/sql'
import type { PassJob } from '../engine/pass.ts'
import type { Batch, Change, Strategy } from '../engine/strategy.ts'
import type { Target } from '../targets.ts'
import type { QuarantineEntry } from './entries.ts'

/** What records are read with that have entries. */
export type LookJob = Pick<PassJob, 'client' | 'target' | 'pace'>

/** Tells of an entry whether a strategy has anything to do with its field, or why it cannot: the code. */
export async function leftBy(
  job: LookJob,
  strategy: Strategy,
  entries: readonly QuarantineEntry[],
): Promise<(entry: QuarantineEntry) => boolean | string> {
  const keys = keysOf(entries)
  const left = new Map<string, boolean | string>()
  let at = 0
  while (at < keys.length) {
    const found = await read(job, strategy, keys.slice(at))
    const rows = metOf(found)
    if (rows.length > 0) note(strategy, rows, await strategy.prepare(rows), left)
    at += found.length
  }
  return ({ key, field }) => {
    const own = left.get(placeOf(key, field))
    // What a blind index should hold is not known before its field is good.
    return own ?? left.has(placeOf(key, ownerOf(job.target, field)))
  }
}

function note(
  { parts, columns }: Strategy,
  rows: readonly PageRow[],
  { changes, bad }: Batch<Change>,
  left: Map<string, boolean | string>,
): void {
  const at = (row: number, field: string): string => placeOf(rows[row]!.key, field)
  for (const change of changes) {
    const names = parts?.split(change).map((part) => parts.fieldOf(part))
    for (const field of names ?? columns.map((column) => column.field))
      left.set(at(change.row, field), true)
  }
  for (const { row, field, code } of bad) left.set(at(row, field), code)
}

/** The keys of the records of some entries, each once. */
export function keysOf(entries: readonly QuarantineEntry[]): (readonly string[])[] {
  return [...new Map(entries.map(({ key }) => [JSON.stringify(key), key])).values()]
}

/** The field that a blind index is of; of a field itself. */
export function ownerOf({ indexes }: Target, name: string): string {
  const index = indexes.find(({ columns }) => columns.some((column) => column?.name === name))
  return index?.field.name ?? name
}

function placeOf(key: readonly string[], field: string): string {
  return JSON.stringify([field, ...key])
}

/** Read as many of the first records as may be in memory at a time; null for one that is not there. */
export function read(
  { client, target: { table }, pace }: LookJob,
  { columns, where }: Strategy,
  keys: readonly (readonly string[])[],
): Promise<(KeyedRow | null)[]> {
  return readKeyedRows(client, table, { columns, where, maxBytes: pace.batchBytes }, keys)
}

export function metOf(found: readonly (KeyedRow | null)[]): PageRow[] {
  return found.flatMap((one) => (one?.isMet === true ? [one.row] : []))
}
