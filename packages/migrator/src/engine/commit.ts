import type { PageRow, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { isConflict, isDuplicate, isLockTimeout } from '../database-error.ts'
import { addTally, type Checkpoint } from '../runs/checkpoint.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import type { Target } from '../targets.ts'
import { add, type PassCounts } from './counts.ts'
import type { PassJob } from './pass.ts'
import type { BadValue, Batch, Change, Strategy } from './strategy.ts'

/** How often a batch is tried that the database gave up to let another transaction go on. Each time it is halved. */
const MAX_TRIES = 6

/** Rows of a page that are committed together, `from` up to and without `to`. */
interface Slice<C extends Change> extends Batch<C> {
  readonly from: number
  readonly to: number
  /** What a constraint has refused. */
  readonly refused: C | null
  /** Are the rows done with it? Else the checkpoint stays before them. */
  readonly isLast: boolean
}

/**
 * Write a batch together with the checkpoint. A constraint refuses the statement as a whole: then the batch
 * is halved until the row is found, which is put into quarantine, and all others are written. A batch that
 * dead-locked or took too long is tried again in halves, a little later.
 */
export async function commitBatch<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  before: Checkpoint,
  rows: readonly PageRow[],
  batch: Batch<C>,
): Promise<Checkpoint> {
  const commit = async (from: Checkpoint, slice: Slice<C>, tries = 1): Promise<Checkpoint> => {
    try {
      return await commitSlice(job, strategy, from, rows, slice)
    } catch (error) {
      const isInTheWay = isConflict(error) || isLockTimeout(error)
      if (isInTheWay && tries < MAX_TRIES) await job.pace.conflicted()
      else if (!mayBeDivided(strategy, slice, error)) throw error
      const next = isInTheWay ? tries + 1 : tries
      const smaller = isInTheWay ? halved(slice) : divided(strategy, slice)
      let checkpoint = from
      for (const each of smaller) checkpoint = await commit(checkpoint, each, next)
      return checkpoint
    }
  }
  const all = { ...batch, from: 0, to: rows.length, refused: null, isLast: true }
  return commit(before, all)
}

function mayBeDivided<C extends Change>(
  { duplicates }: Strategy<C>,
  { changes }: Slice<C>,
  error: unknown,
): boolean {
  if (changes.length === 0) return false
  return duplicates !== undefined && isDuplicate(error)
}

/** As two, or as it is if it has one change. */
function halved<C extends Change>(slice: Slice<C>): Slice<C>[] {
  const { changes, bad, from, to, isLast } = slice
  if (changes.length < 2) return [slice]
  const middle = Math.ceil(changes.length / 2)
  const at = changes[middle]!.row
  const isBefore = ({ row }: BadValue): boolean => row < at
  const refused = null
  const first = { changes: changes.slice(0, middle), bad: bad.filter(isBefore), from, to: at }
  const rest = bad.filter((value) => !isBefore(value))
  const second = { ...slice, changes: changes.slice(middle), bad: rest, from: at, to }
  return [
    { ...first, refused, isLast: true },
    { ...second, refused, isLast },
  ]
}

function divided<C extends Change>({ duplicates }: Strategy<C>, slice: Slice<C>): Slice<C>[] {
  const { changes, bad, isLast } = slice
  if (changes.length > 1) return halved(slice)
  const [change] = changes
  const pieces = duplicates!.split(change!)
  if (pieces.length === 1)
    return [
      { ...slice, changes: [], refused: change!, bad: [...bad, duplicates!.refused(change!)] },
    ]
  return pieces.map((piece, i) => {
    const isEnd = i === pieces.length - 1
    const rest = isEnd ? slice : { ...slice, bad: [], tally: {} }
    return { ...rest, changes: [piece], refused: null, isLast: isLast && isEnd }
  })
}

async function commitSlice<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  before: Checkpoint,
  rows: readonly PageRow[],
  { changes, bad, from, to, refused, isLast, tally }: Slice<C>,
): Promise<Checkpoint> {
  const { store, part, target, heartbeat } = job
  let added: PassCounts = { rows: 0, superseded: 0, quarantined: countRows(bad) }
  let next = before
  let entries: Quarantined[] = []
  const began = performance.now()
  await store.parts.commit(part, async (tx) => {
    if (changes.length > 0) {
      const written = await strategy.write(tx, changes)
      added = { ...added, rows: written, superseded: changes.length - written }
    }
    entries = quarantined(target, rows, bad)
    if (refused !== null) entries.push(...(await holders(tx, target, strategy, refused)))
    await store.quarantine.record(tx, entries)
    next = {
      ...before,
      after: isLast ? rows[to - 1]!.key : before.after,
      counts: add(before.counts, added),
      tally: addTally(before.tally, tally),
      bad: [...new Set([...before.bad, ...bad.map(({ field }) => field)])],
    }
    return next
  })
  heartbeat.touch()
  job.pace.committed({ rows: changes.length, ms: performance.now() - began })
  job.onBatch(added, isLast ? to - from : 0, entries)
  return next
}

/** Rows that have already what another one was refused. */
async function holders<C extends Change>(
  tx: SqlTransaction,
  { model }: Target,
  { duplicates }: Strategy<C>,
  change: C,
): Promise<Quarantined[]> {
  if (duplicates === undefined) return []
  const { field, code } = duplicates.refused(change)
  return (await duplicates.holders(tx, change)).map((key) => ({ model, field, key, code }))
}

function countRows(bad: readonly BadValue[]): number {
  return new Set(bad.map(({ row }) => row)).size
}

/** One entry for each field of a row, whatever the number of its elements. */
export function quarantined(
  { model }: Target,
  rows: readonly PageRow[],
  bad: readonly BadValue[],
): Quarantined[] {
  const entries = bad.map(({ row, field, code }) => ({ model, field, key: rows[row]!.key, code }))
  return [
    ...new Map(entries.map((entry) => [`${entry.field} ${entry.key.join()}`, entry])).values(),
  ]
}
