import type { Provider } from '@rowseal/prisma-extension/plan'
import type { StalenessState } from '@rowseal/prisma-extension/sql'
import type { IndexStatements, StalenessField } from '../staleness/statements.ts'

/** What an index costs, and what to know before it is made. */
const COSTS: Readonly<Record<Provider, string>> = {
  postgresql: `-- About 7 bytes a row each. A field that is written anew is not a HOT update any more.
-- CONCURRENTLY lets others write meanwhile. It takes no transaction: run the statements one by one.`,
  sqlite: `-- About 20 bytes a row each. Nobody else writes while one is made.`,
  mysql: `-- About 30 bytes a row each. Others write meanwhile. Counts of all values read the table nonetheless.
-- \`prisma migrate dev\` drops an index that is not in the schema: put the lines that begin with @@index there.`,
}

/** SQL with comments, for the database's own command line. Pure. */
export function renderIndexStatements({ provider, fields }: IndexStatements): string {
  const isNeeded = fields.some(({ statements }) => statements.length > 0)
  return [
    '-- Staleness indexes: by them stale values are found and counted, not searched for.',
    ...(isNeeded
      ? [COSTS[provider], '-- To take them down again: npx rowseal ddl index --drop']
      : []),
    ...fields.map(renderField),
  ].join('\n')
}

export function renderDropIndexes({ fields }: IndexStatements): string {
  const drops = fields.filter(({ statements }) => statements.length > 0)
  if (drops.length === 0) return '-- The database has no staleness indexes of ours.'
  const lines = drops.flatMap((field) => [`-- ${labelOf(field)}`, ...ended(field)])
  return ['-- Stale values are searched for again.', ...lines].join('\n')
}

function renderField(field: StalenessField): string {
  const label = labelOf(field)
  switch (field.state) {
    case 'present':
      return `-- ${label}: there, as ${field.name ?? ''}`
    case 'unsupported':
      return `-- ${label}: can have none. ${field.reason ?? ''}.`
    case 'missing':
      return [...head(field, label), ...ended(field)].join('\n')
    case 'invalid':
      return [
        ...head(field, `${label}: its build failed, or goes on (then wait), or its name is taken`),
        ...ended(field),
      ].join('\n')
  }
}

function head({ schemaLine }: StalenessField, first: string): string[] {
  return [`-- ${first}`, ...(schemaLine === null ? [] : [`--   ${schemaLine}`])]
}

function ended({ statements }: StalenessField): string[] {
  return statements.map((sql) => `${sql};`)
}

function labelOf({ model, field }: Pick<StalenessField, 'model' | 'field'>): string {
  return `${model}.${field}`
}

/** Says which fields could have a staleness index. */
export function renderMissing(
  fields: readonly {
    readonly model: string
    readonly field: string
    readonly state: StalenessState
  }[],
): string[] {
  const missing = fields.filter(({ state }) => state === 'missing' || state === 'invalid')
  if (missing.length === 0) return []
  const verb = missing.length === 1 ? 'has' : 'have'
  return [
    `${missing.map(labelOf).join(', ')} ${verb} no index for stale values: whole tables are read. npx rowseal ddl index`,
  ]
}
