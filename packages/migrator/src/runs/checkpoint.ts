import type { PassCounts } from '../drain/counts.ts'

/** How far a run came, written with each batch. */
export interface Checkpoint {
  /** The plan's digest. Under another plan the pass begins anew. */
  readonly plan: string
  /** Key ids that count as stale in this pass. Under others it begins anew. */
  readonly stale: readonly number[]
  readonly pass: number
  /** Key of the last row seen, in text form; null at the beginning. */
  readonly after: readonly string[] | null
  readonly counts: PassCounts
}

/** Where the earlier pass can be gone on with; null if it was another one, or cannot be read. */
export function resumable(
  text: string | null,
  plan: string,
  stale: readonly number[],
): Checkpoint | null {
  if (text === null) return null
  const checkpoint = JSON.parse(text) as Checkpoint
  const isSame =
    checkpoint.plan === plan && JSON.stringify(checkpoint.stale) === JSON.stringify(stale)
  return isSame ? checkpoint : null
}
