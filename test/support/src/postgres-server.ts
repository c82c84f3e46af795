import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './machine.ts'
import { postgresBinaries, type Binaries } from './postgres-binaries.ts'
import { copyPrimary } from './postgres-standby.ts'

export interface PostgresServer {
  readonly url: string
  /** The folder that holds every file the server writes. */
  readonly files: string
  /** End it as if its processes had been killed, and start it on what it had written, on the same port. */
  crash(): Promise<void>
  stop(): Promise<void>
}

export interface PostgresOptions {
  /** Others may enter it: PostgreSQL does not run as root, so a server of root's runs as `nobody`. */
  readonly folder: string
  /** File for the server's log. What it had written before a crash is beside it, in `<log>.1` and so on. */
  readonly log: string
  /** For the server, such as `-c max_connections=200`, an argument each. */
  readonly flags?: readonly string[]
  /** URL of a running server of this machine that it follows as a standby. Default: none. */
  readonly standbyOf?: string
}

/** Start PostgreSQL from its npm package on a free port of this machine, with an empty database. */
export async function startPostgresServer(options: PostgresOptions): Promise<PostgresServer> {
  const { folder, log, flags = [], standbyOf } = options
  const files = join(folder, 'data')
  const binaries = postgresBinaries(folder)
  let password = randomBytes(16).toString('hex')
  let following: readonly string[] = []
  if (standbyOf === undefined) {
    initialise(binaries, folder, files, password)
  } else {
    following = await copyPrimary(standbyOf, files)
    own(binaries, files)
    password = new URL(standbyOf).password
  }
  const port = await freePort()
  let starts = 0
  const run = async (): Promise<ChildProcess> => {
    if (existsSync(log)) renameSync(log, `${log}.${++starts}`)
    const started = spawn(binaries.postgres, serverFlags(files, port, [...following, ...flags]), {
      ...binaries.user,
      cwd: folder,
      // Ctrl-C is for us, who then end it.
      detached: true,
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', openSync(log, 'w', 0o600)],
    })
    await ready(started, log)
    return started
  }
  let server = await run()
  return {
    url: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`,
    files,
    crash: async () => {
      await end(server, 'SIGQUIT')
      server = await run()
    },
    // Without waiting for connections.
    stop: () => end(server, 'SIGINT'),
  }
}

function serverFlags(files: string, port: number, flags: readonly string[]): string[] {
  const ours = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=']
  // Nothing here outlives the run.
  const settings = [...ours, 'fsync=off'].flatMap((setting) => ['-c', setting])
  return ['-D', files, ...settings, ...flags]
}

function initialise(binaries: Binaries, folder: string, files: string, password: string): void {
  const { uid, gid } = binaries.user
  const passwordFile = join(folder, 'password')
  mkdirSync(files, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (uid !== undefined && gid !== undefined)
    for (const path of [files, passwordFile]) chownSync(path, uid, gid)
  const flags = ['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C']
  execFileSync(
    binaries.initdb,
    [`--pgdata=${files}`, `--pwfile=${passwordFile}`, ...flags, '--no-sync'],
    { ...binaries.user, cwd: folder, stdio: 'pipe' },
  )
  rmSync(passwordFile)
}

/** Give files to the user of the server. */
function own({ user: { uid, gid } }: Binaries, files: string): void {
  if (uid === undefined || gid === undefined) return
  execFileSync('chown', ['-R', `${uid}:${gid}`, files])
}

/** Its log says when. */
async function ready(server: ChildProcess, log: string): Promise<void> {
  for (;;) {
    const said = readFileSync(log, 'utf8')
    if (/ready to accept (read-only )?connections/.test(said)) return
    if (server.exitCode !== null || server.signalCode !== null)
      throw new Error(`PostgreSQL did not start.\n${said}`)
    await sleep(20)
  }
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise((done) => server.once('exit', done))
  server.kill(signal)
  await ended
}
