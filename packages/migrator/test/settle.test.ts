import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunDirectionOptions } from '../src/index.ts'
import { RunStore } from '../src/runs/store.ts'
import { freeze } from './freeze.ts'
import { clinic, closeWorlds, drain, PROVIDERS, world, type World } from './world.ts'

afterAll(closeWorlds)

const ONLY = { models: ['Staff'], batchRows: 1, minBatchRows: 1 } as const
const STAFF = { model: 'Staff', kind: 'write' } as const

/** Ahead of a run's end by what its parts are. */
const ENDS = /^UPDATE rowseal_runs [^]*IN \('finishing'\)$/

const of = (index: number): RunDirectionOptions => ({ ...ONLY, shard: { index, of: 2 } })

/** Is told to stop once a batch is written. */
async function stopped(w: World, options: RunDirectionOptions): Promise<void> {
  const stop = new AbortController()
  const onEvent = (): void => stop.abort()
  expect(
    await drain(w.config, {
      ...options,
      signal: stop.signal,
      onEvent: ({ type }) => type === 'batch' && onEvent(),
    }),
  ).toMatchObject({ outcome: 'stopped' })
}

describe.each(PROVIDERS)('the end of a run on %s', (provider) => {
  let w: World
  let store: RunStore
  beforeAll(async () => {
    w = await world(provider, clinic(provider))
    const data = Array.from({ length: 8 }, (_, id) => ({ id, name: 'n', pin: `pin ${id}` }))
    await w.sealed.staff.createMany({ data })
    store = new RunStore(w.plain, provider)
  })

  const keyIds = async (): Promise<number[]> => {
    const rows = await w.plain.staff.findMany()
    return [...new Set<number>(rows.map(({ pin }: any) => parseInt(pin.slice(4, 12), 16)))]
  }

  it('does not come while a part is open that had ended, whoever saw it then', async () => {
    await w.rotate()
    expect(await drain(w.config, of(1))).toMatchObject({ outcome: 'done' })
    const wake = await freeze(w, (config) => drain(config, of(2)), ENDS)
    await w.rotate()
    await stopped(w, of(1))
    await wake()
    expect((await store.find(STAFF))!.state).toBe('finishing')
    expect((await keyIds()).length).toBeGreaterThan(1)

    expect(await drain(w.config, of(1))).toMatchObject({ outcome: 'incomplete' })
    expect(await store.find(STAFF)).toMatchObject({
      state: 'failed',
      reason: 'the keys became others after some parts were done',
    })
    for (const index of [1, 2]) await drain(w.config, of(index))
    expect((await store.find(STAFF))!.state).toBe('succeeded')
    expect(await keyIds()).toEqual([w.keyring.activeKeyId])
  })

  it('is for good: none of its parts is opened again', async () => {
    await w.rotate()
    await stopped(w, ONLY)
    const begun = (await store.find(STAFF))!
    await drain(w.config, ONLY)
    const ended = await store.parts.list(begun)
    expect(ended).toMatchObject([{ progress: 'closed', owner: null }])

    const late = store.parts.claim(begun, 0, 'late', 'drain 1 2 3 4')
    await expect(late).rejects.toMatchObject({ code: 'ERR_RUN_STATE', retryable: true })
    expect(await store.parts.list(begun)).toEqual(ended)
    expect((await store.find(STAFF))!.state).toBe('succeeded')
  })
  it('is not told as done of a part that has left something, whoever comes for it again', async () => {
    const { pin } = await w.plain.staff.findUnique({ where: { id: 1 } })
    const spoilt = { pin: `${pin.slice(0, -4)}${pin.endsWith('AAAA') ? 'BBBB' : 'AAAA'}` }
    await w.plain.staff.update({ where: { id: 1 }, data: spoilt })
    await w.rotate()
    const left = { outcome: 'incomplete', quarantined: 1 }
    expect(await drain(w.config, of(1))).toMatchObject({ ...left, rows: 3 })
    expect(await drain(w.config, of(1))).toMatchObject({ ...left, rows: 0 })
    expect(await drain(w.config, of(2))).toMatchObject({ rows: 4, quarantined: 0 })
    expect((await store.find(STAFF))!.state).toBe('failed')
  })
})
