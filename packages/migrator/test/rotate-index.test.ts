import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { compromiseKey, reindex, rotateIndex, suspendKey, type WaitEvent } from '../src/index.ts'
import { again, FOLLOW, instance } from './accounts.ts'
import {
  activeIndexKey,
  addMembers,
  expectedIndexes,
  member,
  MEMBERS,
  storedIndexes,
} from './indexed.ts'
import { closeWorlds, PROVIDERS, world, type Provider, type World } from './world.ts'

afterEach(closeWorlds)

async function members(provider: Provider, count: number): Promise<World> {
  const w = await world(provider, MEMBERS, { keyring: FOLLOW })
  await addMembers(w, count)
  await reindex(w.config)
  return w
}

const states = (w: World): string[] => w.keyring.index.keys().map(({ state }) => state)

describe.each(PROVIDERS)('rotation of index keys on %s', (provider) => {
  it('finds every row all the time, while others write and rows are moved', async () => {
    const w = await members(provider, 120)
    // The one that writes notices changes sooner than the one that looks up.
    const others = [await instance(w), await instance(w, { refreshMs: 100 })]
    const migrator = await w.another()
    const faults: unknown[] = []
    let [isOver, lookups, writes] = [false, 0, 0]
    const look = async (client: any, n: number): Promise<void> => {
      for (let i = n; !isOver && faults.length < 5; i++) {
        await turn() // libsql works synchronously
        const { id, email, phone } = member(i % 120)
        const where = i % 2 === 0 ? { email: email?.trim() } : { phone: phone?.slice(1) }
        if (Object.values(where).includes(undefined)) continue
        const found: any[] = await again(() => client.member.findMany({ where }))
        if (!found.some((row: any) => row.id === id)) faults.push(`${String(i)} is missed`)
        lookups++
      }
    }
    const write = async (client: any, reader: any): Promise<void> => {
      for (let i = 0; !isOver && faults.length < 5; i++) {
        await turn()
        const id = 1000 + (i % 20)
        const email = `w${i}@example.org`
        await again(() =>
          client.member.upsert({ where: { id }, create: { id, email }, update: { email } }),
        )
        const found: any[] = await again(() => reader.member.findMany({ where: { email } }))
        if (found[0]?.id !== id) faults.push(`${email} is missed`)
        writes++
      }
    }
    const guarded = (work: Promise<void>): Promise<void> =>
      work.catch((error: unknown) => void faults.push(error))
    const traffic = [
      guarded(look(others[0], 0)),
      guarded(write(others[1], others[0])),
      guarded(look(w.sealed, 1)),
    ]
    const reports = []
    try {
      for (let n = 0; n < 2; n++) {
        const rotated = await rotateIndex(migrator)
        expect(rotated.outcome).toBe('done')
        reports.push(await reindex(migrator, { batchRows: 10, maxTransactionMs: 1000 }))
      }
    } finally {
      isOver = true
      await Promise.all(traffic)
    }
    expect(faults).toEqual([])
    expect(Math.min(lookups, writes)).toBeGreaterThan(10)
    await w.keyring.index.refresh()
    const [first, second] = w.keyring.index.keys().map(({ keyId }) => keyId)
    expect(reports).toMatchObject([
      { outcome: 'done', retired: [{ keyring: 'default', keyId: first }] },
      { outcome: 'done', retired: [{ keyring: 'default', keyId: second }] },
    ])
    expect(states(w)).toEqual(['deactivated', 'deactivated', 'active'])
    expect(await storedIndexes(w)).toEqual(await expectedIndexes(w, activeIndexKey(w)))
  }, 120_000)

  it('waits until every instance has read the new key, and goes on with it when cut off', async () => {
    const w = await members(provider, 3)
    const controller = new AbortController()
    const waits: WaitEvent[] = []
    const stopped = await rotateIndex(w.config, {
      signal: controller.signal,
      onEvent: (event) => {
        waits.push(event)
        controller.abort()
      },
    })
    const versions = { from: { version: 1 }, to: { version: 2 } }
    expect(stopped).toMatchObject({ keyring: 'default', outcome: 'stopped', ...versions })
    expect(waits).toEqual([{ type: 'wait', ms: FOLLOW.maxAgeMs, reason: expect.any(String) }])
    expect(states(w)).toEqual(['active', 'pre-activation'])
    // Nothing is to be moved yet.
    expect(await reindex(w.config)).toMatchObject({ outcome: 'done', rows: 0, retired: [] })
    expect(await rotateIndex(w.config)).toMatchObject({ outcome: 'done', ...versions })
    expect(states(w)).toEqual(['suspended', 'active'])
  })

  it.each([
    { leave: compromiseKey, state: 'compromised' },
    { leave: suspendKey, state: 'suspended' },
  ])('waits likewise before a key becomes $state', async ({ leave, state }) => {
    const w = await members(provider, 3)
    const keyId = activeIndexKey(w)
    const controller = new AbortController()
    const waits: WaitEvent[] = []
    const stopped = await leave(w.config, keyId, {
      signal: controller.signal,
      onEvent: (event) => {
        waits.push(event)
        controller.abort()
      },
    })
    expect(waits).toEqual([{ type: 'wait', ms: FOLLOW.maxAgeMs, reason: expect.any(String) }])
    expect(stopped).toMatchObject({ outcome: 'stopped', keys: [{ keyId, state: 'active' }] })
    expect(states(w)).toEqual(['active', 'pre-activation'])
    const left = await leave(w.config, keyId)
    expect(left).toMatchObject({ outcome: 'done', keys: [{ keyId, state }, { state: 'active' }] })
    const onEvent = (event: WaitEvent): number => waits.push(event)
    await leave(w.config, activeIndexKey(w), { now: true, onEvent })
    expect(states(w)).toEqual([state, state, 'active'])
    expect(waits).toHaveLength(1)
  })

  it('does not wait when told so', async () => {
    const w = await members(provider, 3)
    const waits: unknown[] = []
    const onEvent = (event: { type: string }): void => {
      if (event.type === 'wait') waits.push(event)
    }
    await rotateIndex(w.config, { now: true, onEvent })
    await reindex(w.config, { now: true, onEvent })
    expect(waits).toEqual([])
    expect(states(w)).toEqual(['deactivated', 'active'])
  })

  it('waits before a closing pass until nobody writes under the former key', async () => {
    const w = await members(provider, 3)
    await rotateIndex(w.config, { now: true })
    const events: string[] = []
    await reindex(w.config, {
      maxTransactionMs: 100,
      onEvent: ({ type }) => void events.push(type),
    })
    expect(events.filter((type) => type !== 'batch')).toEqual(['wait', 'model', 'pass', 'pass'])
    events.length = 0
    // The former key is deactivated: there is nobody left to wait for.
    await reindex(w.config, { onEvent: ({ type }) => void events.push(type) })
    expect(events).toEqual(['model', 'pass'])
  })

  it('keeps a former key that a value still names', async () => {
    const w = await members(provider, 5)
    const { email } = await w.plain.member.findUnique({ where: { id: 2 } })
    await rotateIndex(w.config, { now: true })
    await w.plain.member.update({ where: { id: 2 }, data: { email: email.slice(0, -4) + 'AAAA' } })
    const report = await reindex(w.config, { now: true })
    expect(report).toMatchObject({ outcome: 'incomplete', quarantined: 1, retired: [] })
    // It was complete and still is: the old value is found under the old key.
    expect(report.models[0]!.indexes[0]).toMatchObject({ isComplete: true, isDone: false })
    expect(states(w)).toEqual(['suspended', 'active'])
    await w.plain.member.update({ where: { id: 2 }, data: { email } })
    expect(await w.sealed.member.count({ where: { email: 'member2@example.org' } })).toBe(1)
    expect(await reindex(w.config, { now: true })).toMatchObject({
      retired: [{ keyring: 'default' }],
    })
  })

  it('says which keyring it needs', async () => {
    const w = await members(provider, 1)
    await expect(rotateIndex(w.config, { keyring: 'other' })).rejects.toThrow(/other.*default/)
  })
})
