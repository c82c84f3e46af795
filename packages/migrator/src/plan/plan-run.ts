import { findStalenessIndexes, listTriggers } from '@rowseal/prisma-extension/sql'
import { openContext, type Context, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { destroyedOf, unreadableOf } from '../drain/destroyed.ts'
import { unknownOf } from '../drain/unknown.ts'
import type { Direction } from '../engine/direction.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { checkRunOptions } from '../engine/options.ts'
import type { Strategy } from '../engine/strategy.ts'
import { checkPace, type CheckedPace } from '../pace/options.ts'
import { countAfter, type FieldAfter, type Leaves } from '../proof/after.ts'
import { countRows, type Target } from '../targets.ts'
import { roomOf } from './room.ts'
import type { Estimate, FieldPlan, ModelPlan, RunPlan } from './run-plan.ts'
import { sampleOf, type Sample } from './sample.ts'

/**
 * Say what a direction would do: counts whole tables, and opens and seals the first rows of each, of which
 * nothing is kept. Writes nothing to the database, except that a key store may note uses of a key.
 *
 * @throws as the direction's run, except about runs.
 */
export async function planDirection(
  config: MigratorConfig,
  direction: Direction,
  options: RunDirectionOptions,
): Promise<RunPlan> {
  checkRunOptions(options)
  const pace = checkPace(options)
  const context = await openContext(config)
  const { targets: load, next } = direction.dry ?? direction
  try {
    const models: ModelPlan[] = []
    const targets = await load(context, options.models)
    for (const target of targets) {
      const strategy = await next(context, target)
      models.push(await planModel(context, direction, target, strategy, pace))
    }
    const rows = models.reduce((sum, model) => sum + model.rows, 0)
    const counted = models.map(({ model, byField }) => ({ model, fields: byField }))
    const [unreadable, unknown] = [unreadableOf(targets, counted), unknownOf(context, counted)]
    return { direction: direction.name, models, rows, unreadable, unknown }
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}

async function planModel(
  context: Context,
  direction: Direction,
  target: Target,
  strategy: Strategy,
  pace: CheckedPace,
): Promise<ModelPlan> {
  const { client } = context
  const { model, table, source, fields } = target
  const rows = await countRows(context, target, strategy.where)
  const sample = rows === 0 ? null : await sampleOf(context, target, strategy)
  const indexes = await findStalenessIndexes(client, table, source)
  const stateOf = new Map(indexes.map(({ field, state }) => [field, state]))
  return {
    model,
    fields: fields.map(({ name }) => name),
    rows,
    batches: Math.ceil(rows / pace.batchRows),
    byField: await fieldPlans(context, direction, target, strategy, sample),
    triggers: await listTriggers(client, table, source),
    stalenessIndexes: fields.map(({ name }) => stateOf.get(name) ?? 'missing'),
    estimate: sample === null ? null : estimateOf(rows, sample, pace),
  }
}

async function fieldPlans(
  context: Context,
  { leaves }: Direction,
  target: Target,
  { fields = [] }: Strategy,
  sample: Sample | null,
): Promise<FieldPlan[]> {
  if (leaves === undefined) return []
  const counted = await countAfter(context, target, leaves)
  const plans: FieldPlan[] = []
  for (const { left, ...now } of counted.fields) {
    const changing = left - unopenable(target, now, leaves)
    const at = fields.findIndex(({ field }) => field.name === now.field)
    const sampled = sample?.fields[at] ?? null
    const each = sampled === null || sampled.values === 0 ? null : changing / sampled.values
    const bytes =
      each === null || sampled === null
        ? null
        : { before: Math.round(sampled.before * each), after: Math.round(sampled.after * each) }
    const isPlaintext = leaves.isPlaintextLeft
    const room =
      at < 0 ? null : await roomOf(context, target, fields[at]!, sampled, changing, isPlaintext)
    plans.push({ ...now, changing, bytes, room })
  }
  return plans
}

/** Values that a run was to leave none of, and could not open. */
function unopenable(
  { fields }: Target,
  { field: name, versions }: Omit<FieldAfter, 'left'>,
  { isLeft, isUnknownLeft }: Leaves,
): number {
  const field = fields.find((one) => one.name === name)!
  const destroyed = new Set(destroyedOf(field.values).map(({ keyId }) => keyId))
  const met = versions.filter(({ keyId, version }) =>
    version === null ? isUnknownLeft : destroyed.has(keyId) && isLeft(field, keyId),
  )
  return met.reduce((sum, { count }) => sum + count, 0)
}

function estimateOf(rows: number, sample: Sample, pace: CheckedPace): Estimate {
  const bytesPerRow =
    sample.fields.reduce((sum, { before }) => sum + before, 0) / Math.max(1, sample.rows)
  const kmsCalls = Math.ceil(sample.kmsCallsFirst + sample.kmsCallsPerRow * rows)
  const seconds = [
    (sample.msPerRow * rows) / 1000,
    rows / (pace.maxRowsPerSecond ?? Infinity),
    (bytesPerRow * rows) / (pace.maxBytesPerSecond ?? Infinity),
    kmsCalls / (pace.maxKmsCallsPerSecond ?? Infinity),
  ]
  return {
    sampledRows: sample.rows,
    seconds: Math.round(Math.max(...seconds) * 100) / 100,
    kmsCalls,
  }
}
