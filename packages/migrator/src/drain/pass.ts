import { setImmediate as turn } from 'node:timers/promises'
import {
  readPage,
  staleCondition,
  swapIn,
  type PageRow,
  type SqlClient,
} from '@rowseal/prisma-extension/sql'
import type { Checkpoint } from '../runs/checkpoint.ts'
import type { Heartbeat } from '../runs/heartbeat.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import { takenOver, type Run, type RunStore } from '../runs/store.ts'
import type { Target } from '../targets.ts'
import { add, type PassCounts } from './counts.ts'
import type { BadSite } from './open-values.ts'
import { reencrypt, type Reencrypted, type StaleKeys } from './reencrypt.ts'

/** What a pass needs besides where it begins. */
export interface PassJob {
  readonly client: SqlClient
  readonly store: RunStore
  readonly run: Run
  readonly heartbeat: Heartbeat
  readonly target: Target
  readonly stale: StaleKeys
  readonly batchRows: number
  readonly batchBytes: number
  readonly signal: AbortSignal | undefined
  /** After each commit, with what it added. */
  readonly onBatch: (added: PassCounts) => void
}

export interface PassResult {
  /** Of the whole pass, an earlier run's part included. */
  readonly counts: PassCounts
  /** Did it come to the end of the table? */
  readonly isComplete: boolean
}

/**
 * One walk over the stale rows of a table, in the order of its key:
 *
 *   read a page → re-encrypt it → wait for the commit before → commit it with the checkpoint
 *
 * so that reading and crypto go on while the database commits. Every batch is of other rows, so the order
 * of reads and commits does not matter.
 */
export async function runPass(job: PassJob, from: Checkpoint): Promise<PassResult> {
  const { client, target } = job
  const where = staleWhere(target, job.stale)
  let checkpoint = from
  let after = from.after
  let isComplete = false
  let committing: Promise<void> = Promise.resolve()
  try {
    while (!isComplete) {
      // libsql works synchronously: without a turn of the event loop no signal and no timer would be heard.
      await turn()
      if (job.heartbeat.isLost) throw takenOver(job.run)
      if (job.signal?.aborted === true) break
      const { batchRows: maxRows, batchBytes: maxBytes } = job
      const columns = target.table.sealed
      const page = await readPage(client, target.table, {
        columns,
        after,
        where,
        maxRows,
        maxBytes,
      })
      const last = page.rows.at(-1)
      if (last !== undefined) {
        after = last.key
        const batch = await reencrypt(target, page.rows, job.stale)
        await committing
        committing = commit(job, checkpoint, page.rows, batch).then((next) => {
          checkpoint = next
        })
        // It is awaited later; until then it is nobody's unhandled rejection.
        committing.catch(() => undefined)
        // On libsql a client does one thing at a time.
        if (target.table.provider === 'sqlite') await committing
      }
      isComplete = page.isLast
    }
    await committing
    return { counts: checkpoint.counts, isComplete }
  } finally {
    await committing.catch(() => undefined)
  }
}

/** A condition on the rows that hold at least one stale value. */
export function staleWhere({ table, fields }: Target, stale: StaleKeys): string {
  const conditions = fields.map(({ column, keyring }) =>
    staleCondition(table, column, [...(stale.get(keyring) ?? [])]),
  )
  return conditions.join(' OR ')
}

async function commit(
  job: PassJob,
  before: Checkpoint,
  rows: readonly PageRow[],
  { swaps, bad }: Reencrypted,
): Promise<Checkpoint> {
  const { store, run, target, heartbeat } = job
  const fields = target.fields.map((field) => field.name)
  let added: PassCounts = { rows: 0, superseded: 0, quarantined: countRows(bad) }
  let after = before
  await store.commit(run, async (tx) => {
    if (swaps.length > 0) {
      const swapped = await swapIn(tx, target.table, fields, swaps)
      added = { ...added, rows: swapped, superseded: swaps.length - swapped }
    }
    await store.quarantine.record(tx, quarantined(target, rows, bad))
    after = { ...before, after: rows.at(-1)!.key, counts: add(before.counts, added) }
    return after
  })
  heartbeat.touch()
  job.onBatch(added)
  return after
}

function countRows(bad: readonly BadSite[]): number {
  return new Set(bad.map((site) => site.row)).size
}

/** One entry for each field of a row, whatever the number of its elements. */
export function quarantined(
  { model, fields }: Target,
  rows: readonly PageRow[],
  bad: readonly BadSite[],
): Quarantined[] {
  const entries = bad.map(({ row, field, code }) => ({
    model,
    field: fields[field]!.name,
    key: rows[row]!.key,
    code,
  }))
  return [
    ...new Map(entries.map((entry) => [`${entry.field} ${entry.key.join()}`, entry])).values(),
  ]
}
