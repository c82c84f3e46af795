import type { RunSpec } from '../runs/store.ts'
import type { Target } from '../targets.ts'
import type { ModelJob } from './run.ts'

/** What a run is begun with, however its table is cut. */
export function specOf({ context, direction, target }: ModelJob): Omit<RunSpec, 'layout'> {
  const { model } = target
  return { model, kind: 'write', direction: direction.name, plan: context.plan.digest }
}

export function namesOf({ fields }: Target): string[] {
  return fields.map(({ name }) => name)
}
