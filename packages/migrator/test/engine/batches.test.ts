import { RawJson } from '@rowseal/prisma-extension/sql'
import { describe, expect, test } from 'vitest'
import { countRows, quarantined } from '../../src/engine/commit.ts'
import { Commits } from '../../src/engine/commits.ts'
import { add, NOTHING, subtract } from '../../src/engine/counts.ts'
import { counted, divided, halved, type Slice } from '../../src/engine/divide.ts'
import { worstOf } from '../../src/engine/events.ts'
import { assertNoQueue, checkRunOptions, integer } from '../../src/engine/options.ts'
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

describe('options', () => {
  test('have defaults', () => {
    const checked = checkRunOptions({})
    expect(checked).toMatchObject({ maxPasses: 10, maxTransactionMs: 5_000 })
    expect([0, 2]).toContain(checked.threads)
    expect(checkRunOptions({ threads: 0, maxPasses: 1_000, maxTransactionMs: 0 })).toStrictEqual({
      threads: 0,
      maxPasses: 1_000,
      maxTransactionMs: 0,
    })
    checkRunOptions({ threads: 16, shard: { index: 3, of: 3 }, maxTransactionMs: 3_600_000 })
    checkRunOptions({ shard: { index: 1, of: 1_000 } })
    checkRunOptions({ queue: { partRows: 10_000_000 } })
    checkRunOptions({ queue: {} })
  })

  test.each<[string, object]>([
    ['threads', { threads: 17 }],
    ['threads', { threads: -1 }],
    ['maxPasses', { maxPasses: 0 }],
    ['maxPasses', { maxPasses: 1_001 }],
    ['maxTransactionMs', { maxTransactionMs: 3_600_001 }],
    ['maxTransactionMs', { maxTransactionMs: 1.5 }],
    ['shard', { shard: { index: 0, of: 2 } }],
    ['shard', { shard: { index: 3, of: 2 } }],
    ['shard', { shard: { index: 1, of: 1_001 } }],
    ['queue.partRows', { queue: { partRows: 0 } }],
    ['queue.partRows', { queue: { partRows: 10_000_001 } }],
    ['shard or queue', { queue: {}, shard: { index: 1, of: 2 } }],
    ['now', { queue: {}, now: false }],
    ['maxPasses', { queue: {}, maxPasses: 1 }],
    ['maxTransactionMs', { queue: {}, maxTransactionMs: 1 }],
    ['proof', { queue: {}, proof: true }],
    ['threads', { queue: {}, threads: 1 }],
  ])('refuse a wrong %s by its name', (name, options) => {
    expect(() => checkRunOptions(options)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(name) }),
    )
  })

  test('are whole numbers within their bounds', () => {
    expect([integer('x', 1, 2), integer('x', 2, 2), integer('x', 0, 2, 0)]).toStrictEqual([1, 2, 0])
    for (const value of [0, 3, Number.NaN, '1' as never]) expect(() => integer('x', value, 2)).toThrow('from 1 to 2') // prettier-ignore
    expect(() => assertNoQueue({ queue: {} })).toThrow(TypeError)
    assertNoQueue({})
  })
})

describe('commits', () => {
  const log = () => {
    const said: string[] = []
    const ends: (() => void)[] = []
    const commit = (name: string) => async (): Promise<void> => {
      said.push(`${name} begins`)
      await new Promise<void>((end) => ends.push(end))
      said.push(`${name} ends`)
    }
    const turn = () => new Promise((done) => setImmediate(done))
    return { said, commit, turn, end: () => ends.shift()!() }
  }

  test('go on beside what comes next, one after the other', async () => {
    const { said, commit, turn, end } = log()
    const commits = new Commits(false)
    await commits.add(commit('a'))
    const second = commits.add(commit('b')).then(() => said.push('b taken'))
    await turn()
    expect(said).toStrictEqual(['a begins'])
    end()
    await second
    await turn()
    expect(said).toStrictEqual(['a begins', 'a ends', 'b taken', 'b begins'].sort((x, y) => said.indexOf(x) - said.indexOf(y))) // prettier-ignore
    const finished = commits.finish().then(() => said.push('all'))
    await turn()
    expect(said).not.toContain('all')
    end()
    await finished
    expect(said.slice(-2)).toStrictEqual(['b ends', 'all'])
  })

  test('wait for the page after them where nothing else may go on', async () => {
    const { said, commit, turn, end } = log()
    const commits = new Commits(true)
    await commits.add(commit('a'))
    expect(said).toStrictEqual([])
    const second = commits.add(commit('b'))
    await turn()
    end()
    await second
    expect(said).toStrictEqual(['a begins', 'a ends'])
    const finished = commits.finish()
    await turn()
    end()
    await finished
    await commits.finish()
    expect(said).toStrictEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  test('are abandoned: what is held is not begun, what runs is waited for', async () => {
    const held = new Commits(true)
    const { said, commit, turn, end } = log()
    await held.add(commit('a'))
    await held.abandon()
    await held.finish()
    expect(said).toStrictEqual([])
    const running = new Commits(false)
    await running.add(commit('b'))
    await turn()
    const left = running.abandon().then(() => said.push('left'))
    await turn()
    expect(said).toStrictEqual(['b begins'])
    end()
    await left
    expect(said).toStrictEqual(['b begins', 'b ends', 'left'])
  })

  test('that fail fail the next one, and finish; not abandon', async () => {
    const commits = new Commits(false)
    await commits.add(() => Promise.reject(new Error('mine')))
    await expect(commits.add(() => Promise.resolve())).rejects.toThrow('mine')
    await expect(commits.finish()).rejects.toThrow('mine')
    await commits.abandon()
  })
})
