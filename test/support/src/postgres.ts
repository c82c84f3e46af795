import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A running database server of ours. */
export interface Server {
  readonly url: string
  stop(): Promise<void>
}

/** One that can be ended as if its processes had been killed; then it starts on what it had written, on the same port. */
export interface CrashingServer extends Server {
  crash(): Promise<void>
}

/**
 * Start PostgreSQL from its npm package on a free port, in a folder that goes with it.
 *
 * In a process of its own, which ends with this one however this one ends, and the server with it.
 */
export function startPostgres(flags: readonly string[] = []): Promise<CrashingServer> {
  return start('', flags)
}

/** As `startPostgres`, a standby of a server that this has started. */
export function startStandby({ url }: Server, flags: readonly string[] = []): Promise<Server> {
  return start(url, flags)
}

async function start(standbyOf: string, flags: readonly string[]): Promise<CrashingServer> {
  const program = fileURLToPath(new URL('postgres-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program, standbyOf, ...flags], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const lines = createInterface(child.stdout)
  const firstLine = once(lines, 'line') as Promise<[string]>
  const [url] = await Promise.race([
    firstLine,
    exited.then(([code]) => {
      throw new Error(`PostgreSQL did not start (exit ${String(code)}).`)
    }),
  ])
  return {
    url,
    crash: async () => {
      child.stdin.write('crash\n')
      await once(lines, 'line')
    },
    stop: async () => {
      child.stdin.end()
      await exited
    },
  }
}
