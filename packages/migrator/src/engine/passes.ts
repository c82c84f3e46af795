import { setTimeout as sleep } from 'node:timers/promises'
import type { Quarantined } from '../runs/quarantine.ts'
import { resumable, type Checkpoint } from '../runs/checkpoint.ts'
import { add, NOTHING, subtract, type PassCounts } from './counts.ts'
import { runPass, type PassJob } from './pass.ts'
import type { Change, Strategy } from './strategy.ts'

/**
 * Passes over a table go on until one meets nothing to do and is beaten by nobody:
 *
 *   pass → something was written or superseded → strategy made anew → pass → … → nothing → clean
 *                                                          maxPasses reached → not clean
 *
 * Values in quarantine count as met: they make a run incomplete, not endless.
 */

/** Rows that others hold are mostly free again after this long. */
const PAUSE_MS = 250

export interface PassesJob<C extends Change> extends Omit<PassJob, 'onBatch'> {
  /** Digest of the plan. */
  readonly plan: string
  /** What an earlier run left, to go on with; null to begin. */
  readonly checkpoint: string | null
  readonly maxPasses: number
  /** What to look for in the pass that comes; null to stop. */
  readonly next: () => Promise<Strategy<C> | null>
  readonly onBegin: (strategy: Strategy<C>, isResumed: boolean) => Promise<void>
  /** Before a pass from the start of the table. */
  readonly onPassBegin?: () => Promise<void>
  readonly onBatch: (
    pass: number,
    added: PassCounts,
    seen: number,
    bad: readonly Quarantined[],
  ) => void
  readonly onPass: (pass: number, counts: PassCounts) => void
}

export interface PassesResult {
  readonly counts: PassCounts
  /** Did the last pass go over the whole table and meet nothing to do, other than what is in quarantine? */
  readonly isClean: boolean
  readonly isStopped: boolean
  readonly passes: number
  /** Fields and index columns of which the last pass put values into quarantine. */
  readonly bad: readonly string[]
}

export async function passUntilClean<C extends Change>(job: PassesJob<C>): Promise<PassesResult> {
  let strategy = await job.next()
  let resumed = strategy && resumable(job.checkpoint, job.plan, strategy.target)
  let total = NOTHING
  let bad: readonly string[] = []
  let passes = 0
  if (strategy !== null) await job.onBegin(strategy, resumed !== null)
  for (let pass = resumed?.pass ?? 1; strategy !== null; pass++) {
    const from = resumed ?? firstOf(job, strategy, pass)
    if (resumed === null) await job.onPassBegin?.()
    resumed = null
    passes++
    const onBatch = job.onBatch.bind(null, pass)
    const { checkpoint, isComplete } = await runPass({ ...job, onBatch }, strategy, from)
    const { counts } = checkpoint
    bad = checkpoint.bad
    total = { ...add(total, subtract(counts, from.counts)), quarantined: counts.quarantined }
    if (!isComplete) break
    job.onPass(pass, counts)
    const isClean = counts.rows === 0 && counts.superseded === 0
    if (isClean || passes >= job.maxPasses)
      return { counts: total, isClean, isStopped: false, passes, bad }
    if (counts.superseded > 0) await sleep(PAUSE_MS)
    strategy = await job.next()
  }
  return { counts: total, isClean: false, isStopped: true, passes, bad }
}

function firstOf<C extends Change>(
  { plan }: PassesJob<C>,
  { target }: Strategy<C>,
  pass: number,
): Checkpoint {
  return { plan, target, pass, after: null, counts: NOTHING, bad: [] }
}
