import type { PrismaLibSql } from '@prisma/adapter-libsql'
import type { PrismaPg } from '@prisma/adapter-pg'
import { postgresDatabase } from './postgres.ts'
import { sqliteDatabase } from './sqlite.ts'

/** An empty database that exists for this run only. */
export interface DemoDatabase {
  readonly name: string
  /** Its folder below prisma/migrations. */
  readonly provider: 'sqlite' | 'postgresql'
  readonly url: string
  /** The folder that holds every file the database writes. */
  readonly files: string
  readonly adapter: () => PrismaLibSql | PrismaPg
  /** SQL to run before the migrations. */
  readonly prologue: string
  /** SQL that makes the database write out what it still holds in memory. */
  readonly flush: string | null
  stop(): Promise<void>
}

/** @param folder - all files go below it; logs of the server into `logs`. */
export async function startDatabase(
  kind: 'sqlite' | 'postgres',
  folder: string,
): Promise<DemoDatabase> {
  return kind === 'sqlite' ? sqliteDatabase(folder) : postgresDatabase(folder)
}
