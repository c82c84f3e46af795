import {
  findStalenessIndexes,
  stalenessLookups,
  type StalenessLookup,
} from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import type { StaleKeys } from '../drain/reencrypt.ts'
import type { Target } from '../targets.ts'

/**
 * How the rows of a `staleWhere` are looked up by staleness indexes. Null if a field with stale keys has none, or
 * no key is stale.
 */
export async function lookupsOf(
  { client }: Pick<Context, 'client'>,
  { table, source, fields }: Target,
  stale: StaleKeys,
): Promise<readonly StalenessLookup[] | null> {
  const indexes = await findStalenessIndexes(client, table, source)
  const wanted = fields.map(({ column, values }) => ({
    column,
    keyIds: [...(stale.get(values) ?? [])],
  }))
  return stalenessLookups(table, indexes, wanted)
}
