import { quote } from '@rowseal/prisma-extension/sql'
import type { Context } from './config.ts'
import { MigrationError } from './errors.ts'

/** Adapters with which Prisma takes this schema where they were given none. */
const OF_POSTGRESQL = /^@prisma\/adapter-(pg|neon|ppg)$/
const SCHEMA = 'public'

/**
 * Prisma names a table of PostgreSQL by a schema always: that of the model or of the adapter, as the plan has it then
 * (`inSchemaOf`), or else `public`. SQL of ours goes by the search path in this last case, and must not find another
 * table of the same name there: it would be done with it, and the one with the values would count as done.
 *
 * @param models - names; default: all of the plan.
 * @throws {MigrationError} `ERR_PLAN_DATABASE`
 */
export async function assertSameTables(
  { client, plan }: Pick<Context, 'client' | 'plan'>,
  models: readonly string[] = Object.keys(plan.models),
): Promise<void> {
  if (plan.provider !== 'postgresql' || !isPublicMeant(client)) return
  const own = models.filter((model) => {
    const { schema, sealed } = plan.models[model]!
    return schema === undefined && Object.keys(sealed).length > 0
  })
  if (own.length === 0) return
  const names = (...before: string[]): string[] =>
    own.map((model) =>
      [...before, plan.models[model]!.table].map((part) => quote('postgresql', part)).join('.'),
    )
  const [ours, theirs] = [names(), names(SCHEMA)]
  const [row] = await client.$queryRawUnsafe<{ place: number }[]>(
    `SELECT (t.i - 1)::int AS place FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t(ours, theirs, i)
WHERE to_regclass(theirs) IS NOT NULL AND to_regclass(theirs) IS DISTINCT FROM to_regclass(ours) ORDER BY t.i LIMIT 1`,
    ours,
    theirs,
  )
  if (row !== undefined) throw another(own[row.place]!, theirs[row.place]!)
}

/** Internal to Prisma. Not where it is not known, as without a driver adapter: then the URL's sets the search path too. */
function isPublicMeant(client: object): boolean {
  const { _engineConfig } = client as {
    _engineConfig?: { adapter?: { adapterName?: unknown } }
  }
  return OF_POSTGRESQL.test(String(_engineConfig?.adapter?.adapterName))
}

function another(model: string, table: string): MigrationError {
  return new MigrationError(
    'ERR_PLAN_DATABASE',
    `Model ${model}: the application works on ${table}, and the search path of its connection does not lead there.`,
    {
      field: model,
      fix: `Name the schema, here and in the application: \`new PrismaPg({ connectionString }, { schema: '${SCHEMA}' })\`.`,
    },
  )
}
