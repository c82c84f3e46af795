import { describe, expect, test } from 'vitest'
import { checkRunOptions, integer } from '../../src/engine/options.ts'

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
  })
})
