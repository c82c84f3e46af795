import type { Provider } from '@rowseal/prisma-extension/plan'
import {
  findStalenessIndexes,
  loadTable,
  type StalenessIndex,
  type StalenessState,
} from '@rowseal/prisma-extension/sql'
import { databaseOf, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { modelsOf } from '../targets.ts'

export interface StalenessOptions {
  /** Names of models. Default: all with sealed fields. */
  readonly models?: readonly string[]
}

/** SQL of staleness indexes, for people to read and to run themselves. */
export interface IndexStatements {
  readonly provider: Provider
  readonly fields: readonly StalenessField[]
}

/** A sealed field and its staleness index. */
export interface StalenessField {
  readonly model: string
  readonly field: string
  /** As the database names them. */
  readonly table: string
  readonly column: string
  readonly state: StalenessState
  /** Of the index that is there, or would be. Null if there can be none. */
  readonly name: string | null
  /** Why there can be none. */
  readonly reason: string | null
  /** MySQL: the line that the model needs in the Prisma schema, or `prisma migrate dev` drops the index. */
  readonly schemaLine: string | null
  /** In their order, each outside of a transaction. None where there is nothing to do. */
  readonly statements: readonly string[]
}

/**
 * The statements that make what is missing of the staleness indexes: by which `status` counts, and stale rows are
 * looked up. Reads the catalog; writes nothing.
 *
 * @throws {MigrationError} `ERR_PLAN_DATABASE` `ERR_DATABASE_FAILED` `ERR_CONFIG_INVALID`
 * @throws {TypeError} for a model that does not exist.
 */
export function indexStatements(
  config: MigratorConfig,
  options: StalenessOptions = {},
): Promise<IndexStatements> {
  return statementsOf(config, options, ({ state, hasOwn, statements }) => {
    if (statements === null || state === 'present') return []
    return hasOwn ? [statements.drop, statements.create] : [statements.create]
  })
}

/** The statements that take down the staleness indexes of Rowseal's own names. @throws as `indexStatements` */
export function dropIndexStatements(
  config: MigratorConfig,
  options: StalenessOptions = {},
): Promise<IndexStatements> {
  return statementsOf(config, options, ({ hasOwn, statements }) =>
    statements !== null && hasOwn ? [statements.drop] : [],
  )
}

async function statementsOf(
  config: MigratorConfig,
  { models }: StalenessOptions,
  choose: (index: StalenessIndex) => string[],
): Promise<IndexStatements> {
  const { client, plan } = databaseOf(config)
  const { provider } = plan
  try {
    const fields: StalenessField[] = []
    for (const model of modelsOf(plan, models)) {
      const source = plan.models[model]!
      const table = await loadTable(client, provider, source, model)
      for (const index of await findStalenessIndexes(client, table, source))
        fields.push({
          model,
          field: index.field,
          table: source.table,
          column: source.columns[index.field]?.column ?? index.field,
          state: index.state,
          name: index.name,
          reason: reasonOf(provider, index),
          schemaLine: schemaLineOf(provider, index),
          statements: choose(index),
        })
    }
    return { provider, fields }
  } catch (error) {
    throw asMigrationError(error, provider === 'sqlite', 'try again')
  }
}

/** Prisma leaves indexes on expressions alone, and knows no index on Json. */
function schemaLineOf(
  provider: Provider,
  { field, column: { kind }, name, state }: StalenessIndex,
): string | null {
  if (provider !== 'mysql' || name === null || state === 'present' || kind === 'json') return null
  return `@@index([${field}(length: ${kind === 'bytes' ? 7 : 13})], map: "${name}")`
}

function reasonOf(provider: Provider, { unsupported }: StalenessIndex): string | null {
  switch (unsupported) {
    case 'list':
      return 'PostgreSQL has no index on the first characters of what a list holds'
    case 'json':
      return provider === 'postgresql'
        ? 'PostgreSQL indexes jsonb, not json'
        : 'MySQL has no index on the first characters of JSON'
    case null:
      return null
  }
}
