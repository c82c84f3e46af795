import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { TestProvider } from './database.ts'
import { generatorBuild } from './generate/build.ts'
import { generate } from './generate/generate.ts'

export interface GeneratedClient {
  readonly PrismaClient: any
  readonly Prisma: any
  /** The plan, if the schema was generated with Rowseal's generator. */
  readonly plan: any
  /** SQL that creates the tables. */
  readonly ddl: string
  readonly schema: string
  /** `schema.prisma`, `client/` and `rowseal.ts`, for child processes to import. */
  readonly dir: string
}

export interface ClientOptions {
  readonly provider: TestProvider
  /** Models and enums; datasource and generators are added, and on MySQL types for annotated text. */
  readonly schema: string
  readonly generator?: 'prisma-client' | 'prisma-client-js'
  /** Database schemas of `@@schema`. */
  readonly schemas?: readonly string[]
  /** Generate the plan too. Default: true. */
  readonly plan?: boolean
}

const HERE = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Run Prisma's own `generate` on a schema, once for each schema and build of our generator.
 *
 * @throws {Error} with what Prisma says, if it refuses the schema.
 */
export async function generatedClient(options: ClientOptions): Promise<GeneratedClient> {
  const schema = schemaText(options)
  const build = generatorBuild()
  const id = createHash('sha256').update(schema).update(build).digest('hex').slice(0, 16)
  const dir = join(HERE, '.tmp', id)
  if (!existsSync(dir)) await generate({ dir, schema, provider: options.provider, build })
  const js = options.generator === 'prisma-client-js'
  const client = await import(
    pathToFileURL(join(dir, js ? 'client/index.js' : 'client/client.ts')).href
  )
  const plan =
    options.plan === false
      ? undefined
      : (await import(pathToFileURL(join(dir, 'rowseal.ts')).href)).plan
  return {
    PrismaClient: client.PrismaClient,
    Prisma: client.Prisma,
    plan,
    ddl: readFileSync(join(dir, 'ddl.sql'), 'utf8'),
    schema,
    dir,
  }
}

/** Annotated text without a type of its own gets one into which envelopes fit: Prisma's is VARCHAR(191) on MySQL. */
function widened(schema: string): string {
  return schema.replaceAll(
    /^( *\/\/\/ @encrypted.*\n *\w+ +String\??)(?!.*@db\.)(.*)/gm,
    (_, field: string, rest: string) =>
      `${field} ${rest.includes('@unique') ? '@db.VarChar(700)' : '@db.LongText'}${rest}`,
  )
}

function schemaText({
  provider,
  schema,
  generator = 'prisma-client',
  schemas,
  plan,
}: ClientOptions): string {
  const list = schemas === undefined ? '' : `\n  schemas = ${JSON.stringify(schemas)}`
  const ours =
    'generator rowseal {\n  provider = "rowseal-generator"\n  output = "./rowseal.ts"\n}\n'
  const tables =
    'generator tables {\n  provider = "tsx ../../src/mysql-ddl-generator.ts"\n  output = "./ddl.sql"\n}\n'
  return `datasource db {\n  provider = "${provider}"${list}\n}
generator client {\n  provider = "${generator}"\n  output = "./client"\n}
${plan === false ? '' : ours}${provider === 'mysql' ? `${tables}\n${widened(schema)}` : `\n${schema}`}\n`
}
