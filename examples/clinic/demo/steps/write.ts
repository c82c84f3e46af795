import { createDigest, type Digest } from '../digest.ts'
import { count, type Printer } from '../print.ts'
import { TABLES, writeRows, type Client, type Row } from '../tables.ts'

/** What was written into one table. */
export interface Written {
  readonly rows: number
  readonly fields: readonly string[]
  /** Over the values as they were made, before Prisma saw them. */
  readonly digest: string
}

/** Write all rows through the extended client. */
export async function write(
  prisma: Client,
  patients: number,
  print: Printer,
): Promise<ReadonlyMap<string, Written>> {
  const written = new Map<string, Written>()
  for (const table of TABLES) {
    const digest = createDigest()
    let fields: readonly string[] = []
    const rows = digested(table.rows(patients), digest, (row) => (fields = Object.keys(row)))
    for await (const done of writeRows(prisma, table, rows))
      print.progress(`${table.model}: ${count(done)} rows`)
    written.set(table.model, { rows: digest.rows, fields, digest: digest.hex() })
  }
  print.progress(null)
  return written
}

function* digested(rows: Iterable<Row>, digest: Digest, seen: (row: Row) => void): Iterable<Row> {
  for (const row of rows) {
    const fields = Object.keys(row)
    seen(row)
    digest.add(row, fields)
    yield row
  }
}
