import {
  findStalenessIndexes,
  listTriggers,
  type StalenessState,
} from '@rowseal/prisma-extension/sql'
import { openContext, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { checkRunOptions } from '../engine/options.ts'
import { checkPace } from '../pace/options.ts'
import { countRows } from '../targets.ts'
import type { Direction } from '../engine/direction.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { DRAIN } from './direction.ts'

/** What a drain would do to one model. */
export interface ModelPlan {
  readonly model: string
  readonly fields: readonly string[]
  readonly staleRows: number
  readonly batches: number
  /** Triggers that will fire for each row rewritten. */
  readonly triggers: readonly string[]
  /** Staleness indexes, in the order of `fields`. */
  readonly stalenessIndexes: readonly StalenessState[]
}

export interface DrainPlan {
  readonly models: readonly ModelPlan[]
  readonly staleRows: number
}

/**
 * Count what `drain` would rewrite. Writes nothing.
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
  checkRunOptions(options)
  const { batchRows } = checkPace(options)
  const context = await openContext(config)
  try {
    const models: ModelPlan[] = []
    for (const target of await direction.targets(context, options.models)) {
      const { where } = await direction.next(context, target)
      const indexes = await findStalenessIndexes(context.client, target.table, target.source)
      const staleRows = await countRows(context, target, where)
      models.push({
        model: target.model,
        fields: target.fields.map((field) => field.name),
        staleRows,
        batches: Math.ceil(staleRows / batchRows),
        triggers: await listTriggers(context.client, target.table, target.source),
        stalenessIndexes: indexes.map(({ state }) => state),
      })
    }
    return { models, staleRows: models.reduce((sum, model) => sum + model.staleRows, 0) }
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}
