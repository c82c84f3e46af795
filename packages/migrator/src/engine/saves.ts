import type { PageRow } from '@rowseal/prisma-extension/sql'
import { addTally, type Checkpoint } from '../runs/checkpoint.ts'
import { ownerOf } from '../quarantine/left.ts'
import { FormerEntries } from '../runs/former-entries.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import { countRows, quarantined } from './commit.ts'
import { add } from './counts.ts'
import type { PassJob } from './pass.ts'
import type { Batch, Change, Strategy } from './strategy.ts'

const EVERY_MS = 1_000
/** Entries that are saved at once. */
const MAX_PENDING = 500
/** What is recorded of a part; beyond, rows are only counted. */
const MAX_RECORDED = 100_000

/** An entry that is not true any more. */
interface Good {
  readonly key: readonly string[]
  readonly fields: readonly string[]
  readonly isGone: boolean
}

/**
 * Saves what a pass that only reads has found: bad values into the quarantine, in the place of what was there
 * before of the rows that it has looked at, and how far it came, both or none.
 */
export class Saves {
  readonly #job: PassJob
  readonly #fields: readonly string[]
  readonly #former: FormerEntries
  #checkpoint: Checkpoint
  #bad: Quarantined[] = []
  #good: Good[] = []
  #savedAt = performance.now()

  private constructor(
    job: PassJob,
    fields: readonly string[],
    former: FormerEntries,
    from: Checkpoint,
  ) {
    this.#job = job
    this.#fields = fields
    this.#former = former
    this.#checkpoint = from
  }

  static async begin<C extends Change>(
    job: PassJob,
    { columns }: Strategy<C>,
    from: Checkpoint,
  ): Promise<Saves> {
    const fields = columns.map(({ field }) => field)
    const { client, target } = job
    return new Saves(job, fields, await FormerEntries.load(client, target, fields), from)
  }

  /** How far the pass is, also what is not saved yet. */
  get checkpoint(): Checkpoint {
    return this.#checkpoint
  }

  /** Take note of a page, and save all from time to time. */
  async add<C extends Change>(rows: readonly PageRow[], { bad, tally }: Batch<C>): Promise<void> {
    const before = this.#checkpoint
    const entries = quarantined(this.#job.target, rows, bad)
    const added = { rows: 0, superseded: 0, quarantined: countRows(bad) }
    if (before.counts.quarantined < MAX_RECORDED) this.#bad = this.#bad.concat(entries)
    for (const { key } of await this.#former.among(rows)) this.#note(key, entries)
    this.#checkpoint = {
      ...before,
      after: rows.at(-1)!.key,
      counts: add(before.counts, added),
      tally: addTally(before.tally, tally),
      bad: [...new Set([...before.bad, ...bad.map(({ field }) => field)])],
    }
    this.#job.onBatch(added, rows.length, entries)
    const isDue = performance.now() - this.#savedAt >= EVERY_MS
    if (isDue || this.#bad.length + this.#good.length >= MAX_PENDING) await this.#save()
  }

  /** @param isComplete - has the pass come to its end? Then entries of rows that are gone go too. */
  async end(isComplete: boolean): Promise<void> {
    await this.#save()
    if (!isComplete) return
    for await (const keys of this.#former.ofNothing()) {
      this.#good = keys.map((key) => ({ key, fields: this.#fields, isGone: true }))
      await this.#save()
    }
  }

  #note(key: readonly string[], entries: readonly Quarantined[]): void {
    const bad = new Set(entries.filter((entry) => isSame(entry.key, key)).map(({ field }) => field))
    const { target } = this.#job
    // What a blind index should hold is not known where its field does not open.
    const fields = this.#fields.filter((name) => !bad.has(name) && !bad.has(ownerOf(target, name)))
    this.#good.push({ key, fields, isGone: false })
  }

  async #save(): Promise<void> {
    const { store, part, heartbeat } = this.#job
    const [bad, good] = [this.#bad.splice(0), this.#good.splice(0)]
    await store.parts.commit(part, async (tx) => {
      for (const { key, fields, isGone } of good) await this.#former.remove(tx, key, fields, isGone)
      await store.quarantine.record(tx, bad, part.direction)
      return this.#checkpoint
    })
    this.#savedAt = performance.now()
    heartbeat.touch()
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i])
}
