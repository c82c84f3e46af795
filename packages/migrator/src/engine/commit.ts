import type { PageRow } from '@rowseal/prisma-extension/sql'
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
  return commit(before, { ...batch, from: 0, to: rows.length, isLast: true })
}

function divided<C extends Change>(duplicates: Duplicates<C>, part: Part<C>): Part<C>[] {
  const { changes, bad, from, to, isLast } = part
  const [change] = changes
  if (changes.length > 1) {
    const middle = Math.ceil(changes.length / 2)
    const at = changes[middle]!.row
    return [
      {
        changes: changes.slice(0, middle),
        bad: bad.filter(({ row }) => row < at),
        from,
        to: at,
        isLast: true,
      },
      {
        changes: changes.slice(middle),
        bad: bad.filter(({ row }) => row >= at),
        from: at,
        to,
        isLast,
      },
    ]
  }
  const pieces = duplicates.split(change!)
  if (pieces.length === 1)
    return [{ ...part, changes: [], bad: [...bad, duplicates.refused(change!)] }]
  return pieces.map((piece, i) => {
    const isEnd = i === pieces.length - 1
    return { changes: [piece], bad: isEnd ? bad : [], from, to, isLast: isLast && isEnd }
  })
}

async function commitPart<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  before: Checkpoint,
  rows: readonly PageRow[],
  { changes, bad, from, to, isLast }: Part<C>,
): Promise<Checkpoint> {
  const { store, run, target, heartbeat } = job
  let added: PassCounts = { rows: 0, superseded: 0, quarantined: countRows(bad) }
  let next = before
  await store.commit(run, async (tx) => {
    if (changes.length > 0) {
      const written = await strategy.write(tx, changes)
      added = { ...added, rows: written, superseded: changes.length - written }
    }
    await store.quarantine.record(tx, quarantined(target, rows, bad))
    next = {
      ...before,
      after: isLast ? rows[to - 1]!.key : before.after,
      counts: add(before.counts, added),
      bad: [...new Set([...before.bad, ...bad.map(({ field }) => field)])],
    }
    return next
  })
  heartbeat.touch()
  job.onBatch(added, isLast ? to - from : 0)
  return next
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
