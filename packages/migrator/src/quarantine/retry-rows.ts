import { setTimeout as sleep } from 'node:timers/promises'
import type { KeyedRow } from '@rowseal/prisma-extension/sql'
import { commitBatch } from '../engine/commit.ts'
import type { PassJob } from '../engine/pass.ts'
import type { Strategy } from '../engine/strategy.ts'
import type { Checkpoint } from '../runs/checkpoint.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import type { Attempt } from './attempts.ts'
import type { Entries, QuarantineEntry } from './entries.ts'
import { groupBy } from '../group-by.ts'
import { leftBy, metOf, read } from './left.ts'

export interface RetryJob extends PassJob {
  readonly strategy: Strategy
  /** Looks at what the strategy leaves; null if it only looks itself. */
  readonly look: Attempt | null
  readonly entries: Entries
  /** When the retry began: what is recorded since is not touched. Milliseconds, by the clock of the database. */
  readonly beganMs: number
}

export interface Retried {
  readonly checkpoint: Checkpoint
  /** Entries that were removed since their value is good. */
  readonly released: number
  /** Entries that were removed since their record is gone. */
  readonly deleted: number
}

/** Rows that others hold are mostly free again after this long. */
const PAUSE_MS = 250
const MAX_TRIES = 3

/**
 * Try records with entries again:
 *
 *   read them by their keys → as in a batch of the direction: prepare, compare-and-swap → read them again
 *     → what the direction would still do, or cannot → stays
 *     → what does not open → stays, under the code that it has now
 *     → all else → its entry is removed
 */
export async function retryRows(
  job: RetryJob,
  page: readonly QuarantineEntry[],
  from: Checkpoint,
): Promise<Retried> {
  const { table } = job.target
  const byKey = groupBy(page, ({ key }) => JSON.stringify(key))
  // Of another length: the model had another key when they were recorded.
  const known = [...byKey.values()].filter(([first]) => first!.key.length === table.key.length)
  let checkpoint = from
  const gone = [...byKey.values()].filter((entries) => !known.includes(entries)).flat()
  const good: QuarantineEntry[] = []
  const bad: Quarantined[] = []
  for (let at = 0; at < known.length;) {
    const keys = known.slice(at).map(([first]) => first!.key)
    const found = await read(job, job.strategy, keys)
    checkpoint = await attempt(job, found, checkpoint)
    const some = known.slice(at, at + found.length)
    gone.push(...some.filter((_, i) => found[i] === null).flat())
    const there = some.filter((_, i) => found[i] !== null)
    const left = await whatIsLeft(job, there.flat())
    good.push(...left.good)
    bad.push(...left.bad)
    at += found.length
  }
  return remove(job, checkpoint, good, gone, bad)
}

/** Do what the direction does, as often as somebody else holds a row, up to a bound. */
async function attempt(
  job: RetryJob,
  found: readonly (KeyedRow | null)[],
  from: Checkpoint,
): Promise<Checkpoint> {
  let checkpoint = from
  let rows = metOf(found)
  for (let tries = 1; rows.length > 0; tries++) {
    const batch = await job.strategy.prepare(rows)
    const before = checkpoint.counts.superseded
    checkpoint = await commitBatch(job, job.strategy, checkpoint, rows, batch)
    if (checkpoint.counts.superseded === before || tries === MAX_TRIES) break
    await sleep(PAUSE_MS)
    rows = metOf(
      await read(
        job,
        job.strategy,
        rows.map(({ key }) => key),
      ),
    )
  }
  return checkpoint
}

/** Of entries whose records are there: those that are good now, and what is known of some others. */
async function whatIsLeft(
  job: RetryJob,
  entries: readonly QuarantineEntry[],
): Promise<{ good: QuarantineEntry[]; bad: Quarantined[] }> {
  const isLeft = await leftBy(job, job.strategy, entries)
  const candidates = entries.filter((entry) => !isLeft(entry))
  if (job.look === null || candidates.length === 0) return { good: candidates, bad: [] }
  const looked = await leftBy(job, job.look.strategy, candidates)
  const good = candidates.filter((entry) => !looked(entry))
  const bad = candidates.flatMap((entry) => {
    const code = looked(entry)
    return typeof code === 'string' ? [{ ...entry, code }] : []
  })
  return { good, bad }
}

async function remove(
  { store, part, entries, beganMs, heartbeat }: RetryJob,
  checkpoint: Checkpoint,
  good: readonly QuarantineEntry[],
  gone: readonly QuarantineEntry[],
  bad: readonly Quarantined[],
): Promise<Retried> {
  let [released, deleted] = [0, 0]
  await store.parts.commit(part, async (tx) => {
    released = await entries.remove(tx, good, beganMs)
    deleted = await entries.remove(tx, gone, beganMs)
    await store.quarantine.record(tx, bad)
    return checkpoint
  })
  heartbeat.touch()
  return { checkpoint, released, deleted }
}
