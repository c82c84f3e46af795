import { phaseOf, type IndexPhase } from '@rowseal/prisma-extension/keys'
import type { IndexRecord, KeyRow } from '@rowseal/prisma-extension/keys'

/**
 * Where a blind index is on its way to the active index key. One that is not unique is rewritten where it
 * stands. A unique one goes from slot to slot, and each arrow is run when the rows are ready for it:
 *
 *   slot-1 → both-1   slot 1 is full, and nothing is left in slot 2
 *   both-1 → both-2   slot 2 is full
 *   both-2 → slot-2   nobody looks in slot 1 any more
 *
 * and back the same way at the next rotation. Offline it stays in its column: slot-1 → offline → slot-1.
 */

/** Key ids that the columns of an index should be under, by slot; null where they should be empty. */
export type Wanted = readonly [number | null, number | null]

/** @param active - the active index key. */
export function wantedOf({ isUnique, lookup, writes, keys }: IndexRecord, active: number): Wanted {
  if (!isUnique) return [active, null]
  if (writes === 'none') return [keys[1], null]
  if (writes === 'both') return keys
  return lookup === 1 ? [keys[0], null] : [null, keys[1]]
}

/**
 * The phase that a unique index goes to once its rows are as `wantedOf` says.
 *
 * @param rows - the index key versions.
 * @param hasSecond - is there a column for slot 2?
 * @returns null if it is where it should be, under the active key in one slot.
 */
export function nextPhase(
  record: IndexRecord,
  rows: readonly KeyRow[],
  hasSecond: boolean,
): IndexPhase | null {
  const isActive = (keyId: number | null): boolean =>
    rows.some((row) => row.keyId === keyId && row.state === 'active')
  const [first, second] = record.keys
  const phase = phaseOf(record)
  switch (phase) {
    case null:
      return null
    case 'slot-1':
      return isActive(first) ? null : hasSecond ? 'both-1' : 'offline'
    case 'slot-2':
      return isActive(second) ? null : 'both-2'
    case 'offline':
      return 'slot-1'
    default: {
      // Of two keys the newer is where it goes, active or not any more.
      const version = (keyId: number | null): number =>
        rows.find((row) => row.keyId === keyId)?.version ?? 0
      const isForward = version(second) > version(first)
      if (phase === 'both-1') return isForward ? 'both-2' : 'slot-1'
      return isForward ? 'slot-2' : 'both-1'
    }
  }
}

/** Does this arrow lead away from a slot that nobody looks in? Then no row needs to be looked at. */
export function isLeaving(record: IndexRecord, next: IndexPhase | null): boolean {
  return record.writes === 'both' && next === (record.lookup === 1 ? 'slot-1' : 'slot-2')
}

const FORWARD: readonly IndexPhase[] = ['slot-1', 'both-1', 'both-2', 'slot-2']
const BACK: readonly IndexPhase[] = FORWARD.toReversed()

/** The phases that `nextPhase` will lead through from here, until the index rests in one column. */
export function phasesAhead(
  record: IndexRecord,
  rows: readonly KeyRow[],
  hasSecond: boolean,
): readonly IndexPhase[] {
  const phase = phaseOf(record)
  const next = nextPhase(record, rows, hasSecond)
  if (phase === null || next === null) return []
  if (phase === 'offline') return [next]
  if (next === 'offline') return [next, 'slot-1']
  const way = FORWARD.indexOf(next) > FORWARD.indexOf(phase) ? FORWARD : BACK
  return way.slice(way.indexOf(next))
}
