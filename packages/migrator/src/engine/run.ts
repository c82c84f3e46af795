import { openContext, type Context, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { unreadableOf } from '../drain/destroyed.ts'
import { unknownOf } from '../drain/unknown.ts'
import { noteFields } from '../keys/fields.ts'
import { openObserver, type Observer } from '../observe/observer.ts'
import { openRunPace } from '../pace/open.ts'
import type { PaceOptions } from '../pace/options.ts'
import type { Pace } from '../pace/pace.ts'
import { overridden } from '../pace/stored.ts'
import { accounted, type PartReport } from '../proof/account.ts'
import { connectQueue, handOut } from '../queue/coordinate.ts'
import { mayBeChanged } from '../proof/read-back.ts'
import { commandOf } from '../runs/command-of.ts'
import { totalOf } from '../runs/checkpoint.ts'
import type { RunRow, RunStore } from '../runs/store.ts'
import { countRows, type Target } from '../targets.ts'
import { CipherThreads } from '../threads/threads.ts'
import { Waits } from '../waits.ts'
import { Control } from './control.ts'
import { add, NOTHING, type PassCounts } from './counts.ts'
import type { Direction } from './direction.ts'
import { worstOf, type ModelReport, type RunDirectionOptions, type RunReport } from './events.ts'
import { namesOf, specOf } from './job.ts'
import { checkRunOptions, type CheckedOptions } from './options.ts'
import { endedAs, passUntilClean, type PassesResult } from './passes.ts'
import { releaseAfter } from './release.ts'
import { shareOf } from './share.ts'
import { withPart, type Work, type Worked } from './work.ts'

/** A run over one model. */
export interface ModelJob {
  readonly context: Context
  readonly store: RunStore
  readonly direction: Direction
  readonly target: Target
  readonly waits: Waits
  readonly pace: Pace
  readonly options: RunDirectionOptions
  readonly checked: CheckedOptions
  /** Default: one of its own for each part. */
  readonly observer?: Observer
  /** The pace, by what an operator has set. Default: the options with that over them. */
  readonly paceOf?: (text: string | null) => PaceOptions
  /** A part waits for the fence. False to give it back instead. */
  readonly onFence?: (ms: number) => boolean
}

/** What a run leaves, and the models it was about. */
export interface Ran {
  readonly report: RunReport
  readonly targets: readonly Target[]
  readonly context: Context
}

/**
 * Go over models one after the other, in batches, until nothing is left to do. Can be stopped or killed at any
 * moment and run again.
 *
 * @throws {MigrationError} `ERR_RUN_STATE` `ERR_RUN_TABLES` `ERR_CHECKPOINT_NEWER` `ERR_CHECKPOINT_PLAN`
 *   `ERR_PLAN_DATABASE` `ERR_DATABASE_BUSY` `ERR_DATABASE_FAILED` `ERR_CONFIG_INVALID`
 * @throws {KeyError} if the key store or the root key cannot be used.
 * @throws {TypeError} for an option out of bounds, or a model that does not exist.
 */
export async function runDirection(
  config: MigratorConfig,
  direction: Direction,
  options: RunDirectionOptions,
): Promise<Ran> {
  const observer = await openObserver()
  const attributes = { 'rowseal.direction': direction.name }
  return observer.span('rowseal.run', attributes, (within) => {
    return runObserved(config, direction, options, within)
  })
}

async function runObserved(
  config: MigratorConfig,
  direction: Direction,
  options: RunDirectionOptions,
  observer: Observer,
): Promise<Ran> {
  const checked = checkRunOptions(options)
  const threads = new CipherThreads(checked.threads)
  const context = { ...(await openContext(config)), threads }
  const began = performance.now()
  const queue = await connectQueue(config, options)
  try {
    const store = await noteFields(context)
    const targets = await direction.targets(context, options.models)
    const waits = new Waits()
    const pace = await openRunPace(context, options, observer.throttled)
    const jobs = targets.map((target) => {
      return { context, store, direction, target, waits, pace, options, checked, observer }
    })
    const { signal } = options
    const models = await (queue === null ? runModels(jobs, signal) : handOut(jobs, queue, signal))
    const isWhole = models.length === targets.length
    const report = reportOf(context, direction, targets, models, isWhole, began)
    return { report: queue === null ? report : { ...report, isHandedOut: true }, targets, context }
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', goOn(direction, options))
  } finally {
    await threads.close()
    await queue?.close()
  }
}

function goOn({ name }: Direction, { queue }: RunDirectionOptions): string {
  const flag = queue === undefined ? '' : ' --queue'
  return `run \`npx rowseal ${commandOf(name)}${flag}\` again: it goes on where it ended`
}

async function runModels(
  jobs: readonly ModelJob[],
  signal: AbortSignal | undefined,
): Promise<ModelReport[]> {
  const models: ModelReport[] = []
  for (const job of jobs) {
    if (signal?.aborted === true) break
    models.push(await runModel(job))
  }
  return models
}

async function runModel(job: ModelJob): Promise<ModelReport> {
  const { context, direction, target, options } = job
  const { shard, restart = false } = options
  const strategy = await direction.next(context, target)
  const { layout, part, cut } = shareOf(context, target, shard)
  const run = await job.store.begin({ ...specOf(job), layout, restart }, cut)
  const worked = await withPart(job.store, run, part, strategy.target, (work) => {
    return workOnPart(job, run, work)
  })
  return accounted(job, run, worked ?? (await doneBefore(job, run, part)))
}

/** Of a part that somebody else has ended: nothing was done now, and what it has left is still there. */
async function doneBefore(
  { store, target }: ModelJob,
  run: RunRow,
  number: number,
): Promise<PartReport> {
  const part = await store.parts.find(run, number)
  const { quarantined } = totalOf(part?.checkpoint ?? null)
  const outcome = part?.progress === 'closed' && quarantined === 0 ? 'done' : 'incomplete'
  const { model } = target
  return { model, fields: namesOf(target), outcome, passes: 0, ...NOTHING, quarantined }
}

/** Go over a part of a run until nothing is left to do in it. */
export async function workOnPart(
  job: ModelJob,
  run: RunRow,
  work: Work,
): Promise<Worked<PartReport>> {
  const { direction, target, observer = await openObserver() } = job
  const attributes = { 'rowseal.direction': direction.name, 'rowseal.model': target.model }
  return observer.span('rowseal.model', attributes, (within) => {
    return workObserved(job, run, work, within)
  })
}

async function workObserved(
  job: ModelJob,
  run: RunRow,
  { part, heartbeat }: Work,
  observer: Observer,
): Promise<Worked<PartReport>> {
  const { context, store, direction, target, waits, pace, options, checked } = job
  const { model } = target
  const { signal, onEvent } = options
  const { paceOf = overridden.bind(null, options) } = job
  const control = new Control(store, run, signal, onEvent, (text) => pace.change(paceOf(text)))
  pace.enter(target.table.name)
  const { now = false } = options
  const { client } = context
  const { proof: isProved = false } = options
  const isReadBack = isProved || (await mayBeChanged(client, target))
  const pass = { client, store, part, heartbeat, control, pace, target, signal }
  const result = await passUntilClean({
    ...pass,
    maxPasses: checked.maxPasses,
    ...{ isProved, isReadBack },
    onCommit: observer.committed,
    checkpoint: part.checkpoint,
    next: () => direction.next(context, target),
    fence: () => {
      const fence = now ? undefined : direction.fence?.(target, waits, checked.maxTransactionMs)
      return Promise.resolve(fence ?? 0)
    },
    onWait: (ms) => {
      onEvent?.({ type: 'wait', ms, reason: 'until every instance follows' })
      return job.onFence?.(ms) ?? true
    },
    onBegin: async ({ where }, resumed) => {
      // To count them takes a walk over the table.
      if (onEvent === undefined) return
      const rows = await countRows(context, target, where, part.range)
      const isResumed = resumed !== null
      onEvent({ type: 'model', model, fields: namesOf(target), rows, isResumed })
    },
    onBatch: (pass, added) => onEvent?.({ type: 'batch', model, pass, ...added }),
    onPass: (pass, counts) => onEvent?.({ type: 'pass', model, pass, ...counts }),
  })
  // Of a share it is not known what is in it.
  if (result.isClean && run.layout === 'whole') await releaseAfter(job, pass, result)
  const outcome = control.isCancelled ? 'cancelled' : outcomeOf(result)
  const { passes, counts } = result
  return {
    report: { model, fields: namesOf(target), outcome, passes, ...counts },
    ended: control.isCancelled ? null : endedAs(result),
  }
}

function outcomeOf({ isStopped, isClean, counts }: PassesResult): ModelReport['outcome'] {
  if (isStopped) return 'stopped'
  return isClean && counts.quarantined === 0 ? 'done' : 'incomplete'
}

function reportOf(
  context: Context,
  { name }: Direction,
  targets: readonly Target[],
  models: readonly ModelReport[],
  isWhole: boolean,
  began: number,
): RunReport {
  const counted = models.map(({ model, after }) => ({ model, fields: after?.fields ?? [] }))
  return {
    direction: name,
    outcome: worstOf(models, !isWhole),
    ...models.reduce<PassCounts>(add, NOTHING),
    seconds: Math.round(performance.now() - began) / 1000,
    unreadable: unreadableOf(targets, counted),
    unknown: unknownOf(context, counted),
    models,
  }
}
