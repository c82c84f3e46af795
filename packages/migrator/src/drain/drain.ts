import { setTimeout as sleep } from 'node:timers/promises'
import { contextOf, type Context, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { resumable, type Checkpoint } from '../runs/checkpoint.ts'
import { Heartbeat } from '../runs/heartbeat.ts'
import { newOwner } from '../runs/owner.ts'
import { RunStore, type Run } from '../runs/store.ts'
import { countRows, loadTargets, type Target } from '../targets.ts'
import { add, NOTHING, subtract, type PassCounts } from './counts.ts'
import {
  checkDrainOptions,
  type CheckedDrainOptions,
  type DrainOptions,
  type DrainReport,
  type ModelReport,
} from './options.ts'
import { runPass, staleWhere, type PassJob } from './pass.ts'
import type { StaleKeys } from './reencrypt.ts'
import { staleKeysOf } from './stale-keys.ts'

/**
 * Passes over a table go on until one meets nothing stale and is beaten by nobody:
 *
 *   claim → pass → something was rewritten or superseded → keyrings read anew → pass → … → nothing → done
 *                                                                     maxPasses reached → incomplete
 *
 * Values that do not open are quarantined and count as met: they make the run incomplete, not endless.
 */

/** Rows that others hold are mostly free again after this long. */
const PAUSE_MS = 250

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
  const checked = checkDrainOptions(options)
  const context = contextOf(config)
  const began = performance.now()
  const models: ModelReport[] = []
  try {
    const store = new RunStore(context.client, context.plan.provider)
    await store.assertExists()
    const targets = await loadTargets(context, options.models)
    for (const target of targets) {
      if (options.signal?.aborted === true) break
      models.push(await drainModel({ context, store, target, options, checked }))
    }
    const isStopped = models.length < targets.length || models.some((m) => m.outcome === 'stopped')
    return reportOf(models, isStopped, began)
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
  readonly checked: CheckedDrainOptions
}

async function drainModel(job: ModelJob): Promise<ModelReport> {
  const { store, target } = job
  const run = await store.claim(target.model, 'drain', newOwner())
  const heartbeat = new Heartbeat(store, run)
  try {
    const report = await drainClaimed(job, run, heartbeat)
    await heartbeat.stop()
    await store.release(run, report.outcome)
    return report
  } catch (error) {
    await heartbeat.stop()
    // The error matters more than whether the run could be given back: without, it lapses.
    await store.release(run, 'failed').catch(() => undefined)
    throw error
  }
}

async function drainClaimed(job: ModelJob, run: Run, heartbeat: Heartbeat): Promise<ModelReport> {
  const { context, target, options, checked } = job
  const { model } = target
  let stale = await staleKeysOf(target)
  let resumed = resumable(run.checkpoint, context.plan.digest, idsOf(stale))
  const fields = target.fields.map((field) => field.name)
  const staleRows = await countRows(context, target, staleWhere(target, stale))
  options.onEvent?.({ type: 'model', model, fields, staleRows, isResumed: resumed !== null })
  let total = NOTHING
  for (let pass = resumed?.pass ?? 1, passes = 1; ; pass++, passes++) {
    const from = resumed ?? firstOf(context, stale, pass)
    resumed = null
    const { counts, isComplete } = await runPass(passJob(job, run, heartbeat, stale, pass), from)
    total = { ...add(total, subtract(counts, from.counts)), quarantined: counts.quarantined }
    const report = (outcome: ModelReport['outcome']): ModelReport => {
      return { model, fields, outcome, passes, ...total }
    }
    if (!isComplete) return report('stopped')
    options.onEvent?.({ type: 'pass', model, pass, ...counts })
    if (counts.rows === 0 && counts.superseded === 0)
      return report(counts.quarantined === 0 ? 'done' : 'incomplete')
    if (passes >= checked.maxPasses) return report('incomplete')
    if (counts.superseded > 0) await sleep(PAUSE_MS)
    stale = await staleKeysOf(target)
  }
}

function passJob(
  { context, store, target, options, checked }: ModelJob,
  run: Run,
  heartbeat: Heartbeat,
  stale: StaleKeys,
  pass: number,
): PassJob {
  const { client } = context
  const { model } = target
  const onBatch = (added: PassCounts): void =>
    options.onEvent?.({ type: 'batch', model, pass, ...added })
  return {
    ...checked,
    client,
    store,
    target,
    run,
    heartbeat,
    stale,
    signal: options.signal,
    onBatch,
  }
}

function firstOf(context: Context, stale: StaleKeys, pass: number): Checkpoint {
  return { plan: context.plan.digest, stale: idsOf(stale), pass, after: null, counts: NOTHING }
}

function idsOf(stale: StaleKeys): number[] {
  return [...stale.values()].flatMap((ids) => [...ids]).sort((a, b) => a - b)
}

function reportOf(models: readonly ModelReport[], isStopped: boolean, began: number): DrainReport {
  const isDone = models.every((model) => model.outcome === 'done')
  return {
    outcome: isStopped ? 'stopped' : isDone ? 'done' : 'incomplete',
    ...models.reduce<PassCounts>(add, NOTHING),
    seconds: Math.round(performance.now() - began) / 1000,
    models,
  }
}
