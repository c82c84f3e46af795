import { describe, expect, test } from 'vitest'
import { Uses } from '../../src/keys/reading/uses.ts'
import type { KeyStore, Via } from '../../src/keys/types.ts'

// When blocks are reserved, and by whom. What they are counted in is the test of stores.

const turn = (): Promise<void> => new Promise((done) => setImmediate(done))
const via: Via = { client: {}, transaction: { kind: 'itx', id: 'one' } }

/** A store that says yes when it is let, and notes what was asked: count, and whether in a transaction. */
function counted(options: { isSingleWriter?: boolean; isHeld?: boolean } = {}) {
  const { isSingleWriter = false, isHeld = false } = options
  const asked: (number | string)[] = []
  const waiting: (() => void)[] = []
  const reserve = async (keyId: number, count: number, _: number, inside?: Via) => {
    asked.push(inside === undefined ? count : `${count} inside`)
    if (isHeld) await new Promise<void>((go) => waiting.push(go))
    return true
  }
  const store = { reserve, isSingleWriter } as unknown as KeyStore
  return {
    uses: new Uses('default', store),
    asked,
    go: () => waiting.splice(0).forEach((f) => f()),
  }
}

describe('a block of uses', () => {
  test('is reserved in the background past half of the one before, once', async () => {
    const { uses, asked } = counted()
    await uses.reserve(1, 1)
    expect(uses.take(1, 511)).toBe(true)
    await turn()
    expect(asked).toEqual([1024])
    expect(uses.take(1, 1)).toBe(true)
    expect(uses.take(1, 1)).toBe(true)
    await turn()
    expect(asked).toEqual([1024, 4096])
    expect(uses.take(1, 500 + 4096)).toBe(true)
  })

  test('of another key does not add to what is left', async () => {
    const { uses, asked } = counted()
    await uses.reserve(1, 1)
    await uses.reserve(2, 1)
    expect(asked).toEqual([1024, 1024])
    expect([uses.take(1, 1), uses.take(2, 1024), uses.take(2, 1023)]).toEqual([false, false, true])
  })

  test('of the same key adds to what is left', async () => {
    const { uses, asked } = counted()
    await uses.reserve(1, 1)
    await uses.reserve(1, 2000)
    expect(asked).toEqual([1024, 4096])
    expect([uses.take(1, 1023 + 4096 - 2000 + 1), uses.take(1, 1023 + 4096 - 2000)]).toEqual([false, true]) // prettier-ignore
  })

  test('on its way is waited for by whoever needs no more, and asked again by whoever does', async () => {
    const { uses, asked, go } = counted({ isHeld: true })
    const ends = [uses.reserve(1, 10), uses.reserve(1, 10), uses.reserve(1, 5000)]
    await turn()
    expect(asked).toEqual([1024])
    go()
    await turn()
    expect(asked).toEqual([1024, 5000])
    go()
    await Promise.all(ends)
    expect(asked).toEqual([1024, 5000, 16_384]) // of which little is left
  })

  test('is not reserved beside a transaction that would hold that up', async () => {
    const { uses, asked } = counted({ isSingleWriter: true })
    await uses.reserve(1, 1)
    expect(uses.take(1, 1000, via)).toBe(true)
    await turn()
    expect(asked).toEqual([1024])
    expect(uses.take(1, 1)).toBe(true)
    await turn()
    expect(asked).toEqual([1024, 4096])
  })

  test('is reserved beside a transaction elsewhere', async () => {
    const { uses, asked } = counted()
    await uses.reserve(1, 10, via)
    expect(asked).toEqual([1024])
    expect(uses.take(1, 1000, via)).toBe(true)
    await turn()
    expect(asked).toEqual([1024, 4096])
  })

  test('holds once more what was reserved in transactions, which may have been rolled back', async () => {
    const { uses, asked } = counted({ isSingleWriter: true })
    await uses.reserve(1, 5, via)
    await uses.reserve(1, 7, via)
    await uses.reserve(1, 1)
    await uses.reserve(1, 1024)
    expect(asked).toEqual(['5 inside', '7 inside', 1024 + 12, 4096])
    expect(uses.take(1, 1024 + 4096 - 1025 + 1)).toBe(false)
  })
})
