import type { ModelSource, Provider, SealedField } from '../plan/index.ts'
import type { SqlClient } from './client.ts'
import { tableName } from './empty.ts'
import { keyIndexes } from './indexes.ts'
import { introspect, type DatabaseColumn } from './introspect.ts'
import { quote } from './dialect.ts'

export interface Column {
  readonly field: string
  /** Quoted. */
  readonly name: string
  readonly database: DatabaseColumn
}

export interface KeyColumn extends Column {
  /** Prisma's type, or the enum's name. */
  readonly type: string
}

export interface SealedColumn extends Column {
  readonly kind: 'text' | 'json' | 'jsonb' | 'bytes'
  readonly list: boolean
}

/** A model's table as it really is. */
export interface Table {
  readonly provider: Provider
  /** Quoted, with its schema where the plan has one. */
  readonly name: string
  readonly key: readonly KeyColumn[]
  readonly sealed: readonly SealedColumn[]
  /** Columns of blind indexes, which hold text. */
  readonly indexes: readonly SealedColumn[]
  /** Columns that sealed values are bound to. */
  readonly bound: readonly KeyColumn[]
  /** Does a constraint of the database see to it that no two rows have the same key? NULLs aside. */
  readonly isKeyUnique: boolean
  /** MySQL: the index of the key, quoted. Null if it has none, and on other databases. */
  readonly keyIndex: string | null
  /** Columns that a foreign key may refer to. Quoted. */
  readonly unique: readonly string[]
  /** Columns the database itself moves with every update (MySQL's ON UPDATE). Quoted. */
  readonly moving: readonly string[]
}

/** The database does not have what the plan says. */
export class TableError extends Error {
  /** `Model.field`, or the model alone if its table is missing. */
  readonly field: string
  readonly problem: string
  readonly fix: string

  constructor(field: string, problem: string, fix: string) {
    super(`${problem} ${fix}`)
    this.name = 'TableError'
    this.field = field
    this.problem = problem
    this.fix = fix
  }
}

/**
 * Look up the columns of a model in the database: its key, what is sealed, what that is bound to, what
 * indexes it.
 *
 * @param model - its name, for errors.
 * @throws {TableError} if the table or one of the columns is missing, or has another type.
 */
export async function loadTable(
  client: SqlClient,
  provider: Provider,
  source: ModelSource,
  model: string = source.table,
): Promise<Table> {
  const name = tableName(provider, source)
  const found = await introspect(client, provider, source, name)
  if (found.size === 0)
    throw new TableError(
      model,
      `Model ${model}: the database has no table ${name}.`,
      'Run the migrations, or connect to the database (and search path) that has them.',
    )
  const columnOf = (field: string): Column => {
    const column = source.columns[field]?.column ?? field
    const database = found.get(column)
    if (database !== undefined) return { field, name: quote(provider, column), database }
    throw new TableError(
      `${model}.${field}`,
      `${model}.${field}: table ${name} has no column ${quote(provider, column)}.`,
      'Run the migrations, or generate the plan again from the schema the database has.',
    )
  }
  const sealed = Object.entries(source.sealed).map(([field, spec]) => {
    const column = columnOf(field)
    return sealedColumn(column, spec, `${model}.${field}`)
  })
  const typed = (field: string): KeyColumn => ({
    ...columnOf(field),
    type: source.columns[field]?.type ?? 'String',
  })
  const bound = new Set(Object.values(source.sealed).flatMap(({ bind }) => bind))
  const keyColumns = source.key.map((field) => source.columns[field]?.column ?? field)
  const index = await keyIndexes(client, provider, source, name, keyColumns)
  return {
    provider,
    name,
    isKeyUnique: index.isUnique,
    keyIndex: index.name === null ? null : quote(provider, index.name),
    unique: index.unique.map((column) => quote(provider, column)),
    key: source.key.map(typed),
    bound: [...bound].map(typed),
    sealed,
    indexes: Object.keys(source.indexes).map((field) =>
      sealedColumn(columnOf(field), { type: 'String', list: false }, `${model}.${field}`),
    ),
    moving: [...found].filter(([, c]) => c.moves).map(([column]) => quote(provider, column)),
  }
}

/** A column that holds or held sealed values or hashes, as it is remembered. */
export interface ColumnPlace {
  readonly schema: string | null
  readonly table: string
  readonly column: string
  readonly type: SealedField['type']
}

/**
 * Look up one column by its names in the database, whatever a plan says. Gives null if it is not there, or
 * has a type that holds no text, JSON or bytes any more. The table has no other columns.
 */
export async function loadColumn(
  client: SqlClient,
  provider: Provider,
  { schema, table, column, type }: ColumnPlace,
): Promise<{ readonly table: Table; readonly column: SealedColumn } | null> {
  const source = { table, ...(schema === null ? {} : { schema }) }
  const name = tableName(provider, source)
  const database = (await introspect(client, provider, source, name)).get(column)
  if (database === undefined) return null
  if (database.kind === 'other') return null
  const found: SealedColumn = {
    field: column,
    name: quote(provider, column),
    database,
    kind: database.kind ?? KINDS[type],
    list: database.list,
  }
  const none = { key: [], sealed: [], indexes: [], bound: [], unique: [], moving: [] }
  return { table: { provider, name, ...none, isKeyUnique: false, keyIndex: null }, column: found }
}

/** What a column holds where its type does not tell. */
const KINDS = { String: 'text', Json: 'json', Bytes: 'bytes' } as const

function sealedColumn(
  column: Column,
  spec: Pick<SealedField, 'type' | 'list'>,
  field: string,
): SealedColumn {
  const { kind, list, type } = column.database
  const expected = { String: ['text'], Json: ['json', 'jsonb'], Bytes: ['bytes'] }[spec.type]
  if (list !== spec.list || kind === 'other' || (kind !== null && !expected.includes(kind)))
    throw new TableError(
      field,
      `${field}: column ${column.name} has the type ${type}, which does not hold ${spec.type}${spec.list ? '[]' : ''}.`,
      'Run the migrations, or generate the plan again from the schema the database has.',
    )
  return { ...column, kind: kind ?? KINDS[spec.type], list }
}
