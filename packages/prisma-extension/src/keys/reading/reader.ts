import { KeyError } from '../../errors.ts'
import type { StoreMac } from './authentic.ts'
import { ageMs, momentOf, type Clock, type Moment } from '../clock.ts'
import { keyringMissing } from '../keyring-errors.ts'
import { checkSnapshot, type Snapshot } from './snapshot.ts'
import type { KeyStore, Via } from '../types.ts'

/** After a look-up that found nothing, the next one waits this long. */
const MISS_INTERVAL_MS = 1000
/** After a failed read in the background, the next one waits at least this long. */
const RETRY_INTERVAL_MS = 1000
/** Errors of a read that do not say that what the store holds is wrong. Sealing ends in time. */
const HARMLESS: ReadonlySet<string> = new Set(['ERR_KEY_UNAVAILABLE', 'ERR_KEYRING_MISSING'])

/** A snapshot, and when the read that stands for it began. */
export interface Held {
  readonly snapshot: Snapshot
  readonly began: Moment
}

interface Flight {
  readonly began: Moment
  readonly done: Promise<void>
}

export interface ReaderOptions {
  readonly keyring: string
  readonly store: KeyStore
  readonly clock: Clock
  readonly refreshMs: number
  readonly maxAgeMs: number
  readonly mac: StoreMac
  /** Called after each read that worked. */
  readonly onRead: () => void
}

/**
 * Reads the keyring from its store on use; there is no timer. At most one read on the store's own
 * connection is in flight. A read inside a caller's transaction stands for itself: waiting there
 * for any other connection can dead-lock.
 *
 *   age of the last read      opening        sealing
 *   up to refreshMs           as it is       as it is
 *   up to maxAgeMs            as it is       as it is        + a read in the background
 *   beyond                    as it is       reads first, refuses if that fails
 *
 * A read counts from when it began. Under REPEATABLE READ a read inside a transaction may see the
 * store as it was when the transaction began: it stands for the operation that made it, whose bound is
 * then maxAgeMs plus the transaction's duration, and for no other.
 */
