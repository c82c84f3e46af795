import type { IndexPhase, IndexRecord } from '@rowseal/prisma-extension/keys'
import { phaseOf } from '@rowseal/prisma-extension/keys'
import { listTriggers } from '@rowseal/prisma-extension/sql'
import { contextOf, type Context, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { checkRunOptions } from '../engine/options.ts'
import { checkPace } from '../pace/options.ts'
import { countRows, loadTargets, type Target, type TargetIndex } from '../targets.ts'
import { assertWhole, type ReindexOptions } from './options.ts'
import { phasesAhead, wantedOf } from './rotation.ts'
import { reindexStrategy, type IndexWork } from './strategy.ts'

/** What a reindex would do to one index. */
export interface IndexPlan {
  /** `Model.column` of its first column. */
  readonly index: string
  readonly isUnique: boolean
  readonly isRegistered: boolean
  readonly isComplete: boolean
  /** Of a unique index. */
  readonly phase: IndexPhase | null
  /** Phases it would be led through, with a wait after each. */
  readonly ahead: readonly IndexPhase[]
}

export interface IndexModelPlan {
  readonly model: string
  readonly indexes: readonly IndexPlan[]
  /** Rows that would be gone over first: opened, and rewritten where something is missing. */
  readonly rows: number
  readonly batches: number
  /** Triggers that will fire for each row rewritten. */
  readonly triggers: readonly string[]
}

export interface ReindexPlan {
  readonly models: readonly IndexModelPlan[]
  readonly rows: number
}

/**
 * Say what `reindex` would do. Writes nothing, and registers nothing.
 *
 * @throws as `reindex`, except about runs.
 */
export async function planReindex(
  config: MigratorConfig,
  options: ReindexOptions = {},
): Promise<ReindexPlan> {
  checkRunOptions(options)
  assertWhole(options)
  const { batchRows } = checkPace(options)
  const context = contextOf(config)
  try {
    const targets = await loadTargets(context, options.models, 'indexes')
    for (const { keyring } of targets.flatMap((target) => target.fields))
      await keyring.index.refresh()
    const models: IndexModelPlan[] = []
    for (const target of targets) models.push(await planModel(context, target, options, batchRows))
    return { models, rows: models.reduce((sum, model) => sum + model.rows, 0) }
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}

async function planModel(
  context: Context,
  target: Target,
  { checkValues = false }: ReindexOptions,
  batchRows: number,
): Promise<IndexModelPlan> {
  const planned = target.indexes.map((index) => ({ index, record: recordOf(index) }))
  const work: IndexWork[] = planned.map(({ index, record }) => ({
    index,
    wanted: wantedOf(record, activeOf(index)),
    isChecked: checkValues || !record.complete,
  }))
  const rows = await countRows(context, target, reindexStrategy(target, work, '').where)
  return {
    model: target.model,
    indexes: planned.map(({ index, record }) => ({
      index: index.label,
      isUnique: index.isUnique,
      isRegistered: index.field.keyring.index.records().some(({ id }) => id === index.id),
      isComplete: record.complete,
      phase: phaseOf(record),
      ahead: phasesAhead(record, index.field.keyring.index.keys(), index.columns[1] !== null),
    })),
    rows,
    batches: Math.ceil(rows / batchRows),
    triggers: await listTriggers(context.client, target.table, target.source),
  }
}

/** The record that there is, or the one that registering would make. */
function recordOf(index: TargetIndex): IndexRecord {
  const { id, normalize, isUnique } = index
  const known = index.field.keyring.index.records().find((record) => record.id === id)
  if (known !== undefined) return known
  const keys = isUnique ? ([activeOf(index), null] as const) : ([null, null] as const)
  return { id, normalize, isUnique, complete: false, lookup: 1, writes: 'lookup', keys }
}

/** 0, which no key has, if `init` has not made one yet. */
function activeOf({ field }: TargetIndex): number {
  return field.keyring.index.keys().find(({ state }) => state === 'active')?.keyId ?? 0
}
