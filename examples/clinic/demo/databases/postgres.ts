import { PrismaPg } from '@prisma/adapter-pg'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DemoDatabase } from './index.ts'
import { postgresBinaries, type Binaries } from './postgres-binaries.ts'

/** A PostgreSQL server of our own on a free port. Its log holds every statement with its parameters. */
export async function postgresDatabase(folder: string): Promise<DemoDatabase> {
  const files = join(folder, 'data')
  const binaries = postgresBinaries(folder)
  const password = randomBytes(16).toString('hex')
  initialise(binaries, folder, files, password)
  const port = await freePort()
  const log = join(folder, 'logs/postgresql.log')
  const server = spawn(binaries.postgres, serverFlags(files, port), {
    ...binaries.user,
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', openSync(log, 'w', 0o600)],
  })
  await ready(server, log)
  const url = `postgresql://clinic:${password}@127.0.0.1:${port}/postgres`
  return {
    name: 'PostgreSQL',
    provider: 'postgresql',
    url,
    files,
    adapter: () => new PrismaPg({ connectionString: url }),
    prologue: '',
    flush: 'CHECKPOINT',
    stop: () => stop(server),
  }
}

function initialise(binaries: Binaries, folder: string, files: string, password: string): void {
  const { uid, gid } = binaries.user
  const passwordFile = join(folder, 'postgres-password')
  mkdirSync(files, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (uid !== undefined && gid !== undefined)
    for (const path of [files, passwordFile]) chownSync(path, uid, gid)
  const flags = ['--username=clinic', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C']
  execFileSync(
    binaries.initdb,
    [`--pgdata=${files}`, `--pwfile=${passwordFile}`, ...flags, '--no-sync'],
    { ...binaries.user, cwd: folder, stdio: 'pipe' },
  )
  rmSync(passwordFile)
}

function serverFlags(files: string, port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_min_duration_statement: '0',
    // Nothing here outlives the run.
    fsync: 'off',
  }
  return [
    ...['-D', files, '-p', String(port)],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}

/** Its log says when. */
async function ready(server: ChildProcess, log: string): Promise<void> {
  for (;;) {
    const said = readFileSync(log, 'utf8')
    if (said.includes('ready to accept connections')) return
    if (server.exitCode !== null) throw new Error(`PostgreSQL did not start.\n${said}`)
    await sleep(20)
  }
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise((done) => server.once('exit', done))
  server.kill('SIGINT')
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}
