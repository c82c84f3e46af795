import type { KeyState } from '@rowseal/prisma-extension/keys'
import type { MigratorConfig } from '../config.ts'
import type { Direction } from '../engine/direction.ts'
import type { RunDirectionOptions, RunReport } from '../engine/events.ts'
import { runDirection } from '../engine/run.ts'
import { loadTargets, type Target } from '../targets.ts'
import { fenceOf } from './fence.ts'
import { staleKeysOf } from './stale-keys.ts'
import { drainStrategy } from './strategy.ts'

export interface DrainReport extends RunReport {
  /** Former key versions that no value of any model is under any more: they may be retired, or destroyed if they leaked. */
  readonly drained: readonly {
    readonly keyring: string
    readonly keyId: number
    readonly state: KeyState
  }[]
}

export const DRAIN: Direction = {
  name: 'drain',
  command: 'drain',
  targets: (context, models) => loadTargets(context, models),
  next: async (_, target) => drainStrategy(target, await staleKeysOf(target)),
  fence: fenceOf,
}

/**
 * Re-encrypt every stale value under the active key version of its keyring, in batches, while the
 * application runs. Can be stopped or killed at any moment and run again.
 *
 * @throws as `run`
 */
export async function drain(
  config: MigratorConfig,
  options: RunDirectionOptions = {},
): Promise<DrainReport> {
  const { report, targets } = await runDirection(config, DRAIN, options)
  const isWhole =
    report.outcome === 'done' && options.models === undefined && options.shard === undefined
  return { ...report, drained: isWhole ? drainedKeys(targets) : [] }
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
