import * as library from '../../src/index.ts'
import {
  work,
  type DrainReport,
  type MigratorConfig,
  type RunDirectionOptions,
  type WorkEvent,
  type WorkOptions,
  type WorkReport,
} from '../../src/index.ts'
import type { World } from '../world.ts'
import type { QueueServer } from './servers.ts'

export interface Worker {
  readonly events: WorkEvent[]
  readonly ended: Promise<WorkReport>
  readonly stop: () => void
}

/** Those who work on what is handed out: each with a client of its own, as in a process of its own. */
export class Crew {
  readonly #workers: Worker[] = []
  readonly #world: World
  readonly #server: QueueServer

  constructor(world: World, server: QueueServer) {
    this.#world = world
    this.#server = server
  }

  config(config: MigratorConfig = this.#world.config): MigratorConfig {
    return { ...config, queue: this.#server.queue }
  }

  /** Hand it out, in parts of 40 rows. */
  drain(options: RunDirectionOptions = {}): Promise<DrainReport> {
    return library.drain(this.config(), { queue: { partRows: 40 }, ...options })
  }

  async hire(options: WorkOptions = {}): Promise<Worker> {
    const stop = new AbortController()
    const events: WorkEvent[] = []
    const ended = work(this.config(await this.#world.another()), {
      ...{ now: true, batchRows: 20, ...options },
      signal: stop.signal,
      onEvent: (event) => {
        events.push(event)
        options.onEvent?.(event)
      },
    })
    ended.catch(() => undefined)
    const worker = { events, ended, stop: () => stop.abort() }
    this.#workers.push(worker)
    return worker
  }

  /** End all who are there. */
  async dismiss(): Promise<WorkReport[]> {
    const all = this.#workers.splice(0)
    for (const { stop } of all) stop()
    const settled = await Promise.allSettled(all.map(({ ended }) => ended))
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  }
}
