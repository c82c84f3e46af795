import { existsSync, readFileSync, rmSync } from 'node:fs'
import { rowseal, type KeyringOptions } from '@rowseal/prisma-extension'
import type { World } from '../world.ts'
import type { Scenario } from './directions.ts'
import { worldOf } from './directions.ts'
import { Journal, type Entry } from './journal.ts'
import type { Note } from './note.ts'
import type { Table } from './notes.ts'
import { readNotes } from './proof.ts'
import { randomOf } from './random.ts'
import { Writer } from './writer.ts'

/** Follows what happens to keys as late as it may, so that it seals under a former key for a while. */
const LATE: Partial<KeyringOptions> = { refreshMs: 400, maxAgeMs: 500 }
const MAX_REST_MS = 6

/** The application while a direction runs: two writers, each with rows of its own, and what they did. */
export class Application {
  readonly journal: Journal
  readonly #w: World
  readonly #scenario: Scenario
  readonly #writers: Writer[] = []
  readonly #log: string | null
  #from = 1

  private constructor(w: World, scenario: Scenario, notes: readonly Note[]) {
    this.#w = w
    this.#scenario = scenario
    this.journal = new Journal(notes)
    this.#log = w.provider === 'sqlite' ? `${w.db.folder!}/journal` : null
  }

  /** On SQLite it lives in the process that is killed. */
  static async start(
    table: Table,
    scenario: Scenario,
    notes: readonly Note[],
    random: () => number,
  ): Promise<Application> {
    const w = worldOf(table, scenario)
    const application = new Application(w, scenario, notes)
    if (w.provider !== 'sqlite') await application.#start(random)
    return application
  }

  async #start(random: () => number): Promise<void> {
    const { Prisma } = await import(`${this.#w.dir}/client/client.ts`)
    const clients = await this.#clients()
    for (const [i, client] of clients.entries())
      this.#writers.push(
        new Writer({
          client,
          reader: i === 1 && this.#scenario.stage === 'entering' ? clients[0] : client,
          dbNull: Prisma.DbNull,
          journal: this.journal,
          ids: IDS.filter((id) => id % 2 === i),
          random: randomOf(random() * 2 ** 32),
          searches: this.#searches,
          restMs: MAX_REST_MS,
          from: 1,
        }),
      )
  }

  /** While values enter, old versions of the application write too, and indexes are not complete. */
  get #searches(): boolean {
    return this.#scenario.stage !== 'entering'
  }

  async #clients(): Promise<readonly any[]> {
    const [one, other] = [await sealedInstance(this.#w), await sealedInstance(this.#w)]
    return this.#scenario.stage === 'entering' ? [one, this.#w.plain] : [one, other]
  }

  /** For the process that is to be killed, where it is the application too. */
  task(random: () => number): {
    ids: readonly number[]
    from: number
    seed: number
    searches: boolean
    log: string
  } | null {
    if (this.#log === null) return null
    const from = (this.#from += 10_000)
    const seed = random() * 2 ** 32
    return { ids: IDS, from, seed, searches: this.#searches, log: this.#log }
  }

  /** What a process has left is read, and each row of which it is not known. */
  async processEnded(): Promise<void> {
    if (this.#log === null || !existsSync(this.#log)) return
    const lines = readFileSync(this.#log, 'utf8').split('\n')
    for (const line of lines) if (line !== '') this.journal.note(JSON.parse(line) as Entry)
    rmSync(this.#log)
    const notes = new Map((await readNotes(this.#w)).map((note) => [note.id, note]))
    for (const id of IDS) this.journal.note({ at: 'read', id, note: notes.get(id) ?? null })
  }

  /** Old versions of the application are gone. @returns false if there were none. */
  async stopOld(): Promise<boolean> {
    const old = this.#scenario.stage === 'entering' ? this.#writers.pop() : undefined
    await old?.stop()
    return old !== undefined
  }

  /** @throws what a writer has seen that must not be. */
  async stop(): Promise<void> {
    for (const writer of this.#writers) await writer.stop()
  }
}

export const ROWS = 48
const IDS = Array.from({ length: ROWS }, (_, id) => id)

async function sealedInstance(w: World): Promise<any> {
  const { client, plan, keyring } = await w.another(LATE)
  return (client as any).$extends(rowseal({ plan, keyring: keyring as any, reencryption: false }))
}
