import type { ModelReport } from '../engine/events.ts'
import type { ModelJob } from '../engine/run.ts'
import { left } from '../runs/checkpoint.ts'
import { isEnd } from '../runs/progress.ts'
import type { RunRow } from '../runs/store.ts'
import { countAfter } from './after.ts'
import { reconciled } from './reconcile.ts'

/** What a worker did to a model. */
export type PartReport = Omit<ModelReport, 'reconciliation' | 'after'>

/** With what the run as a whole came to. */
export async function accounted(
  { context, store, direction, target }: ModelJob,
  run: RunRow,
  report: PartReport,
): Promise<ModelReport> {
  const parts = await store.parts.list(run)
  const tallies = parts.map(({ checkpoint }) => left(checkpoint)?.tally ?? {})
  const reconciliation = reconciled(report.fields, tallies)
  const isOver =
    parts.every(({ progress }) => isEnd(progress)) &&
    (report.outcome === 'done' || report.outcome === 'incomplete')
  const after =
    isOver && direction.leaves !== undefined
      ? await countAfter(context, target, direction.leaves)
      : null
  // After a fence nobody writes any more what is left.
  const isDone = after === null || after.left === 0 || direction.fence === undefined
  const outcome = report.outcome === 'done' && !isDone ? 'incomplete' : report.outcome
  return { ...report, outcome, reconciliation, after }
}
