/** Repeatable random choices: the same seed gives the same clinic. Not for anything secret. */
export interface Random {
  /** An integer from `min` to `max`, both included. */
  int(min: number, max: number): number
  /** True in `share` of all calls. */
  chance(share: number): boolean
  pick<T>(list: readonly T[]): T
  /** `count` different elements. */
  sample<T>(list: readonly T[], count: number): T[]
  digits(count: number): string
  bytes(count: number): Buffer
}

export function createRandom(seed: number): Random {
  const next = mulberry32(seed)
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  const random: Random = {
    int,
    chance: (share) => next() < share,
    pick: (list) => list[int(0, list.length - 1)]!,
    sample: (list, count) => {
      const left = [...list]
      return Array.from({ length: Math.min(count, left.length) }, () =>
        left.splice(int(0, left.length - 1), 1),
      ).flat()
    },
    digits: (count) => Array.from({ length: count }, () => int(0, 9)).join(''),
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => int(0, 255))),
  }
  return random
}

/** Tommy Ettinger's mulberry32: 32 bits of state, numbers from 0 to below 1. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
