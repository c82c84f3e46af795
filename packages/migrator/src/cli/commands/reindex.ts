import { Option } from 'commander'
import type { ReindexOptions } from '../../reindex/options.ts'
import { planReindex } from '../../reindex/plan.ts'
import { reindex } from '../../reindex/reindex.ts'
import { given } from '../../given.ts'
import { exitCodeOf, optionsOf, type Command, type RunFlags } from '../command.ts'
import { ProgressBars } from '../progress.ts'
import { SHARD, type Registry } from '../registry.ts'
import { renderReindex, renderReindexPlan } from '../render-indexes.ts'
import { writes } from '../write-flags.ts'

interface ReindexFlags extends RunFlags {
  readonly dryRun?: boolean
  readonly offline?: boolean
  readonly checkValues?: boolean
}

export function addReindex(registry: Registry): void {
  const what = 'fill blind indexes, and bring them to the active index key'
  const [shard, is, parse] = SHARD
  writes(registry.add('reindex', what, runReindex))
    // So that it is told why there is none.
    .addOption(new Option(shard, is).argParser(parse).hideHelp())
    .addOption(new Option('--queue').hideHelp())
    .option('--dry-run', 'count what would be gone over, and write nothing')
    .option('--check-values', 'compute every value anew and compare')
    .option('--offline', 'rotate unique indexes without a second column, refusing writes meanwhile')
}

const runReindex: Command<ReindexFlags> = async (config, flags, interruption) => {
  const { offline, checkValues } = flags
  const options: ReindexOptions = {
    ...optionsOf(flags, interruption),
    ...given({ offline, checkValues }),
  }
  if (flags.dryRun === true) {
    const plan = await planReindex(config, options)
    return { document: plan, text: renderReindexPlan(plan), exitCode: 0 }
  }
  const bars = new ProgressBars()
  const report = await reindex(config, { ...options, onEvent: bars.onEvent }).finally(bars.stop)
  const exitCode = exitCodeOf(report, interruption)
  return { document: report, text: renderReindex(report), exitCode }
}
