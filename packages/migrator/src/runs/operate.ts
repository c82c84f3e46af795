import { databaseOf, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { MigrationError } from '../errors.ts'
import { openPace } from '../pace/pace.ts'
import {
  bothChanges,
  changedPace,
  parsePace,
  serializePace,
  type PaceChange,
} from '../pace/stored.ts'
import { runInfo, type RunInfo } from './list.ts'
import { isEnd } from './progress.ts'
import { settle } from './settle.ts'
import { isActive, type RunState } from './states.ts'
import { RunStore, type RunRow } from './store.ts'

/** A run that an operator has brought into another state, or tried to. */
export interface OperatedRun extends RunInfo {
  /** False if it was in a state from which that is not possible. */
  readonly isChanged: boolean
}

/**
 * Hold runs after the batch in hand. Whoever works on them waits until they are resumed.
 *
 * @param models - default: all that have a run going on.
 * @param reason - for people who look at `rowseal runs list`.
 * @throws {MigrationError} `ERR_RUN_STATE` if a model named has no run going on.
 */
export function pauseRuns(
  config: MigratorConfig,
  models?: readonly string[],
  reason: string | null = null,
): Promise<OperatedRun[]> {
  return operate(config, models, (store, run) => store.move(run, 'paused', reason))
}

/** Let paused runs go on. @throws as `pauseRuns` */
export function resumeRuns(
  config: MigratorConfig,
  models?: readonly string[],
): Promise<OperatedRun[]> {
  return operate(config, models, async (store, run) => {
    const isChanged = await store.move(run, await resumedAs(store, run), null, ['paused'])
    // Its last part may have ended while it was paused.
    await settle(store, run)
    return isChanged
  })
}

/**
 * End runs after the batch in hand. What they wrote stays, and the next run begins anew. A run that is named may
 * also be one that has failed and would be gone on with.
 *
 * @throws as `pauseRuns`
 */
export function cancelRuns(
  config: MigratorConfig,
  models?: readonly string[],
): Promise<OperatedRun[]> {
  const cancel = (store: RunStore, run: RunRow): Promise<boolean> =>
    store.move(run, 'cancelled', 'by an operator')
  return operate(config, models, cancel, models !== undefined)
}

/**
 * Let runs go at another pace from the next batch on, until their end.
 *
 * @param change - what is not named stays. Null takes an option back, also one that a run was started with.
 * @throws {TypeError} naming the option.
 * @throws {MigrationError} as `pauseRuns`, and as `openPace` if a check cannot be asked.
 */
export async function paceRuns(
  config: MigratorConfig,
  models: readonly string[] | undefined,
  change: PaceChange,
): Promise<OperatedRun[]> {
  const { client, plan } = databaseOf(config)
  await openPace({ client, provider: plan.provider }, changedPace({}, change))
  return operate(config, models, (store, run) => {
    const before = run.pace === null ? {} : parsePace(run.pace)
    return store.setPace(run, serializePace(bothChanges(before, change)))
  })
}

async function resumedAs(store: RunStore, run: RunRow): Promise<RunState> {
  const parts = await store.parts.list(run)
  const isSwept = parts.every(({ progress }) => progress === 'swept' || isEnd(progress))
  return isSwept ? 'finishing' : 'running'
}

async function operate(
  config: MigratorConfig,
  models: readonly string[] | undefined,
  change: (store: RunStore, run: RunRow) => Promise<boolean>,
  areFailedMeant = false,
): Promise<OperatedRun[]> {
  const { client, plan } = databaseOf(config)
  const store = new RunStore(client, plan.provider)
  try {
    const going: RunRow[] = []
    for (const run of await store.list())
      if (areFailedMeant ? await store.isUnfinished(run) : isActive(run.state)) going.push(run)
    for (const model of models ?? [])
      if (!going.some((run) => run.model === model)) throw noRun(model, going)
    const operated: OperatedRun[] = []
    for (const run of going.filter(({ model }) => models?.includes(model) ?? true)) {
      const isChanged = await change(store, run)
      const now = (await store.find(run)) ?? run
      operated.push({ ...(await runInfo(store, now)), isChanged })
    }
    return operated
  } catch (error) {
    throw asMigrationError(error, plan.provider === 'sqlite', 'try again')
  }
}

function noRun(model: string, going: readonly RunRow[]): MigrationError {
  const names = [...new Set(going.map((run) => run.model))].join(', ')
  return new MigrationError('ERR_RUN_STATE', `${model} has no run going on.`, {
    fix: names === '' ? 'There is none.' : `There are runs on: ${names}.`,
  })
}
