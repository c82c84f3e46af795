import { release } from '../quarantine/release.ts'
import { loadTargets } from '../targets.ts'
import { verifyPass } from '../verify/strategy.ts'
import type { PassJob } from './pass.ts'
import type { PassesResult } from './passes.ts'
import type { ModelJob } from './run.ts'

/** Entries go away of which the direction leaves nothing, and whose values open. */
export function releaseAfter(
  { context, direction, target }: ModelJob,
  pass: Omit<PassJob, 'onBatch'>,
  { checkpoint }: PassesResult,
): Promise<void> {
  const { model, table } = target
  return release({
    ...pass,
    plan: context.plan,
    fields: [...table.sealed, ...table.indexes].map(({ field }) => field),
    checkpoint,
    looks: async () => {
      const [whole] = await loadTargets(context, [model])
      return [await direction.next(context, target), await verifyPass(whole!)]
    },
  })
}
