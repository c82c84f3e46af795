import { RawJson } from '@rowseal/prisma-extension/sql'
import { describe, expect, test } from 'vitest'
import { countRows, quarantined } from '../../src/engine/commit.ts'
import { add, NOTHING, subtract } from '../../src/engine/counts.ts'
import { counted, divided, halved, type Slice } from '../../src/engine/divide.ts'
import { worstOf } from '../../src/engine/events.ts'
import { bytesOf } from '../../src/engine/pass.ts'
import { endedAs } from '../../src/engine/passes.ts'
import type { Change, Strategy } from '../../src/engine/strategy.ts'
import { rowOf, targetOf } from './fields.ts'

interface Named extends Change {
  readonly names: readonly string[]
}

const change = (row: number, ...names: string[]): Named => ({ row, names })
const bad = (row: number, field = 'a') => ({ row, field, code: 'ERR_X' })

const slice = (changes: Named[], more: Partial<Slice<Named>> = {}): Slice<Named> => ({
  changes,
  bad: [],
  from: 0,
  to: 10,
  refused: null,
  row: null,
  isLast: true,
  ...more,
})

const strategy = (more: Partial<Strategy<Named>> = {}): Strategy<Named> => ({
  target: 'x',
  columns: [{ field: 'first' }] as never,
  where: '1 = 1',
  prepare: () => Promise.reject(new Error('unused')),
  write: () => Promise.reject(new Error('unused')),
  parts: {
    split: ({ row, names }) => names.map((name) => change(row, name)),
    fieldOf: ({ names }) => names[0]!,
  },
  ...more,
})

describe('a slice', () => {
  test('is halved with the rows and bad values of each half', () => {
    const tally = { seen: 3 }
    const whole = slice([change(1), change(4), change(7)], { bad: [bad(0), bad(4), bad(7), bad(9)], tally }) // prettier-ignore
    expect(halved(whole)).toStrictEqual([
      { changes: [change(1), change(4)], bad: [bad(0), bad(4)], from: 0, to: 7, refused: null, row: null, isLast: true }, // prettier-ignore
      { changes: [change(7)], bad: [bad(7), bad(9)], from: 7, to: 10, refused: null, row: null, isLast: true, tally }, // prettier-ignore
    ])
    const inRow = slice([change(1), change(4)], { isLast: false })
    expect(halved(inRow).map(({ isLast }) => isLast)).toStrictEqual([true, false])
    const one = slice([change(1)])
    expect(halved(one)).toStrictEqual([one])
    expect(halved(one)[0]).toBe(one)
  })

  test('of several rows that is refused is halved', () => {
    const whole = slice([change(1, 'a', 'b'), change(4)])
    expect(divided(strategy(), whole, 'ERR_CONSTRAINT' as never)).toStrictEqual(halved(whole))
  })

  test('of one row that is refused is tried field by field, and counts once', () => {
    const one = slice([change(1, 'a', 'b', 'c')], { bad: [bad(0)], tally: { seen: 1 } })
    const parts = divided(strategy(), one, 'ERR_CONSTRAINT' as never)
    expect(
      parts.map(({ changes, isLast, bad, tally }) => [changes, isLast, bad, tally]),
    ).toStrictEqual([
      // prettier-ignore
      [[change(1, 'a')], false, [], {}],
      [[change(1, 'b')], false, [], {}],
      [[change(1, 'c')], true, [bad(0)], { seen: 1 }],
    ])
    expect(new Set(parts.map(({ row }) => row)).size).toBe(1)
    expect(parts[0]!.row).toStrictEqual({ counts: NOTHING })
    expect(divided(strategy(), { ...one, isLast: false }, 'ERR_CONSTRAINT' as never).map(({ isLast }) => isLast)).toStrictEqual([false, false, false]) // prettier-ignore
    const again = divided(strategy(), { ...one, row: parts[0]!.row }, 'ERR_CONSTRAINT' as never)
    expect(again[0]!.row).toBe(parts[0]!.row)
  })

  test('of one field that is refused becomes a note', () => {
    const one = slice([change(1, 'b')], { bad: [bad(0)] })
    expect(divided(strategy(), one, 'ERR_CONSTRAINT' as never)).toStrictEqual([
      { ...one, changes: [], row: { counts: NOTHING }, bad: [bad(0), { row: 1, field: 'b', code: 'ERR_CONSTRAINT' }] }, // prettier-ignore
    ])
    const whole = strategy({ parts: undefined as never })
    expect(divided(whole, one, 'ERR_CONSTRAINT' as never)[0]!.bad[1]).toStrictEqual({
      row: 1,
      field: 'first',
      code: 'ERR_CONSTRAINT',
    })
  })

  test('that a unique index refuses is taken apart by index, and its holders are looked for', () => {
    const unique = 'ERR_UNIQUE_VIOLATION' as never
    const duplicates = {
      split: ({ row, names }: Named) => names.map((name) => change(row, `${name}Index`)),
      refused: ({ row, names }: Named) =>
        names[0] === 'plain' ? null : { row, field: names[0]!, code: 'ERR_DUPLICATE' },
      holders: () => Promise.resolve([]),
    }
    const with_ = strategy({ duplicates })
    expect(
      divided(with_, slice([change(1, 'a', 'b')]), unique).map(({ changes }) => changes),
    ).toStrictEqual([
      // prettier-ignore
      [change(1, 'aIndex')],
      [change(1, 'bIndex')],
    ])
    expect(divided(with_, slice([change(1, 'a', 'b')]), 'ERR_CONSTRAINT' as never)[0]!.changes).toStrictEqual([change(1, 'a')]) // prettier-ignore
    const whole = { ...duplicates, split: (one: Named) => [one] }
    expect(divided(strategy({ duplicates: whole }), slice([change(1, 'a', 'b')]), unique)[0]!.changes).toStrictEqual([change(1, 'a')]) // prettier-ignore
    const [note] = divided(with_, slice([change(1, 'a')]), unique)
    expect(note).toMatchObject({ changes: [], refused: change(1, 'a'), bad: [{ row: 1, field: 'a', code: 'ERR_DUPLICATE' }] }) // prettier-ignore
    const [plain] = divided(with_, slice([change(1, 'plain')]), unique)
    expect(plain).toMatchObject({ refused: null, bad: [{ field: 'plain', code: unique }] })
    const [other] = divided(with_, slice([change(1, 'a')]), 'ERR_CONSTRAINT' as never)
    expect(other).toMatchObject({ refused: null, bad: [{ code: 'ERR_CONSTRAINT' }] })
    expect(divided(strategy(), slice([change(1, 'a')]), unique)[0]!.refused).toBeNull()
  })

  test('in parts adds a row once to each count', () => {
    const found = { rows: 1, superseded: 0, quarantined: 1 }
    expect(counted(slice([]), found)).toBe(found)
    const row = { counts: NOTHING }
    expect(counted(slice([], { row }), found)).toStrictEqual(found)
    const counts = { rows: 1, superseded: 0, quarantined: 0 }
    expect(counted(slice([], { row: { counts } }), { rows: 1, superseded: 1, quarantined: 1 })).toStrictEqual({ rows: 0, superseded: 1, quarantined: 1 }) // prettier-ignore
  })
})

