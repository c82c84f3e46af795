import type { MigratorConfig } from '../config.ts'
import { SWEEPS, sweepOf, type SweepName } from '../directions.ts'
import { planStale } from '../drain/plan.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { planDirection } from './plan-run.ts'
import type { RunPlan } from './run-plan.ts'

/** What can be planned by rows and fields; `planReindex` plans by index. */
export type PlannedDirection = SweepName

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
  const sweep = sweepOf(direction)
  if (sweep === null) throw new TypeError(`A plan is of ${Object.keys(SWEEPS).join(', ')}.`)
  const isOfStale = direction === 'drain' || direction === 'rewrap'
  return (isOfStale ? planStale : planDirection)(config, sweep, options)
}
