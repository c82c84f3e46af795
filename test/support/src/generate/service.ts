import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Server } from '../postgres.ts'
import type { Order } from './folder.ts'
import type { Reply } from './process.ts'

/** Start the process that generates for all workers. It ends with this one however this one ends. */
export async function startGenerating(): Promise<Server> {
  const program = fileURLToPath(new URL('process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const firstLine = once(createInterface(child.stdout), 'line') as Promise<[string]>
  const [url] = await Promise.race([
    firstLine,
    exited.then(([code]) => {
      throw new Error(`The process that generates clients did not start (exit ${String(code)}).`)
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

/** Have the process at `path` make a folder: see `makeFolder`. */
export async function sendOrder(path: string, order: Order): Promise<void> {
  const socket = connect(path)
  const lines = createInterface(socket)
  socket.write(`${JSON.stringify(order)}\n`)
  for await (const line of lines) {
    const { error } = JSON.parse(line) as Reply
    if (error === undefined) return
    throw new Error(error)
  }
  throw new Error('The process that generates clients ended.')
}
