import type { Context } from '../config.ts'
import type { PassJob } from '../engine/pass.ts'
import type { PassesResult } from '../engine/passes.ts'
import { release } from '../quarantine/release.ts'
import { namesOf } from './reports.ts'
import type { IndexState } from './states.ts'
import { reindexStrategy } from './strategy.ts'

/** Entries go away of values that open and whose indexes are right: they are compared, whatever the pass has looked at. */
export function releaseAfter(
  { plan }: Context,
  pass: Omit<PassJob, 'onBatch'>,
  passed: readonly IndexState[],
  { checkpoint }: PassesResult,
): Promise<void> {
  const work = passed.map(({ index, wanted }) => ({ index, wanted, isChecked: true }))
  return release({
    ...pass,
    plan,
    fields: work.flatMap(({ index }) => namesOf(index)),
    checkpoint,
    looks: () => Promise.resolve([reindexStrategy(pass.target, work, 'release')]),
  })
}
