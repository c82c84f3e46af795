import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { GuardedRoot, type GuardLimits } from '../../src/keys/root/guarded-root.ts'
import type { RootKey } from '../../src/keys/types.ts'
import { DENIAL, OUTAGE, troubledRoot } from './roots.ts'
import { delegating, newRoot, testClock } from './support.ts'

const context = { keyring: 'default', keyId: 1, use: 'kek' } as const
const UNAVAILABLE = { code: 'ERR_KEY_UNAVAILABLE', retryable: true }

function setUp(limits: Partial<GuardLimits> = {}) {
  const root = troubledRoot()
  const clock = testClock()
  const all = { timeoutMs: 60_000, maxOutages: 3, pauseMs: 1000, concurrency: 2, ...limits }
  const guarded = GuardedRoot.around(root, all, clock)
  const fail = async (times: number, trouble: Error = OUTAGE): Promise<void> => {
    root.trouble = trouble
    for (let i = 0; i < times; i++) await guarded.create(context).catch(() => undefined)
    root.trouble = null
  }
  return { root, clock, guarded, fail }
}

describe('a guarded root key', () => {
  test('does what the root key does', async () => {
    const { guarded, root } = setUp()
    const { key, wrapped, rootKeyId } = await guarded.create(context)
    expect(await guarded.unwrap(wrapped, rootKeyId, context)).toEqual(key)
    const again = await guarded.rewrap(wrapped, rootKeyId, context)
    expect(await root.unwrap(again.wrapped, again.rootKeyId, context)).toEqual(key)
    expect(await guarded.describe()).toEqual(await root.describe())
    expect([await guarded.regions(), guarded.regionOf(rootKeyId)]).toEqual([[], null])
    expect([guarded.provider, guarded.rotate]).toEqual(['local', undefined])
    expect(guarded.stats()).toEqual({ calls: 4, failures: 0, breaker: 'closed', lastError: null })
  })

  test('can be rotated if the root key can', async () => {
    const root = newRoot()
    const can: RootKey = { ...delegating(root), rotate: () => root.describe() }
    const limits = { timeoutMs: 1000, maxOutages: 3, pauseMs: 1000, concurrency: 2 }
    const guarded = GuardedRoot.around(can, limits, testClock())
    expect(await guarded.rotate!('now')).toEqual(await root.describe())
  })

  test('is not guarded twice', () => {
    const { guarded } = setUp()
    const limits = { timeoutMs: 1, maxOutages: 1, pauseMs: 1, concurrency: 1 }
    expect(GuardedRoot.around(guarded, limits, testClock())).toBe(guarded)
  })

  test('shows its numbers, and nothing of the root key', () => {
    const { guarded } = setUp()
    expect(JSON.parse(JSON.stringify(guarded))).toEqual({ provider: 'local', ...guarded.stats() })
    expect(inspect(guarded, { depth: 9, showHidden: true })).toMatch(/^RootKey \{[^{]*\}$/)
  })
})

describe('its circuit', () => {
  test('opens after so many outages in a row, and then fails at once without a call', async () => {
    const { guarded, root, clock, fail } = setUp()
    await fail(3)
    expect(guarded.stats()).toEqual({
      calls: 3,
      failures: 3,
      breaker: 'open',
      lastError: 'ERR_KEY_UNAVAILABLE',
    })
    clock.pass(999)
    const error: unknown = await guarded.create(context).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject(UNAVAILABLE)
    const [since, until] = [clock.wall() - 999, clock.wall() + 1].map((at) =>
      new Date(at).toISOString(),
    )
    expect((error as Error).message).toContain(
      `3 times in a row, and has not been called since ${since}`,
    )
    expect((error as Error).message).toContain(`called again after ${until}`)
    expect((error as Error).cause).toMatchObject({ ...UNAVAILABLE, cause: OUTAGE })
    expect(root.calls.kek).toBe(3)
  })

  test('is tried by one call after the pause, for which others wait, and closes with its answer', async () => {
    const { guarded, root, clock, fail } = setUp()
    await fail(3)
    clock.pass(1000)
    let release = (): void => undefined
    root.hold = new Promise<void>((done) => (release = done))
    root.reset()
    const calls = Array.from({ length: 10 }, () => guarded.create(context))
    await turn()
    expect([root.calls.kek, guarded.stats().breaker]).toEqual([1, 'half-open'])
    root.hold = null
    release()
    expect(await Promise.all(calls)).toHaveLength(10)
    expect(guarded.stats()).toMatchObject({ breaker: 'closed', lastError: null })
  })

  test('opens again for another pause if that one fails', async () => {
    const { guarded, root, clock, fail } = setUp()
    await fail(3)
    clock.pass(1000)
    await fail(1)
    root.reset()
    clock.pass(999)
    await expect(guarded.create(context)).rejects.toMatchObject(UNAVAILABLE)
    expect(root.calls.kek).toBe(0)
    clock.pass(1)
    expect(await guarded.create(context)).toBeDefined()
  })

  test('stays closed under denials, which are answers', async () => {
    const { guarded, fail } = setUp()
    await fail(2)
    await fail(1, DENIAL)
    await fail(2)
    expect(guarded.stats()).toMatchObject({ calls: 5, failures: 5, breaker: 'closed' })
    await fail(10, DENIAL)
    expect(guarded.stats()).toMatchObject({
      breaker: 'closed',
      lastError: 'ERR_ROOT_KEY_DISABLED',
    })
    await expect(guarded.create(context)).resolves.toBeDefined()
  })

  test('closes with a denial too', async () => {
    const { guarded, root, clock, fail } = setUp()
    await fail(3)
    clock.pass(1000)
    root.trouble = DENIAL
    await expect(guarded.create(context)).rejects.toBe(DENIAL)
    expect(guarded.stats().breaker).toBe('closed')
  })

  test('is tried again although the wall clock was put back', async () => {
    const { guarded, clock, fail } = setUp()
    await fail(3)
    clock.now.wall -= 3_600_000
    clock.now.monotonic += 1000
    expect(await guarded.create(context)).toBeDefined()
  })
})

describe('a call that hangs', () => {
  test('is an outage after the time-out, and what comes late is zeroed', async () => {
    const { guarded, root } = setUp({ timeoutMs: 20 })
    const late: Buffer[] = []
    const create = root.create.bind(root)
    root.create = async (given) => {
      const made = await create(given)
      late.push(made.key)
      return made
    }
    let release = (): void => undefined
    root.hold = new Promise<void>((done) => (release = done))
    await expect(guarded.create(context)).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining('gave no answer within 20 ms'),
    })
    release()
    for (let i = 0; i < 5; i++) await turn()
    expect(late).toHaveLength(1)
    expect(late[0]!.every((byte) => byte === 0)).toBe(true)
  })
})

describe('calls by the record', () => {
  test('run so many at a time', async () => {
    const { guarded, root } = setUp()
    const batch = { failure: null }
    const calls = Array.from({ length: 20 }, () =>
      guarded.limited(batch, () => guarded.create({ ...context, use: 'dek' })),
    )
    await Promise.all(calls)
    expect([root.calls.dek, root.most]).toEqual([20, 2])
  })

  test('end with the first that fails: no more go out', async () => {
    const { guarded, root } = setUp()
    root.trouble = DENIAL
    const batch = { failure: null }
    const calls = Array.from({ length: 20 }, () =>
      guarded.limited(batch, () => guarded.create({ ...context, use: 'dek' })),
    )
    const settled = await Promise.allSettled(calls)
    expect(settled.map((one) => (one as PromiseRejectedResult).reason as unknown)).toEqual(
      Array.from({ length: 20 }, () => DENIAL),
    )
    expect(root.calls.dek).toBe(2)
  })
})
