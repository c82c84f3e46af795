import { expect, test } from 'vitest'
import { nextAfter } from '../../../src/keys/stores/ids.ts'

test('key ids are 32 bits wide, and a store that has none left says so', () => {
  expect([nextAfter(0, 'store'), nextAfter(0xffff_fffe, 'store')]).toEqual([1, 0xffff_ffff])
  expect(() => nextAfter(0xffff_ffff, 'SQL key store')).toThrow(
    expect.objectContaining({
      code: 'ERR_KEY_STATE',
      message: expect.stringContaining('SQL key store'),
      fix: expect.any(String),
    }),
  )
})
