import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Operation, Outcome } from '../checker/operation.ts'
import { checkRegisters } from '../checker/registers.ts'

type Short = readonly [kind: 'r' | 'w', value: string, start: number, end: number, o?: Outcome]

const history = (...list: readonly Short[]): Operation[] =>
  list.map(([kind, value, start, end, outcome = 'ok'], i) => ({
    process: `p${i}`,
    kind: kind === 'r' ? 'read' : 'write',
    record: 'Note:1',
    value,
    start,
    end,
    outcome,
  }))

const problems = (...list: readonly Short[]): string[] =>
  checkRegisters(history(...list)).map(({ what }) => what.replace('Note:1: ', ''))

const LOST = 'a write was lost: the value before it was read after it'
const BACK = 'a value came back after another was there'

describe('a history that is one of registers', () => {
  it.each<[string, Short[]]>([
    ['is empty', []],
    [
      'reads what was written last',
      [
        ['w', 'a', 1, 2],
        ['w', 'b', 3, 4],
        ['r', 'b', 5, 6],
      ],
    ],
    [
      'reads either value of writes side by side',
      [
        ['w', 'a', 1, 9],
        ['w', 'b', 2, 8],
        ['r', 'a', 10, 11],
      ],
    ],
    [
      'reads a value before its write was answered',
      [
        ['w', 'a', 1, 2],
        ['w', 'b', 3, 20],
        ['r', 'b', 4, 5],
        ['r', 'b', 6, 7],
      ],
    ],
    [
      'reads old and new values while a write is under way',
      [
        ['w', 'a', 1, 2],
        ['w', 'b', 3, 20],
        ['r', 'a', 4, 5],
        ['r', 'b', 6, 7],
      ],
    ],
    [
      'never reads a write of which nobody knows',
      [
        ['w', 'a', 1, 2],
        ['w', 'b', 3, Infinity, 'indeterminate'],
        ['r', 'a', 50, 51],
      ],
    ],
    [
      'reads a write of which nobody knows, long after it failed to be answered',
      [
        ['w', 'a', 1, 2],
        ['w', 'b', 3, 4, 'indeterminate'],
        ['r', 'a', 50, 51],
        ['r', 'b', 52, 53],
      ],
    ],
    [
      'never reads what was refused',
      [
        ['w', 'a', 1, 2],
        ['w', 'b', 3, 4, 'failed'],
        ['r', 'a', 5, 6],
      ],
    ],
    [
      'has reads that failed',
      [
        ['w', 'a', 1, 2],
        ['r', 'b', 3, 4, 'failed'],
      ],
    ],
  ])('%s', (_, list) => {
    expect(problems(...list)).toEqual([])
  })
})

describe('a history is refused in which', () => {
  it.each<[string, Short[], string]>([
    [
      'an acknowledged write was lost',
      [
        ['w', 'a', 1, 2],
        ['w', 'b', 3, 4],
        ['r', 'a', 5, 6],
      ],
      LOST,
    ],
    [
      'a value came back',
      [
        ['w', 'a', 1, 2],
        ['w', 'b', 3, 4],
        ['r', 'b', 5, 6],
        ['r', 'a', 7, 8],
      ],
      BACK,
    ],
    [
      'a write of which nobody knows came undone',
      [
        ['w', 'a', 1, 2],
        ['w', 'b', 3, 4, 'indeterminate'],
        ['r', 'b', 5, 6],
        ['r', 'a', 7, 8],
      ],
      LOST,
    ],
    [
      'two readers disagree about the order of two writes',
      [
        ['w', 'a', 1, 9],
        ['w', 'b', 1, 9],
        ['r', 'a', 10, 11],
        ['r', 'b', 12, 13],
        ['r', 'a', 14, 15],
      ],
      BACK,
    ],
    [
      'a value was read that nobody wrote',
      [['r', 'a', 1, 2]],
      'a value was read that nobody wrote',
    ],
    [
      'what was refused was read',
      [
        ['w', 'a', 1, 2, 'failed'],
        ['r', 'a', 3, 4],
      ],
      'a value was read whose write was refused',
    ],
    [
      'a value was read before it was written',
      [
        ['r', 'a', 1, 2],
        ['w', 'a', 3, 4],
      ],
      'a value was read before it was written',
    ],
  ])('%s', (_, list, what) => {
    expect(problems(...list)).toContain(what)
  })

  it('two writes wrote the same: then the harness is wrong', () => {
    expect(() => problems(['w', 'a', 1, 2], ['w', 'a', 3, 4])).toThrow(/harness/)
  })
})

/** Is there an order in which all of it can have happened? All orders are tried. */
function isRegister(all: readonly Operation[]): boolean {
  const must = all.filter(({ outcome }) => outcome === 'ok')
  const go = (left: readonly Operation[], value: string | null): boolean => {
    if (!left.some((one) => must.includes(one))) return true
    return left.some((one) => {
      // Nothing that has ended before it began may come after it.
      if (left.some((other) => other.outcome === 'ok' && other.end < one.start)) return false
      if (one.kind === 'read' && one.value !== value) return false
      const rest = left.filter((other) => other !== one)
      return go(rest, one.kind === 'write' ? one.value : value)
    })
  }
  return go(
    all.filter(({ outcome }) => outcome !== 'failed'),
    null,
  )
}

const WRITES = ['a', 'b', 'c']
const outcome = fc.constantFrom<Outcome>('ok', 'ok', 'ok', 'indeterminate', 'failed')
const span = fc.tuple(fc.nat(12), fc.nat(6)).map(([start, more]) => [start, start + 0.5 + more])
const shorts = fc
  .tuple(
    fc.array(fc.tuple(span, outcome), { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(span, fc.constantFrom(...WRITES)), { maxLength: 4 }),
  )
  .map(([writes, reads]): Short[] => [
    ...writes.map(([[start, end], of], i): Short => ['w', WRITES[i]!, start!, end!, of]),
    ...reads.map(([[start, end], value]): Short => ['r', value, start!, end!]),
  ])

it('says the same as a search through all orders', () => {
  let [good, bad] = [0, 0]
  fc.assert(
    fc.property(shorts, (list) => {
      const isGood = isRegister(history(...list))
      if (isGood) good++
      else bad++
      expect(problems(...list).length === 0).toBe(isGood)
    }),
    { numRuns: 5000, seed: 1 },
  )
  expect(Math.min(good, bad)).toBeGreaterThan(100)
})
