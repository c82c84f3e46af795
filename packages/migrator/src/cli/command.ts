import type { MigratorConfig } from '../config.ts'
import type { RunOptions } from '../engine/options.ts'
import { given } from '../given.ts'
import { paceOf, type PaceFlags } from './pace-flags.ts'
import type { Interruption } from './signals.ts'

// Exit codes: 0 done, 1 failed, 2 misuse, 3 done but something is quarantined, still stale or under an unknown key,
// 130 and 143 stopped by Ctrl-C and SIGTERM.

/** What a command leaves: a document for machines, the same for people, and the exit code. */
export interface Result {
  readonly document: object
  /** Goes to stderr. */
  readonly text: string
  /** SQL, goes to stdout in the place of the document. */
  readonly sql?: string
  readonly exitCode: number
}

/** What every command gets from the command line. */
export interface Flags {
  readonly config?: string
  readonly json?: boolean
  /** What stands behind the name of the command. */
  readonly args: readonly string[]
}

/** Null if it has printed all there is. */
export type Command<F extends Flags = Flags> = (
  config: MigratorConfig,
  flags: F,
  interruption: Interruption,
) => Promise<Result | null>

/** Flags of whatever goes over tables. */
export interface RunFlags extends PaceFlags {
  readonly model?: readonly string[]
  readonly maxPasses?: number
  readonly now?: boolean
  /** Seconds. */
  readonly maxTransaction?: number
  readonly restart?: boolean
  readonly threads?: number
  readonly shard?: { readonly index: number; readonly of: number }
  readonly queue?: boolean
  readonly partRows?: number
}

const EXIT = { done: 0, cancelled: 1, incomplete: 3 } as const

export function exitCodeOf(
  { outcome }: { readonly outcome: keyof typeof EXIT | 'stopped' },
  interruption: Interruption,
): number {
  return outcome === 'stopped' ? (interruption.exitCode ?? 1) : EXIT[outcome]
}

export function optionsOf(flags: RunFlags, { signal }: Interruption): RunOptions {
  const { model: models, maxPasses, now, restart, threads, shard } = flags
  const maxTransactionMs =
    flags.maxTransaction === undefined ? undefined : flags.maxTransaction * 1000
  if (flags.partRows !== undefined && flags.queue !== true)
    throw new TypeError('--part-rows goes with --queue.')
  const queue = flags.queue === true ? given({ partRows: flags.partRows }) : undefined
  const rest = { models, maxPasses, maxTransactionMs, now, restart, threads, shard, queue }
  return { signal, ...paceOf(flags), ...given(rest) }
}

/** @throws {TypeError} if one of these flags is given, by its name: beside that other one it would go unheeded. */
export function refuseBeside(other: string, flags: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(flags).find((name) => flags[name] !== undefined)
  if (given !== undefined) throw new TypeError(`${given} does not go with ${other}.`)
}

/** @throws {TypeError} if it is no key id. */
export function keyIdOf(value = ''): number {
  if (/^\d{1,10}$/.test(value)) return Number(value)
  throw new TypeError(
    'KEY must be a key id, a number such as 7: `npx rowseal keys list` shows them.',
  )
}
