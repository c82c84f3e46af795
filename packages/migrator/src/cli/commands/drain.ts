import { drain } from '../../drain/drain.ts'
import { rewrap } from '../../rewrap/rewrap.ts'
import type { Command } from '../command.ts'
import { reports, type ProofFlags } from '../proof-flags.ts'
import { shares, THREADS, type Registry } from '../registry.ts'
import { renderDrain } from '../render-run.ts'
import { runDirectionBy } from '../run-direction.ts'
import { writes } from '../write-flags.ts'

interface DrainFlags extends ProofFlags {
  readonly rewrap?: boolean
}

export function addDrain(registry: Registry): void {
  const what = 're-encrypt what is still under older key versions'
  reports(shares(writes(registry.add('drain', what, runDrain))))
    .option('--rewrap', 'let the KMS re-wrap their DEKs, and leave the rest as it is')
    .option(...THREADS)
}

const runDrain: Command<DrainFlags> = (config, flags, interruption) => {
  const runnable =
    flags.rewrap === true
      ? ({ direction: 'rewrap', run: rewrap, render: renderDrain } as const)
      : ({ direction: 'drain', run: drain, render: renderDrain } as const)
  return runDirectionBy(runnable, config, flags, interruption)
}
