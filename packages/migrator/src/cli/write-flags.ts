import type { Command as Program } from 'commander'
import { paceFlags } from './pace-flags.ts'
import { integer } from './numbers.ts'
import { batches } from './registry.ts'

/** What every command takes that writes to tables. */
export function writes(command: Program): Program {
  return paceFlags(batches(command))
    .option('--max-passes <n>', 'passes over a table at most (default: 10)', integer)
    .option('--now', 'do not wait until every instance follows')
    .option('--max-transaction <s>', 'seconds a transaction may take (default: 5)', integer)
    .option('--restart', 'begin anew, whatever an earlier run has left')
}