test('counts are added and taken away by name', () => {
  const [a, b] = [{ rows: 5, superseded: 7, quarantined: 11 }, { rows: 1, superseded: 2, quarantined: 3 }] // prettier-ignore
  expect(add(a, b)).toStrictEqual({ rows: 6, superseded: 9, quarantined: 14 })
  expect(subtract(a, b)).toStrictEqual({ rows: 4, superseded: 5, quarantined: 8 })
  expect(NOTHING).toStrictEqual({ rows: 0, superseded: 0, quarantined: 0 })
})

test('a row with bad values is one, and has an entry for each field', () => {
  const values = [bad(0), bad(0), bad(0, 'b'), bad(1)]
  expect(countRows(values)).toBe(2)
  const rows = [rowOf(5, []), rowOf(6, [])]
  expect(quarantined(targetOf([]), rows, values)).toStrictEqual([
    { model: 'Note', field: 'a', key: ['5'], code: 'ERR_X' },
    { model: 'Note', field: 'b', key: ['5'], code: 'ERR_X' },
    { model: 'Note', field: 'a', key: ['6'], code: 'ERR_X' },
  ])
})

test('a page has the bytes of its stored values', () => {
  const rows = [rowOf(1, ['abc', null, new Uint8Array(5)]), rowOf(2, [new RawJson('{}'), ['x', null, 'yz']])] // prettier-ignore
  expect(bytesOf({ rows } as never)).toBe(3 + 5 + 2 + 3)
})

test('a run has the worst outcome of its models', () => {
  const of = (...outcomes: string[]) => worstOf(outcomes.map((outcome) => ({ outcome })) as never, false) // prettier-ignore
  expect(of()).toBe('done')
  expect(of('done', 'done')).toBe('done')
  expect(of('done', 'incomplete')).toBe('incomplete')
  expect(of('stopped', 'incomplete')).toBe('stopped')
  expect(of('cancelled', 'stopped')).toBe('cancelled')
  expect(worstOf([{ outcome: 'incomplete' }], true)).toBe('stopped')
  expect(worstOf([{ outcome: 'cancelled' }], true)).toBe('cancelled')
})

test('a part ends with what its last pass found, unless somebody is to go on', () => {
  const checkpoint = { pass: 1 } as never
  const result = {
    counts: NOTHING,
    isClean: true,
    isStopped: false,
    passes: 1,
    bad: [],
    checkpoint,
  }
  expect(endedAs(result)).toStrictEqual({ end: 'closed', checkpoint })
  expect(endedAs({ ...result, isClean: false })).toStrictEqual({ end: 'left', checkpoint })
  expect(endedAs({ ...result, isStopped: true })).toBeNull()
  expect(endedAs({ ...result, checkpoint: null })).toBeNull()
})
