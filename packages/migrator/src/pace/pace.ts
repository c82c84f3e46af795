import type { Provider } from '@rowseal/prisma-extension/plan'
import type { SqlClient } from '@rowseal/prisma-extension/sql'
import { BatchSize } from './batch-size.ts'
import { assertApplicable, checksOf } from './checks/checks.ts'
import { SYSTEM_CLOCK, type PaceClock } from './clock.ts'
import { Health } from './health.ts'
import { checkPace, type CheckedPace, type PaceOptions } from './options.ts'
import { RateCap } from './rate-cap.ts'

/** Why no batch begins. */
export interface Wait {
  /** `rate`: a cap of one's own. `health`: a check objects, or does not answer. */
  readonly kind: 'rate' | 'health'
  /** For people. No content of the tables, unless a check of the user's own selects it. */
  readonly reason: string
  /** Until it is looked at again. Milliseconds. */
  readonly ms: number
}

export interface PaceContext {
  /** The un-extended client. Checks take a connection of its pool, never one inside a transaction. */
  readonly client: SqlClient
  readonly provider: Provider
  /** Calls of root keys so far: `kmsCallsOf`. */
  readonly kmsCalls?: () => number
  /** Told when a wait begins or has another reason, and with null when the run goes on. Must not throw. */
  readonly onWait?: (wait: Wait | null) => void
  readonly clock?: PaceClock
  /** From 0 to 1, for jitter. */
  readonly random?: () => number
}

/** A wait is looked at again after this long, however long it will be. */
const MAX_SLEEP_MS = 60_000
/** After a conflict: about this long, twice as long after the next, up to the most. */
const BACK_OFF_MS = 100
const MAX_BACK_OFF_MS = 5_000
/** Unwrap and make: until a batch has shown what a row costs. */
const FIRST_KMS_CALLS_PER_ROW = 2
const NEVER = new AbortController().signal

/**
 * How fast a run goes. Around each batch:
 *
 *   ready      waits until the batch may begin: caps first, then health checks
 *   batchRows  of the page to read, and batchBytes
 *   spent      what the page is, when it was read and prepared: counts against the caps
 *   committed  how long that took, or `conflicted`: the next is larger or smaller
 *
 * Pages may be read ahead: `spent` comes before the next `ready`, `committed` when it can.
 */
export class Pace {
  readonly #context: PaceContext
  readonly #clock: PaceClock
  readonly #size: BatchSize
  readonly #caps: { readonly rows: RateCap; readonly bytes: RateCap; readonly kmsCalls: RateCap }
  #options: CheckedPace
  #health: Health
  #table: string | null = null
  #kmsCalls: number
  #kmsCallsPerRow = FIRST_KMS_CALLS_PER_ROW
  #conflicts = 0
  #waiting: Wait | null = null
  /** Ends a sleep when the pace changes. */
  #change = new AbortController()

