import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { duration, shown, type Check } from '../../src/pace/checks/check.ts'
import { reasonOf } from '../../src/pace/checks/query.ts'
import { Replicas } from '../../src/pace/checks/replicas.ts'
import { Health } from '../../src/pace/health.ts'
import { ManualClock } from './manual-clock.ts'

const NEVER = new AbortController().signal

/** A check that answers when it is told to. */
class Probe implements Check {
  readonly name = 'throttle.probe'
  readonly timeoutMs = 1_000
  asked = 0
  reason: string | null = null
  signal: AbortSignal = NEVER
  answer: (() => void) | null = null
  error: Error | null = null
  hangs = false

  async run(signal: AbortSignal): Promise<string | null> {
    this.asked++
    this.signal = signal
    if (this.hangs) await new Promise<void>((done) => (this.answer = done))
    if (this.error !== null) throw this.error
    return this.reason
  }
}

function healthOf(...checks: Probe[]): { health: Health; clock: ManualClock } {
  const clock = new ManualClock()
  return { health: new Health({ checks, everyMs: 2_000, provider: 'postgresql', clock }), clock }
}

describe('health checks', () => {
  it('are asked every two seconds, and one that objects is enough', async () => {
    const [first, second] = [new Probe(), new Probe()]
    const { health, clock } = healthOf(first, second)
    expect(await health.look(NEVER)).toBeNull()
    second.reason = 'busy'
    await clock.advance(1_999)
    expect(await health.look(NEVER)).toBeNull()
    expect([first.asked, second.asked]).toEqual([1, 1])
    await clock.advance(1)
    expect(await health.look(NEVER)).toEqual({ reason: 'busy', ms: 2_000 })
    await clock.advance(500)
    expect(await health.look(NEVER)).toEqual({ reason: 'busy', ms: 1_500 })
    first.reason = 'first'
    await clock.advance(1_500)
    expect(await health.look(NEVER)).toMatchObject({ reason: 'first' })
    expect([first.asked, second.asked]).toEqual([3, 2])
  })

  it('that hang pause the run, are given up, and not asked again until they have answered', async () => {
    const probe = new Probe()
    const { health, clock } = healthOf(probe)
    probe.hangs = true
    const looked = health.look(NEVER)
    await clock.advance(1_000)
    const silent = 'The health check throttle.probe has not answered within 1.0 s.'
    expect((await looked)!.reason).toContain(silent)
    expect(probe.signal.aborted).toBe(true)
    await clock.advance(60_000)
    expect((await health.look(NEVER))!.reason).toContain(silent)
    expect(probe.asked).toBe(1)
    probe.answer!()
    probe.hangs = false
    await clock.advance(2_000)
    expect(await health.look(NEVER)).toBeNull()
    expect(probe.asked).toBe(2)
  })

  it('that hang do not keep a run from stopping', async () => {
    const probe = new Probe()
    probe.hangs = true
    const { health } = healthOf(probe)
    const stop = new AbortController()
    const looked = health.look(stop.signal)
    await turn()
    stop.abort()
    await looked
    expect(probe.signal.aborted).toBe(true)
  })

  it('that fail pause a run, and keep one from beginning', async () => {
    const probe = new Probe()
    const { health, clock } = healthOf(probe)
    probe.error = Object.assign(new Error('relation "secret" does not exist'), { code: '42501' })
    await expect(health.assert(NEVER)).rejects.toMatchObject({
      name: 'MigrationError',
      code: 'ERR_DATABASE_FAILED',
      message: expect.stringMatching(
        /^The health check throttle.probe failed: .*denies access \(42501/,
      ),
    })
    const { reason } = (await health.look(NEVER))!
    expect(reason).toMatch(/^The health check throttle.probe failed: /)
    expect(reason).not.toContain('secret')
    probe.error = null
    await clock.advance(2_000)
    expect(await health.look(NEVER)).toBeNull()
  })

  it('that object do not keep a run from beginning', async () => {
    const [first, second] = [new Probe(), new Probe()]
    first.reason = 'busy'
    const { health, clock } = healthOf(first, second)
    await health.assert(NEVER)
    expect(second.asked).toBe(1)
    second.hangs = true
    const asserted = health.assert(NEVER)
    const refused = expect(asserted).rejects.toMatchObject({ code: 'ERR_DATABASE_FAILED' })
    await clock.advance(1_000)
    await refused
  })
})

describe('what a query of one’s own gives', () => {
  it.each([true, 1, 0.1, 10n ** 20n, '1', ' 2.5 ', '1e3'])('pauses: %s', (value) => {
    expect(reasonOf(value)).toMatch(/^throttle\.query \(--throttle-query\) is /)
  })

  it.each([false, 0, -1, -0, 0n, '0', '-3', '0.00', ''])('lets the run go on: %s', (value) => {
    expect(reasonOf(value)).toBeNull()
  })

  it('is shown if it is text', () => {
    expect(reasonOf('backup is running')).toBe('backup is running')
    expect(reasonOf('   ')).toBe('throttle.query (--throttle-query) gave a blank text')
  })

  it.each([[null], [undefined], [NaN], [new Date()], [new Uint8Array(1)], [{}], [[1]]])(
    'is refused: %s',
    (value) => {
      expect(() => reasonOf(value)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }))
    },
  )
})

