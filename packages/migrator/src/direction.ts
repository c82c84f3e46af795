import { openContext, type Context, type MigratorConfig } from './config.ts'
import { asMigrationError } from './database-error.ts'
import type { DrainOptions, DrainReport, ModelReport } from './drain/options.ts'
import { withRun } from './engine/claim.ts'
import { add, NOTHING, type PassCounts } from './engine/counts.ts'
import { checkRunOptions } from './engine/options.ts'
import { passUntilClean } from './engine/passes.ts'
import type { Change, Strategy } from './engine/strategy.ts'
import { noteFields } from './keys/fields.ts'
import { countRows, loadTargets, type Target } from './targets.ts'

/** What a run over tables does, besides running. */
export interface Direction<C extends Change> {
  readonly name: string
  /**
   * The models that there is something to do for, with the fields that it is about. Refuses what cannot be
   * done, before anything is changed.
   *
   * @param isAsked - were they asked for by name?
   */
  prepare(
    context: Context,
    targets: readonly Target[],
    isAsked: boolean,
  ): readonly Target[] | Promise<readonly Target[]>
  /** What the pass that comes looks for. */
  pass(context: Context, target: Target): Promise<Strategy<C>>
}

export type DirectionOptions = DrainOptions
export type DirectionReport = Omit<DrainReport, 'drained'>

/** Run a direction over every model that it is about, one after the other. */
export async function runDirection<C extends Change>(
  config: MigratorConfig,
  options: DirectionOptions,
  direction: Direction<C>,
): Promise<DirectionReport> {
  const checked = checkRunOptions(options)
  const context = await openContext(config)
  const { models: only, signal, onEvent } = options
  const began = performance.now()
  const models: ModelReport[] = []
  try {
    const store = await noteFields(context)
    const all = await loadTargets(context, only)
    const targets = await direction.prepare(context, all, only !== undefined)
    for (const target of targets) {
      if (signal?.aborted === true) break
      const { model } = target
      const fields = target.fields.map(({ name }) => name)
      const report = await withRun(store, model, direction.name, async (run, heartbeat) => {
        const { counts, passes, isClean, isStopped } = await passUntilClean<C>({
          ...checked,
          ...{ client: context.client, store, run, heartbeat, target, signal },
          plan: context.plan.digest,
          checkpoint: run.checkpoint,
          next: () => direction.pass(context, target),
          onBegin: async ({ where }, isResumed) => {
            const staleRows = await countRows(context, target, where)
            onEvent?.({ type: 'model', model, fields, staleRows, isResumed })
          },
          onBatch: (pass, added) => onEvent?.({ type: 'batch', model, pass, ...added }),
          onPass: (pass, added) => onEvent?.({ type: 'pass', model, pass, ...added }),
        })
        const isDone = isClean && counts.quarantined === 0
        const outcome = isStopped ? 'stopped' : isDone ? 'done' : 'incomplete'
        return { model, fields, outcome, passes, ...counts } as const
      })
      models.push(report)
    }
    const isStopped = models.length < targets.length || models.some((m) => m.outcome === 'stopped')
    const isDone = models.every((model) => model.outcome === 'done')
    return {
      outcome: isStopped ? 'stopped' : isDone ? 'done' : 'incomplete',
      ...models.reduce<PassCounts>(add, NOTHING),
      seconds: Math.round(performance.now() - began) / 1000,
      models,
    }
  } catch (error) {
    const goOn = `run \`npx rowseal ${direction.name}\` again: it goes on where it ended`
    throw asMigrationError(error, context.plan.provider === 'sqlite', goOn)
  }
}