  /** Use `openPace`, which asks the checks too. */
  constructor(context: PaceContext, options: CheckedPace) {
    this.#context = context
    this.#clock = context.clock ?? SYSTEM_CLOCK
    this.#options = options
    this.#size = new BatchSize(options)
    this.#caps = {
      rows: new RateCap(options.maxRowsPerSecond),
      bytes: new RateCap(options.maxBytesPerSecond),
      kmsCalls: new RateCap(options.maxKmsCallsPerSecond),
    }
    this.#kmsCalls = context.kmsCalls?.() ?? 0
    this.#health = this.#newHealth()
  }

  /** Rows of the next page at most. No more than a second's worth of a cap. */
  get batchRows(): number {
    const { rows, kmsCalls } = this.#caps
    const byKms = (kmsCalls.perSecond ?? Infinity) / this.#kmsCallsPerRow
    return Math.max(1, Math.floor(Math.min(this.#size.rows, rows.perSecond ?? Infinity, byKms)))
  }

  /** Bytes of stored values of the next page at most. */
  get batchBytes(): number {
    return Math.min(this.#options.batchBytes, this.#caps.bytes.perSecond ?? Infinity)
  }

  /** Is there a cap on calls of root keys? Then no page is prepared before it is known what the last one took. */
  get hasKmsCap(): boolean {
    return this.#caps.kmsCalls.perSecond !== null
  }

  /** Conflicts since the last commit. */
  get conflicts(): number {
    return this.#conflicts
  }

  /** Why no batch begins now; null if none is waited for. */
  get waiting(): Wait | null {
    return this.#waiting
  }

  /** Another table is in hand: its batches begin small. */
  enter(table: string): void {
    this.#table = table
    this.#size.restart()
    this.#health.expire()
  }

  /**
   * Wait until the next batch may begin.
   *
   * @returns false if told to stop.
   */
  async ready(signal: AbortSignal = NEVER): Promise<boolean> {
    for (;;) {
      const wait = signal.aborted ? null : await this.#obstacle(signal)
      const hasStopped = signal.aborted
      this.#tell(hasStopped ? null : wait)
      if (hasStopped || wait === null) return !hasStopped
      await this.#clock.sleep(Math.min(wait.ms, MAX_SLEEP_MS), [signal, this.#change.signal])
    }
  }

  /** A page was read and prepared. Its calls of root keys are counted here. */
  spent({ rows, bytes }: { readonly rows: number; readonly bytes: number }): void {
    const now = this.#clock.now()
    const before = this.#kmsCalls
    this.#kmsCalls = this.#context.kmsCalls?.() ?? 0
    const calls = Math.max(0, this.#kmsCalls - before)
    if (rows > 0) this.#kmsCallsPerRow = (this.#kmsCallsPerRow + calls / rows) / 2
    this.#caps.rows.spend(rows, now)
    this.#caps.bytes.spend(bytes, now)
    this.#caps.kmsCalls.spend(calls, now)
  }

  /** @param ms - from the begin of its transaction until its commit was confirmed. */
  committed({ rows, ms }: { readonly rows: number; readonly ms: number }): void {
    this.#conflicts = 0
    this.#size.committed(rows, ms)
  }

  /**
   * A batch was given up because of a deadlock or a time-out: batches are half as large from now on. Waits a
   * moment, longer each time and never equally long, so that two do not meet again.
   *
   * @returns false if told to stop.
   */
  async conflicted(signal: AbortSignal = NEVER): Promise<boolean> {
    this.#size.conflicted()
    const { random = Math.random } = this.#context
    const most = Math.min(MAX_BACK_OFF_MS, BACK_OFF_MS * 2 ** this.#conflicts++)
    return this.#clock.sleep(most * (0.5 + random() / 2), [signal])
  }

  /**
   * Go at another pace from the next batch on; a wait is looked at again at once. What the same pace has
   * learnt stays. A check that cannot be asked pauses the run: whoever changes the pace calls `openPace` with
   * the new one before, to be told.
   *
   * @throws {TypeError} naming the option.
   */
  change(options: PaceOptions): void {
    const checked = checkPace(options)
    if (JSON.stringify(checked) === JSON.stringify(this.#options)) return
    const now = this.#clock.now()
    const hasNewChecks = JSON.stringify(checked.throttle) !== JSON.stringify(this.#options.throttle)
    this.#options = checked
    this.#size.change(checked)
    this.#caps.rows.change(checked.maxRowsPerSecond, now)
    this.#caps.bytes.change(checked.maxBytesPerSecond, now)
    this.#caps.kmsCalls.change(checked.maxKmsCallsPerSecond, now)
    if (hasNewChecks) this.#health = this.#newHealth()
    this.#change.abort()
    this.#change = new AbortController()
  }

  /** @throws {MigrationError} see `openPace`. */
  async assertAnswers(signal: AbortSignal = NEVER): Promise<void> {
    await this.#health.assert(signal)
  }

  #newHealth(): Health {
    const { client, provider } = this.#context
    const { throttle } = this.#options
    const clock = this.#clock
    const look = { client, provider, table: () => this.#table, now: () => clock.now() }
    return new Health({
      checks: checksOf(look, throttle),
      everyMs: throttle.everyMs,
      provider,
      clock,
    })
  }

  async #obstacle(signal: AbortSignal): Promise<Wait | null> {
    const capped = this.#capped()
    if (capped !== null) return capped
    const health = this.#health
    const unhealthy = await health.look(signal)
    // What former checks said does not count.
    if (health !== this.#health) return this.#obstacle(signal)
    return unhealthy === null ? null : { kind: 'health', ...unhealthy }
  }

  #capped(): Wait | null {
    const now = this.#clock.now()
    const waits = Object.entries(UNITS).map(([name, unit]) => {
      const cap = this.#caps[name as keyof typeof UNITS]
      const reason = `rate cap of ${cap.perSecond ?? 0} ${unit} per second`
      return { kind: 'rate' as const, reason, ms: cap.waitMs(now) }
    })
    const longest = waits.reduce((a, b) => (b.ms > a.ms ? b : a))
    return longest.ms > 0 ? longest : null
  }

  #tell(wait: Wait | null): void {
    const hasChanged = wait?.reason !== this.#waiting?.reason
    this.#waiting = wait
    if (hasChanged) this.#context.onWait?.(wait)
  }
}

const UNITS = { rows: 'rows', bytes: 'bytes', kmsCalls: 'KMS calls' } as const

/**
 * Before a run begins: every check is asked once. One that objects is no error: the run begins with a pause.
 *
 * @throws {TypeError} naming the option.
 * @throws {MigrationError} `ERR_CONFIG_INVALID` if a check cannot be had of this database, or its user may
 *   not see what it looks at; `ERR_DATABASE_FAILED` if it fails or does not answer.
 */
export async function openPace(
  context: PaceContext,
  options: PaceOptions,
  signal?: AbortSignal,
): Promise<Pace> {
  const checked = checkPace(options)
  assertApplicable(context.provider, checked.throttle)
  const pace = new Pace(context, checked)
  await pace.assertAnswers(signal)
  return pace
}
