import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { TestProvider } from './database.ts'
import { ddlOf } from './schema-engine.ts'

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
const EXTENSION = join(HERE, '../../packages/prisma-extension')

/** Run the real `prisma generate` on a schema, once for each schema and build of our generator. */
export async function generatedClient(options: ClientOptions): Promise<GeneratedClient> {
  const schema = schemaText(options)
  const dir = join(
    HERE,
    '.tmp',
    createHash('sha256')
      .update(schema + generatorBuild())
      .digest('hex')
      .slice(0, 16),
  )
  if (!existsSync(dir)) await generate(dir, schema, options)
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

async function generate(dir: string, schema: string, options: ClientOptions): Promise<void> {
  const work = `${dir}.${randomUUID()}`
  mkdirSync(work, { recursive: true })
  writeFileSync(join(work, 'schema.prisma'), schema)
  const prisma = createRequire(import.meta.url).resolve('prisma/build/index.js')
  const env = {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    // No process that asks for a newer version.
    CHECKPOINT_DISABLE: '1',
    ...process.env,
    PATH: `${join(HERE, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  }
  try {
    await promisify(execFile)(
      process.execPath,
      [prisma, 'generate', '--schema', join(work, 'schema.prisma')],
      { env, cwd: work },
    )
    if (options.provider !== 'mysql')
      writeFileSync(join(work, 'ddl.sql'), await tablesOf(schema, options.provider))
    renameSync(work, dir)
  } catch (error) {
    rmSync(work, { recursive: true, force: true })
    // Another worker may have made the same one in the meantime.
    if (!existsSync(dir)) throw error
  }
}

/** The SQL that creates the tables of a schema. */
export function tablesOf(schema: string, provider: 'postgresql' | 'sqlite'): Promise<string> {
  return ddlOf(schema, emptyDatabase(provider))
}

function emptyDatabase(provider: 'postgresql' | 'sqlite'): SqlDriverAdapterFactory {
  if (provider === 'sqlite') return new PrismaLibSql({ url: ':memory:' })
  const connectionString = process.env['ROWSEAL_TEST_POSTGRES_URL']
  if (connectionString === undefined) throw new Error('ROWSEAL_TEST_POSTGRES_URL is not set.')
  return new PrismaPg({ connectionString })
}

/** Changes when our generator is built anew with other code. */
function generatorBuild(): string {
  const hash = createHash('sha256')
  for (const folder of ['schema', 'plan', 'generator']) {
    const path = join(EXTENSION, 'dist', folder)
    if (!existsSync(path)) continue
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    for (const file of files.filter((name) => name.endsWith('.js')).sort()) {
      hash.update(readFileSync(join(path, file)))
    }
  }
  return hash.digest('hex')
}