describe('text from elsewhere', () => {
  it('is shown in one line, without control characters, of 80 characters at most', () => {
    expect(shown('  a\r\n\tb\u001b[31mc\u0000\u202Ed\u2028e\uD800 ')).toBe('a b [31mc d e')
    expect(shown('x'.repeat(80))).toBe('x'.repeat(80))
    expect(shown('😀'.repeat(81))).toBe(`${'😀'.repeat(79)}…`)
  })

  it('has times in the unit that fits', () => {
    expect([0.4, 999, 1_500, 99_900, 120_000, 3_600_000].map(duration)).toEqual([
      '0 ms',
      '999 ms',
      '1.5 s',
      '99.9 s',
      '120 s',
      '60 min',
    ])
  })
})

describe('replicas', () => {
  const a = (replayed: bigint, lagMs: number | null = null) => ({ name: 'a', replayed, lagMs })

  it('are as far behind as they say', () => {
    const replicas = new Replicas()
    expect(replicas.seen([a(5n, 300), { name: 'b', replayed: 7n, lagMs: 700 }], 10n, 0)).toEqual({
      name: 'b',
      lagMs: 700,
    })
  })

  it('are behind by the age of what they lack, though they say nothing any more', () => {
    const replicas = new Replicas()
    expect(replicas.seen([a(10n)], 10n, 0)).toEqual({ name: 'a', lagMs: 0 })
    expect(replicas.seen([a(10n, 5)], 20n, 1_000)).toEqual({ name: 'a', lagMs: 5 })
    expect(replicas.seen([a(10n, 5)], 30n, 4_000)).toEqual({ name: 'a', lagMs: 3_000 })
    expect(replicas.seen([a(20n, 5)], 30n, 9_000)).toEqual({ name: 'a', lagMs: 5_000 })
  })

  it('are not behind once they have all, though they said so last', () => {
    const replicas = new Replicas()
    replicas.seen([a(10n, 9_000)], 20n, 0)
    expect(replicas.seen([a(20n, 9_000)], 20n, 1_000)).toEqual({ name: 'a', lagMs: 0 })
  })

  it('that have gone are further behind than all others', () => {
    const replicas = new Replicas()
    expect(replicas.seen([], 1n, 0)).toBeNull()
    replicas.seen([a(1n), { name: 'b', replayed: 1n, lagMs: null }], 1n, 0)
    expect(replicas.seen([a(1n, 50_000)], 2n, 1)).toEqual({ name: 'b', lagMs: Infinity })
    expect(replicas.seen([], 2n, 2)).toMatchObject({ lagMs: Infinity })
  })

  it('that stand still for days take no more memory, and are as far behind as they are', () => {
    const replicas = new Replicas()
    replicas.seen([a(0n)], 0n, 0)
    let lag = null
    for (let i = 1; i <= 5_000; i++) lag = replicas.seen([a(0n)], BigInt(i), i * 2_000)
    expect(lag).toEqual({ name: 'a', lagMs: 4_999 * 2_000 })
  })
})
