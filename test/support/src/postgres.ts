import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A running database server of ours. */
export interface Server {
  readonly url: string
  stop(): Promise<void>
}

/**
 * Start PostgreSQL from its npm package on a free port, in a folder that goes with it.
 *
 * In a process of its own, which ends with this one however this one ends, and the server with it.
 */
export function startPostgres(flags: readonly string[] = []): Promise<Server> {
  return start('', flags)
}

/** As `startPostgres`, a standby of a server that this has started. */
export function startStandby({ url }: Server, flags: readonly string[] = []): Promise<Server> {
  return start(url, flags)
}

async function start(standbyOf: string, flags: readonly string[]): Promise<Server> {
  const program = fileURLToPath(new URL('postgres-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program, standbyOf, ...flags], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const firstLine = once(createInterface(child.stdout), 'line') as Promise<[string]>
  const [url] = await Promise.race([
    firstLine,
    exited.then(([code]) => {
      throw new Error(`PostgreSQL did not start (exit ${String(code)}).`)
    }),
  ])
  return {
    url,
    stop: async () => {
      child.stdin.end()
      await exited
    },
  }
}
