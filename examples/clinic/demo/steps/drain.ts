import { drain } from '@rowseal/migrator'
import { count } from '../print.ts'
import type { Site } from '../site.ts'

export interface Drained {
  readonly rows: number
  readonly rowsPerSecond: number
}

/** Re-encrypt the rest in batches, as `rowseal drain` does. */
export async function drainRest({ config, print }: Site): Promise<Drained> {
  print.heading(6, 'Drain the rest')
  let done = 0
  const report = await drain(config, {
    onEvent: (event) => {
      if (event.type === 'batch') print.progress(`${count((done += event.rows))} rows`)
    },
  })
  print.progress(null)
  const rowsPerSecond = Math.round(report.rows / report.seconds)
  print.line(`   ${count(report.rows)} rows in ${report.seconds} s, ${count(rowsPerSecond)} rows/s`)
  return { rows: report.rows, rowsPerSecond }
}
