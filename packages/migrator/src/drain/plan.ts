import type { MigratorConfig } from '../config.ts'
import type { Direction } from '../engine/direction.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { planDirection } from '../plan/plan-run.ts'
import type { ModelPlan, RunPlan } from '../plan/run-plan.ts'
import { DRAIN } from './direction.ts'

/** What a drain would do. */
export interface DrainPlan extends RunPlan {
  readonly models: readonly (ModelPlan & { readonly staleRows: number })[]
  readonly staleRows: number
}

/**
 * Say what `drain` would rewrite. Writes nothing to the tables.
 *
 * @throws as `drain`, except about runs.
 */
export function planDrain(
  config: MigratorConfig,
  options: RunDirectionOptions = {},
): Promise<DrainPlan> {
  return planStale(config, DRAIN, options)
}

/** What a direction would do to stale values. */
export async function planStale(
  config: MigratorConfig,
  direction: Direction,
  options: RunDirectionOptions,
): Promise<DrainPlan> {
  const plan = await planDirection(config, direction, options)
  const models = plan.models.map((model) => ({ ...model, staleRows: model.rows }))
  return { ...plan, models, staleRows: plan.rows }
}
