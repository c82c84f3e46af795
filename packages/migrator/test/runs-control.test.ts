import { afterEach, describe, expect, it } from 'vitest'
import {
  cancelRuns,
  listRuns,
  pauseRuns,
  resumeRuns,
  retryQuarantine,
  status,
  type RunEvent,
} from '../src/index.ts'
import { RunStore } from '../src/runs/store.ts'
import { TRANSITIONS, type RunState } from '../src/runs/states.ts'
import * as library from '../src/index.ts'
import { Command, type Ended } from './command.ts'
import { addPatients, clinic, closeWorlds, drain, PROVIDERS, readAll, world } from './world.ts'
import type { Provider, World } from './world.ts'

afterEach(closeWorlds)

const ONLY = { models: ['Patient'], batchRows: 10 } as const

async function staleWorld(provider: Provider, patients = 60): Promise<World> {
  const w = await world(provider, clinic(provider))
  await addPatients(w, patients)
  await w.rotate()
  return w
}

const stateOf = async (w: World): Promise<RunState> => (await listRuns(w.config))[0]!.state

describe.each(PROVIDERS)('an operator on %s', (provider) => {
  it('pauses a run within one batch, sees why, and lets it go on', async () => {
    const w = await staleWorld(provider)
    const values = await readAll(w)
    const other = await w.another()
    const events: RunEvent['type'][] = []
    let pausing: Promise<unknown> = Promise.resolve()
    let batchesAfter = 0
    let isPaused = false
    let seen: unknown[] = []
    const report = await drain(w.config, {
      ...ONLY,
      onEvent: (event) => {
        events.push(event.type)
        if (event.type === 'batch' && isPaused) batchesAfter++
        if (event.type === 'batch' && events.filter((type) => type === 'batch').length === 1)
          pausing = pauseRuns(other, ['Patient'], 'lunch').then(() => (isPaused = true))
        if (event.type === 'pause')
          pausing = pausing.then(async () => {
            seen = [event.reason, await stateOf(w), batchesAfter]
            await resumeRuns(other)
            isPaused = false
          })
      },
    })
    await pausing
    expect(seen).toEqual(['lunch', 'paused', expect.toSatisfy((batches) => batches <= 1)])
    expect(events.filter((type) => type === 'pause' || type === 'resume')).toEqual([
      'pause',
      'resume',
    ])
    expect(report).toMatchObject({ outcome: 'done', rows: 60 })
    expect(await stateOf(w)).toBe('succeeded')
    expect(await readAll(w)).toEqual(values)
  })

  it('cancels a run; what was written stays, and the next begins anew', async () => {
    const w = await staleWorld(provider, 300)
    const values = await readAll(w)
    const other = await w.another()
    let cancelling = null as Promise<unknown> | null
    const report = await drain(w.config, {
      ...ONLY,
      batchRows: 5,
      onEvent: (event) => {
        if (event.type === 'batch') cancelling ??= cancelRuns(other, ['Patient'])
      },
    })
    await cancelling
    expect(report.outcome).toBe('cancelled')
    expect(report.rows).toBeGreaterThan(0)
    expect(report.rows).toBeLessThan(300)
    expect(await listRuns(w.config)).toMatchObject([
      { state: 'cancelled', reason: 'by an operator', workers: [] },
    ])
    await expect(cancelRuns(other, ['Patient'])).rejects.toMatchObject({ code: 'ERR_RUN_STATE' })
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 300 - report.rows })
    expect(await readAll(w)).toEqual(values)
  })

  it('cancels by its model a run that has failed, which would be gone on with', async () => {
    const w = await staleWorld(provider, 20)
    const stop = new AbortController()
    await drain(w.config, {
      ...{ ...ONLY, batchRows: 5, signal: stop.signal },
      onEvent: ({ type }) => {
        if (type === 'batch') stop.abort()
      },
    })
    await w.run(`UPDATE rowseal_runs SET state = 'failed', reason = 'ERR_DATABASE_FAILED'`)
    expect(await cancelRuns(w.config)).toEqual([])
    await expect(cancelRuns(w.config, ['Staff'])).rejects.toMatchObject({ code: 'ERR_RUN_STATE' })
    expect(await cancelRuns(w.config, ['Patient'])).toMatchObject([
      { state: 'cancelled', reason: 'by an operator', isChanged: true, goOn: [] },
    ])
    await expect(cancelRuns(w.config, ['Patient'])).rejects.toMatchObject({ code: 'ERR_RUN_STATE' })
    expect(await retryQuarantine(w.config)).toMatchObject({ outcome: 'done' })
  })

  it('takes a cap back that a run was started with, and is told so', async () => {
    const w = await staleWorld(provider)
    const command = new Command(w)
    let said = null as Promise<Ended> | null
    let isOff = false
    let waitsAfter = 0
    const report = await drain(w.config, {
      ...ONLY,
      ...{ batchRows: 6, maxRowsPerSecond: 6 },
      onEvent: (event) => {
        if (event.type === 'batch')
          said ??= command
            .run('runs', 'pace', 'Patient', '--max-rows-per-second', 'off')
            .finally(() => (isOff = true))
        if (event.type === 'throttle' && event.wait !== null && isOff) waitsAfter++
      },
    })
    expect(await said).toMatchObject({
      code: 0,
      stderr: 'Patient: drain goes on with maxRowsPerSecond off, whatever it was started with.\n',
    })
    expect((await command.run('runs', 'pace')).code).toBe(2)
    command.remove()
    expect(report).toMatchObject({ outcome: 'done', rows: 60 })
    expect(waitsAfter).toBeLessThanOrEqual(1)
  })

  it('keeps a paused run from others, and from being begun anew by mistake', async () => {
    const w = await staleWorld(provider, 20)
    const stop = new AbortController()
    const stopped = await drain(w.config, {
      ...ONLY,
      batchRows: 5,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'batch') stop.abort()
      },
    })
    expect(stopped.outcome).toBe('stopped')
    await pauseRuns(w.config)
    const shard = { index: 1, of: 2 }
    await expect(drain(w.config, { ...ONLY, shard })).rejects.toMatchObject({
      code: 'ERR_RUN_STATE',
      fix: expect.stringContaining('rowseal runs resume Patient'),
    })
    const signal = AbortSignal.timeout(1_000)
    expect(await drain(w.config, { ...ONLY, signal })).toMatchObject({
      outcome: 'stopped',
      rows: 0,
    })
    await resumeRuns(w.config)
    expect(await drain(w.config, ONLY)).toMatchObject({ outcome: 'done', rows: 20 - stopped.rows })
  })

  it('is told that the schema has changed since a run was begun, and begins it anew', async () => {
    const w = await staleWorld(provider, 100)
    const stop = new AbortController()
    await drain(w.config, {
      ...ONLY,
      batchRows: 5,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'batch') stop.abort()
      },
    })
    await w.run(`UPDATE rowseal_runs SET plan = 'another'`)
    await expect(drain(w.config, ONLY)).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_PLAN',
      fix: expect.stringContaining('--restart'),
    })
    expect(await drain(w.config, { ...ONLY, restart: true })).toMatchObject({ outcome: 'done' })
    expect((await status(w.config)).stale).toBe(0)
  })

  it('sees a run wait for the fence before its last pass', async () => {
    const w = await staleWorld(provider, 20)
    const stop = new AbortController()
    const waits: number[] = []
    const report = await library.drain(w.config, {
      ...ONLY,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type !== 'wait') return
        waits.push(event.ms)
        stop.abort()
      },
    })
    expect(report).toMatchObject({ outcome: 'stopped', rows: 20, drained: [] })
    // As long as an instance may go by what it read before the rotation, and a transaction of its may take.
    expect(waits).toHaveLength(1)
    expect(waits[0]).toBeGreaterThan(5_000)
    expect(await stateOf(w)).toBe('finishing')
    expect(await drain(w.config, ONLY)).toMatchObject({ outcome: 'done', rows: 0 })
    expect(await stateOf(w)).toBe('succeeded')
  })

  it('shares a table among shards, each of which does its own rows', async () => {
    const w = await staleWorld(provider, 61)
    const values = await readAll(w)
    const shards = [1, 2, 3].map((index) => ({ index, of: 3 }))
    const [first, ...others] = shards
    const done = [await drain(w.config, { ...ONLY, shard: first! })]
    expect(done[0]).toMatchObject({ outcome: 'done', drained: [] })
    expect(await stateOf(w)).toBe('running')
    await expect(drain(w.config, { ...ONLY, shard: { index: 4, of: 3 } })).rejects.toThrow(
      TypeError,
    )
    const counted: number[] = []
    for (const shard of others)
      done.push(
        await drain(w.config, {
          ...{ ...ONLY, shard },
          onEvent: (event) => {
            if (event.type === 'model') counted.push(event.rows)
          },
        }),
      )
    expect(counted).toEqual([21, 19])
    expect(done.map(({ rows }) => rows)).toEqual([21, 21, 19])
    expect(await stateOf(w)).toBe('succeeded')
    expect((await status(w.config)).stale).toBe(0)
    expect(await readAll(w)).toEqual(values)
  })

  it('begins a shard once more only if there is something else to look for', async () => {
    const w = await staleWorld(provider, 20)
    const shard = { index: 1, of: 2 }
    expect(await drain(w.config, { ...ONLY, shard })).toMatchObject({ rows: 10 })
    expect(await drain(w.config, { ...ONLY, shard })).toMatchObject({ rows: 0, outcome: 'done' })
    await w.rotate()
    expect(await drain(w.config, { ...ONLY, shard })).toMatchObject({ rows: 10 })
  })

  it('says of a shard that has ended what was left in it', async () => {
    const w = await staleWorld(provider, 20)
    await w.run(
      `UPDATE "table" SET "select" = concat(substr("select", 1, 120), 'AAAA', substr("select", 125)) WHERE "order" = 'n''0'`,
    )
    const shard = { index: 1, of: 2 }
    for (const passes of [2, 0])
      expect(await drain(w.config, { ...ONLY, shard })).toMatchObject({
        ...{ outcome: 'incomplete', quarantined: 1 },
        models: [{ passes }],
      })
  })

  it('does not say of one shard that nothing is stale', async () => {
    const w = await staleWorld(provider, 20)
    const command = new Command(w)
    const args = ['drain', '--now', '--model', 'Patient', '--shard']
    const first = await command.run(...args, '1/2')
    const last = await command.run(...args, '2/2')
    command.remove()
    expect([first.code, last.code]).toEqual([0, 0])
    expect(first.stderr).toContain('This share is done, others are not.')
    expect(first.stderr).not.toContain('is stale.')
    expect(last.stderr).toContain('Nothing of these models is stale.')
  })
})

describe.each(PROVIDERS)('the states of a run on %s', (provider) => {
  it('change by the arrows of the table, and by no other', async () => {
    const w = await staleWorld(provider, 1)
    const store = new RunStore(w.config.client, provider)
    const spec = { model: 'Patient', kind: 'write', direction: 'drain', layout: 'whole' } as const
    const whole = [{ after: null, until: null }]
    const run = await store.begin({ ...spec, plan: 'x' }, () => Promise.resolve(whole))
    const states = Object.keys(TRANSITIONS) as RunState[]
    for (const from of states)
      for (const to of states) {
        await w.run(`UPDATE rowseal_runs SET state = '${from}'`)
        const isArrow = TRANSITIONS[from][to] !== undefined
        expect([from, to, await store.move(run, to, null)]).toEqual([from, to, isArrow])
        expect(await stateOf(w)).toBe(isArrow ? to : from)
      }
  })
})
