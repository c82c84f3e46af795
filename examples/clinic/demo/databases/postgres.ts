import { PrismaPg } from '@prisma/adapter-pg'
import { startPostgresServer } from '@rowseal/test-support/postgres-server'
import { join } from 'node:path'
import type { DemoDatabase } from './index.ts'

/** A PostgreSQL server of our own. Its log holds every statement with its parameters. */
export async function postgresDatabase(folder: string): Promise<DemoDatabase> {
  const { url, files, stop } = await startPostgresServer({
    folder,
    log: join(folder, 'logs/postgresql.log'),
    flags: ['-c', 'log_min_duration_statement=0'],
  })
  return {
    name: 'PostgreSQL',
    provider: 'postgresql',
    url,
    files,
    adapter: () => new PrismaPg({ connectionString: url }),
    prologue: '',
    flush: 'CHECKPOINT',
    stop,
  }
}
