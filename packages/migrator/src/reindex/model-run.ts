import { completeIndex, moveIndex } from '@rowseal/prisma-extension/keys'
import type { Context } from '../config.ts'
import { add, NOTHING } from '../engine/counts.ts'
import type { CheckedOptions } from '../engine/options.ts'
import { controlOf, type Control } from '../engine/control.ts'
import type { Observer } from '../observe/observer.ts'
import type { Pace } from '../pace/pace.ts'
import { passUntilClean, type PassesResult } from '../engine/passes.ts'
import type { PassJob } from '../engine/pass.ts'
import type { Work, Worked } from '../engine/work.ts'
import type { Strategy } from '../engine/strategy.ts'
import { NO_PASS, restOf, resumable, type Checkpoint } from '../runs/checkpoint.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import type { End } from '../runs/progress.ts'
import type { RunStore } from '../runs/store.ts'
import { countRows, type Target, type TargetIndex } from '../targets.ts'
import type { Waits } from '../waits.ts'
import { asOwner } from './as-owner.ts'
import type { IndexChange } from './duplicates.ts'
import { Follow } from './follow.ts'
import type { IndexModelReport, ReindexOptions } from './options.ts'
import { indexReports, namesOf } from './reports.ts'
import { releaseAfter } from './release.ts'
import { isLeaving, nextPhase } from './rotation.ts'
import { isUnmoved, statesOf, type IndexState } from './states.ts'
import { reindexStrategy } from './strategy.ts'

export interface ModelJob {
  readonly context: Context
  readonly store: RunStore
  readonly target: Target
  readonly options: ReindexOptions
  readonly checked: CheckedOptions
  readonly waits: Waits
  readonly pace: Pace
  readonly observer: Observer
}

/** No index needs more rounds, unless somebody rotates again and again. */
const MAX_ROUNDS = 20
const MAX_SAMPLES = 20

/**
 * Brings the indexes of one model to the active index key, all of them side by side:
 *
 *   wait until every instance follows → passes until one is clean → complete it, move it on → wait → …
 *
 * How far an index is stands in the key store, so a run may end anywhere and be begun again. One with a
 * value in quarantine stays where it is.
 */
export class ModelRun {
  readonly #job: ModelJob
  readonly #work: Work
  readonly #control: Control
  readonly #follow: Follow
  #checkpoint: string | null
  #last: Checkpoint | null = null
  readonly #pending: Set<TargetIndex>
  /** Those whose values were compared in a clean pass. */
  readonly #compared = new Set<TargetIndex>()
  /** How far the indexes were when the last pass began. */
  #passed: readonly IndexState[] = []
  readonly #samples: Quarantined[] = []

  constructor(job: ModelJob, work: Work) {
    this.#job = job
    this.#work = work
    this.#control = controlOf(job.store, work.run, job.pace, job.options)
    job.pace.enter(job.target.table.name)
    this.#follow = new Follow(job)
    this.#checkpoint = work.part.checkpoint
    this.#pending = new Set(job.target.indexes)
  }

