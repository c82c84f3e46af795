import { expect } from 'vitest'
import { reindex } from '../../src/index.ts'
import { Application } from './application.ts'
import type { Children, Ended, Kill } from './children.ts'
import type { Scenario } from './directions.ts'
import type { Note } from './note.ts'
import type { Table } from './notes.ts'
import { expectProof, expectVerified } from './proof.ts'

const OPTIONS = { batchRows: 5, maxTransactionMs: 100 }
/** How long a process lives that is not killed, until the first one has shown it. */
const LIFE = { steps: 150, ms: 1500 }

/** One direction, killed and begun again until it has come to its end, while the application writes. */
export class Killing {
  readonly #table: Table
  readonly #scenario: Scenario
  readonly #children: Children
  readonly #random: () => number
  #life: { readonly steps: number; readonly ms: number } = LIFE
  /** What was killed, what else there was, and the writes that were acknowledged. */
  readonly seen = { kills: 0, ends: 0, refused: 0, acknowledged: 0 }

  constructor(table: Table, scenario: Scenario, children: Children, random: () => number) {
    this.#table = table
    this.#scenario = scenario
    this.#children = children
    this.#random = random
  }

  get kills(): number {
    return this.seen.kills
  }

  /** @returns what rows hold at the end. */
  async untilItEnds(notes: readonly Note[], maxKills: number): Promise<Note[]> {
    const [table, scenario] = [this.#table, this.#scenario]
    await scenario.again(table)
    const application = await Application.start(table, scenario, notes, this.#random)
    let ended: Ended = { kind: 'killed' }
    while (ended.kind !== 'done' && this.kills < maxKills)
      ended = await this.#run(application, this.#moment())
    // What was done while old versions of the application still wrote is no end.
    if (await application.stopOld()) ended = await this.#run(application, null)
    while (ended.kind !== 'done') ended = await this.#run(application, null)
    await application.stop()

    expect(ended).toMatchObject({ outcome: 'done' })
    const rows = application.journal.rows()
    await expectProof(table, scenario, rows)
    // Old versions of the application know of no index.
    if (scenario.stage === 'entering') await reindex(table.entering.config, { now: true })
    await expectVerified(table, scenario)
    this.seen.acknowledged += application.journal.acknowledged
    return rows
  }

  async #run(application: Application, kill: Kill | null): Promise<Ended> {
    const writer = application.task(this.#random)
    const task = { direction: this.#scenario.name, options: OPTIONS, kill, writer }
    const ended = await this.#children.run(task)
    await application.processEnded()
    if (ended.kind === 'killed') this.seen.kills++
    else if (ended.kind === 'failed') this.#refused(ended)
    else {
      this.seen.ends++
      const { steps, ms } = ended
      // Those that only came to an end are shorter.
      this.#life = this.#life === LIFE || steps > this.#life.steps ? { steps, ms } : this.#life
    }
    return ended
  }

  /** A process may not get a key in time on a busy machine, or be told that the last one may be alive. */
  #refused({ retryable, code, message }: Extract<Ended, { kind: 'failed' }>): void {
    if (!retryable) throw new Error(`${code ?? ''} ${message}`)
    this.seen.refused++
  }

  /** Half of them by what the process does, half by the clock of somebody else. */
  #moment(): Kill {
    const random = this.#random
    if (random() < 0.5) return { by: 'time', ms: random() * this.#life.ms }
    const delayMs = random() < 0.5 ? 0 : random() * 4
    return { by: 'step', n: 1 + Math.floor(random() * this.#life.steps), delayMs }
  }
}
