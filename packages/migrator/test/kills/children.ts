import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { KeyringOptions } from '@rowseal/prisma-extension'
import type { BullmqOptions } from '../../src/queue/bullmq.ts'
import { compiled } from '../compiled.ts'
import type { World } from '../world.ts'

/** What a process is started with, before it is known what it will do. */
export interface ChildSpec {
  readonly provider: string
  readonly url: string
  /** Folder of the generated client and plan, as JavaScript. */
  readonly client: string
  readonly keyring: Partial<KeyringOptions>
  /** What it hands out and works on itself; null for what it only works on. */
  readonly queue: BullmqOptions | null
}

export interface Task {
  readonly direction: string
  readonly options: object
  /** When it kills itself; null if it does not. */
  readonly kill: Kill | null
  /** What it does besides, as the application; null for nothing. */
  readonly writer: {
    readonly ids: readonly number[]
    readonly from: number
    readonly seed: number
    readonly searches: boolean
    /** A file for what it sent, and what was acknowledged. */
    readonly log: string
  } | null
}

/** A moment: so long after its n-th step was begun, or so long after the process was told to run. */
export type Kill =
  | { readonly by: 'step'; readonly n: number; readonly delayMs: number }
  | { readonly by: 'time'; readonly ms: number }

/** What became of a process. */
export type Ended =
  | { readonly kind: 'killed' }
  | { readonly kind: 'done'; readonly outcome: string; readonly steps: number; readonly ms: number }
  | {
      readonly kind: 'failed'
      readonly code: string | undefined
      readonly message: string
      readonly retryable: boolean
    }

const HERE = dirname(fileURLToPath(import.meta.url))

/** Processes that have loaded everything and wait for what to do: one is always ahead, so that none is waited for. */
export class Children {
  readonly #spec: ChildSpec
  readonly #env: NodeJS.ProcessEnv
  readonly #main: string
  #spare: ChildProcess

  constructor(w: World, keyring: Partial<KeyringOptions>, queue: BullmqOptions | null = null) {
    const { provider, db, dir, rootKey } = w
    this.#spec = { provider, url: db.url, client: compiled(dir), keyring, queue }
    this.#env = { ...process.env, KILLS_ROOT_KEY: rootKey.toString('base64') }
    this.#main = join(compiled(HERE, `child-${process.pid}-${String(Date.now())}`), 'child.js')
    this.#spare = this.#start()
  }

  async run(task: Task): Promise<Ended> {
    const child = this.#spare
    if (!(await isReady(child))) throw new Error('A process did not start.')
    this.#spare = this.#start()
    const exited = once(child, 'exit') as Promise<[number | null, string | null]>
    let answer: any = null
    child.on('message', (message) => (answer = message))
    child.send(task)
    const { kill } = task
    const timer = kill?.by === 'time' ? setTimeout(() => child.kill('SIGKILL'), kill.ms) : undefined
    const [, signal] = await exited
    clearTimeout(timer)
    if (answer?.report !== undefined) return { kind: 'done', ...answer.report }
    if (answer?.error !== undefined) return { kind: 'failed', ...answer.error }
    if (signal === 'SIGKILL') return { kind: 'killed' }
    throw new Error('A process has ended by itself, and said nothing.')
  }

  async close(): Promise<void> {
    const exited = once(this.#spare, 'exit')
    this.#spare.kill('SIGKILL')
    await exited
    rmSync(dirname(this.#main), { recursive: true, force: true })
  }

  #start(): ChildProcess {
    const child = fork(this.#main, [JSON.stringify(this.#spec)], { execArgv: [], env: this.#env })
    READY.set(child, Promise.race([once(child, 'message'), once(child, 'exit').then(() => null)]))
    return child
  }
}

const READY = new WeakMap<ChildProcess, Promise<unknown>>()

async function isReady(child: ChildProcess): Promise<boolean> {
  return (await READY.get(child)) !== null
}
