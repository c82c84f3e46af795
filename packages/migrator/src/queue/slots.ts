import type { PaceOptions } from '../pace/options.ts'
import type { Pace } from '../pace/pace.ts'

/** A pace for each part that a worker has at the same time: its batches grow and shrink on their own. */
export class Slots {
  /** How many there are. */
  readonly count: number
  readonly #free: Pace[]

  constructor(paces: readonly Pace[]) {
    this.count = paces.length
    this.#free = [...paces]
  }

  async use<R>(work: (pace: Pace) => Promise<R>): Promise<R> {
    const pace = this.#free.pop()
    if (pace === undefined) throw new TypeError('More parts are in hand than there are slots.')
    try {
      return await work(pace)
    } finally {
      this.#free.push(pace)
    }
  }
}

const MIN_BYTES = 1_000

/** The pace of each of so many slots: caps are those of the process. */
export function shareOf<O extends PaceOptions>(options: O, slots: number): O {
  const { maxRowsPerSecond, maxBytesPerSecond, maxKmsCallsPerSecond } = options
  const share = (cap: number, min = 1): number => Math.max(min, Math.floor(cap / slots))
  return {
    ...options,
    ...(maxRowsPerSecond !== undefined && { maxRowsPerSecond: share(maxRowsPerSecond) }),
    ...(maxBytesPerSecond !== undefined && {
      maxBytesPerSecond: share(maxBytesPerSecond, MIN_BYTES),
    }),
    ...(maxKmsCallsPerSecond !== undefined && {
      maxKmsCallsPerSecond: share(maxKmsCallsPerSecond),
    }),
  }
}
