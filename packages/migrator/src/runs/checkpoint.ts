import { add, NOTHING, type PassCounts } from '../engine/counts.ts'
import type { Range } from './parts.ts'

/** How far the work on a part came, written with each batch. */
export interface Checkpoint {
  /** What the pass looks for. For anything else it begins anew. */
  readonly target: string
  readonly pass: number
  /** When the pass began, by the clock of the database, in milliseconds since 1970; absent if an earlier version began it. */
  readonly beganMs?: number
  /** Was the pass begun after the fence? */
  readonly isFenced: boolean
  /** Key of the last row seen, in text form; null at the beginning. */
  readonly after: readonly string[] | null
  /** Of this pass. */
  readonly counts: PassCounts
  /** Of the passes before. */
  readonly before: PassCounts
  /** Fields and index columns of which the pass put values into quarantine. */
  readonly bad: readonly string[]
  /** What the strategy counts besides, such as values by field. Of all passes. */
  readonly tally: Readonly<Record<string, number>>
}

/** Of a part that no row had to be looked at for. */
export const NO_PASS: Checkpoint = {
  target: '',
  pass: 0,
  isFenced: true,
  after: null,
  counts: NOTHING,
  before: NOTHING,
  bad: [],
  tally: {},
}

/** What an earlier worker left of a part, whatever it looked for; null if none did. */
export function left(text: string | null): Checkpoint | null {
  return text === null ? null : (JSON.parse(text) as Checkpoint)
}

/** Where the earlier pass can be gone on with; null if it was after something else. */
export function resumable(text: string | null, target: string): Checkpoint | null {
  const checkpoint = left(text)
  return checkpoint?.target === target ? checkpoint : null
}

/** What a pass that is gone on with has before it. */
export function restOf({ range }: { readonly range: Range }, resumed: Checkpoint | null): Range {
  return { ...range, after: resumed?.after ?? range.after }
}

/** What was done to a part so far. What is in quarantine is what the last pass met. */
export function totalOf(text: string | null): PassCounts {
  if (text === null) return NOTHING
  const { counts, before } = JSON.parse(text) as Checkpoint
  return { ...add(before, counts), quarantined: counts.quarantined }
}

/** Rows that a run which reads has looked at. */
export function lookedAt(text: string | null): number {
  return text === null ? 0 : ((JSON.parse(text) as Checkpoint).tally['rows'] ?? 0)
}

/** Counts by name, together. */
export function addTally(
  a: Checkpoint['tally'],
  b: Checkpoint['tally'] | undefined,
): Checkpoint['tally'] {
  if (b === undefined) return a
  const sum: Record<string, number> = { ...a }
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
