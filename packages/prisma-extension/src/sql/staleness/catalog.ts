import type { ModelSource } from '../../plan/index.ts'
import type { SqlClient } from '../client.ts'
import type { Table } from '../table.ts'

/** An index of a table, as the catalog has it. */
export interface CatalogIndex {
  readonly name: string
  /** PostgreSQL: its first expression. SQLite: the statement that made it. MySQL: its first column. */
  readonly on: string
  /** MySQL: characters or bytes of the column that are in it. */
  readonly length: number
  /** PostgreSQL: of the first expression. Else empty. */
  readonly collation: string
  /** May statements use it? */
  readonly isValid: boolean
}

type Client = Pick<SqlClient, '$queryRawUnsafe'>

/** The indexes of a table by which ranges of one thing can be looked up, without those on a part of its rows. */
export async function indexCatalog(
  client: Client,
  table: Table,
  source: ModelSource,
): Promise<CatalogIndex[]> {
  switch (table.provider) {
    case 'postgresql':
      return postgresql(client, table)
    case 'sqlite':
      return sqlite(client, source)
    case 'mysql':
      return mysql(client, source)
  }
}

async function postgresql(client: Client, { name }: Table): Promise<CatalogIndex[]> {
  const rows = await client.$queryRawUnsafe<Omit<CatalogIndex, 'length'>[]>(
    `SELECT x.relname::text AS name, pg_get_indexdef(i.indexrelid, 1, false) AS "on",
  COALESCE(o.collname::text, '') AS collation,
  i.indisvalid AND i.indisready AND i.indpred IS NULL AND m.amname = 'btree' AS "isValid"
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
LEFT JOIN pg_collation o ON o.oid = i.indcollation[0]
WHERE i.indrelid = to_regclass($1) ORDER BY 1`,
    name,
  )
  return rows.map((row) => ({ ...row, length: 0 }))
}

async function sqlite(client: Client, { table }: ModelSource): Promise<CatalogIndex[]> {
  const rows = await client.$queryRawUnsafe<{ name: string; on: string }[]>(
    `SELECT name, sql AS "on" FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY 1`,
    table,
  )
  return rows.map((row) => ({ ...row, length: 0, collation: '', isValid: true }))
}

interface MysqlIndex {
  readonly INDEX_NAME: string
  readonly COLUMN_NAME: string | null
  readonly SUB_PART: bigint | number | null
  readonly INDEX_TYPE: string
  /** MariaDB. */
  readonly IGNORED?: string
  /** MySQL. */
  readonly IS_VISIBLE?: string
}

async function mysql(client: Client, source: ModelSource): Promise<CatalogIndex[]> {
  const rows = await client.$queryRawUnsafe<MysqlIndex[]>(
    `SELECT * FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND SEQ_IN_INDEX = 1 ORDER BY INDEX_NAME`,
    source.schema ?? null,
    source.table,
  )
  return rows.map((row) => ({
    name: row.INDEX_NAME,
    on: row.COLUMN_NAME ?? '',
    length: row.SUB_PART === null ? Infinity : Number(row.SUB_PART),
    collation: '',
    isValid: row.INDEX_TYPE === 'BTREE' && row.IGNORED !== 'YES' && row.IS_VISIBLE !== 'NO',
  }))
}

/** PostgreSQL: is the table made of partitions? */
export async function isPartitioned(client: Client, { provider, name }: Table): Promise<boolean> {
  if (provider !== 'postgresql') return false
  const rows = await client.$queryRawUnsafe<{ kind: string }[]>(
    'SELECT relkind::text AS kind FROM pg_class WHERE oid = to_regclass($1)',
    name,
  )
  return rows[0]?.kind === 'p'
}
