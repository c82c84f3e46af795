import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaPg } from '@prisma/adapter-pg'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ddlOf } from '../../../test/support/src/schema-engine.ts'

const PRISMA = new URL('../prisma/', import.meta.url)
const schema = readFileSync(new URL('schema.prisma', PRISMA), 'utf8')

it('the migration of SQLite is what Prisma would write for the schema', async () => {
  const sql = await ddlOf(schema, new PrismaLibSql({ url: ':memory:' }))
  expect(migration('sqlite')).toBe(sql)
})

const url = process.env['ROWSEAL_TEST_POSTGRES_URL']

it.skipIf(url === undefined)(
  'the migration of PostgreSQL is what Prisma would write for the schema',
  async () => {
    const adapter = new PrismaPg({ connectionString: url! })
    const sql = await ddlOf(schema.replaceAll('sqlite', 'postgresql'), adapter)
    expect(migration('postgresql')).toBe(sql)
  },
)

function migration(provider: string): string {
  const path = `migrations/${provider}/20260105080000_init/migration.sql`
  return readFileSync(new URL(path, PRISMA), 'utf8')
}
