import { describe, expect, it } from 'vitest'
import { ReencryptionQueue, type ReencryptionOptions } from '../../src/client/reencryption.ts'
import type { PendingRecord, RecordSwapper, Swapped } from '../../src/client/reseal.ts'
import { Keyring } from '../../src/keys/index.ts'
import { definePlan } from '../../src/plan/index.ts'
import { compile, type ModelPlan, type StaleRecord } from '../../src/query/index.ts'

const plan = definePlan({
  format: 2,
  digest: '0'.repeat(64),
  provider: 'postgresql',
  models: Object.fromEntries(['A', 'B'].map((name) => [name, modelOf(name)])),
})

function modelOf(name: string): any {
  const sealed = (field: string): object => ({
    type: 'String',
    list: false,
    nullable: true,
    id: `${name}.${field}`,
    keyring: 'default',
    plaintext: 'refuse',
    seal: 'on',
    pad: 0,
    bind: [],
  })
  return {
    table: name,
    key: ['id'],
    columns: {
      id: { type: 'Int', column: 'id' },
      x: { type: 'String', column: 'x' },
      y: { type: 'String', column: 'y' },
    },
    relations: {},
    uniques: {},
    indexes: {},
    constraints: {},
    bound: {},
    sealed: { x: sealed('x'), y: sealed('y') },
  }
}

// Only its name is asked for: nothing is sealed or opened here.
const keyring = Object.assign(Object.create(Keyring.prototype), { name: 'default' }) as Keyring
const models = compile(plan, [keyring])
const [A, B] = [models.get('A')!, models.get('B')!]

const stale = (
  id: unknown,
  values: Record<string, string> = { x: 'x1' },
  model = A,
): StaleRecord => ({
  model,
  key: [id],
  fields: Object.entries(values).map(([name, stored]) => ({
    field: model.sealed.get(name)!,
    stored,
    bound: [],
  })),
})

interface Batch {
  readonly model: ModelPlan
  readonly records: readonly PendingRecord[]
  end(result?: Partial<Swapped>): void
  fail(error: unknown): void
}

/** A queue whose batches the test ends itself. */
function queueOf(options: ReencryptionOptions = {}): {
  queue: ReencryptionQueue
  batches: Batch[]
  turn: () => Promise<void>
} {
  const batches: Batch[] = []
  const swap: RecordSwapper = (model, records) =>
    new Promise((resolve, reject) =>
      batches.push({
        model,
        records,
        end: (result) =>
          resolve({ done: records.length, superseded: 0, failed: 0, error: null, ...result }),
        fail: reject,
      }),
    )
  // Twice: what a batch's end schedules is in the second.
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 2; i++) await new Promise((done) => setImmediate(done))
  }
  return { queue: new ReencryptionQueue('postgresql', swap, options), batches, turn }
}

const values = ({ records }: Batch): unknown[] =>
  records.map(({ key, stored }) => [
    key[0],
    Object.fromEntries([...stored].map(([f, v]) => [f.name, v.stored])),
  ])

