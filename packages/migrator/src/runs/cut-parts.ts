import type { SqlTransaction } from '@rowseal/prisma-extension/sql'
import type { Range, RunId } from './parts.ts'
import type { RunSql } from './sql.ts'

/**
 * Put parts in the place of those of an earlier run over the same model.
 *
 * @param ranges - in order; null for one without rows, which is done.
 */
export async function cutParts(
  sql: RunSql,
  tx: SqlTransaction,
  { model, kind, run }: RunId,
  ranges: readonly (Range | null)[],
): Promise<void> {
  await sql.run(tx, ['DELETE FROM rowseal_parts WHERE model = ? AND kind = ?', model, kind])
  for (const [part, range] of ranges.entries())
    await sql.run(tx, [
      `INSERT INTO rowseal_parts (model, kind, part, run, epoch, heartbeat_at_ms, after_key, until_key, progress)
VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?)`,
      ...[model, kind, part, run, textOf(range?.after), textOf(range?.until)],
      range === null ? 'closed' : 'open',
    ])
}

function textOf(key: readonly string[] | null | undefined): string | null {
  return key == null ? null : JSON.stringify(key)
}
