import { isPool, type MigratorConfig } from '../config.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { runDirection } from '../engine/run.ts'
import { DRAIN } from './direction.ts'
import { reportDrained, type DrainReport } from './drained.ts'

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
  const ran = await runDirection(config, DRAIN, options)
  return reportDrained(ran, options, isPool(config.keyring))
}