describe('the queue of stale records', () => {
  it('starts after the read that met them, and takes several reads together', async () => {
    const { queue, batches, turn } = queueOf()
    queue.add([stale(1)])
    queue.add([stale(2), stale(3, {}, B)])
    expect(batches).toHaveLength(0)
    expect(queue.stats().queued).toBe(3)
    await turn()
    expect(batches.map(({ model, records }) => [model.name, records.length])).toEqual([
      ['A', 2],
      ['B', 1],
    ])
    batches.forEach((batch) => batch.end())
    expect(await queue.flush()).toBe(true)
    expect(queue.stats()).toEqual({
      queued: 0,
      done: 3,
      superseded: 0,
      dropped: 0,
      failed: 0,
      lastError: null,
    })
  })

  it('holds a record once, with the fields of all reads and the newest bytes', async () => {
    const { queue, batches, turn } = queueOf({ maxQueued: 1 })
    queue.add([stale(1, { x: 'old' })])
    queue.add([stale(1, { y: 'y1' }), stale(1, { x: 'newer' })])
    expect(queue.stats()).toMatchObject({ queued: 1, dropped: 0 })
    await turn()
    expect(values(batches[0]!)).toEqual([['1', { x: 'newer', y: 'y1' }]])
  })

  it('keeps apart a record in hand and the same one met again', async () => {
    const { queue, batches, turn } = queueOf()
    queue.add([stale(1, { x: 'old' })])
    await turn()
    queue.add([stale(1, { x: 'newer' })])
    expect(values(batches[0]!)).toEqual([['1', { x: 'old' }]])
    batches[0]!.end()
    await turn()
    expect(values(batches[1]!)).toEqual([['1', { x: 'newer' }]])
  })

  it('bounds the records and the batches in hand', async () => {
    const { queue, batches, turn } = queueOf({ concurrency: 2, batchRows: 10, maxQueued: 35 })
    queue.add(Array.from({ length: 40 }, (_, i) => stale(i)))
    expect(queue.stats()).toMatchObject({ queued: 35, dropped: 5 })
    await turn()
    expect(batches).toHaveLength(2)
    batches[0]!.end()
    await turn()
    expect(batches).toHaveLength(3)
    for (let i = 1; i < 4; i++) {
      batches[i]!.end()
      await turn()
    }
    expect(batches.map(({ records }) => records.length)).toEqual([10, 10, 10, 5])
    expect(queue.stats()).toMatchObject({ queued: 0, done: 35, dropped: 5 })
  })

  it('bounds the bytes that wait, and those of one batch', async () => {
    const MiB = 1024 * 1024
    const { queue, batches, turn } = queueOf({ concurrency: 1, maxQueuedBytes: 10 * MiB })
    const value = 'v'.repeat(MiB)
    queue.add(Array.from({ length: 12 }, (_, i) => stale(i, { x: value })))
    queue.add([stale(0, { x: value })])
    expect(queue.stats()).toMatchObject({ queued: 10, dropped: 2 })
    for (let i = 0; i < 3; i++) {
      await turn()
      batches[i]!.end()
    }
    await turn()
    expect(batches.map(({ records }) => records.length)).toEqual([4, 4, 2])
    queue.add([stale(0, { x: 'v'.repeat(20 * MiB) }), stale(1)])
    expect(queue.stats()).toMatchObject({ queued: 1, dropped: 3 })
    await turn()
    batches[3]!.end()
    await turn()
    queue.add([stale(2)])
    expect(queue.stats()).toMatchObject({ queued: 1, dropped: 3 })
  })

  it.each([
    ['an error of Prisma', Object.assign(new Error('secret'), { code: 'P2010' }), 'P2010'],
    ['an error of another kind', new RangeError('secret'), 'RangeError'],
    ['nothing at all', undefined, 'Error'],
    ['null', null, 'Error'],
  ])('goes on after %s, and tells its code only', async (_name, error, lastError) => {
    const { queue, batches, turn } = queueOf({ concurrency: 1, batchRows: 2 })
    queue.add([stale(1), stale(2), stale(3)])
    await turn()
    batches[0]!.fail(error)
    await turn()
    batches[1]!.end({ done: 0, superseded: 1 })
    expect(await queue.flush()).toBe(true)
    expect(queue.stats()).toEqual({
      queued: 0,
      done: 0,
      superseded: 1,
      dropped: 0,
      failed: 2,
      lastError,
    })
  })

  it('never fails the read that adds, whatever the key is', async () => {
    const { queue, batches, turn } = queueOf()
    queue.add([stale(null), stale({}), stale(Symbol('key')), stale(1)])
    await turn()
    batches[0]!.end()
    expect(await queue.flush()).toBe(true)
    expect(queue.stats()).toMatchObject({ done: 1, failed: 3, lastError: 'TypeError' })
  })

  it('flush waits for what is in hand, and no longer than it was told', async () => {
    const { queue, batches, turn } = queueOf()
    expect(await queue.flush(0)).toBe(true)
    queue.add([stale(1)])
    expect(await queue.flush(1)).toBe(false)
    await turn()
    const flushed = [queue.flush(), queue.flush(Infinity)]
    batches[0]!.end()
    expect(await Promise.all(flushed)).toEqual([true, true])
  })

  it('gives the event loop a turn between batches', async () => {
    const { queue, batches, turn } = queueOf({ concurrency: 1, batchRows: 1 })
    queue.add([stale(1), stale(2)])
    await turn()
    const order: string[] = []
    batches[0]!.end()
    void Promise.resolve().then(() => order.push(`microtask ${batches.length}`))
    setImmediate(() => order.push(`turn ${batches.length}`))
    await turn()
    expect(order).toEqual(['microtask 1', 'turn 1'])
    expect(batches).toHaveLength(2)
  })

  it.each(['concurrency', 'maxQueued', 'maxQueuedBytes', 'batchRows'])(
    'refuses a %s that is no positive integer',
    (name) => {
      for (const value of [0, -1, 1.5, NaN, Infinity, '5' as never]) {
        expect(() => queueOf({ [name]: value })).toThrow(TypeError)
      }
    },
  )
})
