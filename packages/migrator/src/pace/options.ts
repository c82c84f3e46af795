import { resolve } from 'node:path'

/** How fast a run may go. Part of what every run takes; may be changed while it runs. */
export interface PaceOptions {
  /**
   * How long a batch should take, from BEGIN to COMMIT: batches grow and shrink towards it. Rows of a batch
   * are locked so long, and a pause, a stop or a change of pace waits for it; short ones cost more round
   * trips per row. Start with the default; 100 where writers of single rows must hardly notice.
   * Milliseconds, 10 to 60,000. Default: 500.
   */
  readonly targetBatchMs?: number
  /**
   * Most rows in a batch. Above a few thousand, batches hold more locks and are hardly faster. Give both
   * this and `minBatchRows` the same number for batches of one size. 1 to 5,000. Default: 500.
   */
  readonly batchRows?: number
  /**
   * Fewest rows in a batch, however long it takes. Raise it where each statement has a long way to the
   * database: batches would shrink and not become shorter. 1 to 5,000. Default: 25, or `batchRows` if less.
   */
  readonly minBatchRows?: number
  /** Bound on the stored values of a batch together. Memory is a few times this. Bytes, 1 to 268,435,456. Default: 4 MiB. */
  readonly batchBytes?: number
  /**
   * Rows read per second at most, on average, by this process: with n workers or shards the database sees
   * n times as many. Batches are then of one second's worth at most. Start with half of what a run without
   * it shows. 1 to 10,000,000. Default: none.
   */
  readonly maxRowsPerSecond?: number
  /**
   * Bytes of stored values read per second at most, by this process. What is written is about as much, and
   * the write-ahead log and each replica get a multiple. For tables with large values, where rows say
   * little. Start with a tenth of what the disk or the link to the replicas takes. 1,000 to 10^12. Default: none.
   */
  readonly maxBytesPerSecond?: number
  /**
   * Calls of the root key per second at most, by this process. Matters for values of `wrapping: 'kms'`
   * only, which cost up to two calls each; a KMS has one quota for the whole account. Start with a quarter
   * of what the quota leaves. 1 to 100,000. Default: none.
   */
  readonly maxKmsCallsPerSecond?: number
  /** Health checks: any one of them pauses the run, and says why. Default: none. */
  readonly throttle?: ThrottleOptions
}

/**
 * Each is asked between two batches, never inside a transaction of the run. One that fails, or does not
 * answer in time, pauses the run too; if it fails before the run begins, the run does not begin.
 */
export interface ThrottleOptions {
  /**
   * Pause while a replica is further behind than this, or one that was there has gone. PostgreSQL only, by
   * `pg_stat_replication` of the primary; refused if that has no replica, as on Aurora. On MySQL a replica
   * alone knows its lag: let `query` read a heartbeat table, or `http` ask a service that knows. Too low,
   * and every checkpoint pauses the run. Start with 10,000, or with what readers of replicas put up with.
   * Milliseconds, 100 to 3,600,000.
   */
  readonly maxReplicationLagMs?: number
  /**
   * Pause while more sessions than this execute something, those of the run included (two or three) but
   * not the one that asks. PostgreSQL: active client backends of the server; MySQL: `Threads_running`.
   * Start with twice the cores of the server. 0 to 100,000.
   */
  readonly maxActiveSessions?: number
  /**
   * Pause while a transaction is open for longer than this: rows written meanwhile leave dead versions (on
   * MySQL, undo) that cannot be cleaned up until it ends. A backup may be such a transaction, for hours.
   * PostgreSQL: of this database, prepared ones too. MySQL: of the server, to the second. Start with
   * 300,000. Milliseconds, 1,000 to 86,400,000.
   */
  readonly maxTransactionMs?: number
  /**
   * Pause while the table in hand is vacuumed, by autovacuum or by hand: vacuum finishes sooner and keeps
   * up with the dead rows a run leaves. That of a large table may take hours, and the run rests so long.
   * PostgreSQL only. Default: false.
   */
  readonly vacuum?: boolean
  /**
   * SQL that gives one row with one column: true, a number above 0 or a text pauses, and the text is shown
   * as the reason; false, 0, a number below and an empty text do not. NULL is an error, since it mostly
   * means that something is not known: say `coalesce(…, false)`. It must be quick; it is ended after five
   * seconds, on SQLite never, where the process stands still meanwhile. 1 to 10,000 characters.
   */
  readonly query?: string
  /**
   * URL that is fetched (GET): 200 lets the run go on, any other answer (a redirect too), and none within
   * a second, pauses it. It is stored with the run: put no secret into it.
   */
  readonly http?: string
  /**
   * Path of a file: the run pauses while it exists, on the machine where the run is. The folder must be
   * there. A relative path is taken from the working folder.
   */
  readonly flag?: string
  /**
   * The checks are asked this often at most. A run goes on unchecked so long. Milliseconds, 250 to
   * 600,000. Default: 2,000.
   */
  readonly everyMs?: number
}

