import { createDigest, type Digest } from '../digest.ts'
import { count } from '../print.ts'
import type { Site } from '../site.ts'
import { TABLES, writeRows, type Row } from '../tables.ts'

/** What was written into one table. */
export interface Written {
  readonly rows: number
  readonly fields: readonly string[]
  /** Over the values as they were made, before Prisma saw them. */
  readonly digest: string
}

/** Write all rows through the extended client. */
export async function write({ app, options, print }: Site): Promise<ReadonlyMap<string, Written>> {
  print.heading(2, 'Write through the extended client, which seals')
  const written = new Map<string, Written>()
  for (const table of TABLES) {
    const digest = createDigest()
    const fields = Object.keys(first(table.rows(options.patients)))
    const rows = digested(table.rows(options.patients), digest, fields)
    for await (const done of writeRows(app.prisma, table, rows))
      print.progress(`${table.model}: ${count(done)} rows`)
    written.set(table.model, { rows: digest.rows, fields, digest: digest.hex() })
  }
  print.progress(null)
  const rows = [...written].map(([model, one]) => [
    model,
    count(one.rows).padStart(8),
    Object.keys(app.plan.models[model]!.sealed).join(', '),
  ])
  print.table(['table', '    rows', 'sealed fields'], rows, [15, 8, 49])
  return written
}

function first(rows: Iterable<Row>): Row {
  for (const row of rows) return row
  throw new Error('The seed makes no rows for a table.')
}

function* digested(rows: Iterable<Row>, digest: Digest, fields: readonly string[]): Iterable<Row> {
  for (const row of rows) {
    digest.add(row, fields)
    yield row
  }
}
