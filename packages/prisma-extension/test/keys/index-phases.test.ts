import { describe, expect, test } from 'vitest'
import {
  INDEX_MOVES,
  movedTo,
  phaseOf,
  type IndexPhase,
} from '../../src/keys/indexes/index-phases.ts'
import { INDEX_PERMITTED, PERMITTED } from '../../src/keys/lifecycle/states.ts'
import type { IndexRecord, KeyState } from '../../src/keys/types.ts'

const phases = Object.keys(INDEX_MOVES) as IndexPhase[]
const start: IndexRecord = {
  id: 'User.emailIndex',
  normalize: ['trim'],
  isUnique: true,
  complete: true,
  lookup: 1,
  writes: 'lookup',
  keys: [1, null],
}

/** A walk from slot-1 along legal moves; each rotation finds another active key. */
function walk(active: number, ...path: IndexPhase[]): IndexRecord[] {
  const records = [start]
  for (const phase of path) {
    const record = records.at(-1)!
    const move = INDEX_MOVES[phaseOf(record)!][phase]!
    records.push(movedTo(record, phase, move, active))
  }
  return records.slice(1)
}

const shown = ({ lookup, writes, keys }: IndexRecord): unknown => [lookup, writes, ...keys]

describe('what a state allows an index key', () => {
  test('is to write for the active one alone, and to match wherever values may be left', () => {
    const states = Object.keys(PERMITTED) as KeyState[]
    expect(Object.keys(INDEX_PERMITTED)).toEqual(states)
    expect(states.filter((state) => INDEX_PERMITTED[state].write)).toEqual(['active'])
    expect(states.filter((state) => !INDEX_PERMITTED[state].match)).toEqual([
      'deactivated',
      'destroyed',
    ])
  })
})

describe('the phases of a unique index', () => {
  test('lead through a second column and back, always with one full column to look in', () => {
    expect(walk(2, 'both-1', 'both-2', 'slot-2').map(shown)).toEqual([
      [1, 'both', 1, 2],
      [2, 'both', 1, 2],
      [2, 'lookup', null, 2],
    ])
    const back = [start, ...walk(2, 'both-1', 'both-2', 'slot-2')].at(-1)!
    const steps: IndexPhase[] = ['both-2', 'both-1', 'slot-1']
    const shapes = steps.reduce<IndexRecord[]>(
      (done, phase) => {
        const record = done.at(-1)!
        return [...done, movedTo(record, phase, INDEX_MOVES[phaseOf(record)!][phase]!, 3)]
      },
      [back],
    )
    expect(shapes.slice(1).map(shown)).toEqual([
      [2, 'both', 3, 2],
      [1, 'both', 3, 2],
      [1, 'lookup', 3, null],
    ])
  })

  test('can be gone back from before look-ups have moved', () => {
    expect(walk(2, 'both-1', 'slot-1').map(shown).at(-1)).toEqual([1, 'lookup', 1, null])
    expect(walk(2, 'both-1', 'both-2', 'both-1').map(shown).at(-1)).toEqual([1, 'both', 1, 2])
  })

  test('lead offline from the one key to the other in one column', () => {
    expect(walk(2, 'offline', 'slot-1').map(shown)).toEqual([
      [1, 'none', 1, 2],
      [1, 'lookup', 2, null],
    ])
  })

  test('are all in the table, each move to a known one and with a reason', () => {
    for (const from of phases) {
      const moves = Object.entries(INDEX_MOVES[from])
      expect(moves.length).toBeGreaterThan(0)
      for (const [to, { reason }] of moves) {
        expect(phases).toContain(to)
        expect(reason.length).toBeGreaterThan(10)
      }
    }
  })

  // What an instance in one phase writes must be found, and guarded against, by one in the next.
  test('are such that neighbours write the slots that each other looks in', () => {
    const slots = ({ lookup, writes }: IndexRecord): unknown[] =>
      writes === 'both' ? [1, 2] : writes === 'none' ? [] : [lookup]
    const inPhase: Record<IndexPhase, IndexRecord> = {
      'slot-1': start,
      'both-1': { ...start, writes: 'both', keys: [1, 2] },
      'both-2': { ...start, lookup: 2, writes: 'both', keys: [1, 2] },
      'slot-2': { ...start, lookup: 2, keys: [null, 2] },
      offline: { ...start, writes: 'none', keys: [1, 2] },
    }
    for (const from of phases) {
      expect(phaseOf(inPhase[from])).toBe(from)
      for (const to of Object.keys(INDEX_MOVES[from]) as IndexPhase[]) {
        const isWritten = (of: IndexPhase, by: IndexPhase): boolean =>
          by === 'offline' || of === 'offline' || slots(inPhase[by]).includes(inPhase[of].lookup)
        expect([from, to, isWritten(from, to), isWritten(to, from)]).toEqual([from, to, true, true])
      }
    }
  })

  test('are told from other records', () => {
    const others: Partial<IndexRecord>[] = [
      { keys: [null, null] },
      { keys: [1, 2] },
      { keys: [null, 1] },
      { lookup: 2 },
      { writes: 'both' },
      { writes: 'none' },
      { lookup: 2, writes: 'none', keys: [1, 2] },
      { lookup: 2, writes: 'both', keys: [null, 2] },
    ]
    for (const other of others) expect(phaseOf({ ...start, ...other })).toBeNull()
  })
})
