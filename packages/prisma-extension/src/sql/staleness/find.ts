import type { ModelSource, Provider } from '../../plan/index.ts'
import type { SqlClient } from '../client.ts'
import type { SealedColumn, Table } from '../table.ts'
import { indexCatalog, isPartitioned, type CatalogIndex } from './catalog.ts'
import {
  definitionOf,
  stalenessIndexName,
  stalenessStatements,
  type StalenessDefinition,
  type StalenessStatements,
  type Unsupported,
} from './definition.ts'

/**
 *   present      a staleness index is there, whatever its name
 *   missing      none is there
 *   invalid      PostgreSQL: one is being built, or its build failed; anywhere: something else has its name
 *   unsupported  the database can have none for this column
 */
export type StalenessState = 'present' | 'missing' | 'invalid' | 'unsupported'

/** What the catalog has of the staleness index of one sealed column. */
export interface StalenessIndex {
  readonly field: string
  readonly column: SealedColumn
  readonly state: StalenessState
  /** As the database has it, or would have it. Null if it can have none. */
  readonly name: string | null
  /** Is something there by the name that its statements are about? */
  readonly hasOwn: boolean
  /** Null if it can have none. */
  readonly statements: StalenessStatements | null
  readonly unsupported: Unsupported | null
}

/** Look up in the catalog which sealed columns have a staleness index: by what an index is on, not by its name. */
export async function findStalenessIndexes(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  source: ModelSource,
): Promise<StalenessIndex[]> {
  if (table.sealed.length === 0) return []
  const found = await indexCatalog(client, table, source)
  const partitioned = await isPartitioned(client, table)
  return table.sealed.map((column) => {
    const { field } = column
    const definition = definitionOf(table, column)
    if (typeof definition === 'string')
      return {
        field,
        column,
        state: 'unsupported',
        name: null,
        hasOwn: false,
        statements: null,
        unsupported: definition,
      }
    const own = stalenessIndexName(source, field)
    const hasOwn = found.some(({ name }) => name === own)
    const fitting = found.filter((index) => fits(table.provider, index, column, definition))
    const valid = fitting.filter(({ isValid }) => isValid)
    const used = valid.find(({ name }) => name === own) ?? valid[0]
    return {
      field,
      column,
      state: used !== undefined ? 'present' : hasOwn ? 'invalid' : 'missing',
      name: used?.name ?? own,
      hasOwn,
      statements: stalenessStatements(table, source, own, definition, partitioned),
      unsupported: null,
    }
  })
}

function fits(
  provider: Provider,
  { on, length, collation }: CatalogIndex,
  column: SealedColumn,
  definition: StalenessDefinition,
): boolean {
  switch (provider) {
    case 'postgresql': {
      const wanted = definition.on.replace(/ COLLATE "C"$/, '')
      const isBinary = column.kind === 'bytes' || collation === 'C'
      return isBinary && normal(on) === normal(wanted)
    }
    case 'sqlite':
      return on.replaceAll(/\s/g, '').endsWith(`(${definition.on})`.replaceAll(/\s/g, ''))
    case 'mysql':
      return `\`${on.replaceAll('`', '``')}\`` === column.name && length >= definition.length
  }
}

/**
 * PostgreSQL writes out an expression with casts, brackets and quotes of its own. Without them, a prefix can be
 * read in one way only.
 */
function normal(expression: string): string {
  return expression
    .replaceAll(/::(text|character varying|bpchar|character|citext|name)(\[\])?/g, '')
    .replaceAll(/[\s"()]/g, '')
}
