import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import { expect, it } from 'vitest'
import { hasMariadb, startMariadb, startPostgres, type CrashingServer } from '../src/index.ts'

const DURABLE = ['--innodb-flush-log-at-trx-commit=2']
const SERVERS: readonly [string, boolean, () => Promise<CrashingServer>, (url: string) => any][] = [
  ['PostgreSQL', true, startPostgres, (connectionString) => new PrismaPg({ connectionString })],
  ['MariaDB', hasMariadb(), () => startMariadb(DURABLE), (url) => new PrismaMariaDb(url)],
]

it.each(SERVERS.filter(([, isThere]) => isThere))(
  '%s has what was committed after it crashed',
  async (_, __, start, adapter) => {
    const server = await start()
    const query = async (sql: string): Promise<unknown[][]> => {
      const connection = await adapter(server.url).connect()
      const { rows } = await connection.queryRaw({ sql, args: [], argTypes: [] })
      await connection.dispose()
      return rows
    }
    await query('CREATE TABLE crashed (id INT)')
    await query('INSERT INTO crashed VALUES (1)')
    await server.crash()
    expect(await query('SELECT id FROM crashed')).toEqual([[1]])
    await server.crash()
    expect(await query('SELECT id FROM crashed')).toEqual([[1]])
    await server.stop()
  },
)
