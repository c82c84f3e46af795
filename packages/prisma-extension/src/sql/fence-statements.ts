import type { ModelSource, Provider } from '../plan/index.ts'
import type { SqlClient } from './client.ts'
import { quote } from './dialect.ts'
import type { Fence, FencePart } from './fence.ts'
import type { Table } from './table.ts'

/** Statements that put up parts of fences. Each takes its table for a moment, once nobody else writes to it. */
export function addFenceStatements(table: Table, parts: readonly FencePart[]): string[] {
  if (table.provider !== 'postgresql') return parts.map(({ add }) => add)
  return parts.length === 0
    ? []
    : [`ALTER TABLE ${table.name} ${parts.map(({ add }) => add).join(', ')}`]
}

/** PostgreSQL: the statement that has the database look through the table itself, while others write. Elsewhere none. */
export function validateFenceStatements(table: Table, fences: readonly Fence[]): string[] {
  if (table.provider !== 'postgresql' || fences.length === 0) return []
  const all = fences.map(({ name }) => `VALIDATE CONSTRAINT "${name}"`)
  return [`ALTER TABLE ${table.name} ${all.join(', ')}`]
}

/** Statements that take down parts of fences, by their names. */
export function dropFenceStatements(
  { provider, name: table }: Table,
  { schema }: ModelSource,
  names: readonly string[],
): string[] {
  if (names.length === 0) return []
  if (provider === 'postgresql')
    return [
      `ALTER TABLE ${table} ${names.map((name) => `DROP CONSTRAINT IF EXISTS "${name}"`).join(', ')}`,
    ]
  const prefix = schema === undefined || provider === 'sqlite' ? '' : `${quote(provider, schema)}.`
  return names.map((name) => `DROP TRIGGER IF EXISTS ${prefix}${quote(provider, name)}`)
}

/**
 * A statement that counts the rows with a value that its fence would refuse. Gives one row `c0`, `c1` …,
 * a text each.
 */
export function fencedRowsStatement({ provider, name }: Table, fences: readonly Fence[]): string {
  const asText = provider === 'mysql' ? 'CHAR' : 'TEXT'
  const counts = fences.map(
    ({ held }, i) => `CAST(count(CASE WHEN ${held} THEN 1 END) AS ${asText}) AS c${i}`,
  )
  return `SELECT ${counts.join(', ')} FROM ${name} AS t`
}

/**
 *   absent    nothing of it is there, or not all of it
 *   altered   something of its name is there that is not it
 *   unproven  PostgreSQL: it refuses new values, but was not validated against the former ones
 *   holds     it refuses; on PostgreSQL no value is in its column either
 */
export type FenceState = 'absent' | 'altered' | 'unproven' | 'holds'

/** A part of a fence as it is in the catalog. */
export interface FoundPart {
  readonly part: FencePart
  readonly state: FenceState
}

export interface FoundFence {
  readonly fence: Fence
  readonly state: FenceState
  readonly parts: readonly FoundPart[]
}

interface CatalogRow {
  readonly name: string
  readonly definition: string
  readonly event: string
  readonly proven: boolean | number
}

/** Look up in the catalog which fences there are: by what they do, not by their names alone. */
export async function findFences(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  source: ModelSource,
  fences: readonly Fence[],
): Promise<FoundFence[]> {
  const { provider } = table
  const [sql, ...params] = catalogQuery(table, source)
  const rows = await client.$queryRawUnsafe<CatalogRow[]>(sql, ...params)
  const byName = new Map(rows.map((row) => [row.name, row]))
  return fences.map((fence) => {
    const parts = fence.parts.map((part) => ({
      part,
      state: stateOf(provider, part, byName.get(part.name)),
    }))
    const states = parts.map(({ state }) => state)
    const worst = (['absent', 'altered', 'unproven'] as const).find((one) => states.includes(one))
    return { fence, parts, state: worst ?? 'holds' }
  })
}

function stateOf(provider: Provider, part: FencePart, row: CatalogRow | undefined): FenceState {
  if (row === undefined) return 'absent'
  const isOurs =
    normal(provider, row.definition) === normal(provider, part.definition) &&
    (provider !== 'mysql' || row.event === part.event)
  if (!isOurs) return 'altered'
  return Boolean(row.proven) ? 'holds' : 'unproven'
}

/**
 * PostgreSQL writes out a constraint with casts, brackets and quotes of its own, and says NOT VALID or NOT
 * ENFORCED behind it. Without them, one comparison can be read in one way only.
 */
function normal(provider: Provider, definition: string): string {
  const text = definition.trim()
  if (provider !== 'postgresql') return text.replaceAll(/\s+/g, ' ').replace(/ ?;$/, '')
  return text
    .replace(/ NOT VALID$/, '')
    .replaceAll(/::(text|character varying|bytea|jsonpath)(\[\])?/g, '')
    .replaceAll(/[\s"()]/g, '')
}

function catalogQuery(table: Table, source: ModelSource): [string, ...unknown[]] {
  switch (table.provider) {
    case 'postgresql':
      return [
        `SELECT conname::text AS name, pg_get_constraintdef(oid) AS definition, '' AS event, convalidated AS proven
FROM pg_constraint WHERE conrelid = to_regclass($1) AND contype = 'c' AND conname LIKE 'rowseal_fence_%'`,
        table.name,
      ]
    case 'sqlite':
      return [
        `SELECT name, sql AS definition, '' AS event, 1 AS proven
FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND name LIKE 'rowseal_fence_%'`,
        source.table,
      ]
    case 'mysql':
      return [
        `SELECT TRIGGER_NAME AS name, ACTION_STATEMENT AS definition, EVENT_MANIPULATION AS event, 1 AS proven
FROM information_schema.TRIGGERS WHERE ACTION_TIMING = 'BEFORE' AND EVENT_OBJECT_SCHEMA = COALESCE(?, DATABASE())
AND EVENT_OBJECT_TABLE = ? AND TRIGGER_NAME LIKE 'rowseal_fence_%'`,
        source.schema ?? null,
        source.table,
      ]
  }
}
