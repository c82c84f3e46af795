import { checkPace, type PaceOptions } from '../pace/options.ts'
import { defaultThreads, MAX_THREADS } from '../threads/threads.ts'

/** What every run over tables takes. */
export interface RunOptions extends PaceOptions {
  /** Names of models. Default: all that the run can be about. */
  readonly models?: readonly string[]
  /**
   * Do not wait until no instance can write any more what the run is to meet: there are none, or they were all
   * started anew. Default: false.
   */
  readonly now?: boolean
  /**
   * How long the longest transaction of the application may take: what it sealed before a rotation may be
   * committed so much later. Milliseconds, 0 to 3,600,000. Default: 5,000, as Prisma's own.
   */
  readonly maxTransactionMs?: number
  /** Go over everything anew, whatever an earlier run has left. Default: false, so it is gone on with. */
  readonly restart?: boolean
  /**
   * Only one of so many shares of each table, `index` from 1 on: each is a command of its own, on whatever
   * machine, all with the same `of`. Default: the whole table.
   */
  readonly shard?: { readonly index: number; readonly of: number }
  /**
   * Hand the tables out to workers, in parts of so many `partRows`, through `queue` of the configuration, and
   * follow them until all is done. The pace that is given here holds for all workers; `now`, `maxPasses`,
   * `maxTransactionMs`, `threads` and `proof` are options of theirs. `partRows`: 1 to 10,000,000, default 20,000; more for a table that
   * would be cut into over 2,000 parts. Default: worked on here.
   */
  readonly queue?: { readonly partRows?: number }
  /**
   * Threads beside the main one that do the cryptography of a drain, with DEKs that KEKs wrap. 0 to 16. Default: 2,
   * or none on a machine with one core.
   */
  readonly threads?: number
  /** How often a table is gone over at most until nothing is left to do. 1 to 1,000. Default: 10. */
  readonly maxPasses?: number
  /** Ends the run after the batch in hand. */
  readonly signal?: AbortSignal
}

const MAX_SHARDS = 1_000

export interface CheckedOptions {
  readonly threads: number
  readonly maxPasses: number
  readonly maxTransactionMs: number
}

/** @throws {TypeError} naming the option. */
export function checkRunOptions(
  options: RunOptions & { readonly proof?: boolean },
): CheckedOptions {
  checkPace(options)
  const { shard, queue } = options
  if (queue !== undefined) checkQueue(options, queue)
  if (shard !== undefined) integer('shard', shard.index, integer('shard', shard.of, MAX_SHARDS))
  return {
    threads: integer('threads', options.threads ?? defaultThreads(), MAX_THREADS, 0),
    maxPasses: integer('maxPasses', options.maxPasses ?? 10, 1_000),
    maxTransactionMs: integer('maxTransactionMs', options.maxTransactionMs ?? 5_000, 3_600_000, 0),
  }
}

/** What a coordinator would have no use for is not taken in silence. */
function checkQueue(
  options: Parameters<typeof checkRunOptions>[0],
  { partRows }: NonNullable<RunOptions['queue']>,
): void {
  if (partRows !== undefined) integer('queue.partRows', partRows, 10_000_000)
  if (options.shard !== undefined) throw new TypeError('Either shard or queue: not both.')
  for (const name of ['now', 'maxPasses', 'maxTransactionMs', 'proof', 'threads'] as const)
    if (options[name] !== undefined)
      throw new TypeError(`With a queue, ${name} is an option of its workers: rowseal worker.`)
}

export function integer(name: string, value: number, max: number, min = 1): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new TypeError(`${name} must be a whole number from ${min} to ${max}.`)
}
