/** The values of a record are of this and its id, so that every run measures the same. */
export const SEED = 20261121

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789 '

/** ASCII text of so many characters. */
export function text(next: () => number, length: number): string {
  let out = ''
  while (out.length < length) out += LETTERS[Math.floor(next() * LETTERS.length)]
  return out
}