export class StoreReader {
  readonly #options: ReaderOptions
  #snapshot: Snapshot | null = null
  /** When the read that gave the snapshot began, and when it ended. */
  #began: Moment | null = null
  #ended: Moment | null = null
  #lastAttempt: Moment | null = null
  #lastMiss: Moment | null = null
  #flight: Flight | null = null
  /** The read that begins when that one is over. */
  #next: { readonly behind: Flight; readonly done: Promise<void> } | null = null
  /** When a read began that found the store changed by somebody who may not. Nothing is sealed then. */
  #distrusted: Moment | null = null
  reads = 0
  failures = 0
  lastError: string | null = null

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot
  }

  /** Milliseconds since the last read that worked began; null before the first. */
  get ageMs(): number | null {
    return this.#began === null ? null : this.#since(this.#began)
  }

  /** The snapshot if it is recent enough to seal under. */
  fresh(): Held | null {
    const [snapshot, began] = [this.#snapshot, this.#began]
    if (this.#distrusted !== null) return null
    return snapshot !== null && began !== null && this.isRecent(began) ? { snapshot, began } : null
  }

  /** May what a read found that began then still be sealed under? */
  isRecent(began: Moment): boolean {
    return this.#since(began) <= this.#options.maxAgeMs
  }

  /** What an operation may go on with that began with `held`: what is fresh now, or else that. */
  current(held: Held): Held | null {
    const mayStay = this.#distrusted === null && this.isRecent(held.began)
    return this.fresh() ?? (mayStay ? held : null)
  }

  /**
   * When the read began that stands for what is done now; null if none does. One inside a transaction stands from
   * now on.
   */
  standing(via?: Via): Moment | null {
    const mayStand = via !== undefined && this.#distrusted === null
    return this.fresh()?.began ?? (mayStand ? momentOf(this.#options.clock) : null)
  }

  /** Start a read in the background if one is due. Whoever calls does not wait for it. */
  refreshIfDue(): void {
    if (this.#began === null || this.#since(this.#began) <= this.#options.refreshMs) return
    const retryMs = Math.min(RETRY_INTERVAL_MS, this.#options.refreshMs)
    if (this.#lastAttempt !== null && this.#since(this.#lastAttempt) <= retryMs) return
    if (this.#flying() !== null) return
    this.#start().catch(() => undefined) // counted in stats; sealing refuses once maxAgeMs is over
  }

  /**
   * A snapshot recent enough to seal under, read if need be.
   *
   * @throws {KeyError} `ERR_KEYRING_MISSING`, or why the store could not be read.
   */
  async demand(via?: Via): Promise<Held> {
    if (this.#snapshot === null) this.#assertLookAllowed()
    const began = momentOf(this.#options.clock)
    if (via === undefined) await (this.#flying()?.done ?? this.#start())
    const read = via === undefined ? null : await this.#read(began, via)
    const held = this.fresh()
    if (held !== null) return held
    if (this.#snapshot === null) throw this.missing()
    const isProven = this.#distrusted === null && read?.revision === this.#snapshot.revision
    if (isProven) return { snapshot: this.#snapshot, began }
    throw new KeyError(
      'ERR_KEY_UNAVAILABLE',
      `Keyring "${this.#options.keyring}" was last read from the ${this.#options.store.name} too long ago to write under it.`,
      { fix: `Try again${via === undefined ? '' : ' in a new transaction'}.`, retryable: true },
    )
  }

  /** Read the store in a read that begins now or later. `isCurrent` is as of a store's `read`. */
  async readNew(via?: Via, isCurrent = false): Promise<void> {
    if (via !== undefined) {
      await this.#read(momentOf(this.#options.clock), via, isCurrent)
      return
    }
    const running = this.#flying()
    if (running === null) return this.#start()
    if (this.#next?.behind !== running) {
      const done = running.done
        .catch(() => undefined)
        .then(() => {
          if (this.#next?.behind === running) this.#next = null
          return this.#flying()?.done ?? this.#start()
        })
      this.#next = { behind: running, done }
    }
    return this.#next.done
  }

  /** May the store be asked again for something it does not have? */
  mayLookAgain(): boolean {
    return this.#lastMiss === null || this.#since(this.#lastMiss) > MISS_INTERVAL_MS
  }

  /** A look-up found nothing. */
  noteMiss(): void {
    this.#lastMiss = momentOf(this.#options.clock)
  }

  missing(): KeyError {
    return keyringMissing(this.#options.keyring, this.#options.store)
  }

  #assertLookAllowed(): void {
    if (!this.mayLookAgain()) throw this.missing()
  }

  /** The read in flight, unless it hangs. */
  #flying(): Flight | null {
    const flight = this.#flight
    return flight !== null && this.#since(flight.began) <= this.#options.maxAgeMs ? flight : null
  }

  #start(): Promise<void> {
    const began = momentOf(this.#options.clock)
    this.#lastAttempt = began
    const done = this.#read(began).then(
      () => this.#land(flight),
      (error: unknown) => {
        this.#land(flight)
        throw error
      },
    )
    const flight: Flight = { began, done }
    this.#flight = flight
    return done
  }

  #land(flight: Flight): void {
    if (this.#flight === flight) this.#flight = null
  }

  async #read(began: Moment, via?: Via, isCurrent = false): Promise<Snapshot | null> {
    const { keyring, store, mac, onRead } = this.#options
    this.reads++
    const floor = via === undefined ? mac.revision : null
    try {
      const raw = await store.read(keyring, via, isCurrent)
      const read = raw === null ? null : checkSnapshot(keyring, raw)
      if (raw !== null) await mac.assertAuthentic(raw, floor)
      this.#take(read, began, via)
      this.lastError = null
      if (via === undefined) this.#trust(began)
      onRead()
      return read
    } catch (error) {
      this.failures++
      const known = error instanceof KeyError ? error : this.#unavailable(error)
      this.lastError = known.code
      if (!known.retryable && !HARMLESS.has(known.code)) this.#distrusted = began
      throw known
    }
  }

  /** A read that began before the one that found something wrong proves nothing. */
  #trust(began: Moment): void {
    const since = this.#distrusted
    if (since !== null && began.monotonic >= since.monotonic) this.#distrusted = null
  }

  /** Keep what was read, unless something newer was read meanwhile. */
  #take(read: Snapshot | null, began: Moment, via?: Via): void {
    if (read === null) {
      this.noteMiss()
      if (this.#snapshot !== null) throw this.missing()
      return
    }
    if (this.#snapshot !== null && read.revision < this.#snapshot.revision) {
      const isOverlapping = this.#ended !== null && began.monotonic <= this.#ended.monotonic
      if (via !== undefined || isOverlapping) return
    }
    if (this.#snapshot === null) this.#lastMiss = null // what was missing was the keyring
    if (via !== undefined) {
      // It may be as old as the transaction: good enough inside it, not for others.
      if (this.#snapshot?.revision !== read.revision) this.#snapshot = read
      return
    }
    this.#snapshot = read
    if (this.#began === null || began.monotonic >= this.#began.monotonic) this.#began = began
    this.#ended = momentOf(this.#options.clock)
  }

  #unavailable(cause: unknown): KeyError {
    const { store } = this.#options
    return new KeyError('ERR_KEY_UNAVAILABLE', `The ${store.name} could not be read.`, {
      fix: 'See the cause, and try again.',
      retryable: true,
      cause,
    })
  }

  #since(moment: Moment): number {
    return ageMs(this.#options.clock, moment)
  }
}
