import { quote } from '@rowseal/prisma-extension/sql'
import type { Context } from './config.ts'
import { MigrationError } from './errors.ts'

/** Adapters of which it is known that Prisma takes `public` where they were given no schema. */
const OF_POSTGRESQL = /^@prisma\/adapter-(pg|neon|ppg)$/

/**
 * Prisma names a table of PostgreSQL by the schema that the adapter was given, or `public`. SQL of ours goes by the
 * search path, and must not find another table of the same name there: it would be done with it, and the one with
 * the values would count as done.
 *
 * @param models - names; default: all of the plan.
 * @throws {MigrationError} `ERR_PLAN_DATABASE`
 */
export async function assertSameTables(
  { client, plan }: Pick<Context, 'client' | 'plan'>,
  models: readonly string[] = Object.keys(plan.models),
): Promise<void> {
  const schema = plan.provider === 'postgresql' ? adapterSchema(client) : null
  if (schema === null) return
  const own = models.filter((model) => {
    const { schema: given, sealed } = plan.models[model]!
    return given === undefined && Object.keys(sealed).length > 0
  })
  if (own.length === 0) return
  const names = (...before: string[]): string[] =>
    own.map((model) =>
      [...before, plan.models[model]!.table].map((part) => quote('postgresql', part)).join('.'),
    )
  const [ours, theirs] = [names(), names(schema)]
  const [row] = await client.$queryRawUnsafe<{ place: number }[]>(
    `SELECT (t.i - 1)::int AS place FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t(ours, theirs, i)
WHERE to_regclass(theirs) IS NOT NULL AND to_regclass(theirs) IS DISTINCT FROM to_regclass(ours) ORDER BY t.i LIMIT 1`,
    ours,
    theirs,
  )
  if (row !== undefined) throw another(own[row.place]!, schema, theirs[row.place]!)
}

/** Internal to Prisma. Null if it is not known, as without a driver adapter: then the URL's sets the search path too. */
function adapterSchema(client: object): string | null {
  const { _engineConfig } = client as {
    _engineConfig?: { adapter?: { adapterName?: unknown; options?: { schema?: unknown } } }
  }
  const { adapterName, options } = _engineConfig?.adapter ?? {}
  if (typeof options?.schema === 'string') return options.schema
  return OF_POSTGRESQL.test(String(adapterName)) ? 'public' : null
}

function another(model: string, schema: string, table: string): MigrationError {
  return new MigrationError(
    'ERR_PLAN_DATABASE',
    `Model ${model}: the application works on ${table}, and the search path of its connection does not lead there.`,
    {
      field: model,
      fix: `Have both be the same: \`new PrismaPg({ connectionString, options: '-c search_path=${schema}' }, { schema: '${schema}' })\`, in the application too.`,
    },
  )
}
