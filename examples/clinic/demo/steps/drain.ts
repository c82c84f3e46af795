import { drain } from '@rowseal/migrator'
import { ProgressBars } from '@rowseal/migrator/progress'
import { count } from '../print.ts'
import type { Site } from '../site.ts'

export interface Drained {
  readonly rows: number
  readonly rowsPerSecond: number
}

/** Re-encrypt the rest in batches, under the bars that `rowseal drain` shows. No other instance runs, so nothing is waited for. */
export async function drainRest({ config, print }: Site): Promise<Drained> {
  print.heading(6, 'Drain the rest')
  const bars = new ProgressBars()
  const report = await drain(config, { now: true, onEvent: bars.onEvent }).finally(bars.stop)
  const rowsPerSecond = Math.round(report.rows / report.seconds)
  print.line(`   rowseal drain: ${count(report.rows)} rows, ${count(rowsPerSecond)} a second`)
  return { rows: report.rows, rowsPerSecond }
}
