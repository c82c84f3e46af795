import { indexKeyIdOf } from '@rowseal/prisma-extension/envelope'
import { incompleteIndex } from '@rowseal/prisma-extension/keys'
import { afterEach, describe, expect, it } from 'vitest'
import { init, planReindex, reindex, type ReindexEvent } from '../src/index.ts'
import {
  activeIndexKey,
  addMembers,
  expectedIndexes,
  member,
  MEMBERS,
  membersWithoutIndex,
  stored,
  storedIndexes,
} from './indexed.ts'
import { beforeTransaction } from './intercept.ts'
import { closeWorlds, PROVIDERS, world, type Provider, type World } from './world.ts'

afterEach(closeWorlds)

const ids = async (w: World, where: object): Promise<number[]> =>
  (await w.sealed.member.findMany({ where, orderBy: { id: 'asc' } })).map((row: any) => row.id)

const quarantine = (w: World): Promise<any[]> =>
  w.query('SELECT field, record_key, code FROM rowseal_quarantine ORDER BY field, record_key')

/** Members with indexes that are complete. */
async function indexedMembers(provider: Provider, count: number): Promise<World> {
  const w = await world(provider, MEMBERS)
  await addMembers(w, count)
  await reindex(w.config)
  return w
}

const set = (w: World, id: number, data: object): Promise<unknown> =>
  w.plain.member.update({ where: { id }, data })

