import type { ModelSource, Provider } from '../plan/index.ts'
import type { SqlClient } from './client.ts'

/** An index over columns, not expressions, of all rows. */
interface Index {
  readonly name: string
  readonly columns: readonly string[]
  readonly isUnique: boolean
  /** False for one over the beginnings of values, or one that has no order. */
  readonly isOrdered: boolean
}

/** What the database has for the key by which rows are found again. */
export interface KeyIndexes {
  /** Is there a constraint by which no two rows have the same key? NULLs aside. */
  readonly isUnique: boolean
  /** MySQL: the index of the key. Null if it has none, and on other databases. */
  readonly name: string | null
  /** Columns of unique constraints: those that a foreign key may refer to. */
  readonly unique: readonly string[]
}

/** Look up the indexes of a key. @param columns - as the database names them. */
export async function keyIndexes(
  client: SqlClient,
  provider: Provider,
  source: Pick<ModelSource, 'schema' | 'table'>,
  quoted: string,
  columns: readonly string[],
): Promise<KeyIndexes> {
  if (columns.length === 0) return { isUnique: false, name: null, unique: [] }
  const indexes = await READ[provider](client, source, quoted)
  const unique = indexes.filter(({ isUnique }) => isUnique)
  return {
    isUnique: unique.some(({ columns: own }) => own.every((name) => columns.includes(name))),
    name: provider === 'mysql' ? beginningWith(columns, indexes) : null,
    unique: [...new Set(unique.flatMap(({ columns: own }) => own))],
  }
}

type Reader = (
  client: SqlClient,
  source: Pick<ModelSource, 'schema' | 'table'>,
  quoted: string,
) => Promise<readonly Index[]>

const READ: Readonly<Record<Provider, Reader>> = {
  postgresql: async (client, _, quoted) =>
    group(
      await client.$queryRawUnsafe<Row[]>(
        `SELECT i.indexrelid::text AS name, a.attname::text AS column_name, 1 AS is_unique, 1 AS is_ordered
FROM pg_index i
JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) ON k.place <= i.indnkeyatts
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL`,
        quoted,
      ),
    ),
  // A primary key of integers has no index: the table is one.
  sqlite: async (client, { table }) =>
    group(
      await client.$queryRawUnsafe<Row[]>(
        `SELECT l.name AS name, c.name AS column_name, 1 AS is_unique, 1 AS is_ordered
FROM pragma_index_list(?) AS l JOIN pragma_index_info(l.name) AS c WHERE l."unique" AND NOT l.partial
UNION ALL SELECT '', name, 1, 1 FROM pragma_table_info(?) WHERE pk > 0`,
        table,
        table,
      ),
    ),
  mysql: async (client, source) =>
    group(
      await client.$queryRawUnsafe<Row[]>(
        `SELECT INDEX_NAME AS name, COLUMN_NAME AS column_name, NON_UNIQUE = 0 AS is_unique,
  SUB_PART IS NULL AND INDEX_TYPE = 'BTREE' AS is_ordered
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?
ORDER BY NON_UNIQUE, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
        source.schema ?? null,
        source.table,
      ),
    ),
}

interface Row {
  name: string
  /** Null for an expression. */
  column_name: string | null
  is_unique: bigint | number
  is_ordered: bigint | number
}

function group(rows: readonly Row[]): Index[] {
  const parts = new Map<string, Row[]>()
  for (const row of rows) parts.set(row.name, [...(parts.get(row.name) ?? []), row])
  return [...parts].flatMap(([name, own]) => {
    const columns = own.map((row) => row.column_name)
    if (!columns.every((column) => column !== null)) return []
    const isUnique = own.every((row) => Number(row.is_unique) === 1)
    return [
      { name, columns, isUnique, isOrdered: own.every((row) => Number(row.is_ordered) === 1) },
    ]
  })
}

/** An index that begins with these columns in any order: of those the one that has no other, or is unique. */
function beginningWith(columns: readonly string[], indexes: readonly Index[]): string | null {
  const fitting = indexes.filter(({ isOrdered, columns: own }) => {
    const first = own.slice(0, columns.length)
    return isOrdered && columns.every((column) => first.includes(column))
  })
  const exact = fitting.find(({ columns: own }) => own.length === columns.length)
  return (exact ?? fitting[0])?.name ?? null
}
