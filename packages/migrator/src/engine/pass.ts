import { setImmediate as turn } from 'node:timers/promises'
import { readPage, type SqlClient } from '@rowseal/prisma-extension/sql'
import type { Checkpoint } from '../runs/checkpoint.ts'
import type { Heartbeat } from '../runs/heartbeat.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import { takenOver, type Run, type RunStore } from '../runs/store.ts'
import type { Target } from '../targets.ts'
import { commitBatch } from './commit.ts'
import type { PassCounts } from './counts.ts'
import type { Change, Strategy } from './strategy.ts'

/** What a pass needs besides what it does and where it begins. */
export interface PassJob {
  readonly client: SqlClient
  readonly store: RunStore
  readonly run: Run
  readonly heartbeat: Heartbeat
  readonly target: Target
  readonly batchRows: number
  readonly batchBytes: number
  readonly signal: AbortSignal | undefined
  /** After each commit, with what it added, the number of rows looked at, and what is in quarantine now. */
  readonly onBatch: (added: PassCounts, seen: number, bad: readonly Quarantined[]) => void
}

export interface PassResult {
  /** How it ended, an earlier run's part included. */
  readonly checkpoint: Checkpoint
  /** Did it come to the end of the table? */
  readonly isComplete: boolean
}

/**
 * One walk over the rows of a table that a strategy is about, in the order of its key:
 *
 *   read a page → prepare it → wait for the commit before → commit it with the checkpoint
 *
 * so that reading and crypto go on while the database commits. Every batch is of other rows, so the order
 * of reads and commits does not matter.
 */
export async function runPass<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  from: Checkpoint,
): Promise<PassResult> {
  const { client, target } = job
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
      const { columns, where } = strategy
      const { batchRows: maxRows, batchBytes: maxBytes } = job
      const request = { columns, after, where, maxRows, maxBytes }
      const page = await readPage(client, target.table, request)
      const last = page.rows.at(-1)
      if (last !== undefined) {
        after = last.key
        const batch = await strategy.prepare(page.rows)
        await committing
        committing = commitBatch(job, strategy, checkpoint, page.rows, batch).then((next) => {
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
    return { checkpoint, isComplete }
  } finally {
    await committing.catch(() => undefined)
  }
}
