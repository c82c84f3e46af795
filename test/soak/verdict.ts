import { trendOf, type Trend } from './trend.ts'

/** What a process holds while nothing is under way, right after garbage was collected. */
export interface Sample {
  /** Since the load began. */
  readonly minutes: number
  /** Bytes. */
  readonly heap: number
  readonly external: number
  readonly rss: number
  /** What keeps the process alive, open files, and connections that the database counts. */
  readonly resources: number
  readonly files: number
  readonly connections: number
}

const MB = 1e6

/**
 * By how much memory may grow in an hour: the slope after warm-up with two standard errors more, so noise and
 * short runs count against it. The resident set follows what the allocator keeps, not only what is held.
 */
export const MAX_GROWTH_PER_HOUR = { heap: 4 * MB, external: 4 * MB, rss: 60 * MB } as const

const MEMORY = ['heap', 'external', 'rss'] as const
const HANDLES = ['resources', 'files', 'connections'] as const

/** Memory of one kind. Bytes per minute. */
export interface Growth extends Trend {
  readonly what: (typeof MEMORY)[number]
  readonly first: number
  readonly last: number
  /** Of an hour, with two standard errors. Bytes. */
  readonly atMostPerHour: number
  readonly isBounded: boolean
}

/** Handles of one kind. */
export interface Handles {
  readonly what: (typeof HANDLES)[number]
  /** Most in the first third after warm-up, and fewest in the last: pools open and close what they hold. */
  readonly before: number
  readonly after: number
  readonly isBounded: boolean
}

export interface Verdict {
  readonly samples: number
  readonly growths: readonly Growth[]
  readonly handles: readonly Handles[]
  readonly holds: boolean
}

/** Samples in each third, at least. */
const MIN_THIRD = 3

/**
 * Is nothing lost but what is let go of? Memory grows by less than its bound, and of each kind of handle the last third
 * of the time had a moment with no more than the first third had.
 *
 * @param warmUpMinutes - what came before plays no part: caches fill, code is compiled.
 * @throws {TypeError} if too few samples came after.
 */
export function verdictOf(all: readonly Sample[], warmUpMinutes: number): Verdict {
  const samples = all.filter(({ minutes }) => minutes >= warmUpMinutes)
  const third = Math.floor(samples.length / 3)
  if (third < MIN_THIRD) throw new TypeError(`${samples.length} samples after warm-up: too few.`)
  const growths = MEMORY.map((what): Growth => {
    const trend = trendOf(samples.map((sample) => [sample.minutes, sample[what]]))
    const atMostPerHour = (trend.slope + 2 * trend.error) * 60
    return {
      ...{ what, ...trend, atMostPerHour },
      ...{ first: samples[0]![what], last: samples.at(-1)![what] },
      isBounded: atMostPerHour <= MAX_GROWTH_PER_HOUR[what],
    }
  })
  const handles = HANDLES.map((what): Handles => {
    const of = (some: readonly Sample[]): number[] => some.map((sample) => sample[what])
    const before = Math.max(...of(samples.slice(0, third)))
    const after = Math.min(...of(samples.slice(-third)))
    return { what, before, after, isBounded: after <= before }
  })
  const holds = [...growths, ...handles].every(({ isBounded }) => isBounded)
  return { samples: samples.length, growths, handles, holds }
}
