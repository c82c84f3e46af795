import { describe, expect, test } from 'vitest'
import { checkOptions } from '../../src/keys/options.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { newRoot } from './support.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

const check = (more: object): ReturnType<typeof checkOptions> =>
  checkOptions({ root: newRoot(), store: memoryKeyStore(), ...more })

/** The least and the most that each option takes. */
const NUMBERS: readonly (readonly [name: string, min: number, max: number])[] = [
  ['refreshMs', 100, 3_600_000],
  ['maxAgeMs', 10_000, DAY_MS],
  ['minRevision', 1, Number.MAX_SAFE_INTEGER],
  ['minIndexRevision', 1, Number.MAX_SAFE_INTEGER],
  ['kms.maxRecordsPerDek', 1, 1e6],
  ['kms.concurrency', 1, 10_000],
  ['dekCache.entries', 0, 10_000_000],
  ['dekCache.maxAgeMs', 1, DAY_MS],
  ['dekCache.maxUses', 1, 1e9],
  ['dekCache.maxBytes', 1024, 2 ** 40],
  ['kekCache.entries', 1, 100_000],
  ['kekCache.maxAgeMs', 1, DAY_MS],
  ['kekCache.maxStaleMs', 900_000, 7 * DAY_MS],
  ['rootCalls.timeoutMs', 10, 600_000],
  ['rootCalls.maxOutages', 1, 1000],
  ['rootCalls.pauseMs', 10, 600_000],
]

describe('options of a keyring', () => {
  test.each(NUMBERS)(
    '%s is a whole number from %d to %d, and refused by its name',
    (name, min, max) => {
      const [group, inner] = name.split('.') as [string, string?]
      const given = (value: unknown): object =>
        inner === undefined ? { [group]: value } : { [group]: { [inner]: value } }
      for (const value of [min, max]) expect(() => check(given(value))).not.toThrow()
      for (const value of [min - 1, max + 2, min + 0.5, NaN, Infinity, String(min), null])
        expect(() => check(given(value))).toThrow(`${name} must be a whole number from ${min} to`)
    },
  )

  test('have defaults that follow each other', () => {
    expect(check({})).toMatchObject({
      name: 'default',
      wrapping: 'kek',
      refreshMs: 10_000,
      maxAgeMs: MINUTE_MS,
      minRevision: 1,
      minIndexRevision: 1,
      maxRecordsPerDek: 1,
      dekCache: { entries: 100_000, maxAgeMs: 300_000, maxUses: Infinity, maxBytes: 102_400_000 },
      kekCache: { entries: 1000, maxAgeMs: 900_000, maxStaleMs: 3_600_000 },
      guard: { timeoutMs: 30_000, maxOutages: 5, pauseMs: 10_000, concurrency: 16 },
    })
    expect(check({ refreshMs: 120_000 }).maxAgeMs).toBe(120_000)
    expect(check({ dekCache: { entries: 0 } }).dekCache.maxBytes).toBe(1024)
    expect(check({ kekCache: { maxAgeMs: DAY_MS } }).kekCache.maxStaleMs).toBe(DAY_MS)
  })

  test.each([
    ['root', 'create'],
    ['root', 'unwrap'],
    ['root', 'rewrap'],
    ['root', 'describe'],
    ['root', 'regions'],
    ['root', 'regionOf'],
    ['store', 'init'],
    ['store', 'read'],
    ['store', 'write'],
    ['store', 'reserve'],
    ['clock', 'wall'],
    ['clock', 'monotonic'],
  ])('%s must have %s()', (option, method) => {
    const whole = {
      root: newRoot(),
      store: memoryKeyStore(),
      clock: { wall: Date.now, monotonic: Date.now },
    }
    const lacking = Object.create(whole[option as 'root']) as object
    Object.defineProperty(lacking, method, { value: undefined })
    expect(() => check({ ...whole, [option]: lacking })).toThrow(
      new RegExp(`^${option} must have .*${method}`),
    )
    for (const none of [null, undefined, 'text'])
      if (option !== 'clock' || none !== undefined)
        expect(() => check({ ...whole, [option]: none })).toThrow(`${option} must have`)
  })

  test.each([
    ['name', ''],
    ['name', 'a b'],
    ['name', '-a'],
    ['name', 'x'.repeat(123)],
    ['name', 1],
    ['name', 'default/index'],
    ['wrapping', 'none'],
    ['allowedRegions', []],
    ['allowedRegions', 'eu-central-1'],
    ['allowedRegions', ['']],
    ['allowedRegions', ['eu-central-1', 7]],
    ['allowedRegions', { length: 1 }],
  ])('%s cannot be %j', (option, value) => {
    expect(() => check({ [option]: value })).toThrow(new RegExp(`^${option} must`))
  })

  test('regions bind the root key', async () => {
    expect(check({}).root).not.toHaveProperty('allowedRegions')
    const { root } = check({ allowedRegions: ['eu-central-1'] })
    await expect(root.regions()).rejects.toMatchObject({ code: 'ERR_ROOT_KEY_REGION' })
  })
})
