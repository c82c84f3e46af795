import { contextOf, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { withRun } from '../engine/work.ts'
import { add, NOTHING, type PassCounts } from '../engine/counts.ts'
import { worstOf } from '../engine/events.ts'
import { checkRunOptions } from '../engine/options.ts'
import { MigrationError } from '../errors.ts'
import { noteFields } from '../keys/fields.ts'
import { openObserver, type Observer } from '../observe/observer.ts'
import { openRunPace } from '../pace/open.ts'
import { loadTargets, type Target } from '../targets.ts'
import { Waits } from '../waits.ts'
import { ModelRun, type ModelJob } from './model-run.ts'
import {
  assertWhole,
  type IndexModelReport,
  type ReindexOptions,
  type ReindexReport,
} from './options.ts'
import { registerIndexes } from './register.ts'
import { retireKeys } from './retire.ts'
import { statesOf } from './states.ts'

const GO_ON = 'run `npx rowseal reindex` again: it goes on where it ended'

/**
 * Fill blind indexes and bring them to the active index key, in batches, while the application runs; note
 * in the key store which are complete. Can be stopped or killed at any moment and run again.
 *
 * @throws {MigrationError} `ERR_RUN_STATE` `ERR_RUN_TABLES` `ERR_CHECKPOINT_NEWER` `ERR_PLAN_DATABASE`
 *   `ERR_DATABASE_BUSY` `ERR_DATABASE_FAILED` `ERR_CONFIG_INVALID`; `ERR_INDEX_OFFLINE` in the end, if a
 *   unique index without a second column is under a former key.
 * @throws {KeyError} if the key store or the root key cannot be used; `ERR_INDEX_STATE` for an index with
 *   other normalizers than it has values of.
 * @throws {TypeError} for an option out of bounds, or a model that has no blind index.
 */
export async function reindex(
  config: MigratorConfig,
  options: ReindexOptions = {},
): Promise<ReindexReport> {
  const observer = await openObserver()
  return observer.span('rowseal.run', { 'rowseal.direction': 'reindex' }, (within) => {
    return reindexObserved(config, options, within)
  })
}

async function reindexObserved(
  config: MigratorConfig,
  options: ReindexOptions,
  observer: Observer,
): Promise<ReindexReport> {
  const checked = checkRunOptions(options)
  assertWhole(options)
  const context = contextOf(config)
  const began = performance.now()
  try {
    const store = await noteFields(context)
    const targets = await loadTargets(context, options.models, 'indexes')
    await registerIndexes(targets.flatMap((target) => target.indexes))
    const job = {
      context,
      store,
      checked,
      waits: new Waits(),
      pace: await openRunPace(context, options, observer.throttled),
      options,
    }
    const models: IndexModelReport[] = []
    for (const target of targets) {
      if (options.signal?.aborted === true) break
      const attributes = { 'rowseal.model': target.model }
      models.push(
        await observer.span('rowseal.model', attributes, (within) => {
          return reindexModel({ ...job, target, observer: within })
        }),
      )
    }
    const isStopped =
      models.length < targets.length ||
      models.some(({ outcome }) => outcome === 'stopped' || outcome === 'cancelled')
    const retired = isStopped ? [] : await retireKeys(job)
    if (!isStopped && options.offline !== true) await assertNoneWaits(targets)
    return reportOf(models, isStopped, retired, began)
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', GO_ON)
  }
}

function reindexModel(job: ModelJob): Promise<IndexModelReport> {
  const { context, store, target, options } = job
  const spec = { model: target.model, kind: 'write', direction: 'reindex' } as const
  const { restart = false } = options
  const plan = context.plan.digest
  return withRun(store, { ...spec, plan, restart }, (work) => new ModelRun(job, work).run())
}

async function assertNoneWaits(targets: readonly Target[]): Promise<void> {
  const states = await statesOf(targets.flatMap((target) => target.indexes))
  const waiting = states.filter(({ next }) => next === 'offline').map(({ index }) => index.label)
  if (waiting.length === 0) return
  const are = waiting.length === 1 ? 'is unique and has' : 'are unique and have'
  throw new MigrationError(
    'ERR_INDEX_OFFLINE',
    `${waiting.join(', ')} ${are} no second column, so the rows cannot go to another index key while they are written. Everything else is done.`,
    {
      fix: 'Add a column with `slot: 2`, or run `npx rowseal reindex --offline`, which refuses writes to the field meanwhile.',
      field: waiting[0]!,
    },
  )
}

function reportOf(
  models: readonly IndexModelReport[],
  isStopped: boolean,
  retired: ReindexReport['retired'],
  began: number,
): ReindexReport {
  return {
    outcome: worstOf(models, isStopped),
    ...models.reduce<PassCounts>(add, NOTHING),
    seconds: Math.round(performance.now() - began) / 1000,
    models,
    retired,
  }
}
