import type { IndexRecord } from '../types.ts'

// A unique index guards by its database column: two equal values must become one hash, so the column
// is under exactly one key, which its record pins. To move to another key it needs a second column
// (`slot: 2`), or a time in which nothing is written (offline). In letters: k the key it is under, n
// the new one.
//
//                    lookup  writes   keys     guards
//   slot-1           1       lookup   [k, –]   slot 1
//   both-1           1       both     [k, n]   slot 1, while slot 2 is filled
//   both-2           2       both     [k, n]   slot 2; slot 1 is still written for those who look there
//   slot-2           2       lookup   [–, n]   slot 2
//
// The next rotation leads back the same way. Instances follow within `maxAgeMs`, so whoever moves an
// index waits that long before the next move: then only neighbouring phases are ever in use at once,
// and neighbours write the slot that the other looks in. Before look-ups move to a slot it must have
// been found full; before a slot is filled again it must have been cleared.
//
//   offline          1       none     [k, n]   nothing is written while slot 1 is rewritten

export type IndexPhase = 'slot-1' | 'both-1' | 'both-2' | 'slot-2' | 'offline'

/** What the record of a unique index says in each phase; `keys` tells which of them are there. */
const SHAPES: Readonly<
  Record<IndexPhase, Pick<IndexRecord, 'lookup' | 'writes'> & { keys: readonly [boolean, boolean] }>
> = {
  'slot-1': { lookup: 1, writes: 'lookup', keys: [true, false] },
  'both-1': { lookup: 1, writes: 'both', keys: [true, true] },
  'both-2': { lookup: 2, writes: 'both', keys: [true, true] },
  'slot-2': { lookup: 2, writes: 'lookup', keys: [false, true] },
  offline: { lookup: 1, writes: 'none', keys: [true, true] },
}

type Keys = IndexRecord['keys']

interface Move {
  readonly reason: string
  /** The keys after the move, from those before and the active index key. */
  readonly keys: (keys: Keys, active: number) => Keys
}

const asTheyAre = (keys: Keys): Keys => keys
const onlyFirst = ([first]: Keys): Keys => [first, null]
const onlySecond = ([, second]: Keys): Keys => [null, second]

/** Every legal move of a unique index, with its reason. What is not here is refused. */
export const INDEX_MOVES: Readonly<
  Record<IndexPhase, Readonly<Partial<Record<IndexPhase, Move>>>>
> = {
  'slot-1': {
    'both-1': {
      reason: 'a rotation begins: slot 2 is written under the active key',
      keys: ([first], active) => [first, active],
    },
    offline: {
      reason: 'a rotation without a second slot begins: writes are refused',
      keys: ([first], active) => [first, active],
    },
  },
  'both-1': {
    'both-2': { reason: 'slot 2 was found full', keys: asTheyAre },
    'slot-1': {
      reason: 'nobody looks in slot 2 any more, or the rotation is given up',
      keys: onlyFirst,
    },
  },
  'both-2': {
    'slot-2': {
      reason: 'nobody looks in slot 1 any more, or the rotation is given up',
      keys: onlySecond,
    },
    'both-1': { reason: 'slot 1 was found full', keys: asTheyAre },
  },
  'slot-2': {
    'both-2': {
      reason: 'a rotation begins: slot 1 is written under the active key',
      keys: ([, second], active) => [active, second],
    },
  },
  offline: {
    'slot-1': {
      reason: 'slot 1 was rewritten under the new key',
      keys: ([, second]) => [second, null],
    },
  },
}

/** The phase a unique index is in; null if its record is in none. */
export function phaseOf({ lookup, writes, keys }: IndexRecord): IndexPhase | null {
  const phases = Object.entries(SHAPES) as [IndexPhase, (typeof SHAPES)[IndexPhase]][]
  const found = phases.find(
    ([, shape]) =>
      shape.lookup === lookup &&
      shape.writes === writes &&
      shape.keys.every((isThere, slot) => isThere === (keys[slot] !== null)),
  )
  return found?.[0] ?? null
}

/** The record of a unique index after a legal move. */
export function movedTo(
  record: IndexRecord,
  phase: IndexPhase,
  move: Move,
  active: number,
): IndexRecord {
  const { lookup, writes } = SHAPES[phase]
  return { ...record, lookup, writes, keys: move.keys(record.keys, active) }
}
