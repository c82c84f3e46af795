import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '@rowseal/test-support'
import { drain, listRuns, reindex, work } from '../../src/index.ts'
import { bullmqQueue, type BullmqOptions } from '../../src/queue/bullmq.ts'
import type { QueueConnection, QueueTask } from '../../src/queue/queue.ts'
import { closeWorlds, world } from '../world.ts'
import { Crew } from './crew.ts'
import { BACKENDS, startQueue, type QueueServer } from './servers.ts'

const STAFF = `
model Staff {
  id  Int @id
  /// @encrypted
  pin String
}
`

describe.each(BACKENDS)('BullMQ on %s', (backend) => {
  let server: QueueServer
  let queue: QueueConnection
  beforeAll(async () => (server = await startQueue(backend)))
  afterAll(() => server.stop())
  afterEach(() => queue.close())

  const task = (n: number, epoch = 0): QueueTask => ({ id: `t.${n}.${epoch}`, payload: { n } })

  async function taken(count: number, handle: Parameters<QueueConnection['take']>[1]) {
    const stop = new AbortController()
    const ids: string[] = []
    const options = { concurrency: 2, signal: stop.signal, onProblem: () => undefined }
    await queue.take(options, async (one) => {
      ids.push(one.id)
      const again = await handle(one)
      if (ids.length >= count) stop.abort()
      return again
    })
    return ids.sort()
  }

  it('has one task of an id at a time, and nothing of those that are done', async () => {
    queue = await server.queue.connect()
    await queue.add([task(1), task(2)])
    await queue.add([task(1), task(3)])
    expect(await queue.count()).toBe(3)
    expect(await taken(3, async () => null)).toEqual(['t.1.0', 't.2.0', 't.3.0'])
    expect(await queue.count()).toBe(0)
    expect(await server.content()).not.toContain('t.1.0')
    await queue.add([task(1)])
    expect(await taken(1, async () => null)).toEqual(['t.1.0'])
  })

  it('is looked through for tasks whose worker is gone, without a problem', async () => {
    queue = await server.queue.connect()
    await queue.add([task(1)])
    const problems: (string | null)[] = []
    const stop = new AbortController()
    const onProblem = (problem: Error | null): number => problems.push(problem?.message ?? null)
    const options = { concurrency: 1, signal: stop.signal, onProblem }
    await queue.take(options, async () => {
      setTimeout(() => stop.abort(), 500)
      return null
    })
    expect(problems).toEqual([null])
  })

  it('gives a task once more, with its own id or another', async () => {
    queue = await server.queue.connect()
    await queue.add([task(1), task(2)])
    const ids = await taken(4, async ({ id }) => {
      if (id === 't.1.0') return { task: task(1, 1), delayMs: 50 }
      return id === 't.2.0' && again++ === 0 ? { task: task(2), delayMs: 50 } : null
    })
    expect(ids).toEqual(['t.1.0', 't.1.1', 't.2.0', 't.2.0'])
    expect(await queue.count()).toBe(0)
  })
  let again = 0
})

describe('a queue that cannot be reached', () => {
  afterEach(closeWorlds)

  it.each(['redis', 'postgresql'] as const)('is said, and nothing is changed: %s', async (kind) => {
    const w = await world('sqlite', STAFF)
    await w.sealed.staff.create({ data: { id: 1, pin: 'pin' } })
    await w.rotate()
    const before = await w.query('SELECT * FROM "Staff"')
    const url = `${kind}://user:hunter2@127.0.0.1:${await freePort()}/db`
    const queue = bullmqQueue({ [kind]: url } as unknown as BullmqOptions)
    const config = { ...w.config, queue }
    for (const attempt of [() => drain(config, { queue: {} }), () => work(config)]) {
      const error = (await attempt().catch((caught: unknown) => caught)) as Error
      expect(error).toMatchObject({ code: 'ERR_QUEUE_UNAVAILABLE', retryable: true })
      expect(error.message).toContain('ECONNREFUSED')
      expect(`${error.stack} ${JSON.stringify(error)} ${queue.label}`).not.toContain('hunter2')
    }
    expect(await listRuns(w.config)).toEqual([])
    expect(await w.query('SELECT * FROM "Staff"')).toEqual(before)
  })

  it.skipIf(!BACKENDS.includes('postgresql'))('does not let its password out', async () => {
    const url = new URL(process.env['ROWSEAL_TEST_POSTGRES_URL']!)
    url.password = 'hunter2'
    const error: unknown = await bullmqQueue({ postgresql: url.href })
      .connect()
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'ERR_QUEUE_UNAVAILABLE' })
    expect((error as Error).cause).toBeUndefined()
    expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain('hunter2')
    expect(() => bullmqQueue({ redis: 'hunter2 is no URL' })).toThrow(/URL of the queue/)
    expect(() => bullmqQueue({ redis: 'hunter2 is no URL' })).not.toThrow(/hunter2/)
  })
})

describe('what is misused', () => {
  afterEach(closeWorlds)

  it('is refused before anything is done', async () => {
    const w = await world('sqlite', STAFF)
    await expect(drain(w.config, { queue: {} })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      fix: expect.stringContaining('bullmqQueue'),
    })
    await expect(work(w.config)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    await expect(drain({ ...w.config, queue: {} as never }, { queue: {} })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
    const shard = { index: 1, of: 2 }
    for (const options of [{ shard }, { now: true }, { maxPasses: 2 }, { maxTransactionMs: 1 }])
      await expect(drain(w.config, { queue: {}, ...options })).rejects.toThrow(TypeError)
    await expect(reindex(w.config, { queue: {} })).rejects.toThrow(TypeError)
    await expect(drain(w.config, { queue: { partRows: 0 } })).rejects.toThrow(/partRows/)
    await expect(work(w.config, { concurrency: 65 })).rejects.toThrow(/concurrency/)
    expect(await listRuns(w.config)).toEqual([])
  })
})

describe.runIf(BACKENDS.length > 0)('tasks of others', () => {
  let server: QueueServer
  beforeAll(async () => (server = await startQueue(BACKENDS[0]!)))
  afterAll(() => server.stop())
  afterEach(closeWorlds)

  it('of a newer version end the worker and stay; what is none is dropped', async () => {
    const w = await world('sqlite', STAFF)
    const queue = await server.queue.connect()
    await queue.add([
      { id: 'a', payload: 'hello' },
      { id: 'b', payload: { format: 1, model: 'Staff', kind: 'write', run: 7, part: 0, epoch: 0 } },
      { id: 'c', payload: { format: 2, model: 'Staff' } },
    ])
    const worker = await new Crew(w, server).hire()
    await expect(worker.ended).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_NEWER' })
    expect(await queue.count()).toBe(1)
    await server.flush()
    await queue.close()
  })

  it('of a run under another plan end the worker, and another goes on with it', async () => {
    const w = await world('sqlite', STAFF)
    await w.sealed.staff.create({ data: { id: 1, pin: 'pin' } })
    await w.rotate()
    const crew = new Crew(w, server)
    const drained = crew.drain()
    const plan = { ...w.config.plan, digest: 'another' }
    const worker = work({ ...crew.config(await w.another()), plan }, { now: true })
    await expect(worker).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_PLAN' })
    await crew.hire()
    expect(await drained).toMatchObject({ outcome: 'done', rows: 1 })
    await crew.dismiss()
  })
})
