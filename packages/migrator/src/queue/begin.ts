import { cutBySize } from '../engine/cut.ts'
import { specOf } from '../engine/job.ts'
import type { ModelJob } from '../engine/run.ts'
import { PACE_KEYS } from '../pace/options.ts'
import { bothChanges, parsePace, serializePace, type PaceChange } from '../pace/stored.ts'
import { QUEUE_LAYOUT, type RunRow } from '../runs/run-row.ts'
import { countRows } from '../targets.ts'

const PART_ROWS = 20_000
/** Whoever ends a part looks at all of them. */
const MAX_PARTS = 2_000

/**
 * Begin a run whose parts are handed out, or go on with the one that is there, at the pace that the options name.
 *
 * @throws as `RunStore.begin`
 */
export async function beginQueued(job: ModelJob): Promise<RunRow> {
  const { context, store, target, options } = job
  const { restart = false, queue } = options
  const run = await store.begin({ ...specOf(job), layout: QUEUE_LAYOUT, restart }, async () => {
    const rows = await countRows(context, target, '1 = 1')
    const size = Math.max(queue?.partRows ?? PART_ROWS, Math.ceil(rows / MAX_PARTS))
    return cutBySize(context.client, target.table, size)
  })
  const given = Object.entries(options).filter(([key]) => PACE_KEYS.includes(key))
  if (given.length > 0) {
    const before = run.pace === null ? {} : parsePace(run.pace)
    const change = Object.fromEntries(given) as PaceChange
    await store.setPace(run, serializePace(bothChanges(before, change)))
  }
  return run
}
