import type { PageRow, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { isConflict, isLockTimeout, isTimeout } from '../database-error.ts'
import { refusalOf } from '../refusals.ts'
import { addTally, type Checkpoint } from '../runs/checkpoint.ts'
import { proveBatch } from '../proof/prove.ts'
import { lostOf } from '../proof/read-back.ts'
import { Reconciliation } from '../proof/reconcile.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import type { Target } from '../targets.ts'
import { add, type PassCounts } from './counts.ts'
import { counted, divided, halved, type Slice } from './divide.ts'
import type { PassJob } from './pass.ts'
import type { BadValue, Batch, Change, Strategy } from './strategy.ts'

/** How often a batch is tried that the database gave up to let another transaction go on. Each time it is halved. */
const MAX_TRIES = 6

/**
 * Write a batch together with the checkpoint. A constraint or a trigger refuses the statement as a whole: then
 * the batch is halved until the field of the row is found, which is put into quarantine, and all else is
 * written. A batch that dead-locked or took too long is tried again in halves, a little later.
 */
export async function commitBatch<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  before: Checkpoint,
  rows: readonly PageRow[],
  batch: Batch<C>,
): Promise<Checkpoint> {
  if (job.isProved === true) await proveBatch(job.target, strategy, rows, batch)
  const reconciliation = new Reconciliation(strategy, before, rows, batch)
  const commit = async (from: Checkpoint, slice: Slice<C>, tries = 1): Promise<Checkpoint> => {
    try {
      return await commitSlice(job, strategy, from, rows, slice, reconciliation)
    } catch (error) {
      const isInTheWay = isConflict(error) || isLockTimeout(error) || isTimeout(error)
      const refusal = isInTheWay ? null : refusalOf(error, job.target.table.provider)
      if (isInTheWay && tries < MAX_TRIES) await job.pace.conflicted()
      else if (refusal === null || slice.changes.length === 0) throw error
      const next = isInTheWay ? tries + 1 : tries
      const smaller = refusal === null ? halved(slice) : divided(strategy, slice, refusal)
      let checkpoint = from
      for (const each of smaller) checkpoint = await commit(checkpoint, each, next)
      return checkpoint
    }
  }
  const all = { ...batch, from: 0, to: rows.length, refused: null, row: null, isLast: true }
  return commit(before, all)
}

async function commitSlice<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  before: Checkpoint,
  rows: readonly PageRow[],
  slice: Slice<C>,
  reconciliation: Reconciliation<C>,
): Promise<Checkpoint> {
  const { store, part, target, heartbeat } = job
  const { changes, bad, from, to, refused, isLast, tally } = slice
  let found: PassCounts = { rows: 0, superseded: 0, quarantined: countRows(bad) }
  let added = found
  let next = before
  let entries: Quarantined[] = []
  const began = performance.now()
  await store.parts.commit(part, async (tx) => {
    let lost: ReadonlySet<number> = new Set()
    if (changes.length > 0) {
      const written = await strategy.write(tx, changes)
      found = { ...found, rows: written, superseded: changes.length - written }
      const isReadBack = job.isReadBack === true || before.counts.rows === 0
      lost = await lostOf(tx, target, strategy, rows, changes, written, isReadBack)
    }
    added = counted(slice, found)
    const byField = reconciliation.tally(slice, lost)
    entries = quarantined(target, rows, bad)
    if (refused !== null) entries.push(...(await holders(tx, target, strategy, refused)))
    await store.quarantine.record(tx, entries, part.direction)
    next = {
      ...before,
      after: isLast ? rows[to - 1]!.key : before.after,
      counts: add(before.counts, added),
      tally: addTally(addTally(before.tally, tally), byField),
      bad: [...new Set([...before.bad, ...bad.map(({ field }) => field)])],
    }
    return next
  })
  if (slice.row !== null) slice.row.counts = add(slice.row.counts, added)
  heartbeat.touch()
  const ms = performance.now() - began
  job.pace.committed({ rows: changes.length, ms })
  job.onCommit?.({ pass: before.pass, ...added, ms })
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
  const { field, code } = duplicates.refused(change)!
  return (await duplicates.holders(tx, change)).map((key) => ({ model, field, key, code }))
}

/** Rows with a bad value. */
export function countRows(bad: readonly BadValue[]): number {
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
    ...new Map(
      entries.map((entry) => [`${entry.field} ${JSON.stringify(entry.key)}`, entry]),
    ).values(),
  ]
}
