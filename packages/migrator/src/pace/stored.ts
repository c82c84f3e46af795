import { MigrationError } from '../errors.ts'
import { given } from '../given.ts'
import { checkPace, PACE_KEYS, type PaceOptions, type ThrottleOptions } from './options.ts'

/**
 * A pace as it stands in the row of a run: a JSON object with its format and what an operator has set. Null is set
 * too: it takes an option back that the run was started with.
 *
 *   {"format":1,"pace":{"maxRowsPerSecond":500,"maxBytesPerSecond":null,"throttle":{"flag":"/var/run/rowseal.pause"}}}
 */
export const PACE_FORMAT = 1

/** What to change of a pace: an option that is null gets its default again. */
export type PaceChange = {
  readonly [K in keyof Omit<PaceOptions, 'throttle'>]?: PaceOptions[K] | null
} & {
  readonly throttle?: { readonly [K in keyof ThrottleOptions]?: ThrottleOptions[K] | null }
}

/**
 * @param options - other properties than those of a pace are left out.
 * @throws {TypeError} naming the option.
 */
export function serializePace(change: PaceChange): string {
  const { flag } = checkPace(changedPace({}, change)).throttle
  const pace = only(PACE_KEYS, { ...change })
  if (change.throttle !== undefined)
    pace['throttle'] = { ...change.throttle, ...(flag === undefined ? {} : { flag }) }
  return JSON.stringify({ format: PACE_FORMAT, pace })
}

/**
 * @throws {MigrationError} `ERR_CHECKPOINT_NEWER` if a newer version wrote it, `ERR_CONFIG_INVALID` if it
 *   is not what `serializePace` writes.
 */
export function parsePace(text: string): PaceChange {
  const document = parsed(text)
  const { format, pace } = document
  if (typeof format === 'number' && Number.isSafeInteger(format) && format > PACE_FORMAT)
    throw new MigrationError(
      'ERR_CHECKPOINT_NEWER',
      `A newer version of Rowseal stored the pace of this run (format ${format}).`,
      { fix: 'Update @rowseal/migrator.' },
    )
  if (format !== PACE_FORMAT || !isObject(pace)) throw broken('is none')
  const strange = Object.keys(pace).find((key) => !PACE_KEYS.includes(key))
  if (strange !== undefined) throw broken('has an option that is not known')
  if (pace['throttle'] !== undefined && !isObject(pace['throttle'])) throw broken('is none')
  try {
    checkPace(changedPace({}, pace))
  } catch (error) {
    if (error instanceof TypeError) throw broken(`is none: ${error.message}`)
    throw error
  }
  return pace
}

/** What an operator has set, and then sets besides. */
export function bothChanges(
  { throttle: before, ...first }: PaceChange,
  { throttle, ...then }: PaceChange,
): PaceChange {
  const hasChecks = before !== undefined || throttle !== undefined
  const all = given({ ...first, ...given(then) })
  return hasChecks ? { ...all, throttle: { ...before, ...given({ ...throttle }) } } : all
}

/** A pace with some options changed. */
export function changedPace<O extends PaceOptions>(pace: O, change: PaceChange): O
export function changedPace(pace: PaceOptions, { throttle, ...change }: PaceChange): PaceOptions {
  const checks = without({ ...pace.throttle, ...throttle })
  const { throttle: before, ...rest } = pace
  const hasChecks = before !== undefined || throttle !== undefined
  return { ...without({ ...rest, ...change }), ...(hasChecks ? { throttle: checks } : {}) }
}

function without(options: object): object {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== null && value !== undefined),
  )
}

function only(keys: readonly string[], options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => keys.includes(key)))
}

function parsed(text: string): Record<string, unknown> {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw broken('is no JSON')
  }
  if (!isObject(document)) throw broken('is none')
  return document
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function broken(problem: string): MigrationError {
  return new MigrationError('ERR_CONFIG_INVALID', `The stored pace of this run ${problem}.`, {
    fix: 'Set it anew with `npx rowseal runs pace`.',
  })
}

/**
 * The pace that a run was started with, under what an operator has set since; null for nothing. Of two bounds on
 * batches that contradict each other, the one gives way that the operator has not set.
 */
export function overridden<O extends PaceOptions>(options: O, text: string | null): O {
  if (text === null) return options
  const set = parsePace(text)
  const pace = changedPace(options, set)
  const { minBatchRows = 1 } = pace
  const { batchRows } = checkPace({ ...pace, minBatchRows: 1 })
  if (minBatchRows <= batchRows) return pace
  return typeof set.minBatchRows === 'number'
    ? { ...pace, batchRows: minBatchRows }
    : { ...pace, minBatchRows: batchRows }
}
