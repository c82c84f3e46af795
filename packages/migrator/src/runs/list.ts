import { databaseOf, type MigratorConfig } from '../config.ts'
import { add, NOTHING, type PassCounts } from '../engine/counts.ts'
import { lookedAt, totalOf } from './checkpoint.ts'
import { goOnCommands } from './go-on.ts'
import { isEnd } from './progress.ts'
import type { RunState } from './states.ts'
import { RunStore, type RunRow } from './store.ts'

/** The last run over a model, of those that write or of those that read. */
export interface RunInfo extends PassCounts {
  readonly model: string
  /** Rows that a verify has looked at. */
  readonly looked: number
  readonly direction: string
  readonly state: RunState
  /** Why it is paused, or how it ended; null if there is nothing to say. */
  readonly reason: string | null
  /** Who works on it now: `host:pid:id`, one for each part. */
  readonly workers: readonly string[]
  /** The commands that go on with it where nobody works on it; none if there is nothing to go on with. */
  readonly goOn: readonly string[]
  /** How the table is cut, and how many of the parts are done. */
  readonly parts: { readonly count: number; readonly done: number; readonly layout: string }
  /** When it began, and when its state changed last. ISO 8601. */
  readonly since: string
  readonly changed: string
}

/**
 * The last runs over each model.
 *
 * @throws {MigrationError} `ERR_DATABASE_FAILED` `ERR_CONFIG_INVALID`
 */
export async function listRuns(config: MigratorConfig): Promise<RunInfo[]> {
  const { client, plan } = databaseOf(config)
  return runInfos(new RunStore(client, plan.provider))
}

export async function runInfos(store: RunStore): Promise<RunInfo[]> {
  const infos: RunInfo[] = []
  for (const run of await store.list()) infos.push(await runInfo(store, run))
  return infos
}

export async function runInfo(store: RunStore, run: RunRow): Promise<RunInfo> {
  const parts = await store.parts.list(run)
  const { model, direction, state, reason, layout, since, changed } = run
  const counts = parts.map(({ checkpoint }) => totalOf(checkpoint)).reduce<PassCounts>(add, NOTHING)
  const workers = parts.flatMap(({ owner, isAlive }) => (isAlive && owner !== null ? [owner] : []))
  const done = parts.filter(({ progress }) => isEnd(progress)).length
  return {
    ...{ model, direction, state, reason, workers, goOn: goOnCommands(run, parts) },
    parts: { count: parts.length, done, layout },
    ...counts,
    looked: parts.reduce((sum, { checkpoint }) => sum + lookedAt(checkpoint), 0),
    since: since.toISOString(),
    changed: changed.toISOString(),
  }
}
