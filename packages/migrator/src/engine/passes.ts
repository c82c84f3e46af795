import { setTimeout as sleep } from 'node:timers/promises'
import type { Quarantined } from '../runs/quarantine.ts'
import type { Ended } from '../runs/progress.ts'
import { carried } from '../proof/reconcile.ts'
import { left, resumable, type Checkpoint } from '../runs/checkpoint.ts'
import { settle } from '../runs/settle.ts'
import { pause } from '../waits.ts'
import { add, NOTHING, subtract, type PassCounts } from './counts.ts'
import { runPass, type PassJob } from './pass.ts'
import { runReadPass } from './read-pass.ts'
import type { Change, Strategy } from './strategy.ts'

/**
 * Passes over a range go on until one, begun after the fence, meets nothing to do and is beaten by nobody:
 *
 *   first pass → swept → wait for the fence → pass → something was written or superseded → pass → … → nothing → clean
 *                                                                          maxPasses reached → not clean
 *
 * Values in quarantine count as met: they make a run incomplete, not endless.
 */

/** Rows that others hold are mostly free again after this long. */
const PAUSE_MS = 250

export interface PassesJob<C extends Change> extends Omit<PassJob, 'onBatch'> {
  /** What an earlier worker left, to go on with; null to begin. */
  readonly checkpoint: string | null
  readonly maxPasses: number
  /** What to look for in the pass that comes; null to stop. */
  readonly next: () => Promise<Strategy<C> | null>
  /** Milliseconds until nobody writes any more what `next` has just said is to be met. */
  readonly fence?: () => Promise<number>
  /** It has to wait for the fence. False to stop instead. */
  readonly onWait?: (ms: number) => boolean
  /** @param resumed - where an earlier worker's pass is gone on with; null if it begins. */
  readonly onBegin: (strategy: Strategy<C>, resumed: Checkpoint | null) => Promise<void>
  /** Before a pass from the start of the range. */
  readonly onPassBegin?: () => void
  readonly onBatch: (
    pass: number,
    added: PassCounts,
    seen: number,
    bad: readonly Quarantined[],
  ) => void
  readonly onPass: (pass: number, counts: PassCounts) => void
}

export interface PassesResult {
  /** What this worker did. */
  readonly counts: PassCounts
  /** Did the last pass go over the whole range and meet nothing to do, other than what is in quarantine? */
  readonly isClean: boolean
  /** Was it told to stop? */
  readonly isStopped: boolean
  readonly passes: number
  /** Fields and index columns of which the last pass put values into quarantine. */
  readonly bad: readonly string[]
  /** The last one, of an earlier worker perhaps; null if there was no pass. */
  readonly checkpoint: Checkpoint | null
}

/** What became of the part; null if somebody is to go on with it. */
export function endedAs({ isClean, isStopped, checkpoint }: PassesResult): Ended | null {
  if (isStopped || checkpoint === null) return null
  return { end: isClean ? 'closed' : 'left', checkpoint }
}

export async function passUntilClean<C extends Change>(job: PassesJob<C>): Promise<PassesResult> {
  const { store, part } = job
  let isSwept = part.progress !== 'open'
  let total = NOTHING
  let last: Checkpoint | null = null
  let passes = 0
  const result = (isClean: boolean, isStopped: boolean): PassesResult => {
    return { counts: total, isClean, isStopped, passes, bad: last?.bad ?? [], checkpoint: last }
  }
  for (let isFirst = true; ; isFirst = false) {
    const begun = await begin(job, isSwept)
    if (begun === null) return result(false, true)
    const { strategy, isFenced } = begun
    const resumed = isFirst ? resumable(job.checkpoint, strategy.target) : null
    if (isFirst) await job.onBegin(strategy, resumed)
    const former = last ?? left(job.checkpoint)
    if (resumed === null) job.onPassBegin?.()
    const from: Checkpoint = resumed ?? {
      ...nextOf(former, strategy, isFenced),
      beganMs: await store.quarantine.now(),
    }
    passes++
    const onBatch = job.onBatch.bind(null, from.pass)
    const walk = part.kind === 'read' ? runReadPass : runPass
    const { checkpoint, isComplete } = await walk({ ...job, onBatch }, strategy, from)
    last = checkpoint
    const { counts } = checkpoint
    total = { ...add(total, subtract(counts, from.counts)), quarantined: counts.quarantined }
    if (!isComplete) return result(false, true)
    job.onPass(checkpoint.pass, counts)
    if (!isSwept) {
      await store.parts.swept(part)
      await settle(store, part)
      isSwept = true
    }
    const isClean = checkpoint.isFenced && counts.rows === 0 && counts.superseded === 0
    if (isClean || passes >= job.maxPasses) return result(isClean, false)
    if (counts.superseded > 0) await sleep(PAUSE_MS)
  }
}

/** The first pass need not wait: it leaves what is written meanwhile to the next. */
async function begin<C extends Change>(
  { next, fence, onWait, signal }: PassesJob<C>,
  isSwept: boolean,
): Promise<{ strategy: Strategy<C>; isFenced: boolean } | null> {
  for (;;) {
    const strategy = await next()
    if (strategy === null) return null
    const ms = (await fence?.()) ?? 0
    if (ms === 0 || !isSwept) return { strategy, isFenced: ms === 0 }
    if (onWait?.(ms) === false || !(await pause(ms, signal))) return null
  }
}

function nextOf<C extends Change>(
  last: Checkpoint | null,
  { target }: Strategy<C>,
  isFenced: boolean,
): Omit<Checkpoint, 'beganMs'> {
  const before = last === null ? NOTHING : add(last.before, last.counts)
  const [pass, tally] = [(last?.pass ?? 0) + 1, carried(last?.tally ?? {})]
  return { target, pass, isFenced, after: null, counts: NOTHING, before, bad: [], tally }
}
