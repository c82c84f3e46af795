import { drain } from '../../drain/drain.ts'
import { planDrain } from '../../drain/plan.ts'
import { planRewrap, rewrap } from '../../rewrap/rewrap.ts'
import { given, optionsOf, type Command } from '../command.ts'
import { exitCodeAfter, proves, type ProofFlags } from '../proof-flags.ts'
import { ProgressBars } from '../progress.ts'
import { shares, type Registry } from '../registry.ts'
import { renderPlan } from '../render.ts'
import { renderDrain } from '../render-run.ts'
import { writes } from '../write-flags.ts'

interface DrainFlags extends ProofFlags {
  readonly dryRun?: boolean
  readonly rewrap?: boolean
}

export function addDrain(registry: Registry): void {
  const what = 're-encrypt what is still under older key versions'
  proves(shares(writes(registry.add('drain', what, runDrain))))
    .option('--rewrap', 'let the KMS re-wrap their DEKs, and leave the rest as it is')
    .option('--dry-run', 'count what would be rewritten, and write nothing')
}

const runDrain: Command<DrainFlags> = async (config, flags, interruption) => {
  const options = { ...optionsOf(flags, interruption), ...given({ proof: flags.proof }) }
  const isRewrap = flags.rewrap === true
  if (flags.dryRun === true) {
    const plan = await (isRewrap ? planRewrap : planDrain)(config, options)
    return { document: plan, text: renderPlan(plan), exitCode: 0 }
  }
  const bars = new ProgressBars()
  const go = isRewrap ? rewrap : drain
  const report = await go(config, { ...options, onEvent: bars.onEvent }).finally(bars.stop)
  const exitCode = exitCodeAfter(report, interruption)
  return { document: report, text: renderDrain(report), exitCode }
}
