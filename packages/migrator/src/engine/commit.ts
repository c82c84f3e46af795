import type { PageRow, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { isConflict, isDuplicate } from '../database-error.ts'
import type { Checkpoint } from '../runs/checkpoint.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import type { Target } from '../targets.ts'
import { add, type PassCounts } from './counts.ts'
import type { PassJob } from './pass.ts'
import type { BadValue, Batch, Change, Duplicates, Strategy } from './strategy.ts'

/** How often a batch is tried that the database gave up to let another transaction go on. */
const MAX_TRIES = 5

/** Rows of a page that are committed together, `from` up to and without `to`. */
interface Part<C extends Change> extends Batch<C> {
  readonly from: number
  readonly to: number
  /** What a unique constraint has refused. */
  readonly refused: C | null
  /** Are the rows done with it? Else the checkpoint stays before them. */
  readonly isLast: boolean
}

/**
 * Write a batch together with the checkpoint. A unique constraint refuses the statement as a whole: then
 * the batch is halved until the row is found, which is put into quarantine, and all others are written.
 */
export async function commitBatch<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  before: Checkpoint,
  rows: readonly PageRow[],
  batch: Batch<C>,
): Promise<Checkpoint> {
  const commit = async (from: Checkpoint, part: Part<C>, tries = 1): Promise<Checkpoint> => {
    try {
      return await commitPart(job, strategy, from, rows, part)
    } catch (error) {
      if (isConflict(error) && tries < MAX_TRIES) return commit(from, part, tries + 1)
      const { duplicates } = strategy
      if (duplicates === undefined || part.changes.length === 0 || !isDuplicate(error)) throw error
      let checkpoint = from
      for (const smaller of divided(duplicates, part))
        checkpoint = await commit(checkpoint, smaller)
      return checkpoint
    }
  }
  return commit(before, { ...batch, from: 0, to: rows.length, refused: null, isLast: true })
}

function divided<C extends Change>(duplicates: Duplicates<C>, part: Part<C>): Part<C>[] {
  const { changes, bad, from, to, isLast } = part
  const [change] = changes
  const refused = null
  if (changes.length > 1) {
    const middle = Math.ceil(changes.length / 2)
    const at = changes[middle]!.row
    return [
      {
        changes: changes.slice(0, middle),
        bad: bad.filter(({ row }) => row < at),
        from,
        to: at,
        refused,
        isLast: true,
      },
      {
        changes: changes.slice(middle),
        bad: bad.filter(({ row }) => row >= at),
        from: at,
        to,
        refused,
        isLast,
      },
    ]
  }
  const pieces = duplicates.split(change!)
  if (pieces.length === 1)
    return [{ ...part, changes: [], refused: change!, bad: [...bad, duplicates.refused(change!)] }]
  return pieces.map((piece, i) => {
    const isEnd = i === pieces.length - 1
    return { changes: [piece], bad: isEnd ? bad : [], from, to, refused, isLast: isLast && isEnd }
  })
}

async function commitPart<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  before: Checkpoint,
  rows: readonly PageRow[],
  { changes, bad, from, to, refused, isLast }: Part<C>,
): Promise<Checkpoint> {
  const { store, run, target, heartbeat } = job
  let added: PassCounts = { rows: 0, superseded: 0, quarantined: countRows(bad) }
  let next = before
  let entries: Quarantined[] = []
  await store.commit(run, async (tx) => {
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
      bad: [...new Set([...before.bad, ...bad.map(({ field }) => field)])],
    }
    return next
  })
  heartbeat.touch()
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
