import type { Provider } from '@rowseal/prisma-extension/plan'
import { asMigrationError } from '../database-error.ts'
import { MigrationError } from '../errors.ts'
import { duration, type Check } from './checks/check.ts'
import type { PaceClock } from './clock.ts'

export interface HealthOptions {
  readonly checks: readonly Check[]
  readonly everyMs: number
  readonly provider: Provider
  readonly clock: PaceClock
}

/** Why a run pauses, and when it looks again. */
export interface Unhealthy {
  readonly reason: string
  readonly ms: number
}

type Outcome = { readonly reason: string | null } | { readonly error: Error }

/** Asks checks one after the other, now and then; the first that objects decides. */
export class Health {
  readonly #options: HealthOptions
  /** Checks that did not answer in time and have not answered since: they are not asked once more. */
  readonly #late = new Set<Check>()
  #askedAt: number | null = null
  #reason: string | null = null

  constructor(options: HealthOptions) {
    this.#options = options
  }

  /**
   * Ask every check once.
   *
   * @throws {MigrationError} what keeps one from answering.
   */
  async assert(signal: AbortSignal): Promise<void> {
    for (const check of this.#options.checks) {
      const outcome = await this.#ask(check, signal)
      if (signal.aborted) return
      if ('error' in outcome) throw outcome.error
    }
  }

  /** @returns null if nothing keeps the run from going on, as of `everyMs` ago at most. */
  async look(signal: AbortSignal): Promise<Unhealthy | null> {
    const { clock, everyMs } = this.#options
    const age = this.#askedAt === null ? Infinity : clock.now() - this.#askedAt
    if (age >= everyMs) {
      this.#reason = await this.#firstReason(signal)
      this.#askedAt = signal.aborted ? null : clock.now()
    }
    const ms = age >= everyMs ? everyMs : everyMs - age
    return this.#reason === null ? null : { reason: this.#reason, ms }
  }

  /** Ask anew at the next look. */
  expire(): void {
    this.#askedAt = null
  }

  async #firstReason(signal: AbortSignal): Promise<string | null> {
    for (const check of this.#options.checks) {
      const outcome = await this.#ask(check, signal)
      const reason = 'error' in outcome ? outcome.error.message : outcome.reason
      if (reason !== null) return reason
    }
    return null
  }

  async #ask(check: Check, signal: AbortSignal): Promise<Outcome> {
    if (this.#late.has(check)) return { error: this.#silent(check) }
    const { clock } = this.#options
    const over = new AbortController()
    this.#late.add(check)
    const answer: Promise<Outcome> = check
      .run(over.signal)
      .then(
        (reason) => ({ reason }),
        (error: unknown) => ({ error: this.#failed(check, error) }),
      )
      .finally(() => this.#late.delete(check))
    const limit = clock
      .sleep(check.timeoutMs, [signal, over.signal])
      .then((): Outcome => ({ error: this.#silent(check) }))
    try {
      return await Promise.race([answer, limit])
    } finally {
      over.abort()
    }
  }

  #silent({ name, timeoutMs }: Check): MigrationError {
    return new MigrationError(
      'ERR_DATABASE_FAILED',
      `The health check ${name} has not answered within ${duration(timeoutMs)}.`,
      { fix: 'See what holds it up, or leave it out.', retryable: true },
    )
  }

  #failed({ name }: Check, cause: unknown): MigrationError {
    const isSqlite = this.#options.provider === 'sqlite'
    const error = asMigrationError(cause, isSqlite, 'the check is asked again')
    const { code, fix, retryable } = error as Partial<MigrationError>
    const problem = fix === undefined ? error.message : error.message.slice(0, -fix.length - 1)
    return new MigrationError(
      code ?? 'ERR_DATABASE_FAILED',
      `The health check ${name} failed: ${problem}`,
      { fix: fix ?? 'Look at the check.', retryable: retryable ?? false },
    )
  }
}
