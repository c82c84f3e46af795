import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { temporaryFolder } from './machine.ts'
import { startPostgresServer } from './postgres-server.ts'

/**
 * Runs a PostgreSQL server, prints its URL, and ends when standard input does. See `startPostgres`. For each line
 * of standard input it lets the server crash and start again, and prints a line when that is done.
 *
 *   postgres-process.ts STANDBY_OF FLAG…      STANDBY_OF: see `PostgresOptions`, or empty
 */
const [standbyOf = '', ...flags] = process.argv.slice(2)
const folder = temporaryFolder('postgres')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)

try {
  const server = await startPostgresServer({
    folder: folder.path,
    log: join(folder.path, 'log'),
    flags: ['-c', 'max_connections=200', ...flags],
    ...(standbyOf === '' ? {} : { standbyOf }),
  })
  let crashing: Promise<void> = Promise.resolve()
  createInterface(process.stdin).on('line', () => {
    crashing = crashing.then(() => server.crash()).then(() => console.log('ready'))
  })
  process.stdin.once('close', () => {
    void crashing
      .then(() => server.stop())
      .finally(() => {
        folder.remove()
        process.exit()
      })
  })
  console.log(server.url)
} catch (error) {
  console.error(String(error))
  folder.remove()
  process.exitCode = 1
}
