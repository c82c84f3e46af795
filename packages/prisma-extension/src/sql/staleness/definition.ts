import { createHash } from 'node:crypto'
import type { ModelSource } from '../../plan/index.ts'
import { quote } from '../dialect.ts'
import { BYTES_PREFIX_BYTES, prefixOf, TEXT_PREFIX_CHARS } from '../prefix.ts'
import type { SealedColumn, Table } from '../table.ts'
import { hasMysqlRanges } from './mysql-ranges.ts'

/**
 * A staleness index is on the prefixes of one sealed column, so that values under a key id are looked up in
 * place of searched for:
 *
 *   PostgreSQL, SQLite   on the expression that conditions are about
 *   MySQL, MariaDB       on the first 13 characters of the column (7 bytes; 14 characters of JSON)
 *
 * The key stands nowhere in it: PostgreSQL then keeps a prefix once for all its rows, some 7 bytes a row.
 */
export interface StalenessDefinition {
  /** What stands between the brackets of CREATE INDEX. */
  readonly on: string
  /** MySQL: how much of the column it has at least. Characters or bytes. */
  readonly length: number
}

/** Why a column can have no staleness index. */
export type Unsupported = 'list' | 'json'

export function definitionOf(
  { provider }: Table,
  column: SealedColumn,
): StalenessDefinition | Unsupported {
  if (column.list) return 'list'
  const isBytes = column.kind === 'bytes'
  const length = isBytes ? BYTES_PREFIX_BYTES : TEXT_PREFIX_CHARS
  if (provider === 'mysql') {
    if (!hasMysqlRanges(column)) return 'json'
    const quoted = column.kind === 'json' ? 1 : 0
    return { on: `${column.name}(${length + quoted})`, length: length + quoted }
  }
  // Of `json`, which may hold what text cannot, PostgreSQL reads no string: the index would refuse such values.
  if (provider === 'postgresql' && column.kind === 'json') return 'json'
  const prefix = prefixOf(provider, column, column.name)
  if (provider === 'sqlite') return { on: prefix, length }
  return {
    on: isBytes ? `(${prefix})` : `(${prefix.replace(/ COLLATE "C"$/, '')}) COLLATE "C"`,
    length,
  }
}

const READABLE_CHARS = 32

/**
 * The name of the staleness index of a column: deterministic, at most 63 ASCII characters.
 *
 *   `rowseal_stale_` ‖ table and column, as far as they fit ‖ `_` ‖ hash, 8 hex digits
 */
export function stalenessIndexName(source: ModelSource, field: string): string {
  const column = source.columns[field]?.column ?? field
  const whole = JSON.stringify([source.schema ?? null, source.table, column])
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8)
  const readable = `${source.table}_${column}`.replaceAll(/\W+/g, '_').slice(0, READABLE_CHARS)
  return `rowseal_stale_${readable}_${hash}`
}

/** What makes and takes down an index, without stopping those who write meanwhile where the database can. */
export interface StalenessStatements {
  readonly create: string
  readonly drop: string
}

/** @param isPartitioned - PostgreSQL makes no index of a partitioned table beside writers. */
export function stalenessStatements(
  { provider, name: table }: Table,
  { schema }: Pick<ModelSource, 'schema'>,
  name: string,
  { on }: StalenessDefinition,
  isPartitioned: boolean,
): StalenessStatements {
  const own = quote(provider, name)
  switch (provider) {
    case 'postgresql': {
      const place = schema === undefined ? own : `${quote(provider, schema)}.${own}`
      const how = isPartitioned ? '' : 'CONCURRENTLY '
      return {
        create: `CREATE INDEX ${how}IF NOT EXISTS ${own} ON ${table} (${on})`,
        drop: `DROP INDEX ${how}IF EXISTS ${place}`,
      }
    }
    case 'sqlite':
      return {
        create: `CREATE INDEX IF NOT EXISTS ${own} ON ${table} (${on})`,
        drop: `DROP INDEX IF EXISTS ${own}`,
      }
    case 'mysql':
      // Refused where others would have to wait.
      return {
        create: `CREATE INDEX ${own} ON ${table} (${on}) ALGORITHM = INPLACE LOCK = NONE`,
        drop: `DROP INDEX ${own} ON ${table}`,
      }
  }
}
