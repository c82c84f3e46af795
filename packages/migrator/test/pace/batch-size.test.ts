import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchSize, FIRST_ROWS } from '../../src/pace/batch-size.ts'

const LIMITS = { targetBatchMs: 500, batchRows: 5_000, minBatchRows: 10 }

/** Sizes of batches whose time is given by their rows, each read when the last one was committed. */
function sizes(
  timeOf: (rows: number) => number,
  count = 60,
  size = new BatchSize(LIMITS),
): number[] {
  return Array.from({ length: count }, () => {
    const { rows } = size
    size.committed(rows, timeOf(rows))
    return rows
  })
}

const late = (list: readonly number[]): number[] => list.slice(-20)

describe('the size of batches', () => {
  it('begins small, whatever the upper bound', () => {
    expect(new BatchSize(LIMITS).rows).toBe(FIRST_ROWS)
    expect(new BatchSize({ ...LIMITS, batchRows: 7, minBatchRows: 7 }).rows).toBe(7)
    expect(new BatchSize({ ...LIMITS, minBatchRows: 300 }).rows).toBe(300)
  })

  it.each([
    ['rows alone', (rows: number) => rows * 0.4],
    ['a fixed part and rows', (rows: number) => 200 + rows],
    ['the square of rows', (rows: number) => rows ** 2 / 1_000],
  ])('settles near the target and stays there, where time is that of %s', (_, timeOf) => {
    const last = late(sizes(timeOf))
    expect(new Set(last).size).toBe(1)
    expect(timeOf(last[0]!)).toBeGreaterThan(500 / 1.2)
    expect(timeOf(last[0]!)).toBeLessThan(500 * 1.2)
  })

  it('never more than doubles or halves at once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 2 }),
        (times) => {
          const size = new BatchSize(LIMITS)
          for (const ms of times) {
            const before = size.rows
            size.committed(before, ms)
            expect(size.rows).toBeLessThanOrEqual(before * 2)
            expect(size.rows).toBeGreaterThanOrEqual(Math.min(before, Math.floor(before / 2)))
            expect(size.rows).toBeGreaterThanOrEqual(LIMITS.minBatchRows)
            expect(size.rows).toBeLessThanOrEqual(LIMITS.batchRows)
          }
        },
      ),
    )
  })

  it('does not swing with times that jump about', () => {
    let seed = 1
    const jump = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
    const last = late(sizes((rows) => rows * (0.7 + 0.6 * jump()), 200))
    expect(Math.max(...last) / Math.min(...last)).toBeLessThan(2)
    expect(last.reduce((a, b) => a + b) / last.length).toBeGreaterThan(300)
    expect(last.reduce((a, b) => a + b) / last.length).toBeLessThan(600)
  })

  it('comes down at once when the database slows down, and up again step by step', () => {
    const size = new BatchSize(LIMITS)
    sizes((rows) => rows * 0.5, 60, size)
    const before = size.rows
    size.committed(before, 5_000)
    size.committed(size.rows, 2_500)
    expect(size.rows).toBe(Math.round(before / 4))
    const after = sizes((rows) => rows * 0.5, 60, size)
    expect(after).toEqual(after.toSorted((a, b) => a - b))
    expect(after.at(-1)! / before).toBeGreaterThan(0.8)
  })

  it('is not cut twice by a batch that was read before the cut', () => {
    const size = new BatchSize(LIMITS)
    sizes(() => 500 / 4, 3, size)
    expect(size.rows).toBe(800)
    size.committed(800, 1_000)
    expect(size.rows).toBe(400)
    size.committed(800, 1_000) // read while the first was committed
    expect(size.rows).toBe(400)
  })

  it('learns nothing from a quick batch of a few rows, but from a slow one', () => {
    const size = new BatchSize(LIMITS)
    size.committed(3, 1)
    expect(size.rows).toBe(FIRST_ROWS)
    size.committed(3, 1_000)
    expect(size.rows).toBe(FIRST_ROWS / 2)
  })

  it('halves after a conflict, and grows slowly for a while', () => {
    const size = new BatchSize(LIMITS)
    size.conflicted()
    const after = [...sizes(() => 1, 21, size), size.rows]
    expect(after.slice(0, 3)).toEqual([50, 55, 61])
    expect(after.at(-1)! / after.at(-2)!).toBeCloseTo(2, 1)
  })

  it('begins small again at another table, and keeps new bounds', () => {
    const size = new BatchSize(LIMITS)
    sizes(() => 1, 10, size)
    expect(size.rows).toBe(5_000)
    size.change({ ...LIMITS, batchRows: 1_000 })
    expect(size.rows).toBe(1_000)
    size.change(LIMITS)
    expect(size.rows).toBe(1_000)
    size.restart()
    expect(size.rows).toBe(FIRST_ROWS)
  })
})
