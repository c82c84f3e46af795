import { InvalidArgumentError, type Command as Program } from 'commander'
import { resolve } from 'node:path'
import { changedPace, type PaceChange } from '../pace/stored.ts'
import { checkPace, type PaceOptions } from '../pace/options.ts'
import { given } from '../given.ts'
import type { Flags } from './command.ts'
import { integer } from './numbers.ts'
import { count } from './output.ts'

/** What the flags of `paceFlags` give. */
export interface PaceFlags extends Flags {
  readonly batchRows?: number
  readonly batchBytes?: number
  readonly minBatchRows?: number
  readonly targetBatchMs?: number
  readonly maxRowsPerSecond?: number | 'off'
  readonly maxBytesPerSecond?: number | 'off'
  readonly maxKmsCallsPerSecond?: number | 'off'
  readonly throttleLag?: number | 'off'
  readonly throttleSessions?: number | 'off'
  readonly throttleTransaction?: number | 'off'
  readonly throttleVacuum?: boolean
  readonly throttleQuery?: string
  readonly throttleHttp?: string
  readonly throttleFlag?: string
  readonly throttleEvery?: number
}

const { targetBatchMs, minBatchRows, batchRows, batchBytes, throttle } = checkPace({})

/** How large a batch may become. */
export const BATCH_ROWS = [
  '--batch-rows <n>',
  `rows per batch at most (default: ${count(batchRows)})`,
  integer,
] as const
export const BATCH_BYTES = [
  '--batch-bytes <n>',
  `bytes of values per batch (default: ${batchBytes / 1024 ** 2} MiB)`,
  integer,
] as const

/** Flags of commands that take a pace. `--batch-rows` and `--batch-bytes` are those of `batches`. */
export function paceFlags(command: Program): Program {
  return command
    .option(
      '--target-batch-ms <n>',
      `how long a batch should take (default: ${targetBatchMs})`,
      integer,
    )
    .option('--min-batch-rows <n>', `rows per batch at least (default: ${minBatchRows})`, integer)
    .option(
      '--max-rows-per-second <n>',
      'cap on rows, of this process; off for none',
      orOff(integer),
    )
    .option('--max-bytes-per-second <n>', 'cap on stored values; off for none', orOff(integer))
    .option('--max-kms-calls-per-second <n>', 'cap on calls; off for none', orOff(integer))
    .option('--throttle-lag <time>', 'pause while a replica is further behind', orOff(time))
    .option('--throttle-sessions <n>', 'pause while more sessions are active', orOff(integer))
    .option('--throttle-transaction <time>', 'pause while one is open for longer', orOff(time))
    .option('--throttle-vacuum', 'pause while the table is vacuumed')
    .option('--no-throttle-vacuum', 'do not')
    .option('--throttle-query <sql>', 'pause while it gives true, a number above 0 or text')
    .option('--throttle-http <url>', 'pause unless it answers 200')
    .option('--throttle-flag <file>', 'pause while the file exists')
    .option(
      '--throttle-every <time>',
      `how often these are looked at (default: ${throttle.everyMs / 1000}s)`,
      time,
    )
}

/** What a run is started with. */
export function paceOf(flags: PaceFlags): PaceOptions {
  return changedPace({}, paceChangeOf(flags))
}

/** What the pace of a run that is there is changed by. */
export function paceChangeOf(flags: PaceFlags): PaceChange {
  const throttle = given({
    maxReplicationLagMs: option(flags.throttleLag),
    maxActiveSessions: option(flags.throttleSessions),
    maxTransactionMs: option(flags.throttleTransaction),
    vacuum: option(flags.throttleVacuum),
    query: option(flags.throttleQuery),
    http: option(flags.throttleHttp),
    flag: absolute(option(flags.throttleFlag)),
    everyMs: flags.throttleEvery,
  })
  const { batchRows, batchBytes, minBatchRows, targetBatchMs } = flags
  const caps = {
    maxRowsPerSecond: option(flags.maxRowsPerSecond),
    maxBytesPerSecond: option(flags.maxBytesPerSecond),
    maxKmsCallsPerSecond: option(flags.maxKmsCallsPerSecond),
  }
  return {
    ...given({ batchRows, batchBytes, minBatchRows, targetBatchMs, ...caps }),
    ...(Object.keys(throttle).length === 0 ? {} : { throttle }),
  }
}

/** The run may have another working folder. */
function absolute<T extends string | null | undefined>(path: T): T | string {
  return typeof path === 'string' ? resolve(path) : path
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `500ms`, `10s`, `5m` or `1h`, in milliseconds. */
export function time(value: string): number {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(value) ?? []
  if (count !== undefined && unit !== undefined) return Number(count) * UNITS[unit]!
  throw new InvalidArgumentError('It must be a time with its unit, such as 500ms, 10s or 5m.')
}

function orOff<T>(parse: (value: string) => T): (value: string) => T | 'off' {
  return (value) => (value === 'off' ? value : parse(value))
}

/** An option's default again, for `off` and `--no-`. */
function option<T>(value: T | 'off' | false | undefined): T | null | undefined {
  return value === 'off' || value === false ? null : value
}
