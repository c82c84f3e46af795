import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RateCap } from '../../src/pace/rate-cap.ts'

const step = fc.record({
  amount: fc.integer({ min: 0, max: 10_000 }),
  workMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
})

describe('a rate cap', () => {
  it('lets through at most cap × time + one batch, within any time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.array(step), (perSecond, steps) => {
        const cap = new RateCap(perSecond)
        const spent: { at: number; amount: number }[] = []
        let now = 1_000
        for (const { amount, workMs } of steps) {
          for (let ms = cap.waitMs(now); ms > 0; ms = cap.waitMs(now)) now += ms
          cap.spend(amount, now)
          spent.push({ at: now, amount })
          now += workMs
        }
        spent.forEach((first, from) => {
          let sum = 0
          for (const { at, amount } of spent.slice(from)) {
            expect(sum).toBeLessThanOrEqual(
              (perSecond * (at - first.at)) / 1_000 + 1e-6 * sum + 1e-6,
            )
            sum += amount
          }
        })
      }),
    )
  })

  it('loses nothing of the cap where the work itself takes no time', () => {
    const cap = new RateCap(1_000)
    let now = 0
    for (let i = 0; i < 100; i++) {
      cap.spend(250, now)
      now += cap.waitMs(now)
    }
    expect(now).toBe(25_000)
  })

  it('pays what was spent before at the new rate, and nothing of what was spent without a cap', () => {
    const cap = new RateCap(100)
    cap.spend(1_000, 0)
    expect(cap.waitMs(0)).toBe(10_000)
    cap.change(50, 5_000)
    expect(cap.waitMs(5_000)).toBe(10_000)
    cap.change(null, 6_000)
    expect(cap.waitMs(6_000)).toBe(0)
    cap.spend(1_000_000, 6_000)
    cap.change(1, 6_000)
    expect(cap.waitMs(6_000)).toBe(0)
  })
})
