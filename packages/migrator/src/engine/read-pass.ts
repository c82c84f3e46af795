import type { Page } from '@rowseal/prisma-extension/sql'
import type { Checkpoint } from '../runs/checkpoint.ts'
import { bytesOf, mayGoOn, pageAfter, type PassJob, type PassResult } from './pass.ts'
import { Saves } from './saves.ts'
import type { Change, Strategy } from './strategy.ts'

/** A page that was read before so long a wait is read again: it may not be so any more. */
const STALE_MS = 1_000

/**
 * One walk of a run that reads. As `runPass`, but what was found is saved with a checkpoint every second only:
 * whoever goes on after a kill looks at the rows since then again, and counts them once. While a page is
 * prepared the next one is read.
 */
export async function runReadPass<C extends Change>(
  job: PassJob,
  strategy: Strategy<C>,
  from: Checkpoint,
): Promise<PassResult> {
  const saves = await Saves.begin(job, strategy, from)
  const isAhead = job.target.table.provider !== 'sqlite' // libsql does one thing at a time
  let after = from.after ?? job.part.range.after
  let ahead: Promise<Page> | null = null
  let isComplete = false
  try {
    for (let asked = performance.now(); !isComplete && (await mayGoOn(job));) {
      if (performance.now() - asked > STALE_MS) ahead = null
      const began = performance.now()
      const page: Page = await (ahead ?? pageAfter(job, strategy, after))
      after = page.rows.at(-1)?.key ?? after
      ahead = page.isLast || !isAhead ? null : pageAfter(job, strategy, after)
      ahead?.catch(() => undefined) // it is awaited later, or not at all
      if (page.rows.length > 0) {
        await saves.add(page.rows, await strategy.prepare(page.rows))
        job.pace.spent({ rows: page.rows.length, bytes: bytesOf(page) })
        job.pace.committed({ rows: page.rows.length, ms: performance.now() - began })
      }
      isComplete = page.isLast
      asked = performance.now()
    }
    await saves.end(isComplete)
    return { checkpoint: saves.checkpoint, isComplete }
  } catch (error) {
    // What an operator has cancelled saves nothing any more.
    if (await job.control.explains(error))
      return { checkpoint: saves.checkpoint, isComplete: false }
    throw error
  }
}
