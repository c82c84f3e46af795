import { openContext, type Context, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { controlOf, type Control } from '../engine/control.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { mayGoOn } from '../engine/pass.ts'
import { withRun, type Work, type Worked } from '../engine/work.ts'
import { noteFields } from '../keys/fields.ts'
import { openRunPace } from '../pace/open.ts'
import type { PaceOptions } from '../pace/options.ts'
import type { Pace } from '../pace/pace.ts'
import { mayBeChanged } from '../proof/read-back.ts'
import { NO_PASS } from '../runs/checkpoint.ts'
import { unfinished } from '../runs/errors.ts'
import type { RunStore } from '../runs/store.ts'
import { adviceOn } from './advice.ts'
import { attemptOf, looking } from './attempts.ts'
import { Entries, placeOf, type Place, type QuarantineFilter } from './entries.ts'
import { groupBy } from '../group-by.ts'
import { retryRows, type Retried, type RetryJob } from './retry-rows.ts'

/** `batchRows`: values that are tried together. At most, and by default, 500. */
export interface RetryQuarantineOptions
  extends QuarantineFilter, PaceOptions, Pick<RunDirectionOptions, 'signal' | 'onEvent'> {}

/** What became of the entries that were tried again. */
export interface RetriedEntries {
  /** Entries that were removed since their value is good now. */
  readonly released: number
  /** Entries that were removed since their record is gone. */
  readonly deleted: number
  /** Entries that are still there. */
  readonly left: number
}

export interface RetryReport extends RetriedEntries {
  /** `incomplete`: some are left. */
  readonly outcome: 'done' | 'incomplete' | 'stopped' | 'cancelled'
  readonly models: readonly ({ readonly model: string } & RetriedEntries)[]
  /** What is left by code, the most first, with what is to be done. */
  readonly codes: readonly { readonly code: string; readonly count: number; readonly fix: string }[]
  readonly seconds: number
}

interface ModelJob {
  readonly context: Context
  readonly store: RunStore
  readonly entries: Entries
  readonly pace: Pace
  readonly options: RetryQuarantineOptions
  readonly model: string
  readonly directions: readonly string[]
}

interface ModelResult extends Retried {
  readonly model: string
  readonly ended: 'ended' | 'stopped' | 'cancelled'
}

/** Entries that are tried together, at most and by default. */
export const MAX_TOGETHER = 500

/**
 * Try again the records that are in quarantine, and no others: each by the direction that could not go on with
 * it, as a run over its model that writes by compare-and-swap. What is good then, or gone, is in quarantine no more.
 *
 * @throws {MigrationError} `ERR_RUN_STATE` also if a run over one of the models is not at its end; else as `drain`.
 * @throws {KeyError} if the key store or the root key cannot be used.
 * @throws {TypeError} for an option out of bounds.
 */
export async function retryQuarantine(
  config: MigratorConfig,
  options: RetryQuarantineOptions = {},
): Promise<RetryReport> {
  const context = await openContext(config)
  const { client, plan } = context
  const began = performance.now()
  try {
    const store = await noteFields(context)
    const entries = new Entries(client, plan)
    const pace = await openRunPace(context, options)
    const models: ModelResult[] = []
    for (const [model, groups] of groupBy(await entries.groups(options), (one) => one.model)) {
      if (options.signal?.aborted === true) break
      // Of a model that is not in the plan any more nothing can be tried.
      if (Object.keys(plan.models[model]?.sealed ?? {}).length === 0) continue
      const directions = groups.map(({ direction }) => direction)
      models.push(await retryModel({ context, store, entries, pace, options, model, directions }))
    }
    return await reportOf(entries, options, models, began)
  } catch (error) {
    const goOn = 'run `npx rowseal runs quarantine retry` again'
    throw asMigrationError(error, plan.provider === 'sqlite', goOn)
  }
}

async function retryModel(job: ModelJob): Promise<ModelResult> {
  const { context, store, model } = job
  const id = { model, kind: 'write' } as const
  const before = await store.find(id)
  const isOther = before !== null && before.direction !== 'retry'
  if (isOther && (await store.isUnfinished(before))) throw unfinished(before)
  const spec = { ...id, direction: 'retry', plan: context.plan.digest, restart: true }
  return withRun(store, spec, (work) => workOn(job, work))
}

async function workOn(job: ModelJob, { run, part, heartbeat }: Work): Promise<Worked<ModelResult>> {
  const { context, store, entries, pace, options, model, directions } = job
  const { client } = context
  const { signal, onEvent } = options
  const control = controlOf(store, run, pace, options)
  const beganMs = await store.quarantine.now()
  await begin(job)
  const look = await looking(context, model)
  let all: Retried = { checkpoint: NO_PASS, released: 0, deleted: 0 }
  for (const direction of directions) {
    const { target, strategy } = await attemptOf(context, model, direction)
    pace.enter(target.table.name)
    const retry: RetryJob = {
      ...{ client, store, heartbeat, control, pace, target, signal, strategy, entries, beganMs },
      part: { ...part, direction },
      look: direction === 'verify' ? null : look,
      isReadBack: await mayBeChanged(client, target),
      onBatch: () => undefined,
    }
    const some = { ...options, models: [model], directions: [direction] }
    for (let after: Place | null = null; ;) {
      if (!(await mayGoOn(retry))) return stopped(model, all, control)
      const page = await entries.page(some, after, togetherBy(pace), beganMs)
      if (page.length === 0) break
      after = placeOf(page.at(-1)!)
      all = added(all, await retryRows(retry, page, all.checkpoint))
      onEvent?.({ ...{ type: 'batch', model, pass: 1, rows: page.length }, ...NONE })
    }
  }
  const counts = { ...all.checkpoint.counts, quarantined: await entries.records(model) }
  return {
    report: { model, ...all, ended: 'ended' },
    ended: { end: 'closed', checkpoint: { ...all.checkpoint, counts } },
  }
}

/** An entry is one value, a row has one or more of them: so no batch is larger than the pace wants it. */
function togetherBy({ batchRows }: Pace): number {
  return Math.min(MAX_TOGETHER, batchRows)
}

/** Tell how much there is to do. */
async function begin({ entries, options, model }: ModelJob): Promise<void> {
  const counts = await entries.counts({ ...options, models: [model] })
  const rows = counts.reduce((sum, { count }) => sum + count, 0)
  options.onEvent?.({ type: 'model', model, fields: [], rows, isResumed: false })
}

function added(before: Retried, { checkpoint, released, deleted }: Retried): Retried {
  return {
    checkpoint,
    released: before.released + released,
    deleted: before.deleted + deleted,
  }
}

const NONE = { superseded: 0, quarantined: 0 } as const

function stopped(model: string, all: Retried, control: Control): Worked<ModelResult> {
  const ended = control.isCancelled ? 'cancelled' : 'stopped'
  return { report: { model, ...all, ended }, ended: null }
}

async function reportOf(
  entries: Entries,
  options: RetryQuarantineOptions,
  models: readonly ModelResult[],
  began: number,
): Promise<RetryReport> {
  const codes = await entries.counts(options)
  const left = codes.reduce((sum, { count }) => sum + count, 0)
  const each = []
  for (const { model, released, deleted } of models) {
    const mine = await entries.counts({ ...options, models: [model] })
    const still = mine.reduce((sum, { count }) => sum + count, 0)
    each.push({ model, released, deleted, left: still })
  }
  const cut = models.find(({ ended }) => ended !== 'ended')?.ended as 'stopped' | undefined
  const isStopped = options.signal?.aborted === true
  return {
    outcome: cut ?? (isStopped ? 'stopped' : left === 0 ? 'done' : 'incomplete'),
    released: models.reduce((sum, { released }) => sum + released, 0),
    deleted: models.reduce((sum, { deleted }) => sum + deleted, 0),
    left,
    models: each,
    codes: codes.map(({ code, count }) => ({ code, count, fix: adviceOn(code) })),
    seconds: Math.round(performance.now() - began) / 1000,
  }
}
