import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '@rowseal/test-support'
import { oneOf } from '../../packages/migrator/test/kills/random.ts'
import type { Fleet } from './fleet.ts'
import type { World } from './world.ts'

/** The migrator counts on clocks of hosts that are less than a minute apart. */
const MAX_SKEW_MS = 28_000

const KMS_FAULTS: readonly Fault[] = [
  { kind: 'delay', ms: 400 },
  { kind: 'delay', ms: 1000 },
  { kind: 'throttle' },
  { kind: 'error' },
  { kind: 'drop' },
  { kind: 'cut' },
  { kind: 'hang' },
  { kind: 'garbage' },
]

type Deed = () => Promise<void>

/** Does harm, one deed after the other, and puts right what is not to last. */
export class Nemesis {
  readonly #world: World
  readonly #fleet: Fleet
  readonly #random: () => number
  readonly #pending = new Set<Promise<void>>()
  #isStopped = false
  #running: Promise<void> = Promise.resolve()
  /** How often it did what. */
  readonly deeds = new Map<string, number>()

  constructor(world: World, fleet: Fleet, random: () => number) {
    this.#world = world
    this.#fleet = fleet
    this.#random = random
  }

  begin(): void {
    this.#running = this.#run()
  }

  /** Everything is put right. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
    await Promise.all(this.#pending)
    for (const [name] of this.#fleet.running()) this.#setClock(name, 0)
  }

  /** A process froze itself, between sealing and sending or before COMMIT. */
  frozeItself(child: ChildProcess): void {
    this.#note('freeze itself')
    this.#later(300 + this.#random() * 4000, () => child.kill('SIGCONT'))
  }

  async #run(): Promise<void> {
    const deeds = this.#deeds()
    while (!this.#isStopped) {
      await sleep(400 + this.#random() * 1200)
      const [name, deed] = oneOf(this.#random, deeds)
      this.#note(name)
      await deed()
    }
  }

  #deeds(): [string, Deed][] {
    const weighted: readonly (readonly [number, string, Deed])[] = [
      [4, 'kill', () => this.#kill()],
      [3, 'freeze', () => this.#freeze()],
      [3, 'skew a clock', () => this.#skew()],
      [2, 'KMS fault', () => this.#failKms()],
      [1, 'KMS denial', () => this.#denyKms()],
      [2, 'drop connections', () => this.#drop()],
      [2, 'stall connections', () => this.#stall()],
      [1, 'crash the database', () => this.#world.server.crash()],
      ...(this.#world.redis === null
        ? []
        : ([[1, 'crash the queue', () => this.#crashQueue()]] as const)),
    ]
    return weighted.flatMap(([weight, name, deed]) =>
      Array.from({ length: weight }, (): [string, Deed] => [name, deed]),
    )
  }

  async #kill(): Promise<void> {
    this.#someone()?.[1].kill('SIGKILL')
  }

  async #freeze(): Promise<void> {
    const [, child] = this.#someone() ?? []
    child?.kill('SIGSTOP')
    this.#later(200 + this.#random() * 3500, () => child?.kill('SIGCONT'))
  }

  async #skew(): Promise<void> {
    const [name] = this.#someone() ?? []
    if (name === undefined) return
    this.#setClock(name, Math.round((this.#random() * 2 - 1) * MAX_SKEW_MS))
  }

  #setClock(name: string, offMs: number): void {
    writeFileSync(clockFile(this.#world, name), String(offMs))
  }

  async #failKms(): Promise<void> {
    this.#world.kms.fail(oneOf(this.#random, KMS_FAULTS))
    this.#later(200 + this.#random() * 2500, () => this.#world.kms.recover())
  }

  async #denyKms(): Promise<void> {
    this.#world.kms.deny('*')
    this.#later(200 + this.#random() * 1000, () => this.#world.kms.recover())
  }

  async #crashQueue(): Promise<void> {
    await this.#world.redis!.kill()
    await sleep(this.#random() * 2000)
    await this.#world.redis!.start()
  }

  async #drop(): Promise<void> {
    this.#world.proxy.drop(this.#random(), this.#random)
  }

  async #stall(): Promise<void> {
    this.#world.proxy.stall()
    this.#later(200 + this.#random() * 2500, () => this.#world.proxy.flow())
  }

  #someone(): [string, ChildProcess] | undefined {
    const running = this.#fleet.running()
    return running.length === 0 ? undefined : oneOf(this.#random, running)
  }

  #later(ms: number, undo: () => unknown): void {
    const pending = sleep(ms).then(() => void undo())
    this.#pending.add(pending)
    void pending.finally(() => this.#pending.delete(pending))
  }

  #note(name: string): void {
    this.deeds.set(name, (this.deeds.get(name) ?? 0) + 1)
  }
}

export const clockFile = ({ configs }: World, name: string): string =>
  join(configs, `${name}.clock`)
