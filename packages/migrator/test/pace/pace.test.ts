import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SqlClient } from '@rowseal/prisma-extension/sql'
import { openPace, type Pace, type PaceContext, type Wait } from '../../src/pace/pace.ts'
import type { PaceOptions } from '../../src/pace/options.ts'
import { ManualClock } from './manual-clock.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rowseal-pace-'))
})
afterEach(() => rmSync(join(folder, 'flag'), { force: true }))
afterAll(() => rmSync(folder, { recursive: true }))

interface Opened {
  readonly pace: Pace
  readonly clock: ManualClock
  readonly waits: (Wait | null)[]
}

async function opened(options: PaceOptions, context: Partial<PaceContext> = {}): Promise<Opened> {
  const clock = new ManualClock()
  const waits: (Wait | null)[] = []
  // Nothing here asks a database.
  const base = { client: {} as SqlClient, provider: 'sqlite' as const, clock }
  const onWait = (wait: Wait | null): void => void waits.push(wait)
  return { pace: await openPace({ ...base, onWait, ...context }, options), clock, waits }
}

/** Until a promise is settled that real I/O is behind, however long that takes. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(() => true)
  const turns = (async () => {
    for (let i = 0; i < 200; i++) await turn()
    return false
  })()
  return Promise.race([settled, turns])
}

const until = async (isTrue: () => boolean): Promise<void> => {
  while (!isTrue()) await turn()
}

describe('a pace', () => {
  it('lets batches through at once that nothing holds back', async () => {
    const { pace, waits } = await opened({})
    for (let i = 0; i < 2; i++) {
      expect(await pace.ready()).toBe(true)
      const rows = pace.batchRows
      pace.spent({ rows, bytes: 10_000 })
      pace.committed({ rows, ms: 10 })
    }
    expect(pace.batchRows).toBe(400)
    expect(waits).toEqual([])
  })

  it('keeps to a cap on rows over a run whose pages are read ahead', async () => {
    const { pace, clock, waits } = await opened({ maxRowsPerSecond: 200, batchRows: 5_000 })
    let rows = 0
    const state = { hasEnded: false }
    const run = (async () => {
      while (rows < 10_000) {
        expect(await pace.ready()).toBe(true)
        const page = pace.batchRows
        expect(rows).toBeLessThanOrEqual((200 * clock.now()) / 1_000)
        rows += page
        pace.spent({ rows: page, bytes: 0 })
        pace.committed({ rows: page, ms: 1 })
      }
      state.hasEnded = true
    })()
    while (!state.hasEnded) await clock.advance(1_000)
    await run
    expect(clock.now()).toBeLessThanOrEqual(51_000)
    expect(pace.batchRows).toBe(200)
    expect(waits[0]).toEqual({ kind: 'rate', reason: 'rate cap of 200 rows per second', ms: 500 })
    expect(waits.filter((wait) => wait !== null)).not.toEqual([])
    expect(waits.at(-1)).toBeNull()
  })

  it('keeps to a cap on bytes, and asks for pages of no more than a second of it', async () => {
    const { pace, clock } = await opened({ maxBytesPerSecond: 1_000 })
    expect(pace.batchBytes).toBe(1_000)
    pace.spent({ rows: 1, bytes: 16_000_000 })
    const ready = pace.ready()
    await clock.advance(15_999_000)
    expect(await settled(ready)).toBe(false)
    await clock.advance(1_000)
    expect(await ready).toBe(true)
  })

  it('keeps to a cap on KMS calls, by what rows have cost', async () => {
    let calls = 7
    const { pace, clock } = await opened(
      { maxKmsCallsPerSecond: 100, batchRows: 5_000 },
      { kmsCalls: () => calls },
    )
    expect(pace.batchRows).toBe(50)
    calls += 300
    pace.spent({ rows: 50, bytes: 0 })
    expect(pace.batchRows).toBe(25)
    const ready = pace.ready()
    await clock.advance(2_999)
    expect(await settled(ready)).toBe(false)
    await clock.advance(1)
    expect(await ready).toBe(true)
    for (let i = 0; i < 10; i++) pace.spent({ rows: 500, bytes: 0 })
    expect(pace.batchRows).toBe(100)
  })

  it('tells the wait of the cap that is furthest away', async () => {
    const { pace } = await opened({ maxRowsPerSecond: 1_000, maxBytesPerSecond: 1_000 })
    const stop = new AbortController()
    pace.spent({ rows: 2_000, bytes: 5_000 })
    const ready = pace.ready(stop.signal)
    await turn()
    expect(pace.waiting).toMatchObject({ reason: 'rate cap of 1000 bytes per second', ms: 5_000 })
    stop.abort()
    expect(await ready).toBe(false)
    expect(pace.waiting).toBeNull()
  })

  it('stops when it is told to, before a wait and within one', async () => {
    const { pace } = await opened({ maxRowsPerSecond: 1 })
    pace.spent({ rows: 1_000, bytes: 0 })
    expect(await pace.ready(AbortSignal.abort())).toBe(false)
    const stop = new AbortController()
    const ready = pace.ready(stop.signal)
    expect(await settled(ready)).toBe(false)
    stop.abort()
    expect(await ready).toBe(false)
  })

  it('pauses while a file is there, and says so once', async () => {
    const throttle = { flag: join(folder, 'flag'), everyMs: 3_000 }
    const { pace, clock, waits } = await opened({ throttle })
    expect(await pace.ready()).toBe(true)
    writeFileSync(join(folder, 'flag'), '')
    expect(await pace.ready()).toBe(true) // looked at just now
    await clock.advance(3_000)
    const ready = pace.ready()
    for (let i = 0; i < 3; i++) {
      await until(() => clock.next === 3_000)
      await clock.advance(3_000)
    }
    const reason = `the file ${join(folder, 'flag')} exists`
    expect(waits).toEqual([{ kind: 'health', reason, ms: 3_000 }])
    await until(() => clock.next === 3_000)
    rmSync(join(folder, 'flag'))
    await clock.advance(3_000)
    expect(await ready).toBe(true)
    expect(waits.at(-1)).toBeNull()
  })

  it('looks again at another table', async () => {
    const { pace } = await opened({ throttle: { flag: join(folder, 'flag') } })
    expect(await pace.ready()).toBe(true)
    writeFileSync(join(folder, 'flag'), '')
    pace.committed({ rows: 100, ms: 1 })
    pace.enter('"Patient"')
    expect(pace.batchRows).toBe(100)
    const stop = new AbortController()
    const ready = pace.ready(stop.signal)
    await until(() => pace.waiting !== null)
    stop.abort()
    expect(await ready).toBe(false)
  })

  it('takes up a change at once, also while it waits', async () => {
    const { pace, clock } = await opened({ maxRowsPerSecond: 1 })
    pace.spent({ rows: 1_000, bytes: 0 })
    const ready = pace.ready()
    await clock.advance(1_000)
    pace.change({ maxRowsPerSecond: 9_990 })
    expect(await settled(ready)).toBe(false)
    await clock.advance(100)
    expect(await ready).toBe(true)

    pace.change({ throttle: { flag: join(folder, 'flag') } })
    writeFileSync(join(folder, 'flag'), '')
    const next = pace.ready()
    await until(() => pace.waiting !== null)
    pace.change({ batchRows: 3 })
    expect(await next).toBe(true)
    expect(pace.batchRows).toBe(3)
    expect(() => pace.change({ batchRows: -3 })).toThrow(TypeError)
  })

  it('keeps what it has learnt when the change is none', async () => {
    const { pace, clock } = await opened({ maxRowsPerSecond: 10 })
    pace.spent({ rows: 100, bytes: 0 })
    const ready = pace.ready()
    await turn()
    pace.change({ maxRowsPerSecond: 10, throttle: {} })
    await clock.advance(9_999)
    expect(await settled(ready)).toBe(false)
    await clock.advance(1)
    expect(await ready).toBe(true)
  })

  it('backs off after conflicts: smaller, longer each time, never equally long', async () => {
    let random = 0
    const { pace, clock } = await opened({ minBatchRows: 1 }, { random: () => random })
    const pauses: number[] = []
    for (random of [0, 1, 0.5, 0, 0, 0, 0, 0.999]) {
      const before = clock.now()
      const again = pace.conflicted()
      while (clock.next !== null) await clock.advance(1)
      expect(await again).toBe(true)
      pauses.push(clock.now() - before)
    }
    expect(pauses).toEqual([50, 200, 300, 400, 800, 1_600, 2_500, 4_998])
    expect([pace.conflicts, pace.batchRows]).toEqual([8, 1])
    pace.committed({ rows: 1, ms: 1 })
    expect(pace.conflicts).toBe(0)
    expect(await pace.conflicted(AbortSignal.abort())).toBe(false)
  })
})

describe('a pace that cannot be had', () => {
  it.each(['maxReplicationLagMs', 'maxActiveSessions', 'maxTransactionMs', 'vacuum'])(
    'is refused on SQLite: throttle.%s',
    async (name) => {
      const throttle = { [name]: name === 'vacuum' ? true : 1_000 }
      await expect(opened({ throttle })).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
        message: expect.stringContaining(`throttle.${name} cannot be checked: SQLite`),
      })
    },
  )

  it.each(['maxReplicationLagMs', 'vacuum'])('is refused on MySQL: throttle.%s', async (name) => {
    const throttle = { [name]: name === 'vacuum' ? true : 1_000 }
    await expect(opened({ throttle }, { provider: 'mysql' })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
  })

  it('is refused for a flag in a folder that is not there, and pauses a run that is', async () => {
    const flag = join(folder, 'gone', 'flag')
    const problem = `The health check throttle.flag (--throttle-flag) failed: ${join(folder, 'gone')} cannot be looked at (ENOENT).`
    await expect(opened({ throttle: { flag } })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringContaining(problem),
    })
    const { pace } = await opened({})
    pace.change({ throttle: { flag } })
    const stop = new AbortController()
    const ready = pace.ready(stop.signal)
    await until(() => pace.waiting !== null)
    expect(pace.waiting!.reason).toContain(problem)
    stop.abort()
    await ready
  })
})
