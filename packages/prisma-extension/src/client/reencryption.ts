import { RowsealError } from '../errors.ts'
import type { FieldPlan, ModelPlan, StaleRecord } from '../query/index.ts'
import type { Provider } from '../plan/index.ts'
import { keyText, type StoredValue } from '../sql/index.ts'
import type { PendingRecord, RecordSwapper } from './reseal.ts'

/**
 * Stale values met by reads wait here and are rewritten in the background:
 *
 *   read → waiting (one entry per record, grouped per table) → a batch in hand → done | superseded | failed
 *
 * Nothing is lost when an entry is: a record that was dropped, superseded or failed is still stale, still
 * readable, and met again by the next read or by the migrator. So the queue is bounded and never retries.
 */

export interface ReencryptionOptions {
  /** Batches in hand at once. Default 4. Each takes one database connection while it writes. */
  readonly concurrency?: number
  /** Records waiting at most; further ones are dropped. Default 10,000, a few MB of envelopes. */
  readonly maxQueued?: number
  /** Records rewritten by one statement at most. Default 100. */
  readonly batchRows?: number
}

/** Counts since the client was extended, in records. */
export interface ReencryptionStats {
  /** Waiting or in hand now. */
  readonly queued: number
  /** Rewritten under the active key version. */
  readonly done: number
  /** Not rewritten because somebody else wrote the record, or held its lock. */
  readonly superseded: number
  /** Met while the queue was full. */
  readonly dropped: number
  /** Not rewritten because of an error. */
  readonly failed: number
  /** Code or name of the last error; null if there was none. */
  readonly lastError: string | null
}

/** A record in the queue, to which further reads may add. */
interface Waiting extends PendingRecord {
  readonly stored: Map<FieldPlan, StoredValue>
}

export class ReencryptionQueue {
  readonly #provider: Provider
  readonly #swap: RecordSwapper
  readonly #options: Required<ReencryptionOptions>
  readonly #waiting = new Map<ModelPlan, Map<string, Waiting>>()
  #waitingCount = 0
  #inHand = 0
  #running = 0
  #isScheduled = false
  #idle: (() => void)[] = []
  #counts = { done: 0, superseded: 0, dropped: 0, failed: 0 }
  #lastError: string | null = null

  constructor(provider: Provider, swap: RecordSwapper, options: ReencryptionOptions = {}) {
    this.#provider = provider
    this.#swap = swap
    this.#options = {
      concurrency: positive('concurrency', options.concurrency ?? 4),
      maxQueued: positive('maxQueued', options.maxQueued ?? 10_000),
      batchRows: positive('batchRows', options.batchRows ?? 100),
    }
  }

  /** Take in what a read met. Never throws: a read must not fail for it. */
  add(records: readonly StaleRecord[]): void {
    for (const record of records) this.#addOne(record)
    this.#schedule()
  }

  /**
   * Wait until nothing is waiting or in hand.
   *
   * @returns true if so, false if the time ran out first. Do not await it inside an interactive
   * transaction that read stale records: the queue may wait for that transaction's locks.
   */
  async flush(timeoutMs = 10_000): Promise<boolean> {
    if (this.#isIdle()) return true
    let timer: NodeJS.Timeout | undefined
    const inTime = await Promise.race([
      new Promise<boolean>((done) => this.#idle.push(() => done(true))),
      new Promise<boolean>((done) => (timer = setTimeout(() => done(false), timeoutMs))),
    ])
    clearTimeout(timer)
    return inTime
  }

  stats(): ReencryptionStats {
    return {
      queued: this.#waitingCount + this.#inHand,
      ...this.#counts,
      lastError: this.#lastError,
    }
  }

  #addOne({ model, key, fields }: StaleRecord): void {
    let records = this.#waiting.get(model)
    if (records === undefined) this.#waiting.set(model, (records = new Map()))
    const keyTexts = key.map((value) => keyText(this.#provider, value))
    const id = JSON.stringify(keyTexts)
    const known = records.get(id)
    if (known === undefined && this.#waitingCount >= this.#options.maxQueued) {
      this.#counts.dropped++
      return
    }
    if (known === undefined) this.#waitingCount++
    // Another read of the record may have met other fields, or newer bytes of the same.
    const stored = known?.stored ?? new Map<FieldPlan, StoredValue>()
    for (const field of fields) stored.set(field.field, field.stored)
    records.set(id, { key: keyTexts, stored })
  }

  /** Start after the caller has its result, when a burst of reads has come together. */
  #schedule(): void {
    if (this.#isScheduled || this.#waitingCount === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      while (this.#running < this.#options.concurrency && this.#waitingCount > 0) void this.#run()
    })
  }

  async #run(): Promise<void> {
    const batch = this.#take()
    if (batch === null) return
    const { model, records } = batch
    this.#running++
    this.#inHand += records.length
    try {
      const swapped = await this.#swap(model, records)
      this.#counts.done += swapped
      this.#counts.superseded += records.length - swapped
    } catch (error) {
      this.#counts.failed += records.length
      this.#lastError = nameOf(error)
    }
    this.#running--
    this.#inHand -= records.length
    if (this.#isIdle()) for (const done of this.#idle.splice(0)) done()
    else this.#schedule()
  }

  #take(): { model: ModelPlan; records: PendingRecord[] } | null {
    for (const [model, waiting] of this.#waiting) {
      const records: PendingRecord[] = []
      for (const [id, record] of waiting) {
        if (records.length === this.#options.batchRows) break
        records.push(record)
        waiting.delete(id)
      }
      if (waiting.size === 0) this.#waiting.delete(model)
      this.#waitingCount -= records.length
      if (records.length > 0) return { model, records }
    }
    return null
  }

  #isIdle(): boolean {
    return this.#waitingCount === 0 && this.#inHand === 0
  }
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new TypeError(`reencryption.${name} must be a positive integer.`)
}

function nameOf(error: unknown): string {
  if (error instanceof RowsealError) return error.code
  const { code, name } = error as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error'
}
