import type { Context } from '../config.ts'
import { controlOf } from '../engine/control.ts'
import type { ModelReport } from '../engine/events.ts'
import { endedAs, passUntilClean } from '../engine/passes.ts'
import { shareOf, type Share } from '../engine/share.ts'
import { withPart, type Work, type Worked } from '../engine/work.ts'
import type { Observer } from '../observe/observer.ts'
import type { Pace } from '../pace/pace.ts'
import { restOf, resumable, type Checkpoint } from '../runs/checkpoint.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import type { RunRow, RunStore } from '../runs/store.ts'
import { countRows, type Target } from '../targets.ts'
import type { VerifyOptions } from './options.ts'
import { verifyPass, verifyStrategy } from './strategy.ts'

export interface VerifyJob {
  readonly context: Context
  readonly store: RunStore
  readonly target: Target
  readonly pace: Pace
  readonly options: VerifyOptions
  readonly observer: Observer
}

/** What was found in one model, or in a shard of it. */
export interface Verified {
  readonly target: Target
  readonly outcome: ModelReport['outcome']
  readonly tally: Checkpoint['tally']
  /** When the run began that it is of. */
  readonly since: Date
  /** Was part of it found by an earlier worker? */
  readonly isResumed: boolean
  readonly samples: readonly Quarantined[]
}

const MAX_SAMPLES = 20

/** Begin a run that reads a model, or go on with the one that is there. */
export async function verifyModel(job: VerifyJob): Promise<Verified> {
  const { context, store, target, options } = job
  const { target: name } = verifyStrategy(target)
  const share = shareOf(context, target, options.shard)
  const run = await begin(job, share)
  const { part: number } = share
  const done = await withPart(store, run, number, name, (work) => verifyPart(job, run, work, name))
  if (done !== null) return done
  // Somebody did this shard before.
  const part = (await store.parts.list(run)).find((one) => one.part === number)
  const checkpoint = resumable(part?.checkpoint ?? null, name)
  const { since } = run
  const tally = checkpoint?.tally ?? {}
  const outcome = outcomeOf(checkpoint, false)
  return { target, outcome, tally, since, isResumed: true, samples: [] }
}

async function begin(
  { context, store, target, options }: VerifyJob,
  { layout, cut }: Share,
): Promise<RunRow> {
  const plan = context.plan.digest
  const id = { model: target.model, kind: 'read' } as const
  const before = await store.find(id)
  // What was found under another plan says nothing of this one.
  const restart = options.restart === true || (before !== null && before.plan !== plan)
  return store.begin({ ...id, direction: 'verify', plan, layout, restart }, cut)
}

async function verifyPart(
  job: VerifyJob,
  run: RunRow,
  { part, heartbeat }: Work,
  name: string,
): Promise<Worked<Verified>> {
  const { context, store, target, pace, options } = job
  const { model, fields } = target
  const { signal, onEvent } = options
  const control = controlOf(store, run, pace, options)
  pace.enter(target.table.name)
  const samples: Quarantined[] = []
  const isResumed = resumable(part.checkpoint, name) !== null
  const result = await passUntilClean({
    client: context.client,
    ...{ store, part, heartbeat, control, pace, target, signal },
    maxPasses: 1,
    onCommit: job.observer.committed,
    checkpoint: isResumed ? part.checkpoint : null,
    next: () => verifyPass(target),
    onBegin: async ({ where }, resumed) => {
      if (onEvent === undefined) return
      const rows = await countRows(context, target, where, restOf(part, resumed))
      onEvent({ type: 'model', model, fields: fields.map((field) => field.name), rows, isResumed })
    },
    onBatch: (_, added, seen, bad) => {
      samples.push(...bad.slice(0, MAX_SAMPLES - samples.length))
      onEvent?.({ type: 'batch', model, rows: seen, bad: bad.length })
    },
    onPass: () => undefined,
  })
  const { checkpoint } = result
  const outcome = control.isCancelled ? 'cancelled' : outcomeOf(checkpoint, result.isStopped)
  const tally = checkpoint?.tally ?? {}
  return {
    report: { target, outcome, tally, since: run.since, isResumed, samples },
    ended: control.isCancelled ? null : endedAs(result),
  }
}

function outcomeOf(checkpoint: Checkpoint | null, isStopped: boolean): Verified['outcome'] {
  if (isStopped) return 'stopped'
  return (checkpoint?.counts.quarantined ?? 0) > 0 ? 'incomplete' : 'done'
}
