import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProvider } from '../database.ts'
import { ddlOf } from '../schema-engine.ts'

/** What is to be generated, and where. */
export interface Order {
  /** The folder to make, with all that comes of the schema; one that is there is right already. */
  readonly dir: string
  readonly schema: string
  readonly provider: TestProvider
  /** Our generator as the caller sees it: see `generatorBuild`. */
  readonly build: string
  /** The server whose version the SQL of tables on PostgreSQL is for. */
  readonly postgresUrl: string | undefined
}

/** Runs `prisma generate` on the `schema.prisma` of a folder; rejects with what Prisma says. */
export type PrismaGenerate = (folder: string) => Promise<void>

/** Make a folder with a schema, what Prisma generates from it, and the SQL of its tables; whole or not at all. */
export async function makeFolder(order: Order, prismaGenerate: PrismaGenerate): Promise<void> {
  const { dir, schema, provider, postgresUrl } = order
  if (existsSync(dir)) return
  const work = `${dir}.${randomUUID()}`
  mkdirSync(work, { recursive: true })
  writeFileSync(join(work, 'schema.prisma'), schema)
  try {
    await prismaGenerate(work)
    // On MySQL a generator of ours writes them.
    if (provider !== 'mysql')
      writeFileSync(join(work, 'ddl.sql'), await tablesOf(schema, provider, postgresUrl))
    renameSync(work, dir)
  } catch (error) {
    rmSync(work, { recursive: true, force: true })
    // Another worker may have made the same one in the meantime.
    if (!existsSync(dir)) throw error
  }
}

/** The SQL that creates the tables of a schema. */
export function tablesOf(
  schema: string,
  provider: 'postgresql' | 'sqlite',
  postgresUrl = process.env['ROWSEAL_TEST_POSTGRES_URL'],
): Promise<string> {
  return ddlOf(schema, emptyDatabase(provider, postgresUrl))
}

function emptyDatabase(
  provider: 'postgresql' | 'sqlite',
  connectionString: string | undefined,
): SqlDriverAdapterFactory {
  if (provider === 'sqlite') return new PrismaLibSql({ url: ':memory:' })
  if (connectionString === undefined) throw new Error('ROWSEAL_TEST_POSTGRES_URL is not set.')
  return new PrismaPg({ connectionString })
}
