import { startGenerating } from './generate/service.ts'
import { folderInMemory } from './machine.ts'
import { hasMariadb, startMariadb } from './mariadb.ts'
import { startPostgres, type Server } from './postgres.ts'
import { hasRedis, startRedis } from './redis.ts'

/**
 * Start the servers the tests need, once for all of them. A URL in the environment comes first.
 * What cannot be had is said in one line; ROWSEAL_REQUIRE_SERVICES=1 makes that a failure.
 */
export async function setup(): Promise<() => Promise<void>> {
  const servers: Server[] = []
  const memory = process.env['TMPDIR'] === undefined ? folderInMemory('tests') : null
  if (memory !== null) process.env['TMPDIR'] = memory.path
  const offer = async (variable: string, start: (() => Promise<Server>) | null): Promise<void> => {
    if (process.env[variable] !== undefined) return
    try {
      if (start === null) throw new Error('no server on the PATH')
      const server = await start()
      servers.push(server)
      process.env[variable] = server.url
    } catch (error) {
      const line = `${variable} is not set and no server could be started: ${String(error)}`
      if (process.env['ROWSEAL_REQUIRE_SERVICES'] === '1') throw new Error(line, { cause: error })
      console.warn(`SKIPPING the tests that need it. ${line}`)
    }
  }
  const generate = async (): Promise<void> => {
    const service = await startGenerating()
    servers.push(service)
    process.env['ROWSEAL_TEST_GENERATOR'] = service.url
  }
  await Promise.all([
    offer('ROWSEAL_TEST_POSTGRES_URL', startPostgres),
    offer('ROWSEAL_TEST_MARIADB_URL', hasMariadb() ? startMariadb : null),
    offer('ROWSEAL_TEST_REDIS_URL', hasRedis() ? startRedis : null),
    generate(),
  ])
  return async () => {
    await Promise.all(servers.map((server) => server.stop()))
    memory?.remove()
  }
}
