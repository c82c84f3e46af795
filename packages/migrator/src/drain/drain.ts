import { openContext, type Context, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { withRun } from '../engine/claim.ts'
import { add, NOTHING, type PassCounts } from '../engine/counts.ts'
import { checkRunOptions, type CheckedOptions } from '../engine/options.ts'
import { passUntilClean } from '../engine/passes.ts'
import { noteFields } from '../keys/fields.ts'
import type { Heartbeat } from '../runs/heartbeat.ts'
import type { Run, RunStore } from '../runs/store.ts'
import { countRows, loadTargets, type Target } from '../targets.ts'
import type { DrainOptions, DrainReport, ModelReport } from './options.ts'
import { staleKeysOf } from './stale-keys.ts'
import { drainStrategy } from './strategy.ts'

/**
 * Re-encrypt every stale value under the active key version of its keyring, in batches, while the
 * application runs. Can be stopped or killed at any moment and run again.
 *
 * @throws {MigrationError} `ERR_RUN_STATE` `ERR_RUN_TABLES` `ERR_CHECKPOINT_NEWER` `ERR_PLAN_DATABASE`
 *   `ERR_DATABASE_BUSY` `ERR_DATABASE_FAILED` `ERR_CONFIG_INVALID`
 * @throws {KeyError} if the key store or the root key cannot be used.
 * @throws {TypeError} for an option out of bounds, or a model that does not exist.
 */
export async function drain(
  config: MigratorConfig,
  options: DrainOptions = {},
): Promise<DrainReport> {
  const checked = checkRunOptions(options)
  const context = await openContext(config)
  const began = performance.now()
  const models: ModelReport[] = []
  try {
    const store = await noteFields(context)
    const targets = await loadTargets(context, options.models)
    for (const target of targets) {
      if (options.signal?.aborted === true) break
      models.push(await drainModel({ context, store, target, options, checked }))
    }
    const isStopped = models.length < targets.length || models.some((m) => m.outcome === 'stopped')
    const report = reportOf(models, isStopped, began)
    const isWhole = report.outcome === 'done' && options.models === undefined
    return isWhole ? { ...report, drained: drainedKeys(targets) } : report
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', GO_ON)
  }
}

const GO_ON = 'run `npx rowseal drain` again: it goes on where it ended'

interface ModelJob {
  readonly context: Context
  readonly store: RunStore
  readonly target: Target
  readonly options: DrainOptions
  readonly checked: CheckedOptions
}

function drainModel(job: ModelJob): Promise<ModelReport> {
  const { store, target } = job
  return withRun(store, target.model, 'drain', (run, heartbeat) => {
    return drainClaimed(job, run, heartbeat)
  })
}

async function drainClaimed(job: ModelJob, run: Run, heartbeat: Heartbeat): Promise<ModelReport> {
  const { context, store, target, options, checked } = job
  const { model } = target
  const fields = target.fields.map((field) => field.name)
  const { signal, onEvent } = options
  const { counts, passes, isClean, isStopped } = await passUntilClean({
    ...checked,
    client: context.client,
    store,
    run,
    heartbeat,
    target,
    signal,
    plan: context.plan.digest,
    checkpoint: run.checkpoint,
    next: async () => drainStrategy(target, await staleKeysOf(target)),
    onBegin: async ({ where }, isResumed) => {
      const staleRows = await countRows(context, target, where)
      onEvent?.({ type: 'model', model, fields, staleRows, isResumed })
    },
    onBatch: (pass, added) => onEvent?.({ type: 'batch', model, pass, ...added }),
    onPass: (pass, added) => onEvent?.({ type: 'pass', model, pass, ...added }),
  })
  const isDone = isClean && counts.quarantined === 0
  const outcome = isStopped ? 'stopped' : isDone ? 'done' : 'incomplete'
  return { model, fields, outcome, passes, ...counts }
}

/** What every value of these has left, as of the last read of the key store. */
function drainedKeys(targets: readonly Target[]): DrainReport['drained'] {
  const keyrings = new Set(targets.flatMap(({ fields }) => fields.map(({ values }) => values)))
  return [...keyrings].flatMap((keyring) =>
    keyring
      .keys()
      .filter((row) => keyring.isStale(row.keyId))
      .filter(({ state }) => state === 'suspended' || state === 'compromised')
      .map(({ keyring: name, keyId, state }) => ({ keyring: name, keyId, state })),
  )
}

function reportOf(models: readonly ModelReport[], isStopped: boolean, began: number): DrainReport {
  const isDone = models.every((model) => model.outcome === 'done')
  return {
    outcome: isStopped ? 'stopped' : isDone ? 'done' : 'incomplete',
    ...models.reduce<PassCounts>(add, NOTHING),
    seconds: Math.round(performance.now() - began) / 1000,
    models,
    drained: [],
  }
}
