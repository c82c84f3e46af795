import type { MigratorConfig } from '../config.ts'
import { DECRYPT } from '../decrypt/decrypt.ts'
import { DRAIN } from '../drain/direction.ts'
import { planStale } from '../drain/plan.ts'
import { ENCRYPT } from '../encrypt/encrypt.ts'
import type { Direction } from '../engine/direction.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { REWRAP } from '../rewrap/rewrap.ts'
import { planDirection } from './plan-run.ts'
import type { RunPlan } from './run-plan.ts'

/** What can be planned by rows and fields; `planReindex` plans by index. */
export type PlannedDirection = 'encrypt' | 'drain' | 'rewrap' | 'decrypt'

const DIRECTIONS: Readonly<Record<PlannedDirection, Direction>> = {
  encrypt: ENCRYPT,
  drain: DRAIN,
  rewrap: REWRAP,
  decrypt: DECRYPT,
}

/**
 * Say what a run would do, and about how long it takes: rows and values by key version, bytes before and after,
 * values that would not fit, triggers, calls of a KMS. Writes nothing to the tables.
 *
 * @throws as the run would, except about runs.
 * @throws {TypeError} for a direction that does not exist, or an option out of bounds.
 */
export async function planRun(
  config: MigratorConfig,
  direction: PlannedDirection,
  options: RunDirectionOptions = {},
): Promise<RunPlan> {
  if (!Object.hasOwn(DIRECTIONS, direction))
    throw new TypeError(`A plan is of ${Object.keys(DIRECTIONS).join(', ')}.`)
  const isOfStale = direction === 'drain' || direction === 'rewrap'
  return (isOfStale ? planStale : planDirection)(config, DIRECTIONS[direction], options)
}
