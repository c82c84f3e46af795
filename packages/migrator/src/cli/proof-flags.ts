import type { Command as Program } from 'commander'
import type { RunReport } from '../engine/events.ts'
import { exitCodeOf, type RunFlags } from './command.ts'
import { leftIn } from './render-reconciliation.ts'
import type { Interruption } from './signals.ts'

export interface ProofFlags extends RunFlags {
  readonly dryRun?: boolean
  readonly proof?: boolean
  /** Path of an HTML file. */
  readonly report?: string
}

/** What all take that seal or open. */
export function proves(command: Program): Program {
  return command.option(
    '--proof',
    'open each value again before its write is committed, and compare',
  )
}

/** What the commands take besides that do so over whole tables. */
export function reports(command: Program): Program {
  return proves(command)
    .option('--dry-run', 'say what would be done and how long it takes, and write nothing')
    .option('--report <file>', 'write a report as one HTML page, with a chart of the progress')
}

/** 3 too if the count after the run found what it was to leave none of. */
export function exitCodeAfter(report: RunReport, interruption: Interruption): number {
  const code = exitCodeOf(report, interruption)
  return code === 0 && leftIn(report) > 0 ? 3 : code
}
