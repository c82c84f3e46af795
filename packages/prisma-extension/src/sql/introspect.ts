import type { ModelSource, Provider } from '../plan/index.ts'
import type { SqlClient } from './client.ts'

/** A column as the database describes it. */
export interface DatabaseColumn {
  /** What a value is cast to, without length or precision, so that a cast never cuts anything off. */
  readonly type: string
  /** Null where the database's type does not tell: SQLite's, and text of MySQL, which may be JSON. */
  readonly kind: 'text' | 'json' | 'jsonb' | 'bytes' | 'other' | null
  readonly list: boolean
  readonly moves: boolean
  readonly nullable: boolean
  /** The most characters of text or bytes that fit; null for no bound. */
  readonly maxLength: number | null
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

/** Domains count as what they are made of. A length is stored with 4 added. */
const POSTGRESQL = `
SELECT a.attname::text AS name, format_type(b.oid, -1) AS type, NOT (a.attnotnull OR t.typnotnull) AS nullable,
  CASE WHEN b.oid IN ('varchar'::regtype, 'bpchar'::regtype) AND mod.length > 0 THEN mod.length - 4 END AS max_length
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
CROSS JOIN LATERAL (SELECT CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS length) AS mod
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`

const POSTGRESQL_TEXT = /^(text|character|character varying|bpchar|name|"char"|(.+\.)?citext)$/

interface PostgresqlColumn {
  name: string
  type: string
  nullable: boolean
  max_length: number | null
}

async function postgresql(client: SqlClient, quoted: string): Promise<Map<string, DatabaseColumn>> {
  const rows = await client.$queryRawUnsafe<PostgresqlColumn[]>(POSTGRESQL, quoted)
  return new Map(
    rows.map(({ name, type, nullable, max_length: maxLength }) => {
      const list = type.endsWith('[]')
      const kind = postgresqlKind(list ? type.slice(0, -2) : type)
      return [name, { type, kind, list, moves: false, nullable, maxLength }]
    }),
  )
}

function postgresqlKind(type: string): DatabaseColumn['kind'] {
  if (type === 'json' || type === 'jsonb') return type
  if (type === 'bytea') return 'bytes'
  return POSTGRESQL_TEXT.test(type) ? 'text' : 'other'
}

async function sqlite(client: SqlClient, table: string): Promise<Map<string, DatabaseColumn>> {
  // Generated columns are in the longer list only.
  const rows = await client.$queryRawUnsafe<{ name: string; type: string; required: unknown }[]>(
    'SELECT name, type, "notnull" AS required FROM pragma_table_xinfo(?)',
    table,
  )
  return new Map(
    rows.map(({ name, type, required }) => {
      const nullable = Number(required) === 0
      return [name, { type, kind: null, list: false, moves: false, nullable, maxLength: null }]
    }),
  )
}

interface MysqlColumn {
  name: string
  type: string
  data_type: string
  charset: string | null
  collation: string | null
  extra: string
  nullable: string
  max_length: bigint | number | null
}

async function mysql(
  client: SqlClient,
  source: Pick<ModelSource, 'schema' | 'table'>,
): Promise<Map<string, DatabaseColumn>> {
  const rows = await client.$queryRawUnsafe<MysqlColumn[]>(
    `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, DATA_TYPE AS data_type, EXTRA AS extra,
  CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation, IS_NULLABLE AS nullable,
  CHARACTER_MAXIMUM_LENGTH AS max_length
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?`,
    source.schema ?? null,
    source.table,
  )
  return new Map(
    rows.map((row) => [
      row.name,
      {
        type: row.type,
        kind: mysqlKind(row.data_type),
        list: false,
        moves: /on update/i.test(row.extra),
        nullable: row.nullable === 'YES',
        maxLength: row.max_length === null ? null : Number(row.max_length),
        ...(row.charset === null ? {} : { charset: row.charset }),
        ...(row.collation === null ? {} : { collation: row.collation }),
      },
    ]),
  )
}

/** MariaDB's JSON is LONGTEXT, so the database's type does not tell it from text. */
function mysqlKind(type: string): DatabaseColumn['kind'] {
  if (/blob|binary/.test(type)) return 'bytes'
  return /char|text|json/.test(type) ? null : 'other'
}
