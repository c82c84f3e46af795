import {
  BrokenCircuitError,
  bulkhead,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleAll,
  type BulkheadPolicy,
  type CircuitBreakerPolicy,
  type IBackoff,
} from 'cockatiel'
import { inspect } from 'node:util'
import { KeyError } from '../../errors.ts'
import { ageMs, momentOf, type Clock } from '../clock.ts'
import { unanswered } from '../memory/kek.ts'
import type { RootKey, RootKeyInfo, WrapContext, WrappedKey } from '../types.ts'

/** How calls of a root key are bounded. */
export interface GuardLimits {
  /** An answer that takes longer is an outage. Milliseconds. */
  readonly timeoutMs: number
  /** Outages one after the other that open the circuit. */
  readonly maxOutages: number
  /** How long nothing is called then. Milliseconds. */
  readonly pauseMs: number
  /** Calls under way at once for DEKs of suite 0x02. */
  readonly concurrency: number
}

/** Numbers for operators. No key material. */
export interface RootKeyStats {
  /** Calls that went out, whatever came of them. */
  readonly calls: number
  /** Those that were refused, or had no answer. */
  readonly failures: number
  /** `open`: nothing is called for a while. `half-open`: one call is trying whether it answers again. */
  readonly breaker: 'closed' | 'open' | 'half-open'
  /** Code of the last call's error; null if it worked. */
  readonly lastError: string | null
}

/** Calls that one operation needs all of: once one failed, no more go out. */
export interface Batch {
  failure: Error | null
}

/** What a call came to. A denial is an answer too: it does not count against the circuit. */
type Outcome<T> = { readonly answer: T } | { readonly denial: KeyError }

/**
 * A root key behind a time-out and a circuit breaker, so that one that is down costs its callers no
 * more than a moment. Several keyrings may share one.
 *
 *   closed      calls go out; `maxOutages` outages in a row open it
 *   open        every call fails at once with `ERR_KEY_UNAVAILABLE` (retryable), for `pauseMs`
 *   half-open   the next call goes out and the others wait for it: an answer closes, an outage opens
 */
export class GuardedRoot implements RootKey {
  readonly provider: string
  readonly rotate?: NonNullable<RootKey['rotate']>
  readonly rebind?: NonNullable<RootKey['rebind']>
  readonly #root: RootKey
  readonly #limits: GuardLimits
  readonly #clock: Clock
  readonly #breaker: CircuitBreakerPolicy
  readonly #bulkhead: BulkheadPolicy
  #calls = 0
  #failures = 0
  #lastError: KeyError | null = null
  /** When the circuit opened last, on the wall clock. */
  #openedAt = 0

  /** @param root - taken as it is if it is guarded already. */
  static around(root: RootKey, limits: GuardLimits, clock: Clock): GuardedRoot {
    return root instanceof GuardedRoot ? root : new GuardedRoot(root, limits, clock)
  }

  constructor(root: RootKey, limits: GuardLimits, clock: Clock) {
    this.#root = root
    this.#limits = limits
    this.#clock = clock
    this.provider = root.provider
    this.#bulkhead = bulkhead(limits.concurrency, Infinity)
    this.#breaker = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(limits.maxOutages),
      halfOpenAfter: { next: () => pause(clock, limits.pauseMs) },
    })
    this.#breaker.onBreak(() => (this.#openedAt = clock.wall()))
    if (root.rotate !== undefined) this.rotate = (how) => this.#call(() => root.rotate!(how))
    if (root.rebind !== undefined)
      this.rebind = (...args) => this.#call(() => root.rebind!(...args))
  }

  create(context: WrapContext): Promise<WrappedKey & { readonly key: Buffer }> {
    return this.#call(
      () => this.#root.create(context),
      ({ key }) => key.fill(0),
    )
  }

  unwrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<Buffer> {
    return this.#call(
      () => this.#root.unwrap(wrapped, rootKeyId, context),
      (key) => key.fill(0),
    )
  }

  rewrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<WrappedKey> {
    return this.#call(() => this.#root.rewrap(wrapped, rootKeyId, context))
  }

  describe(rootKeyId?: string): Promise<RootKeyInfo> {
    return this.#call(() => this.#root.describe(rootKeyId))
  }

  regions(): Promise<readonly string[]> {
    return this.#root.regions()
  }

  regionOf(rootKeyId: string): string | null {
    return this.#root.regionOf(rootKeyId)
  }

  /** Run a task when fewer than `concurrency` others run. For calls that come by the record. */
  limited<T>(batch: Batch, task: () => Promise<T>): Promise<T> {
    return this.#bulkhead.execute(async () => {
      if (batch.failure !== null) throw batch.failure
      try {
        return await task()
      } catch (error) {
        batch.failure ??= error as Error
        throw error
      }
    })
  }

  stats(): RootKeyStats {
    return {
      calls: this.#calls,
      failures: this.#failures,
      breaker: STATES[this.#breaker.state],
      lastError: this.#lastError?.code ?? null,
    }
  }

  toJSON(): object {
    return { provider: this.provider, ...this.stats() }
  }

  [inspect.custom](): string {
    return `RootKey ${inspect(this.toJSON())}`
  }

  /** @param discard - zeroes an answer that came too late. */
  async #call<T>(call: () => Promise<T>, discard?: (late: T) => void): Promise<T> {
    let outcome: Outcome<T>
    try {
      outcome = await this.#breaker.execute(() => this.#attempt(call, discard))
    } catch (error) {
      throw error instanceof BrokenCircuitError ? this.#isOpen() : error
    }
    if ('denial' in outcome) throw outcome.denial
    return outcome.answer
  }

  async #attempt<T>(call: () => Promise<T>, discard?: (late: T) => void): Promise<Outcome<T>> {
    this.#calls++
    try {
      const answer = await this.#inTime(call(), discard)
      this.#lastError = null
      return { answer }
    } catch (error) {
      const known = error instanceof KeyError ? error : unanswered(this.provider, error)
      this.#failures++
      this.#lastError = known
      if (known.retryable) throw known
      return { denial: known }
    }
  }

  /** The time-out of cockatiel costs 11 µs a call, this one half of one. It keeps no process alive. */
  #inTime<T>(answer: Promise<T>, discard?: (late: T) => void): Promise<T> {
    const { timeoutMs } = this.#limits
    return new Promise((resolve, reject) => {
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        reject(unanswered(this.provider, undefined, ` within ${timeoutMs} ms`))
      }, timeoutMs)
      timer.unref()
      answer
        .then((value) => (isLate ? discard?.(value) : resolve(value)), reject)
        .finally(() => clearTimeout(timer))
    })
  }

  #isOpen(): KeyError {
    const { maxOutages, pauseMs } = this.#limits
    const [since, until] = [this.#openedAt, this.#openedAt + pauseMs].map(isoOf)
    return new KeyError(
      'ERR_KEY_UNAVAILABLE',
      `The root key (${this.provider}) did not answer ${maxOutages} times in a row, and has not been called since ${since}.`,
      {
        fix: `It is called again after ${until}; see the cause, and try again then.`,
        retryable: true,
        cause: this.#lastError,
      },
    )
  }
}

const STATES = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
} as const

/** cockatiel reads the wall clock alone, which can be set back: this says by both when it is over. */
function pause(clock: Clock, pauseMs: number): IBackoff<unknown> {
  const began = momentOf(clock)
  return {
    get duration() {
      return ageMs(clock, began) < pauseMs ? Infinity : -Infinity
    },
    next: () => pause(clock, pauseMs),
  }
}

function isoOf(wall: number): string {
  return new Date(wall).toISOString()
}
