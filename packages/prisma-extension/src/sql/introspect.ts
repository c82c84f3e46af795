import type { ModelSource, Provider } from '../plan/index.ts'
import type { SqlClient } from './client.ts'

/** A column as the database describes it. */
export interface DatabaseColumn {
  /** What a value is cast to, without length or precision, so that a cast never cuts anything off. */
  readonly type: string
  /** Null where the database's type does not tell (SQLite). */
  readonly kind: 'text' | 'json' | 'jsonb' | 'bytes' | null
  readonly list: boolean
  readonly moves: boolean
  /** MySQL: character set and collation of text. */
  readonly charset?: string
  readonly collation?: string
}

/** All columns of a table by name; empty if there is no such table. */
export async function introspect(
  client: SqlClient,
  provider: Provider,
  source: Pick<ModelSource, 'schema' | 'table'>,
  quoted: string,
): Promise<Map<string, DatabaseColumn>> {
  switch (provider) {
    case 'postgresql':
      return postgresql(client, quoted)
    case 'sqlite':
      return sqlite(client, source.table)
    case 'mysql':
      return mysql(client, source)
  }
}

/** Domains count as what they are made of. */
const POSTGRESQL = `
SELECT a.attname::text AS name, format_type(b.oid, -1) AS type
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`

async function postgresql(client: SqlClient, quoted: string): Promise<Map<string, DatabaseColumn>> {
  const rows = await client.$queryRawUnsafe<{ name: string; type: string }[]>(POSTGRESQL, quoted)
  return new Map(
    rows.map(({ name, type }) => {
      const list = type.endsWith('[]')
      const element = list ? type.slice(0, -2) : type
      const kind = element === 'json' || element === 'jsonb' ? element : null
      const otherwise = element === 'bytea' ? 'bytes' : 'text'
      return [name, { type, kind: kind ?? otherwise, list, moves: false }]
    }),
  )
}

async function sqlite(client: SqlClient, table: string): Promise<Map<string, DatabaseColumn>> {
  const rows = await client.$queryRawUnsafe<{ name: string; type: string }[]>(
    'SELECT name, type FROM pragma_table_info(?)',
    table,
  )
  return new Map(
    rows.map(({ name, type }) => [name, { type, kind: null, list: false, moves: false }]),
  )
}

interface MysqlColumn {
  name: string
  type: string
  data_type: string
  charset: string | null
  collation: string | null
  extra: string
}

async function mysql(
  client: SqlClient,
  source: Pick<ModelSource, 'schema' | 'table'>,
): Promise<Map<string, DatabaseColumn>> {
  const rows = await client.$queryRawUnsafe<MysqlColumn[]>(
    `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, DATA_TYPE AS data_type, EXTRA AS extra,
  CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?`,
    source.schema ?? null,
    source.table,
  )
  return new Map(
    rows.map((row) => [
      row.name,
      {
        type: row.type,
        // MariaDB's JSON is LONGTEXT, so the database's type does not tell it from text.
        kind: /blob|binary/.test(row.data_type) ? ('bytes' as const) : null,
        list: false,
        moves: /on update/i.test(row.extra),
        ...(row.charset === null ? {} : { charset: row.charset }),
        ...(row.collation === null ? {} : { collation: row.collation }),
      },
    ]),
  )
}

/**
 * The index by which MySQL finds a row of a key: one that begins with its columns, a unique one if there
 * is. Null if there is none.
 */
export async function mysqlIndexOf(
  client: SqlClient,
  source: ModelSource,
  columns: readonly string[],
): Promise<string | null> {
  const rows = await client.$queryRawUnsafe<{ name: string; column_name: string }[]>(
    `SELECT INDEX_NAME AS name, COLUMN_NAME AS column_name FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND SUB_PART IS NULL AND INDEX_TYPE = 'BTREE'
ORDER BY NON_UNIQUE, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
    source.schema ?? null,
    source.table,
  )
  const indexes = new Map<string, string[]>()
  for (const { name, column_name } of rows)
    indexes.set(name, [...(indexes.get(name) ?? []), column_name])
  const fitting = [...indexes].filter(([, of]) => {
    const first = of.slice(0, columns.length)
    return first.length === columns.length && columns.every((column) => first.includes(column))
  })
  const exact = fitting.find(([, of]) => of.length === columns.length)
  return (exact ?? fitting[0])?.[0] ?? null
}
