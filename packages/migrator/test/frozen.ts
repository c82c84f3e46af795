import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { World } from './world.ts'

/** How old the last read of the key store may be when something is sealed. */
export const MAX_AGE_MS = 1000

export interface Task {
  readonly kind:
    | 'create'
    | 'freeze before sending'
    | 'freeze before sending in a transaction'
    | 'freeze before commit'
  readonly id: number
}

export interface Answer {
  /** Null if the task was done. */
  readonly code: string | null
  readonly message?: string
  readonly field?: string
}

/** A process of the application that can be frozen. */
export class Instance {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** @param storeUrl - where it finds the key store. */
  static async start(w: World, storeUrl = w.db.url): Promise<Instance> {
    const path = fileURLToPath(new URL('frozen-child.ts', import.meta.url))
    const child = fork(path, [w.provider, w.dir, w.db.url, storeUrl], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, FROZEN_ROOT_KEY: w.rootKey.toString('base64') },
    })
    const failed = once(child, 'exit').then(() => Promise.reject(new Error('It did not start.')))
    await Promise.race([once(child, 'message'), failed])
    failed.catch(() => undefined)
    return new Instance(child)
  }

  /** @returns once it has frozen itself, or with its answer. */
  async run(task: Task): Promise<Answer> {
    const answer = this.answer()
    this.#child.send(task)
    const answered = await answer
    if ('frozen' in answered) await this.#stopped()
    return answered
  }

  /** What a frozen process finds when it wakes up. */
  leave(task: Task): void {
    this.#child.send(task)
  }

  async answer(): Promise<Answer> {
    const [answer] = (await once(this.#child, 'message')) as [Answer]
    return answer
  }

  async freeze(): Promise<void> {
    this.#child.kill('SIGSTOP')
    await this.#stopped()
  }

  /** Let it go on. @returns its answer to what it was at. */
  wake(): Promise<Answer> {
    const answer = this.answer()
    this.#child.kill('SIGCONT')
    return answer
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async #stopped(): Promise<void> {
    const state = (): string =>
      execFileSync('ps', ['-o', 'stat=', '-p', String(this.#child.pid)], { encoding: 'utf8' })
    await expect.poll(state, { timeout: 10_000 }).toMatch(/^T/)
  }
}

/** A way to a server that can be cut. */
export async function cuttableWay(
  url: string,
): Promise<{ readonly url: string; cut(): Promise<void> }> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const way = new URL(url)
  way.port = String((server.address() as AddressInfo).port)
  return {
    url: way.href,
    cut: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}
