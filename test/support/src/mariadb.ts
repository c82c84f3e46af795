import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort, temporaryFolder } from './machine.ts'
import type { CrashingServer } from './postgres.ts'

/** Is a MariaDB server on this machine's PATH? */
export function hasMariadb(): boolean {
  const folders = (process.env['PATH'] ?? '').split(':')
  return [...folders, '/usr/sbin'].some((folder) => existsSync(join(folder, 'mariadbd')))
}

/**
 * Start `mariadbd` from the PATH on a free port, in a folder that goes with it.
 *
 * @param flags - further ones. What is committed is lost in a crash unless they say
 *   `--innodb-flush-log-at-trx-commit=2`.
 */
export async function startMariadb(flags: readonly string[] = []): Promise<CrashingServer> {
  const folder = temporaryFolder('mariadb')
  const port = await freePort()
  const data = join(folder.path, 'data')
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` }
  const user = process.getuid?.() === 0 ? ['--user=root'] : []
  execFileSync(
    'mariadb-install-db',
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', ...user],
    { env, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const init = join(folder.path, 'init.sql')
  writeFileSync(
    init,
    // The nameless users of a new server would come before ours for whoever comes from this machine.
    "DELETE FROM mysql.global_priv WHERE User = '';\nFLUSH PRIVILEGES;\nCREATE USER IF NOT EXISTS 'rowseal'@'%' IDENTIFIED BY 'rowseal';\nGRANT ALL ON *.* TO 'rowseal'@'%' WITH GRANT OPTION;\n",
  )
  const run = (): ChildProcess =>
    spawn(
      'mariadbd',
      [
        '--no-defaults',
        `--datadir=${data}`,
        // A server deletes what earlier ones left in its folder for temporary files.
        `--tmpdir=${folder.path}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--socket=${join(folder.path, 'socket')}`,
        `--init-file=${init}`,
        '--skip-log-bin',
        '--innodb-flush-log-at-trx-commit=0',
        '--character-set-server=utf8mb4',
        ...user,
        ...flags,
      ],
      { env, stdio: 'ignore' },
    )
  let server = run()
  await listening(port)
  return {
    url: `mariadb://rowseal:rowseal@127.0.0.1:${port}/mysql`,
    crash: async () => {
      await end(server, 'SIGKILL')
      server = run()
      await listening(port)
    },
    stop: async () => {
      await end(server, 'SIGTERM')
      folder.remove()
    },
  }
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise((done) => server.once('exit', done))
  server.kill(signal)
  await ended
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const up = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('data', () => {
        socket.destroy()
        done(true)
      })
      socket.once('error', () => done(false))
    })
    if (up) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error('MariaDB did not start.')
}
