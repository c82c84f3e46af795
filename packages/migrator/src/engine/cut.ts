import { keyAt, type SqlClient, type Table } from '@rowseal/prisma-extension/sql'
import type { Range } from '../runs/parts.ts'

/**
 * Cut a table into ranges of so many rows each, by one walk along its key. The last one ends with the table,
 * whatever is written behind its last row.
 */
export async function cutBySize(
  client: SqlClient,
  table: Table,
  rows: number,
  maxRanges = Infinity,
): Promise<Range[]> {
  const ranges: Range[] = []
  let after: readonly string[] | null = null
  while (ranges.length < maxRanges - 1) {
    const until: readonly string[] | null = await keyAt(client, table, after, rows)
    if (until === null) break
    ranges.push({ after, until })
    after = until
  }
  return [...ranges, { after, until: null }]
}

/** Cut a table into so many ranges of about as many rows. With fewer rows some ranges are null: they are empty. */
export async function cutByCount(
  client: SqlClient,
  table: Table,
  rows: number,
  count: number,
): Promise<(Range | null)[]> {
  const ranges = await cutBySize(client, table, Math.max(1, Math.ceil(rows / count)), count)
  return [...ranges, ...Array.from({ length: count - ranges.length }, () => null)]
}
