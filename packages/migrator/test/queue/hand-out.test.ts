import type { Keyring } from '@rowseal/prisma-extension'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  cancelRuns,
  listRuns,
  paceRuns,
  pauseRuns,
  resumeRuns,
  type RunEvent,
  type WorkOptions,
} from '../../src/index.ts'
import { addPatients, clinic, closeWorlds, readAll, world, type World } from '../world.ts'
import { Crew } from './crew.ts'
import { BACKENDS, startQueue, type QueueServer } from './servers.ts'

const ROWS = 300
const PARTS = 8 + 1 // Staff has one, without rows.

describe.each(BACKENDS)('a queue on %s', (backend) => {
  let server: QueueServer
  let w: World
  let crew: Crew
  let values: unknown[]

  beforeAll(async () => {
    server = await startQueue(backend)
    // With a fence that a test can wait for.
    const keyring = { maxAgeMs: 1_000, refreshMs: 100 }
    w = await world('postgresql', clinic('postgresql'), { keyring })
    await addPatients(w, ROWS)
    values = await readAll(w)
    crew = new Crew(w, server)
  })
  afterAll(async () => {
    await closeWorlds()
    await server.stop()
  })

  beforeEach(() => w.rotate())
  afterEach(async () => {
    await crew.dismiss()
    await cancelRuns(w.config)
    expect(await readAll(w)).toEqual(values)
  })

  /** Rows of patients that are under another key than the active one. */
  const staleRows = async (): Promise<number> => {
    const { keyring } = await w.another()
    const active = (keyring as Keyring).activeKeyId!.toString(16).padStart(8, '0')
    const sql = `SELECT count(*)::int AS n FROM "table" WHERE "select" NOT LIKE 'rs1.${active}.%'`
    const rows = await w.query<{ n: number }>(sql)
    return rows[0]?.n ?? NaN
  }

  it('hands a table out to workers, and reports as if it had been worked on here', async () => {
    await crew.hire()
    await crew.hire({ concurrency: 2, maxRowsPerSecond: 100_000 })
    const events: RunEvent[] = []
    const report = await crew.drain({ onEvent: (event) => events.push(event) })
    expect(report).toMatchObject({
      ...{ direction: 'drain', outcome: 'done', isHandedOut: true },
      ...{ rows: ROWS, superseded: 0, quarantined: 0 },
      drained: [{ keyring: 'default', keyId: 1 }],
    })
    expect(report.models.map(({ model, rows }) => [model, rows])).toEqual([
      ['Patient', ROWS],
      ['Staff', 0],
    ])
    const reports = await crew.dismiss()
    expect(reports.reduce((sum, { rows }) => sum + rows, 0)).toBe(ROWS)
    expect(reports.reduce((sum, { parts }) => sum + parts, 0)).toBe(PARTS)
    expect(await listRuns(w.config)).toMatchObject([
      { state: 'succeeded', parts: { count: 8, done: 8, layout: 'queue' }, rows: ROWS },
      { state: 'succeeded', parts: { count: 1, done: 1, layout: 'queue' } },
    ])
    const batches = events.filter((event) => event.type === 'batch')
    expect(batches.reduce((sum, { rows }) => sum + rows, 0)).toBe(ROWS)
    expect(events[0]).toMatchObject({ type: 'model', model: 'Patient', rows: ROWS })
    expect(await staleRows()).toBe(0)
    expect(await server.content()).not.toContain('.write.')
  })

  it('gives a part that waits until every instance follows to the queue, which hands it out later', async () => {
    const { events } = await crew.hire({ now: false, maxTransactionMs: 2_000 })
    const report = await crew.drain()
    expect(report).toMatchObject({ outcome: 'done', rows: ROWS })
    const outcomes = events.flatMap((event) => (event.type === 'part' ? [event.outcome] : []))
    expect(outcomes[0]).toBe('waits')
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(PARTS)
  })

  it('goes on when all that was in it is lost', async () => {
    let flushing = null as Promise<void> | null
    await crew.hire({
      maxRowsPerSecond: 400,
      onEvent: (event) => {
        if (event.type === 'part' && event.model === 'Patient') flushing ??= server.flush()
      },
    })
    expect(await crew.drain()).toMatchObject({ outcome: 'done', rows: ROWS })
    expect(flushing).not.toBeNull()
  })

  it('gives the part of a worker that is stopped to another', async () => {
    const first = await crew.hire({ batchRows: 5, minBatchRows: 5, maxRowsPerSecond: 100 })
    const drained = crew.drain()
    while ((await staleRows()) === ROWS) await new Promise((done) => setTimeout(done, 20))
    first.stop()
    expect((await first.ended).outcome).toBe('stopped')
    expect(await listRuns(w.config)).toMatchObject([{ workers: [] }, {}])
    await crew.hire()
    expect(await drained).toMatchObject({ outcome: 'done', rows: ROWS })
  })

  if (backend !== BACKENDS[0]) return
  // What follows is the same whatever keeps the tasks.

  it('puts names and numbers into it, and says when nobody takes them', async () => {
    const stop = new AbortController()
    let content = ''
    const report = await crew.drain({
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type !== 'queue') return
        expect(event.problem).toBe('no worker')
        void server.content().then((text) => {
          content = text
          stop.abort()
        })
      },
    })
    expect(report.outcome).toBe('stopped')
    expect(content.match(/Patient\.write\.\d+\.\d+\.0/g)?.length).toBeGreaterThanOrEqual(8)
    for (const secret of [w.rootKey.toString('base64'), 'example.org', 'rs1.', "n'"])
      expect(content).not.toContain(secret)
  }, 30_000)

  it('has all workers pause, go at another pace and go on, from another terminal', async () => {
    const changes: Promise<unknown>[] = []
    let isHeld = false
    const first = once(async () => {
      await pauseRuns(w.config, undefined, 'lunch')
      await paceRuns(w.config, undefined, { batchRows: 7, minBatchRows: 7 })
      isHeld = true
      const before = await staleRows()
      // Each worker may have a batch in hand; then nothing moves.
      await new Promise((done) => setTimeout(done, 1_500))
      const held = await staleRows()
      expect(before - held).toBeLessThanOrEqual(2 * 20)
      await new Promise((done) => setTimeout(done, 500))
      expect(await staleRows()).toBe(held)
      expect(held).toBeGreaterThan(0)
      isHeld = false
      await resumeRuns(w.config)
    })
    const options: WorkOptions = {
      maxRowsPerSecond: 200,
      onEvent: (event) => {
        if (event.type === 'part' && event.rows > 0) changes.push(first())
      },
    }
    await crew.hire(options)
    await crew.hire(options)
    const events: RunEvent[] = []
    const report = await crew.drain({ onEvent: (event) => events.push(event) })
    await Promise.all(changes)
    expect(isHeld).toBe(false)
    expect(report).toMatchObject({ outcome: 'done', rows: ROWS })
    const seen = events.filter(({ type }) => type === 'pause' || type === 'resume')
    expect(seen).toMatchObject([{ type: 'pause', reason: 'lunch' }, { type: 'resume' }])
  })

  it('is told by an operator to end, and workers drop what is left', async () => {
    let cancelling = null as Promise<unknown> | null
    const { events } = await crew.hire({
      maxRowsPerSecond: 200,
      onEvent: (event) => {
        if (event.type === 'part') cancelling ??= cancelRuns(w.config)
      },
    })
    const report = await crew.drain()
    await cancelling
    expect(report.outcome).toBe('cancelled')
    expect(report.rows).toBeGreaterThan(0)
    expect(report.rows).toBeLessThan(ROWS)
    const parts = events.filter(({ type }) => type === 'part').length
    expect(parts).toBeLessThan(8)
    expect(await staleRows()).toBe(ROWS - report.rows)
  })

  it('goes on with the run of a coordinator that has gone', async () => {
    const stop = new AbortController()
    await crew.hire({
      maxRowsPerSecond: 200,
      onEvent: (event) => {
        if (event.type === 'part') stop.abort()
      },
    })
    const first = await crew.drain({ signal: stop.signal })
    expect(first.outcome).toBe('stopped')
    const [run] = await listRuns(w.config)
    const second = await crew.drain()
    expect(second).toMatchObject({ outcome: 'done', rows: ROWS })
    expect(await listRuns(w.config)).toMatchObject([{ since: run!.since, rows: ROWS }, {}])
  })

  it('begins anew where whoever ended the last part was gone before it could say so', async () => {
    await crew.hire()
    const { clinic: of, number, email } = await w.plain.patient.findFirst()
    const where = `"group" = ${of} AND "order" = '${number.replaceAll("'", "''")}'`
    expect(await crew.drain()).toMatchObject({ outcome: 'done', rows: ROWS })
    await w.run(`UPDATE rowseal_runs SET state = 'finishing'`)
    await w.run(`UPDATE "table" SET "select" = '${email}' WHERE ${where}`)
    expect(await crew.drain()).toMatchObject({ outcome: 'done', rows: 1 })
    expect(await staleRows()).toBe(0)
  })

  it('goes over parts once more that were done before another rotation', async () => {
    let rotating = null as Promise<void> | null
    await crew.hire({
      maxRowsPerSecond: 300,
      onEvent: (event) => {
        if (event.type === 'part' && event.rows > 0) rotating ??= w.rotate()
      },
    })
    const report = await crew.drain()
    await rotating
    expect(report.outcome).toBe('done')
    expect(report.rows).toBeGreaterThan(ROWS)
    expect(await staleRows()).toBe(0)
  })

  it('has workers that lose their connections try again', async () => {
    let cutting = null as Promise<unknown> | null
    const { events } = await crew.hire({
      maxRowsPerSecond: 300,
      onEvent: (event) => {
        if (event.type === 'part')
          cutting ??= w.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
          )
      },
    })
    const drained = crew.drain()
    expect(await drained).toMatchObject({ outcome: 'done', rows: ROWS })
    expect(cutting).not.toBeNull()
    expect(events.filter(({ type }) => type === 'retry').length).toBeLessThan(6)
  })

  it.runIf(backend === 'redis')('is away for a while, and waited for', async () => {
    const told: (string | null)[] = []
    let away = null as Promise<unknown> | null
    const isTold = async (): Promise<void> => {
      while (told.length === 0) await new Promise((done) => setTimeout(done, 50))
    }
    const { events } = await crew.hire({
      maxRowsPerSecond: 300,
      onEvent: (event) => {
        if (event.type === 'part') away ??= server.away!(isTold)
      },
    })
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'queue') told.push(event.problem)
    }
    expect(await crew.drain({ onEvent })).toMatchObject({ outcome: 'done', rows: ROWS })
    await away
    expect(told[0]).toBe('out of reach')
    expect(events).toContainEqual({ type: 'queue', problem: 'out of reach' })
  })

  it('ends a worker that has nothing to do and nothing to wait for', async () => {
    const idle = await crew.hire({ exitWhenIdleMs: 1_000 })
    expect(await crew.drain()).toMatchObject({ outcome: 'done' })
    expect(await idle.ended).toMatchObject({ outcome: 'done', rows: ROWS, parts: PARTS })
  })
})

/** The same promise for all who call it. */
function once(work: () => Promise<void>): () => Promise<void> {
  let working = null as Promise<void> | null
  return () => (working ??= work())
}