  async run(): Promise<Worked<IndexModelReport>> {
    const { context, target } = this.#job
    const { model } = target
    let [total, passes] = [NOTHING, 0]
    let outcome: IndexModelReport['outcome'] = 'incomplete'
    const blocked = new Set<TargetIndex>()
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (!(await this.#leave())) outcome = 'stopped'
      if (outcome === 'stopped' || this.#pending.size === 0) break
      const result = await this.#passes()
      total = add(total, result.counts)
      passes += result.passes
      this.#last = result.checkpoint ?? this.#last
      if (result.isStopped) outcome = this.#control.isCancelled ? 'cancelled' : 'stopped'
      if (!result.isClean) break
      await releaseAfter(context, this.#pass(), this.#passed, result)
      await this.#advance(result.bad, blocked)
      this.#checkpoint = null
    }
    if (this.#pending.size === 0 && blocked.size === 0) outcome = 'done'
    const indexes = await indexReports(target, this.#pending, blocked)
    const report = { model, outcome, passes, ...total, indexes, samples: this.#samples }
    return { report, ended: this.#endedAs(report, blocked) }
  }

  /** Later rounds do not look at indexes that are blocked, and meet nothing of what blocks them. */
  #endedAs(
    { outcome, quarantined }: IndexModelReport,
    blocked: ReadonlySet<TargetIndex>,
  ): Worked<IndexModelReport>['ended'] {
    if (outcome === 'stopped' || outcome === 'cancelled') return null
    const end: End = outcome === 'done' || blocked.size > 0 ? 'closed' : 'left'
    const last = this.#last ?? NO_PASS
    return { end, checkpoint: { ...last, counts: { ...last.counts, quarantined } } }
  }

  /** Move on the indexes that no row has to be looked at for. @returns false if told to stop. */
  async #leave(): Promise<boolean> {
    const states = await statesOf([...this.#pending])
    const leaving = states.filter(({ record, next }) => record.complete && isLeaving(record, next))
    if (leaving.length === 0) return true
    if (!(await this.#follow.all(leaving))) return false
    for (const state of leaving) await this.#move(state)
    return true
  }

  async #passes(): Promise<PassesResult> {
    const { context, target, options, checked } = this.#job
    const { model } = target
    const { onEvent } = options
    const samples = new Map<string, Quarantined>()
    const result = await passUntilClean<IndexChange>({
      ...this.#pass(),
      maxPasses: checked.maxPasses,
      checkpoint: this.#checkpoint,
      next: () => this.#next(),
      onBegin: async ({ where }, resumed) => {
        const rows = await countRows(context, target, where, restOf(this.#work.part, resumed))
        const isResumed = resumed !== null
        const indexes = [...this.#pending].map(({ label }) => label)
        onEvent?.({ type: 'model', model, indexes, rows, isResumed })
      },
      onPassBegin: () => samples.clear(),
      onBatch: (pass, added, seen, bad) => {
        for (const one of bad)
          if (samples.size < MAX_SAMPLES) samples.set(`${one.field} ${one.key.join()}`, one)
        onEvent?.({ type: 'batch', model, pass, seen, ...added })
      },
      onPass: (pass, counts) => onEvent?.({ type: 'pass', model, pass, ...counts }),
    })
    this.#samples.push(...[...samples.values()].slice(0, MAX_SAMPLES - this.#samples.length))
    return result
  }

  #pass(): Omit<PassJob, 'onBatch'> {
    const { context, store, target, options, pace, observer } = this.#job
    return {
      ...{ client: context.client, store, target, pace, signal: options.signal },
      ...{ part: this.#work.part, heartbeat: this.#work.heartbeat, control: this.#control },
      onCommit: observer.committed,
    }
  }

  async #next(): Promise<Strategy<IndexChange> | null> {
    const { target } = this.#job
    for (;;) {
      const states = await statesOf([...this.#pending])
      const work = states.map((state) => {
        const { index, wanted } = state
        return { index, wanted, isChecked: this.#isChecked(state) }
      })
      const name = this.#targetOf(states)
      // A pass that an earlier run began was begun when every instance followed.
      const isGoingOn = resumable(this.#checkpoint, name) !== null
      if (isGoingOn) this.#follow.noteFollowed(states)
      else if ((await this.#follow.left(states)) > 0) {
        if (!(await this.#follow.all(states))) return null
        continue
      }
      this.#passed = states
      return reindexStrategy(target, work, name)
    }
  }

  /** What a pass looks for. With the revision of the key store: an index may come back to a phase. */
  #targetOf(states: readonly IndexState[]): string {
    const rings = [...new Set(states.map(({ index }) => index.field.keyring.index))]
    const works = states.map((state) => [
      state.index.id,
      ...state.wanted,
      this.#isChecked(state) ? 'values' : 'keys',
    ])
    const { now = false } = this.#job.options
    const revisions = rings.map((ring) => ring.stats()?.revision ?? 0)
    return `reindex ${JSON.stringify([now, revisions, works])}`
  }

  /** Before an index goes offline every value is opened: one that does not open would keep it there. */
  #isChecked({ index, record, next }: IndexState): boolean {
    if (!record.complete) return true
    if (this.#compared.has(index)) return false
    const { checkValues = false, offline = false } = this.#job.options
    return checkValues || (offline && next === 'offline')
  }

  /** Note which indexes are complete, and move them on. */
  async #advance(bad: readonly string[], blocked: Set<TargetIndex>): Promise<void> {
    const { offline = false } = this.#job.options
    for (const index of this.#pending) {
      const isBad = namesOf(index).some((name) => bad.includes(name))
      const state = await this.#asOwner(index, (now) => this.#found(now, isBad))
      // Somebody has made another index key active meanwhile: once more.
      if (state === null) continue
      if (isBad) {
        this.#pending.delete(index)
        blocked.add(index)
        continue
      }
      this.#compared.add(index)
      const { next } = state
      if (next === null || (next === 'offline' && !offline)) this.#pending.delete(index)
      else await this.#move(state)
    }
  }

  /** What a pass has found of an index; null if it is elsewhere by now. */
  async #found(now: IndexState, isBad: boolean): Promise<IndexState | null> {
    const { index, record, revision } = now
    const before = this.#passed.find((one) => one.index === index)
    if (!isUnmoved(before, now)) return null
    if (isBad || record.complete) return now
    await completeIndex(index.field.keyring, index.id, revision)
    this.#job.options.onEvent?.({ type: 'complete', index: index.label })
    return now
  }

  /** From where it was seen; one that somebody else has moved is left there. */
  async #move(seen: IndexState): Promise<void> {
    const { onEvent } = this.#job.options
    const { index, rows, next } = seen
    const moved = await this.#asOwner(index, async (now) => {
      if (!isUnmoved(seen, now)) return null
      return moveIndex(index.field.keyring, index.id, next!, now.revision)
    })
    if (moved === null) return
    onEvent?.({ type: 'phase', index: index.label, phase: next! })
    const [now] = await statesOf([index])
    this.#follow.began(now!)
    // In one column there is nothing to clear up.
    if (index.columns[1] === null && nextPhase(moved, rows, false) === null)
      this.#pending.delete(index)
  }

  #asOwner<R>(index: TargetIndex, change: (now: IndexState) => Promise<R>): Promise<R> {
    return asOwner(this.#job.store, this.#work.part, index, change)
  }
}
