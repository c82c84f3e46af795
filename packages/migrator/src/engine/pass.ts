import { setImmediate as turn } from 'node:timers/promises'
import {
  RawJson,
  readPage,
  type ColumnValue,
  type Page,
  type SqlClient,
} from '@rowseal/prisma-extension/sql'
import type { Checkpoint } from '../runs/checkpoint.ts'
import type { Heartbeat } from '../runs/heartbeat.ts'
import { takenOver } from '../runs/errors.ts'
import type { Part } from '../runs/parts.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import type { RunStore } from '../runs/store.ts'
import type { Observer } from '../observe/observer.ts'
import type { Pace } from '../pace/pace.ts'
import type { Target } from '../targets.ts'
import { commitBatch } from './commit.ts'
import { Commits } from './commits.ts'
import type { Control } from './control.ts'
import type { PassCounts } from './counts.ts'
import type { Change, Strategy } from './strategy.ts'

/** A page that waits longer for its commit, as in a pause or behind a lock, is prepared again. */
const MAX_PREPARED_MS = 5_000

/** What a pass needs besides what it does and where it begins. */
export interface PassJob {
  readonly client: SqlClient
  readonly store: RunStore
  readonly part: Part
  readonly heartbeat: Heartbeat
  readonly control: Control
  readonly pace: Pace
  readonly target: Target
  readonly signal: AbortSignal | undefined
  /** Is every value opened again before its write is committed? */
  readonly isProved?: boolean
  /** Is every row read again after it was written? Else only the first ones of each pass. */
  readonly isReadBack?: boolean
  /** After each commit, for whoever measures. Must not throw. */
  readonly onCommit?: Observer['committed']
  /** After each commit, with what it added, the number of rows looked at, and what is in quarantine now. */
  readonly onBatch: (added: PassCounts, seen: number, bad: readonly Quarantined[]) => void
}

export interface PassResult {
  /** How it ended, an earlier worker's part included. */
  readonly checkpoint: Checkpoint
  /** Did it come to the end of its range? */
  readonly isComplete: boolean
}

/**
 * One walk over the rows of a range that a strategy is about, in the order of their keys:
 *
 *   ask whether it may go on → read a page → prepare it → ask again → commit it with the checkpoint
 *
 * and the next page is read and prepared while this one is prepared and committed (`Commits`). Every batch is of other rows, so the order
 * of reads and commits does not matter.
 */
export async function runPass<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  from: Checkpoint,
): Promise<PassResult> {
  let checkpoint = from
  let after = from.after ?? job.part.range.after
  let isComplete = false
  let isEnded = false as boolean
  // Where many rows are stale a pass walks along the key, to its end.
  let { lookups = null } = strategy
  const commits = new Commits(job.target.table.provider === 'sqlite')
  try {
    while (!isComplete && !isEnded && (await mayGoOn(job))) {
      const page = await pageAfter(job, { ...strategy, lookups }, after)
      if (!page.isLookedUp) lookups = null
      const last = page.rows.at(-1)
      if (last !== undefined) {
        after = last.key
        const preparing = strategy.prepare(page.rows)
        // Its commit awaits it.
        preparing.catch(() => undefined)
        if (job.pace.hasKmsCap) await preparing
        job.pace.spent({ rows: page.rows.length, bytes: bytesOf(page) })
        const prepared = performance.now()
        await commits.add(async () => {
          // What an operator has said since holds for a page that was read before, too.
          if (isEnded || !(await job.control.mayWrite())) {
            isEnded = true
            return
          }
          // The key that sealed it may have been replaced since.
          const isOld = performance.now() - prepared > MAX_PREPARED_MS
          const batch = await (isOld ? strategy.prepare(page.rows) : preparing)
          checkpoint = await commitBatch(job, strategy, checkpoint, page.rows, batch)
        })
      }
      isComplete = page.isLast
    }
    await commits.finish()
    return { checkpoint, isComplete: isComplete && !isEnded }
  } catch (error) {
    // The batch in hand of a run that an operator has cancelled is rolled back.
    if (await job.control.explains(error)) return { checkpoint, isComplete: false }
    throw error
  } finally {
    await commits.abandon()
  }
}

/** Waits while the run is paused or has to. @returns false if it is to end. */
export async function mayGoOn({
  heartbeat,
  part,
  control,
  pace,
  signal,
}: Omit<PassJob, 'onBatch'>): Promise<boolean> {
  // libsql works synchronously: without a turn of the event loop no signal and no timer would be heard.
  await turn()
  if (heartbeat.isLost) throw takenOver(part)
  return (await control.mayGoOn()) && (await pace.ready(signal))
}

export function pageAfter(
  { client, target, part, pace }: PassJob,
  { columns, where, lookups = null }: Pick<Strategy, 'columns' | 'where' | 'lookups'>,
  after: readonly string[] | null,
): Promise<Page> {
  const { until } = part.range
  const { batchRows: maxRows, batchBytes: maxBytes } = pace
  const request = { columns, after, until, where, lookups, maxRows, maxBytes }
  return readPage(client, target.table, request)
}

/** Bytes of the stored values. */
export function bytesOf({ rows }: Page): number {
  let bytes = 0
  for (const { values } of rows) for (const value of values) bytes += sizeOf(value)
  return bytes
}

function sizeOf(value: ColumnValue | null): number {
  if (value === null) return 0
  if (typeof value === 'string') return value.length
  if (value instanceof Uint8Array) return value.byteLength
  if (value instanceof RawJson) return value.text.length
  return value.reduce((sum, element) => sum + sizeOf(element), 0)
}
