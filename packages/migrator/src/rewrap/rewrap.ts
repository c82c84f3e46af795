import { isPool, type MigratorConfig } from '../config.ts'
import { LEAVES_NOTHING_STALE } from '../drain/direction.ts'
import { reportDrained, type DrainReport } from '../drain/drained.ts'
import { fenceOf } from '../drain/fence.ts'
import { planStale, type DrainPlan } from '../drain/plan.ts'
import type { Direction } from '../engine/direction.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { runDirection } from '../engine/run.ts'
import { loadTargets } from '../targets.ts'
import { assertAnyByRoot, rewrappableKeysOf } from './keys.ts'
import { rewrapDryPass, rewrapPass } from './strategy.ts'

/** What cannot be moved in one model is told before anything is moved in another. */
const targets: Direction['targets'] = async (context, models) => {
  const all = await loadTargets(context, models)
  assertAnyByRoot(all)
  for (const target of all) await rewrappableKeysOf(context, target)
  return all
}

/** Moves stale values as they are: the KMS wraps their DEKs anew. */
export const REWRAP: Direction = {
  name: 'rewrap',
  targets,
  next: rewrapPass,
  dry: { targets, next: rewrapDryPass },
  leaves: LEAVES_NOTHING_STALE,
  fence: fenceOf,
}

/**
 * Move every stale value to the active key version of its keyring, where the KMS wraps DEKs: by the KMS's own
 * re-encrypt, which gives no DEK out. Nonce, ciphertext and tag stay. Can be stopped or killed at any moment
 * and run again.
 *
 * @throws {MigrationError} as `drain`; `ERR_REWRAP_REFUSED` if values can only be re-encrypted: their key leaked,
 *   or does not have its DEKs wrapped by the KMS. Nothing was changed then, unless that came about meanwhile.
 * @throws {KeyError} if the key store or the root key cannot be used.
 * @throws {TypeError} for an option out of bounds, or a model that does not exist.
 */
export async function rewrap(
  config: MigratorConfig,
  options: RunDirectionOptions = {},
): Promise<DrainReport> {
  const ran = await runDirection(config, REWRAP, options)
  return reportDrained(ran, options, isPool(config.keyring))
}

/**
 * Count what `rewrap` would rewrite. Writes nothing, and has the KMS re-wrap nothing.
 *
 * @throws as `rewrap`, except about runs.
 */
export function planRewrap(
  config: MigratorConfig,
  options: RunDirectionOptions = {},
): Promise<DrainPlan> {
  return planStale(config, REWRAP, options)
}
