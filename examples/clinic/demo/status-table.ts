import type { StatusReport } from '@rowseal/migrator'
import { count, type Printer } from './print.ts'
import { TABLES } from './tables.ts'

/** Values of a table under the active key version, and under former ones. */
export interface Freshness {
  readonly model: string
  readonly fresh: number
  readonly stale: number
}

export function freshness({ fields }: StatusReport): Freshness[] {
  return TABLES.map(({ model }) => {
    const own = fields.filter((field) => field.model === model)
    const stale = own.reduce((sum, field) => sum + field.stale, 0)
    const all = own.flatMap((field) => field.versions).reduce((sum, one) => sum + one.count, 0)
    return { model, fresh: all - stale, stale }
  })
}

export function printFreshness(report: StatusReport, print: Printer): void {
  const rows = freshness(report).map(({ model, fresh, stale }) => [
    model,
    count(fresh).padStart(9),
    count(stale).padStart(9),
  ])
  print.table(['values of', '    fresh', '    stale'], rows, [15, 9, 9])
}
