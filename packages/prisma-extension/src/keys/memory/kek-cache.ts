import { LRUCache } from 'lru-cache'
import { KeyError } from '../../errors.ts'
import { ageMs, momentOf, type Clock, type Moment } from '../clock.ts'
import type { Kek } from './dek-wrap.ts'
import { openKek } from './kek.ts'
import type { KeyRow, RootKey } from '../types.ts'

/** Part of `maxAgeMs` after which a KEK that is used is unwrapped again in the background. */
const REFRESH_AT = 0.75
/** A reload that had no answer is followed by the next one after this long at the most. */
const MAX_RETRY_MS = 5000
const RETRIES_PER_AGE = 4

export interface KekCacheLimits {
  readonly entries: number
  /** Milliseconds since the unwrap began. */
  readonly maxAgeMs: number
  /** The same, while the root key is out of reach. */
  readonly maxStaleMs: number
}

export interface KekCacheOptions {
  readonly root: RootKey
  readonly limits: KekCacheLimits
  readonly clock: Clock
  /** Told that the root key refuses a key, which is gone by then. */
  readonly onDenied: (keyId: number) => void
}

interface Entry {
  readonly kek: Kek
  /** When the unwrap that gave it began. */
  readonly began: Moment
  /** When the last reload began, if that had no answer; null if none was tried. */
  unanswered: Moment | null
}

/**
 * KEKs in memory: bounded by count and age, one load in flight for each, failures never kept. There
 * is no timer; everything happens on use.
 *
 *   age                      root key answers    has no answer (outage)          refuses (denial)
 *   up to ¾ of maxAgeMs      not called          not called                      not called
 *   up to maxAgeMs           served; reload in the background                    dropped
 *   up to maxStaleMs         waits for reload    waits once, then served while   dropped
 *                                                reloads go on in the background
 *   beyond                   waits for reload    refused, retryable              dropped
 *
 * So whatever is given out, the root key gave it, or was asked for it in vain, less than `maxAgeMs` ago.
 */
export class KekCache {
  readonly #options: KekCacheOptions
  readonly #retryMs: number
  readonly #kept: LRUCache<number, Entry>
  readonly #loading = new Map<number, Promise<Kek>>()
  hits = 0
  rootKeyCalls = 0

  constructor(options: KekCacheOptions) {
    this.#options = options
    this.#retryMs = Math.min(MAX_RETRY_MS, options.limits.maxAgeMs / RETRIES_PER_AGE)
    this.#kept = new LRUCache({ max: options.limits.entries })
  }

  get size(): number {
    return this.#kept.size
  }

  /** The KEK of a key version if it is in memory and may be used. Starts a reload that is due. */
  get(row: KeyRow): Kek | undefined {
    const entry = this.#kept.get(row.keyId)
    if (entry === undefined) return undefined
    const { maxAgeMs } = this.#options.limits
    const age = this.#since(entry.began)
    if (age > maxAgeMs * REFRESH_AT) {
      if (age > maxAgeMs && !this.#isOutage(entry, age)) return undefined
      this.#refresh(row, entry)
    }
    this.hits++
    return entry.kek
  }

  /**
   * The KEK of a key version, from memory or from the root key.
   *
   * @throws {KeyError} as `openKek`
   */
  load(row: KeyRow): Promise<Kek> {
    const kept = this.get(row)
    return kept === undefined ? this.#load(row) : Promise.resolve(kept)
  }

  /** Ask the root key again in the background, because it refused something else. */
  recheck(row: KeyRow): void {
    const entry = this.#kept.peek(row.keyId)
    if (entry !== undefined) this.#refresh(row, entry)
  }

  /** Let go of what must not be served any more. Without this it would stay until its next use. */
  purge(): void {
    for (const [keyId, { began }] of [...this.#kept.entries()]) {
      if (this.#since(began) > this.#options.limits.maxStaleMs) this.#kept.delete(keyId)
    }
  }

  /** Let go of a key whose state does not permit its use any more. False if it is not there. */
  drop(keyId: number): boolean {
    return this.#kept.delete(keyId)
  }

  /** Let go of all. */
  clear(): void {
    this.#kept.clear()
  }

  /** Past its age: may it be served because the root key has no answer? */
  #isOutage({ unanswered }: Entry, age: number): boolean {
    const { maxAgeMs, maxStaleMs } = this.#options.limits
    return age <= maxStaleMs && unanswered !== null && this.#since(unanswered) <= maxAgeMs
  }

  #refresh(row: KeyRow, { unanswered }: Entry): void {
    if (unanswered !== null && this.#since(unanswered) <= this.#retryMs) return
    this.#load(row).catch(() => undefined) // a denial has taken the KEK away
  }

  /** One at a time for each key. */
  #load(row: KeyRow): Promise<Kek> {
    const running = this.#loading.get(row.keyId)
    if (running !== undefined) return running
    this.rootKeyCalls++
    const began = momentOf(this.#options.clock)
    const load = openKek(this.#options.root, row)
      .then(
        (kek) => {
          this.#kept.set(row.keyId, { kek, began, unanswered: null })
          return kek
        },
        (error: unknown) => this.#held(row.keyId, began, error),
      )
      .finally(() => this.#loading.delete(row.keyId))
    this.#loading.set(row.keyId, load)
    return load
  }

  /** What is left after a load that failed: the KEK held, if this is an outage; else nothing. */
  #held(keyId: number, began: Moment, error: unknown): Kek {
    const entry = this.#kept.peek(keyId)
    if (error instanceof KeyError && error.retryable) {
      if (entry === undefined) throw error
      entry.unanswered = began
      if (this.#since(entry.began) <= this.#options.limits.maxStaleMs) return entry.kek
    }
    this.#kept.delete(keyId)
    if (!(error instanceof KeyError && error.retryable)) this.#options.onDenied(keyId)
    throw error
  }

  #since(moment: Moment): number {
    return ageMs(this.#options.clock, moment)
  }
}
