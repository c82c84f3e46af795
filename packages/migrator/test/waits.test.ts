import { afterEach, expect, it, vi } from 'vitest'
import { Waits } from '../src/waits.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

it.each([1730.34, 65301.885, 65380.429])(
  'waits for as long as it is told, where the clock says %d: sums of fractions are not exact',
  (now) => {
    vi.spyOn(performance, 'now').mockReturnValue(now)
    expect(new Waits().left('change', 600)).toBe(600)
  },
)
