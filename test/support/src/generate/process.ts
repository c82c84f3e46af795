import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { temporaryFolder } from '../machine.ts'
import type { Order } from './folder.ts'

/**
 * Carries out orders, one at a time. A connection brings an `Order` and takes a `Reply`, a line of JSON each.
 * Prints the path of its socket, and ends when standard input does. See `startGenerating`.
 */
const place = temporaryFolder('generate')
const path = join(place.path, 'socket')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
process.stdin.resume().once('close', () => process.exit())
process.once('exit', place.remove)

/** Without an error the folder is there. */
export interface Reply {
  readonly error?: string
}

createServer((socket) => void receive(socket)).listen(path, () => {
  console.log(path)
})

let last: Promise<unknown> = Promise.resolve()
let loaded: Promise<(order: Order) => Promise<void>> | undefined

async function receive(socket: Socket): Promise<void> {
  // A worker that has gone needs no reply.
  socket.on('error', () => undefined)
  const [line] = (await once(createInterface(socket), 'line')) as [string]
  const before = last
  last = before.then(async () => {
    const reply = await replyTo(line)
    socket.end(`${JSON.stringify(reply)}\n`)
  })
}

async function replyTo(line: string): Promise<Reply> {
  try {
    // Loading takes a second: a run of tests that need no new client is spared it.
    loaded ??= import('./carry-out.ts').then(({ carryOutHere }) => carryOutHere())
    const carryOut = await loaded
    await carryOut(JSON.parse(line) as Order)
    return {}
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}
