import type { FieldPlan, ModelPlan, StaleRecord } from '../query/index.ts'
import type { Provider } from '../plan/index.ts'
import { keyText } from '../sql/index.ts'
import type { PendingRecord, ReadValue, RecordSwapper } from './reseal.ts'

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
  /** Records waiting at most; further ones are dropped. Default 10,000, a few MB of short envelopes. */
  readonly maxQueued?: number
  /** Bytes of envelopes waiting at most; further records are dropped. Default 67,108,864 (64 MiB). */
  readonly maxQueuedBytes?: number
  /** Records rewritten by one statement at most. Default 100. */
  readonly batchRows?: number
}

/** Counts since the client was extended, in records. */
export interface ReencryptionStats {
  /** Waiting or in hand now. */
  readonly queued: number
  /** Rewritten under the active key version. */
  readonly done: number
  /** Not rewritten because somebody else wrote the record or held its lock, or its key became active again. */
  readonly superseded: number
  /** Met while the queue was full. */
  readonly dropped: number
  /** Not rewritten because of an error. */
  readonly failed: number
  /** Code or name of the last error; null if there was none. */
  readonly lastError: string | null
}

/** A statement is bounded by bytes too: some servers take 16 MiB, and sealing holds up the event loop. */
const BATCH_BYTES = 4 * 1024 * 1024
/** What `setTimeout` takes. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** A record in the queue, to which further reads may add. */
interface Waiting extends PendingRecord {
  readonly stored: Map<FieldPlan, ReadValue>
  bytes: number
}

export class ReencryptionQueue {
  readonly #provider: Provider
  readonly #swap: RecordSwapper
  readonly #options: Required<ReencryptionOptions>
  readonly #waiting = new Map<ModelPlan, Map<string, Waiting>>()
  #waitingCount = 0
  #waitingBytes = 0
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
      maxQueuedBytes: positive('maxQueuedBytes', options.maxQueuedBytes ?? 64 * 1024 * 1024),
      batchRows: positive('batchRows', options.batchRows ?? 100),
    }
  }

  /** Take in what a read met. Never throws: a read must not fail for it. */
  add(records: readonly StaleRecord[]): void {
    for (const record of records) {
      try {
        this.#addOne(record)
      } catch (error) {
        this.#counts.failed++
        this.#lastError = nameOf(error)
      }
    }
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
      new Promise<boolean>((done) => {
        timer = setTimeout(() => done(false), Math.min(timeoutMs, MAX_TIMEOUT_MS))
      }),
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
    const keyTexts = key.map((value, i) => keyText(this.#provider, storedKey(model, i, value)))
    const id = JSON.stringify(keyTexts)
    let records = this.#waiting.get(model)
    let record = records?.get(id)
    if (record === undefined) {
      if (this.#isFull()) {
        this.#counts.dropped++
        return
      }
      if (records === undefined) {
        this.#waiting.set(model, (records = new Map<string, Waiting>()))
      }
      records.set(id, (record = { key: keyTexts, stored: new Map(), bytes: 0 }))
      this.#waitingCount++
    }
    // Another read of the record may have met other fields, or newer bytes of the same.
    for (const { field, stored, bound } of fields) {
      const more = sizeOf(stored) - sizeOf(record.stored.get(field)?.stored ?? '')
      record.stored.set(field, { stored, bound })
      record.bytes += more
      this.#waitingBytes += more
    }
  }

  #isFull(): boolean {
    const { maxQueued, maxQueuedBytes } = this.#options
    return this.#waitingCount >= maxQueued || this.#waitingBytes >= maxQueuedBytes
  }

  /** Start after the caller has its result, when a burst of reads has come together; one batch a turn. */
  #schedule(): void {
    const isBusy = this.#running >= this.#options.concurrency
    if (this.#isScheduled || isBusy || this.#waitingCount === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      void this.#run()
      this.#schedule()
    })
  }

  async #run(): Promise<void> {
    const batch = this.#take()
    if (batch === null) return
    const { model, records } = batch
    this.#running++
    this.#inHand += records.length
    try {
      const { done, superseded, failed, error } = await this.#swap(model, records)
      this.#counts.done += done
      this.#counts.superseded += superseded
      this.#counts.failed += failed
      if (error !== null) this.#lastError = nameOf(error)
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
      let bytes = 0
      for (const [id, record] of waiting) {
        const isTooMuch = records.length > 0 && bytes + record.bytes > BATCH_BYTES
        if (records.length === this.#options.batchRows || isTooMuch) break
        records.push(record)
        bytes += record.bytes
        waiting.delete(id)
      }
      if (waiting.size === 0) this.#waiting.delete(model)
      this.#waitingCount -= records.length
      this.#waitingBytes -= bytes
      if (records.length > 0) return { model, records }
    }
    return null
  }

  #isIdle(): boolean {
    return this.#waitingCount === 0 && this.#inHand === 0
  }
}

/** A value of a key field as the database has it: Prisma hands out the names that the schema gives an enum's values. */
function storedKey({ source }: ModelPlan, i: number, value: unknown): unknown {
  const names = source.columns[source.key[i] ?? '']?.values
  return typeof value === 'string' ? (names?.[value] ?? value) : value
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new TypeError(`reencryption.${name} must be a positive integer.`)
}

/** Text of envelopes is ASCII. Other JSON in a list, which its annotation allows, is not counted. */
function sizeOf(stored: unknown): number {
  if (typeof stored === 'string' || stored instanceof Uint8Array) return stored.length
  if (!Array.isArray(stored)) return 0
  let size = 0
  for (const element of stored) size += sizeOf(element)
  return size
}

function nameOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error'
}
