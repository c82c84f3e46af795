import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort, temporaryFolder } from './machine.ts'
import type { Server } from './postgres.ts'

/** Is a Redis server on this machine's PATH? */
export function hasRedis(): boolean {
  const folders = (process.env['PATH'] ?? '').split(':')
  return [...folders, '/usr/bin'].some((folder) => existsSync(join(folder, 'redis-server')))
}

/** A Redis server of a test's own. */
export interface RedisServer extends Server {
  readonly port: number
  /** End it as a power failure would, and start it on what it had written. */
  restart(): Promise<void>
  /** End it as a power failure would. */
  kill(): Promise<void>
  /** Start it again after `kill`. */
  start(): Promise<void>
}

/**
 * Start `redis-server` from the PATH on a free port, in a folder that goes with it. Each write is on the disk
 * before it is answered.
 *
 * @param settings - further ones, such as `['--maxmemory-policy', 'allkeys-lru']`.
 */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = temporaryFolder('redis')
  const port = await freePort()
  let server: ChildProcess
  const start = async (): Promise<void> => {
    const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder.path, '--save', '']
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always']
    server = spawn('redis-server', [...own, ...durable, ...settings], { stdio: 'ignore' })
    await listening(port)
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((done) => server.once('exit', done))
    server.kill(signal)
    await ended
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGKILL')
      await start()
    },
    stop: async () => {
      await end('SIGTERM')
      folder.remove()
    },
  }
}

/** Until it answers PING: before that it may still be loading. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const up = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
      socket.once('data', (data) => {
        socket.destroy()
        done(data.toString().startsWith('+PONG'))
      })
      socket.once('error', () => done(false))
    })
    if (up) return
    await new Promise((done) => setTimeout(done, 20))
  }
  throw new Error('Redis did not start.')
}
