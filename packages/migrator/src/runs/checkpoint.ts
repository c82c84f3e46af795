import type { PassCounts } from '../engine/counts.ts'

/** How far a run came, written with each batch. */
export interface Checkpoint {
  /** The plan's digest. Under another plan the pass begins anew. */
  readonly plan: string
  /** What the pass looks for. For anything else it begins anew. */
  readonly target: string
  readonly pass: number
  /** Key of the last row seen, in text form; null at the beginning. */
  readonly after: readonly string[] | null
  readonly counts: PassCounts
  /** Fields and index columns of which the pass put values into quarantine. */
  readonly bad: readonly string[]
}

/** Where the earlier pass can be gone on with; null if it was another one, or cannot be read. */
export function resumable(text: string | null, plan: string, target: string): Checkpoint | null {
  if (text === null) return null
  const checkpoint = JSON.parse(text) as Checkpoint
  return checkpoint.plan === plan && checkpoint.target === target ? checkpoint : null
}
