import { databaseOf, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { integer } from '../engine/options.ts'
import { adviceOn } from './advice.ts'
import {
  Entries,
  placeOf,
  type Place,
  type QuarantineEntry,
  type QuarantineFilter,
} from './entries.ts'

export interface ListQuarantineOptions extends QuarantineFilter {
  /** Entries of a page at most. 1 to 10,000. Default: 50. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string
}

export interface QuarantinePage {
  /** In the order of model, field and text of the key. */
  readonly entries: readonly QuarantineEntry[]
  /** How many entries the filter finds, on all pages. */
  readonly total: number
  /** The same by code, the most first, with what is to be done. */
  readonly codes: readonly { readonly code: string; readonly count: number; readonly fix: string }[]
  /** For the next page; null on the last. */
  readonly next: string | null
}

/**
 * What is in quarantine: where, why, and what to do. No content. None if the tables are not there.
 *
 * @throws {TypeError} for an option out of bounds.
 * @throws {MigrationError} `ERR_DATABASE_FAILED` `ERR_CONFIG_INVALID`
 */
export async function listQuarantine(
  config: MigratorConfig,
  options: ListQuarantineOptions = {},
): Promise<QuarantinePage> {
  const { client, plan } = databaseOf(config)
  const limit = integer('limit', options.limit ?? 50, 10_000)
  const after = options.after === undefined ? null : parsePlace(options.after)
  const entries = new Entries(client, plan)
  try {
    if (!(await entries.exist())) return { entries: [], total: 0, codes: [], next: null }
    const found = await entries.page(options, after, limit + 1)
    const codes = await entries.counts(options)
    const page = found.slice(0, limit)
    return {
      entries: page,
      total: codes.reduce((sum, { count }) => sum + count, 0),
      codes: codes.map(({ code, count }) => ({ code, count, fix: adviceOn(code) })),
      next: found.length > limit ? writePlace(placeOf(page.at(-1)!)) : null,
    }
  } catch (error) {
    throw asMigrationError(error, plan.provider === 'sqlite', 'try again')
  }
}

function writePlace(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** @throws {TypeError} */
function parsePlace(text: string): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (
      Array.isArray(place) &&
      place.length === 3 &&
      place.every((part) => typeof part === 'string')
    )
      return place as unknown as Place
  } catch {
    // said below
  }
  throw new TypeError('after must be what the page before has as `next`.')
}
