import type { ModelSource } from '../plan/index.ts'
import type { SqlClient } from './client.ts'
import { fenceIn } from './fence-name.ts'
import type { Table } from './table.ts'

/** Names of the triggers that an update of this table, or of its partitions, fires, without our own fences. */
export async function listTriggers(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  source: ModelSource,
): Promise<string[]> {
  const list = async (sql: string, ...params: unknown[]): Promise<string[]> => {
    const rows = await client.$queryRawUnsafe<{ name: string }[]>(sql, ...params)
    return rows.map((row) => row.name).filter((name) => fenceIn(name) === null)
  }
  switch (table.provider) {
    case 'postgresql':
      // Bit 4 of tgtype: UPDATE.
      return list(
        `WITH RECURSIVE parts AS (SELECT to_regclass($1)::oid AS oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN parts p ON i.inhparent = p.oid)
SELECT DISTINCT tgname::text AS name FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM parts)
AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype & 16 <> 0 ORDER BY 1`,
        table.name,
      )
    case 'sqlite':
      return list(
        `SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND sql LIKE '%UPDATE%' ORDER BY 1`,
        source.table,
      )
    case 'mysql':
      return list(
        `SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE EVENT_MANIPULATION = 'UPDATE'
AND EVENT_OBJECT_SCHEMA = COALESCE(?, DATABASE()) AND EVENT_OBJECT_TABLE = ? ORDER BY 1`,
        source.schema ?? null,
        source.table,
      )
  }
}
