/** The seed of all values, so that every run measures the same. */
export const SEED = 20261121

/** Numbers from 0 up to 1, the same for the same seed: mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789 '

/** ASCII text of so many characters, in one piece, as a request's parser makes it: a concatenation is only put together by who reads it. */
export function text(next: () => number, length: number): string {
  const codes = Array.from({ length }, () =>
    LETTERS.charCodeAt(Math.floor(next() * LETTERS.length)),
  )
  return Buffer.from(codes).toString('latin1')
}
