import { setTimeout as sleep } from 'node:timers/promises'
import { oneOf, randomOf } from '../../packages/migrator/test/kills/random.ts'
import { REQUESTS, type Requests } from './requests.ts'

/** Operations under way at most; what would begin then is counted and left out. */
const MAX_IN_HAND = 50

/** What was asked of the client. */
export interface LoadCounts {
  /** By kind. */
  readonly done: Record<string, number>
  /** By code. */
  readonly failed: Record<string, number>
  /** Were to begin while too many others were under way. */
  skipped: number
}

/** Begins so many operations in a second, whether earlier ones have ended or not. */
export class Load {
  readonly counts: LoadCounts = { done: {}, failed: {}, skipped: 0 }
  readonly #requests: Requests
  readonly #random: () => number
  readonly #everyMs: number
  #isOn = false
  #isOver = false
  #inHand = 0
  #idle: (() => void)[] = []
  #running: Promise<void>

  constructor(requests: Requests, rate: number, seed: number) {
    this.#requests = requests
    this.#random = randomOf(seed)
    this.#everyMs = 1000 / rate
    this.#running = this.#run()
  }

  resume(): void {
    this.#isOn = true
  }

  /** Until nothing is under way. */
  async pause(): Promise<void> {
    this.#isOn = false
    if (this.#inHand > 0) await new Promise<void>((done) => this.#idle.push(done))
  }

  async stop(): Promise<void> {
    await this.pause()
    this.#isOver = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await sleep(this.#everyMs * (0.5 + this.#random()))
      if (!this.#isOn) continue
      if (this.#inHand >= MAX_IN_HAND) this.counts.skipped++
      else void this.#begin(oneOf(this.#random, REQUESTS))
    }
  }

  async #begin(kind: keyof Requests): Promise<void> {
    this.#inHand++
    try {
      await this.#requests[kind]()
      this.#count(this.counts.done, kind)
    } catch (error) {
      const { code, name } = Object(error) as { code?: unknown; name?: unknown }
      this.#count(this.counts.failed, `${kind}: ${String(code ?? name)}`)
    }
    this.#inHand--
    if (this.#inHand === 0) for (const done of this.#idle.splice(0)) done()
  }

  #count(counts: Record<string, number>, name: string): void {
    counts[name] = (counts[name] ?? 0) + 1
  }
}