describe.each(PROVIDERS)('reindex on %s', (provider) => {
  it('fills an index that was added to a table with rows: refused before, right after', async () => {
    const w = await membersWithoutIndex(provider, 60)
    await set(w, 3, { phone: '+49 (0) 3' }) // plaintext, as the field allows
    await init(w.config)
    await addMembers(w, 5, 100)
    for (const where of [{ email: 'member1@example.org' }, { phone: '491' }])
      await expect(ids(w, where)).rejects.toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED' })

    const events: ReindexEvent[] = []
    const report = await reindex(w.config, {
      batchRows: 20,
      onEvent: (event) => void events.push(event),
    })

    expect(report).toMatchObject({ outcome: 'done', superseded: 0, quarantined: 0, retired: [] })
    const done = { isUnique: false, isComplete: true, phase: null, isDone: true }
    expect(report.models).toMatchObject([
      {
        model: 'Member',
        passes: 2,
        indexes: [
          { index: 'Member.emailIndex', ...done },
          { index: 'Member.phoneIndex', ...done },
        ],
      },
    ])
    expect(events.filter(({ type }) => type !== 'batch').map(({ type }) => type)).toEqual([
      'model',
      'pass',
      'pass',
      'complete',
      'complete',
    ])
    const all = [...Array(60).keys(), ...[0, 1, 2, 3, 4].map((i) => 100 + i)]
    for (const i of all) {
      const { email, phone } = member(i)
      if (email !== null) expect(await ids(w, { email: email.trim().toUpperCase() })).toEqual([i])
      if (phone !== null) expect(await ids(w, { phone: phone.replace(/\D/g, '') })).toEqual([i])
    }
    expect(await storedIndexes(w)).toEqual(await expectedIndexes(w, activeIndexKey(w)))
    expect(await reindex(w.config)).toMatchObject({ outcome: 'done', rows: 0 })
  })

  it('registers what is not, and makes the first index key', async () => {
    const w = await membersWithoutIndex(provider, 5)
    expect(await reindex(w.config)).toMatchObject({ outcome: 'done', rows: 5 })
    expect(w.keyring.index.records().map(({ id, complete }) => [id, complete])).toEqual([
      ['Member.emailIndex', true],
      ['Member.phoneIndex', true],
    ])
    expect(await ids(w, { email: 'member2@example.org' })).toEqual([2])
  })

  it('plans without writing or registering', async () => {
    const w = await membersWithoutIndex(provider, 30)
    const state = { isUnique: false, isComplete: false, phase: null, ahead: [] }
    const planned = (isRegistered: boolean): object => ({
      rows: 30,
      models: [
        {
          model: 'Member',
          rows: 30,
          batches: 2,
          triggers: [],
          indexes: [
            { index: 'Member.emailIndex', isRegistered, ...state },
            { index: 'Member.phoneIndex', isRegistered, ...state },
          ],
        },
      ],
    })
    expect(await planReindex(w.config, { batchRows: 20 })).toEqual(planned(false))
    expect(w.keyring.index.exists).toBe(false)
    await init(w.config)
    expect(await planReindex(w.config, { batchRows: 20 })).toEqual(planned(true))
    expect((await storedIndexes(w)).every((row) => row.emailIndex === null)).toBe(true)
    await reindex(w.config)
    expect(await planReindex(w.config)).toMatchObject({ rows: 0 })
    expect(await planReindex(w.config, { checkValues: true })).toMatchObject({ rows: 30 })
  })

  it('does not undo what others write meanwhile, and leaves no wrong index', async () => {
    const w = await membersWithoutIndex(provider, 200)
    await init(w.config)
    const written = new Map<number, string | null>()
    const write = async (): Promise<void> => {
      const id = (written.size * 37) % 200
      const email = written.size % 5 === 4 ? null : `New${written.size}@example.org`
      written.set(id, email)
      await w.sealed.member.update({ where: { id }, data: { email } })
    }
    const pending: Promise<void>[] = []
    const report = await reindex(w.config, {
      batchRows: 20,
      onEvent: (event) => {
        if (event.type === 'batch') pending.push(write(), write())
      },
    })
    await Promise.all(pending)
    expect(written.size).toBeGreaterThan(20)
    expect(report.outcome).toBe('done')
    expect(await storedIndexes(w)).toEqual(await expectedIndexes(w, activeIndexKey(w)))
    for (const [id, email] of written) {
      const row = await w.sealed.member.findUnique({ where: { id } })
      expect(row.email).toBe(email)
      if (email !== null) expect(await ids(w, { email: email.toLowerCase() })).toEqual([id])
    }
  })

  it.each([
    ['the value', (w: World) => w.sealed.member.update({ where: { id: 2 }, data: { email: 'b' } })],
    ['the index alone', (w: World) => set(w, 2, { emailIndex: 'theirs' })],
    ['NULL', (w: World) => w.sealed.member.update({ where: { id: 2 }, data: { email: null } })],
    ['nothing', (w: World) => w.plain.member.delete({ where: { id: 2 } })],
  ])('lets the other win who writes %s between reading and writing', async (_, theirs) => {
    const w = await membersWithoutIndex(provider, 4)
    await init(w.config)
    // A run is begun, claimed and said to run; the first page has been read when the fourth begins.
    const client = beforeTransaction(w.plain, 4, async () => {
      await theirs(w)
    })
    const seen: any[] = []
    const report = await reindex(
      { ...w.config, client },
      {
        onEvent: (event) => {
          if (event.type === 'pass') seen.push([event.rows, event.superseded])
        },
      },
    )
    expect(seen[0]).toEqual([3, 1])
    expect(report).toMatchObject({ outcome: 'done', superseded: 1 })
    expect(await storedIndexes(w)).toEqual(await expectedIndexes(w, activeIndexKey(w)))
  })

  it('mends what is missing, foreign, cut off or left over; other values when told to compare', async () => {
    const w = await indexedMembers(provider, 10)
    const right = await storedIndexes(w)
    await set(w, 0, { emailIndex: null })
    await set(w, 1, { emailIndex: 'x' })
    await set(w, 2, { emailIndex: right[2].emailIndex.slice(0, 70) })
    await set(w, 3, { emailIndex: right[3].emailIndex.replace('ri1.0', 'ri1.f') })
    await set(w, 4, { emailIndex: right[4].emailIndex.toUpperCase() })
    await set(w, 9, { emailIndex: right[1].emailIndex }) // email is NULL
    expect(await reindex(w.config)).toMatchObject({ outcome: 'done', rows: 6 })
    expect(await storedIndexes(w)).toEqual(right)

    await set(w, 5, { emailIndex: right[1].emailIndex })
    expect(await reindex(w.config)).toMatchObject({ outcome: 'done', rows: 0 })
    expect(await reindex(w.config, { checkValues: true })).toMatchObject({ rows: 1 })
    expect(await storedIndexes(w)).toEqual(right)

    // An index that was not complete is compared without being told.
    await incompleteIndex(w.keyring, 'Member.emailIndex')
    await set(w, 5, { emailIndex: right[1].emailIndex })
    expect(await reindex(w.config)).toMatchObject({ rows: 1 })
    expect(await storedIndexes(w)).toEqual(right)
  })

  it('does not complete an index over a value that does not open, and completes the others', async () => {
    const w = await membersWithoutIndex(provider, 30)
    const { email } = (await stored(w))[3]
    await set(w, 3, { email: `${email.slice(0, 120)}AAAA${email.slice(124)}` })
    await set(w, 4, { email: 'plain' })
    const report = await reindex(w.config, { batchRows: 8 })
    expect(report).toMatchObject({ outcome: 'incomplete', quarantined: 2 })
    expect(report.models[0]!.indexes).toMatchObject([
      { index: 'Member.emailIndex', isComplete: false, isDone: false },
      { index: 'Member.phoneIndex', isComplete: true, isDone: true },
    ])
    expect(await quarantine(w)).toEqual([
      { field: 'email', record_key: '["3"]', code: 'ERR_ENVELOPE_AUTH' },
      { field: 'email', record_key: '["4"]', code: 'ERR_PLAINTEXT_REFUSED' },
    ])
    await expect(ids(w, { email: 'member1@example.org' })).rejects.toMatchObject({
      code: 'ERR_QUERY_UNSUPPORTED',
    })
    expect(await ids(w, { phone: '4901' })).toEqual([1])
    const others = (await storedIndexes(w)).filter(({ id }) => id !== 3 && id !== 4)
    expect(others.filter((row) => row.emailIndex === null).map(({ id }) => id)).toEqual([9, 19, 29])

    await w.sealed.member.updateMany({ where: { id: { in: [3, 4] } }, data: { email: 'well' } })
    expect(await reindex(w.config)).toMatchObject({ outcome: 'done' })
    expect(await ids(w, { email: 'WELL' })).toEqual([3, 4])
  })

  it('stops after the batch in hand when told, and goes on from there', async () => {
    const w = await membersWithoutIndex(provider, 100)
    const controller = new AbortController()
    const first = await reindex(w.config, {
      batchRows: 10,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'batch') controller.abort()
      },
    })
    expect(first.outcome).toBe('stopped')
    expect(first.rows).toBeLessThanOrEqual(30)
    const events: ReindexEvent[] = []
    const second = await reindex(w.config, { onEvent: (event) => void events.push(event) })
    expect(events[0]).toMatchObject({ type: 'model', isResumed: true })
    expect(second.outcome).toBe('done')
    // All rows but those of which nothing is indexed.
    expect(first.rows + second.rows).toBe(100 - 1)
  })

  it('refuses options out of bounds and models that have no index', async () => {
    const w = await membersWithoutIndex(provider, 0)
    await expect(reindex(w.config, { batchRows: 0 })).rejects.toThrow(/batchRows/)
    await expect(reindex(w.config, { maxTransactionMs: -1 })).rejects.toThrow(/maxTransactionMs/)
    await expect(reindex(w.config, { models: ['Nobody'] })).rejects.toThrow(/Nobody.*Member/)
    for (const part of [{ shard: { index: 1, of: 2 } }, { queue: {} }])
      for (const either of [reindex, planReindex])
        await expect(either(w.config, part)).rejects.toThrow(
          /^(shard|queue): .* one pass over the whole table was clean, so reindex takes no \1/,
        )
    expect(w.keyring.index.exists).toBe(false)
  })
})

it('says that the prefix of a value is the key id it is under', async () => {
  const w = await indexedMembers('sqlite', 1)
  expect(indexKeyIdOf((await storedIndexes(w))[0].emailIndex)).toBe(activeIndexKey(w))
})
