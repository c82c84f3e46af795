import type { ModelSource, Provider } from '../plan/index.ts'
import { quote } from './dialect.ts'

/** A model's table as statements name it: quoted, with its schema where the plan has one. */
export function tableName(
  provider: Provider,
  { schema, table }: Pick<ModelSource, 'schema' | 'table'>,
): string {
  const parts = schema === undefined ? [table] : [schema, table]
  return parts.map((part) => quote(provider, part)).join('.')
}

/** A statement that gives one row if a model's table has any, and none if it is empty. */
export function anyRowStatement(provider: Provider, source: ModelSource): string {
  return `SELECT 1 AS ${quote(provider, 'any')} FROM ${tableName(provider, source)} LIMIT 1`
}
