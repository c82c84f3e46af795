import type { Context } from '../config.ts'
import { sweepOf } from '../directions.ts'
import type { Direction } from '../engine/direction.ts'
import type { Strategy } from '../engine/strategy.ts'
import { statesOf } from '../reindex/states.ts'
import { reindexStrategy } from '../reindex/strategy.ts'
import { loadTargets, type Target } from '../targets.ts'
import { verifyPass } from '../verify/strategy.ts'

/** How the rows of a model are tried again. */
export interface Attempt {
  readonly target: Target
  readonly strategy: Strategy
}

/** By these a direction says that the plan, or a key, does not have it go on there any more. */
const NOT_MEANT = ['ERR_SEAL_ON', 'ERR_REWRAP_REFUSED']

/**
 * What tries again what a direction has recorded of a model: its own strategy, as the keys are now. Where it is
 * not to do anything any more, it is only looked whether the values are good.
 *
 * @throws as the direction.
 */
export async function attemptOf(
  context: Context,
  model: string,
  direction: string,
): Promise<Attempt> {
  if (direction === 'reindex') return reindexing(context, model)
  const writing = sweepOf(direction)
  return (writing && (await attemptBy(context, model, writing))) ?? looking(context, model)
}

async function attemptBy(
  context: Context,
  model: string,
  direction: Direction,
): Promise<Attempt | undefined> {
  try {
    const [target] = await direction.targets(context, [model])
    return target && { target, strategy: await direction.next(context, target) }
  } catch (error) {
    const { code } = Object(error) as { code?: unknown }
    if (NOT_MEANT.some((one) => one === code)) return undefined
    throw error
  }
}

async function reindexing(context: Context, model: string): Promise<Attempt> {
  const [target] = await loadTargets(context, [model], 'indexes')
  const states = await statesOf(target!.indexes)
  const work = states.map(({ index, wanted }) => ({ index, wanted, isChecked: true }))
  return { target: target!, strategy: reindexStrategy(target!, work, 'retry') }
}

/** Opens every value, and compares the blind indexes with it. */
export async function looking(context: Context, model: string): Promise<Attempt> {
  const [target] = await loadTargets(context, [model])
  return { target: target!, strategy: await verifyPass(target!) }
}
