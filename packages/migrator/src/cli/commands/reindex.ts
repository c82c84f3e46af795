import type { ReindexOptions } from '../../reindex/options.ts'
import { planReindex } from '../../reindex/plan.ts'
import { reindex } from '../../reindex/reindex.ts'
import { exitCodeOf, given, optionsOf, type Command, type RunFlags } from '../command.ts'
import { ProgressBars } from '../progress.ts'
import { batches, integer, type Registry } from '../registry.ts'
import { renderReindex, renderReindexPlan } from '../render-indexes.ts'

interface ReindexFlags extends RunFlags {
  readonly dryRun?: boolean
  readonly offline?: boolean
  readonly now?: boolean
  readonly checkValues?: boolean
  /** Seconds. */
  readonly maxTransaction?: number
}

export function addReindex(registry: Registry): void {
  const what = 'fill blind indexes, and bring them to the active index key'
  batches(registry.add('reindex', what, runReindex))
    .option('--max-passes <n>', 'passes over a table at most (default: 10)', integer)
    .option('--dry-run', 'count what would be gone over, and write nothing')
    .option('--check-values', 'compute every value anew and compare')
    .option('--offline', 'rotate unique indexes without a second column, refusing writes meanwhile')
    .option('--now', 'do not wait until every instance follows')
    .option('--max-transaction <s>', 'seconds a transaction may take (default: 5)', integer)
}

const runReindex: Command<ReindexFlags> = async (config, flags, interruption) => {
  const options = { ...optionsOf(flags, interruption), ...reindexOptionsOf(flags) }
  if (flags.dryRun === true) {
    const plan = await planReindex(config, options)
    return { document: plan, text: renderReindexPlan(plan), exitCode: 0 }
  }
  const bars = new ProgressBars()
  const report = await reindex(config, { ...options, onEvent: bars.onEvent }).finally(bars.stop)
  const exitCode = exitCodeOf(report, interruption)
  return { document: report, text: renderReindex(report), exitCode }
}

function reindexOptionsOf(flags: ReindexFlags): ReindexOptions {
  const { offline, now, checkValues, maxTransaction } = flags
  const maxTransactionMs = maxTransaction === undefined ? undefined : maxTransaction * 1000
  return given({ offline, now, checkValues, maxTransactionMs })
}
