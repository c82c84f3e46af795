import { quote } from '../dialect.ts'
import { prefixLiteral, prefixOf } from '../prefix.ts'
import { staleCondition } from '../stale.ts'
import type { SealedColumn, Table } from '../table.ts'
import type { StalenessIndex } from './find.ts'
import { mysqlRanges } from './mysql-ranges.ts'

/** Values of a column under some key ids, and the index by which they are looked up. */
export interface StalenessLookup {
  readonly column: SealedColumn
  readonly keyIds: readonly number[]
  /** Its name, not quoted. */
  readonly index: string
}

/**
 * How to look up the rows that hold a value under one of some key ids, column by column: what an OR of
 * `staleCondition`s is about. Null if one of the columns has no staleness index, or nothing is asked for.
 */
export function stalenessLookups(
  { provider }: Table,
  indexes: readonly StalenessIndex[],
  wanted: readonly Pick<StalenessLookup, 'column' | 'keyIds'>[],
): readonly StalenessLookup[] | null {
  const asked = wanted.filter(({ keyIds }) => keyIds.length > 0)
  const lookups = asked.flatMap(({ column, keyIds }): StalenessLookup[] => {
    const index = indexes.find(({ field }) => field === column.field)
    if (index?.state !== 'present' || index.name === null) return []
    if (provider === 'mysql' && mysqlRanges(column, '', keyIds) === null) return []
    return [{ column, keyIds, index: index.name }]
  })
  return lookups.length === asked.length && asked.length > 0 ? lookups : null
}

/** The parts of a SELECT over the rows of a lookup, as `t`. */
export interface LookupParts {
  readonly from: string
  readonly where: string
  readonly orderBy: string
}

/** By the index, whatever the planner knows or believes of how many rows there are. */
export function lookupParts(table: Table, lookup: StalenessLookup): LookupParts {
  const { provider, name } = table
  const { column, index } = lookup
  const keyIds = lookup.keyIds.toSorted((a, b) => a - b)
  const where = staleCondition(table, column, keyIds)
  const prefix = prefixOf(provider, column, `t.${column.name}`)
  const [first, last] = [keyIds[0]!, keyIds.at(-1)!].map((keyId) =>
    prefixLiteral(provider, column, keyId),
  )
  const range = `${prefix} BETWEEN ${first!} AND ${last!}`
  switch (provider) {
    case 'postgresql': {
      // Only the index has that order ready. For one prefix that is equal the order would mean nothing.
      const isUnder = keyIds.length === 1 ? range : where
      return { from: `${name} AS t`, where: isUnder, orderBy: ` ORDER BY ${prefix}` }
    }
    case 'sqlite': {
      // Of what is equal its statistics know only how many rows all prefixes have on average.
      const isUnder = keyIds.length === 1 ? range : `${range} AND ${where}`
      return {
        from: `${name} AS t INDEXED BY ${quote(provider, index)}`,
        where: isUnder,
        orderBy: '',
      }
    }
    case 'mysql':
      return { from: `${name} AS t FORCE INDEX (${quote(provider, index)})`, where, orderBy: '' }
  }
}
