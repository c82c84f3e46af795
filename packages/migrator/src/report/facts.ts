import type { RunDirectionOptions } from '../engine/events.ts'
import { checkPace } from '../pace/options.ts'
import { count, duration } from './numbers.ts'

/** One thing about how a run was run. */
export interface Fact {
  readonly name: string
  readonly value: string
}

/** Checks whose settings are numbers; of the others (a path, an address, SQL) only that they were asked. */
const CHECKS: Readonly<Record<string, string>> = {
  maxReplicationLagMs: 'replication lag',
  maxActiveSessions: 'active sessions',
  maxTransactionMs: 'longest transaction',
  vacuum: 'vacuum',
  query: 'a query',
  http: 'an HTTP endpoint',
  flag: 'a flag file',
}

/**
 * How a run was run, for a report that others may read: no paths, no addresses, no SQL.
 *
 * @param versions - of what took part, by name.
 * @throws {TypeError} naming an option that is out of bounds.
 */
export function factsOf(
  options: RunDirectionOptions,
  versions: Readonly<Record<string, string>>,
): Fact[] {
  const pace = checkPace(options)
  const { throttle, shard, models } = options
  const byWorkers = options.queue === undefined ? null : 'as its workers were told'
  const checks = Object.keys(throttle ?? {}).flatMap((name) => CHECKS[name] ?? [])
  const cap = (name: string, value: number | null): Fact[] =>
    value === null ? [] : [{ name: `Most ${name} per second`, value: count(value) }]
  return [
    { name: 'Proof', value: byWorkers ?? (options.proof === true ? PROOF : 'not asked for') },
    ...(models === undefined ? [] : [{ name: 'Only models', value: models.join(', ') }]),
    ...(shard === undefined ? [] : [{ name: 'Share', value: `${shard.index} of ${shard.of}` }]),
    { name: 'Fence', value: byWorkers ?? (options.now === true ? NO_FENCE : FENCE) },
    { name: 'Batches', value: `${count(pace.minBatchRows)} to ${count(pace.batchRows)} rows` },
    { name: 'Target time of a batch', value: duration(pace.targetBatchMs) },
    ...cap('rows', pace.maxRowsPerSecond),
    ...cap('bytes', pace.maxBytesPerSecond),
    ...cap('KMS calls', pace.maxKmsCallsPerSecond),
    { name: 'Health checks', value: checks.join(', ') || 'none' },
    ...Object.entries(versions).map(([name, value]) => ({ name, value })),
  ]
}

const FENCE = 'waited for where there is one'
const NO_FENCE = 'not waited for'
const PROOF =
  'each value was opened again and compared before its write was committed, and read back from the database'
