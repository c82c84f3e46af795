import type { MigratorConfig } from '../config.ts'
import { asFenceError } from './errors.ts'
import { countFenced, fenceJob, foundFences } from './job.ts'
import { columnsOf, reportOf, type FencedColumn, type FenceReport } from './report.ts'

/**
 * Look which columns are fenced against a key version, and count the values under it. Reads whole tables;
 * writes nothing. What it calls proven stays so for as long as nobody takes the fences down.
 *
 * @throws as `applyFence`, except `ERR_KEY_IN_USE` and `ERR_KEY_STATE`.
 */
export async function fenceStatus(config: MigratorConfig, keyId: number): Promise<FenceReport> {
  try {
    const job = await fenceJob(config, keyId)
    const columns: FencedColumn[] = []
    for (const target of job.targets) {
      // First the fence, then what is behind it.
      const found = await foundFences(job, target)
      const values = await countFenced(job.context.client, target)
      columns.push(...columnsOf(target, found, values))
    }
    return reportOf(job, columns)
  } catch (error) {
    throw asFenceError(error, config.plan.provider, keyId)
  }
}