/** Complete, and in bounds. */
export interface CheckedPace {
  readonly targetBatchMs: number
  readonly batchRows: number
  readonly minBatchRows: number
  readonly batchBytes: number
  readonly maxRowsPerSecond: number | null
  readonly maxBytesPerSecond: number | null
  readonly maxKmsCallsPerSecond: number | null
  readonly throttle: CheckedThrottle
}

export interface CheckedThrottle extends Omit<ThrottleOptions, 'everyMs'> {
  readonly everyMs: number
}

/** By option: the least and the most it may be. */
const BOUNDS = {
  targetBatchMs: [10, 60_000],
  batchRows: [1, 5_000],
  minBatchRows: [1, 5_000],
  batchBytes: [1, 268_435_456],
  maxRowsPerSecond: [1, 10_000_000],
  maxBytesPerSecond: [1_000, 1_000_000_000_000],
  maxKmsCallsPerSecond: [1, 100_000],
} as const satisfies Record<keyof Omit<PaceOptions, 'throttle'>, readonly [number, number]>

const THROTTLE_BOUNDS = {
  maxReplicationLagMs: [100, 3_600_000],
  maxActiveSessions: [0, 100_000],
  maxTransactionMs: [1_000, 86_400_000],
  everyMs: [250, 600_000],
} as const satisfies Partial<Record<keyof ThrottleOptions, readonly [number, number]>>

export const PACE_KEYS: readonly string[] = [...Object.keys(BOUNDS), 'throttle']
const THROTTLE_KEYS = [...Object.keys(THROTTLE_BOUNDS), 'vacuum', 'query', 'http', 'flag']

/**
 * A pace with the defaults of what it leaves open.
 *
 * @throws {TypeError} naming the option that is out of its bounds.
 */
export function checkPace(options: PaceOptions): CheckedPace {
  for (const [name, bounds] of Object.entries(BOUNDS))
    bounded(name, options[name as keyof typeof BOUNDS], bounds)
  const { targetBatchMs = 500, batchRows = 500, batchBytes = 4 * 1024 * 1024 } = options
  const { minBatchRows = Math.min(25, batchRows) } = options
  if (minBatchRows > batchRows)
    throw new TypeError(`minBatchRows must not be above batchRows, which is ${batchRows}.`)
  return {
    targetBatchMs,
    batchRows,
    minBatchRows,
    batchBytes,
    maxRowsPerSecond: options.maxRowsPerSecond ?? null,
    maxBytesPerSecond: options.maxBytesPerSecond ?? null,
    maxKmsCallsPerSecond: options.maxKmsCallsPerSecond ?? null,
    throttle: checkThrottle(options.throttle === undefined ? {} : options.throttle),
  }
}

function checkThrottle(throttle: ThrottleOptions | null): CheckedThrottle {
  if (typeof throttle !== 'object' || throttle === null || Array.isArray(throttle))
    throw new TypeError('throttle must be an object.')
  // A check that is silently left out would be worse than none.
  const strange = Object.keys(throttle).find((key) => !THROTTLE_KEYS.includes(key))
  if (strange !== undefined) throw new TypeError(`throttle.${strange} is no option.`)
  for (const [name, bounds] of Object.entries(THROTTLE_BOUNDS))
    bounded(`throttle.${name}`, throttle[name as keyof typeof THROTTLE_BOUNDS], bounds)
  const { vacuum, query, http, flag, everyMs = 2_000 } = throttle
  if (vacuum !== undefined && typeof vacuum !== 'boolean')
    throw new TypeError('throttle.vacuum must be true or false.')
  text('throttle.query', query, 10_000)
  text('throttle.http', http, 2_000)
  text('throttle.flag', flag, 4_000)
  if (http !== undefined) checkUrl(http)
  return { ...throttle, everyMs, ...(flag === undefined ? {} : { flag: resolve(flag) }) }
}

function bounded(name: string, value: unknown, [min, max]: readonly [number, number]): void {
  if (value === undefined) return
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return
  throw new TypeError(`${name} must be a whole number from ${min} to ${max}.`)
}

function text(name: string, value: unknown, max: number): void {
  if (value === undefined) return
  if (typeof value === 'string' && value.trim() !== '' && value.length <= max) {
    if (!value.includes('\0')) return
  }
  throw new TypeError(`${name} must be a text of 1 to ${max} characters.`)
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new TypeError('throttle.http must be a URL that begins with http:// or https://.')
  if (url.username !== '' || url.password !== '')
    throw new TypeError('throttle.http must not have a user name or password in it.')
}
