import type { ModelSource, Provider } from '../plan/index.ts'
import type { SqlClient } from './client.ts'
import { quote } from './dialect.ts'

/** How a column holds sealed values. */
export type ColumnKind = 'text' | 'json' | 'jsonb' | 'bytes'

/** A column as the database has it. */
export interface Column {
  readonly field: string
  /** The database's name, quoted. */
  readonly name: string
  /** PostgreSQL: the type to cast text to, `uuid` or `text[]`. Elsewhere: the declared type. */
  readonly type: string
  readonly kind: ColumnKind
  readonly list: boolean
}

/** A table with sealed columns, as the database has it. */
export interface Table {
  readonly provider: Provider
  /** With its schema, quoted. */
  readonly name: string
  readonly key: readonly Column[]
  readonly sealed: readonly Column[]
}

/** The database lacks what the plan names. `field` is null if the table itself is missing. */
export class MissingColumn extends Error {
  readonly table: string
  readonly column: string | null
  readonly field: string | null

  constructor(table: string, column: string | null, field: string | null) {
    super(
      column === null ? `There is no table ${table}.` : `There is no column ${column} in ${table}.`,
    )
    this.name = 'MissingColumn'
    this.table = table
    this.column = column
    this.field = field
  }
}

/**
 * Ask the database for the key columns and the sealed columns of a model.
 *
 * @throws {MissingColumn} if the table or one of the columns is not there.
 */
export async function loadTable(
  client: SqlClient,
  provider: Provider,
  model: ModelSource,
): Promise<Table> {
  const parts = model.schema === undefined ? [model.table] : [model.schema, model.table]
  const name = parts.map((part) => quote(provider, part)).join('.')
  const types = await columnTypes(client, provider, model, name)
  if (types.size === 0) throw new MissingColumn(parts.join('.'), null, null)
  const column = (field: string): Column => {
    const source = model.columns[field]?.column ?? field
    const type = types.get(source)
    if (type === undefined) throw new MissingColumn(parts.join('.'), source, field)
    const spec = model.sealed[field]
    return {
      field,
      name: quote(provider, source),
      type,
      kind: kindOf(type, spec?.type),
      list: spec?.list ?? false,
    }
  }
  return {
    provider,
    name,
    key: model.key.map(column),
    sealed: Object.keys(model.sealed).map(column),
  }
}

const TYPES: Readonly<Record<Provider, string>> = {
  // A type modifier of -1 gives the bare type: a cast to varchar(9) would cut silently.
  postgresql: `SELECT attname::text AS name, format_type(atttypid, -1) AS type FROM pg_attribute
    WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
  sqlite: `SELECT name, type FROM pragma_table_info(?)`,
  mysql: `SELECT column_name AS name, column_type AS type FROM information_schema.columns
    WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?`,
}

async function columnTypes(
  client: SqlClient,
  provider: Provider,
  model: ModelSource,
  name: string,
): Promise<Map<string, string>> {
  const params = {
    postgresql: [name],
    sqlite: [model.table],
    mysql: [model.schema ?? null, model.table],
  }[provider]
  const rows = await client.$queryRawUnsafe<{ name: string; type: string }[]>(
    TYPES[provider],
    ...params,
  )
  return new Map(rows.map((row) => [row.name, row.type]))
}

function kindOf(type: string, sealed: 'String' | 'Json' | 'Bytes' | undefined): ColumnKind {
  if (/^jsonb\b/i.test(type)) return 'jsonb'
  if (/^json\b/i.test(type) || sealed === 'Json') return 'json'
  return sealed === 'Bytes' || /^(bytea|blob|(var)?binary)/i.test(type) ? 'bytes' : 'text'
}
