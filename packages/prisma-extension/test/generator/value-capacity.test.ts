import { describe, expect, it } from 'vitest'
import { sizeOfBytes, sizeOfText } from '../../src/envelope/index.ts'
import { valueCapacity } from '../../src/generator/checks/value-capacity.ts'

const SIZE_OF = { text: sizeOfText, binary: sizeOfBytes }

describe('valueCapacity', () => {
  it('is 43 bytes for a String that MySQL stores as VARCHAR(191)', () => {
    expect(valueCapacity('text', 191, 0)).toBe(43)
  })

  it.each(['text', 'binary'] as const)('is the most that fits, in %s columns', (storage) => {
    for (const pad of [0, 2, 7, 16, 100, 256]) {
      for (let capacity = 0; capacity <= 1200; capacity++) {
        const value = valueCapacity(storage, capacity, pad)
        if (value >= 0) expect(SIZE_OF[storage](value, pad)).toBeLessThanOrEqual(capacity)
        expect(SIZE_OF[storage](Math.max(0, value + 1), pad)).toBeGreaterThan(capacity)
      }
    }
  })
})
