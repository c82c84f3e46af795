import { afterEach, describe, expect, it } from 'vitest'
import { init, reindex, rotateIndex, status, verify } from '../src/index.ts'
import { accounts } from './accounts.ts'
import {
  activeIndexKey,
  addMembers,
  MEMBERS,
  membersWithoutIndex,
  storedIndexes,
} from './indexed.ts'
import { closeWorlds, PROVIDERS, world, type World } from './world.ts'

afterEach(closeWorlds)

const set = (w: World, id: number, data: object): Promise<unknown> =>
  w.plain.member.update({ where: { id }, data })

const quarantine = (w: World): Promise<any[]> =>
  w.query('SELECT field, record_key, code FROM rowseal_quarantine ORDER BY field, record_key')

describe.each(PROVIDERS)('status and verify of blind indexes on %s', (provider) => {
  it('tell how far an index is: not registered, not complete, complete, rotating', async () => {
    const w = await membersWithoutIndex(provider, 30)
    const email = async (): Promise<any> => (await status(w.config)).indexes[0]
    const filled = 27 // of 30 members
    const nothing = { versions: [], missing: filled, left: 0, malformed: 0 }
    expect(await email()).toEqual({
      model: 'Member',
      index: 'Member.emailIndex',
      field: 'email',
      keyring: 'default',
      isUnique: false,
      isRegistered: false,
      isComplete: false,
      phase: null,
      columns: [{ column: 'emailIndex', ...nothing }],
      missing: filled,
      pending: filled,
      quarantined: 0,
    })
    await init(w.config)
    expect(await email()).toMatchObject({ isRegistered: true, isComplete: false, pending: filled })

    await reindex(w.config)
    const first = activeIndexKey(w)
    expect(await email()).toMatchObject({
      isComplete: true,
      missing: 0,
      pending: 0,
      columns: [{ versions: [{ keyId: first, version: 1, count: filled }], missing: 0 }],
    })
    await rotateIndex(w.config, { now: true })
    await addMembers(w, 2, 100)
    const second = activeIndexKey(w)
    expect(await email()).toMatchObject({
      pending: filled,
      columns: [
        {
          versions: [
            { keyId: first, version: 1, count: filled },
            { keyId: second, version: 2, count: 2 },
          ],
        },
      ],
    })
    const keys = (await status(w.config)).keys.filter(({ keyring }) => keyring === 'default/index')
    expect(keys).toMatchObject([
      { keyId: first, state: 'suspended', values: filled + 26 },
      { keyId: second, state: 'active', values: 2 + 2 },
    ])
  })

  it('tell the slots of a unique index', async () => {
    const w = await accounts(provider, 9)
    await rotateIndex(w.config, { now: true })
    const controller = new AbortController()
    await reindex(w.config, {
      now: true,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'phase') controller.abort()
      },
    })
    const { indexes } = await status(w.config)
    expect(indexes[0]).toMatchObject({ phase: 'both-1', missing: 0, pending: 9 })
    expect(indexes[0]!.columns.map(({ column, missing }) => [column, missing])).toEqual([
      ['loginIndex', 0],
      ['loginOther', 9],
    ])
    // Nobody looks in the second slot yet.
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', badIndexes: 0 })
    await reindex(w.config, { now: true })
    expect((await status(w.config)).indexes[0]).toMatchObject({ phase: 'slot-2', pending: 0 })
    expect(await verify(w.config)).toMatchObject({
      outcome: 'done',
      indexes: [{ index: 'Account.loginIndex', right: 9 }, { index: 'Account.codeIndex' }],
    })
    await w.plain.account.update({ where: { id: 1 }, data: { loginOther: null } })
    expect(await verify(w.config)).toMatchObject({ outcome: 'incomplete', badIndexes: 1 })
  })

  it('count and find what is wrong, missing, left over or no value at all', async () => {
    const w = await world(provider, MEMBERS)
    await addMembers(w, 20)
    await reindex(w.config)
    const rows = await storedIndexes(w)
    await set(w, 1, { emailIndex: rows[2].emailIndex })
    await set(w, 3, { emailIndex: null })
    await set(w, 9, { emailIndex: rows[2].emailIndex })
    await set(w, 4, { emailIndex: 'nonsense' })
    await set(w, 5, { emailIndex: rows[5].emailIndex.replace('ri1.0', 'ri1.f') })
    const broken = (await w.plain.member.findUnique({ where: { id: 6 } })).email
    await set(w, 6, { email: broken.slice(0, 120) + 'AAAA' + broken.slice(124) })

    expect((await status(w.config)).indexes[0]).toMatchObject({
      missing: 1,
      pending: 4,
      columns: [{ missing: 1, left: 1, malformed: 1 }],
    })
    const report = await verify(w.config, { batchRows: 7 })
    expect(report).toMatchObject({ outcome: 'incomplete', bad: 1, badIndexes: 5 })
    expect(report.indexes[0]).toEqual({
      model: 'Member',
      index: 'Member.emailIndex',
      right: 18 - 5,
      bad: expect.arrayContaining([
        { code: 'ERR_INDEX_MISMATCH', count: 3 },
        { code: 'ERR_INDEX_MISSING', count: 1 },
        { code: 'ERR_INDEX_LEFT', count: 1 },
      ]),
    })
    expect(await quarantine(w)).toEqual([
      { field: 'email', record_key: '["6"]', code: 'ERR_ENVELOPE_AUTH' },
      { field: 'emailIndex', record_key: '["1"]', code: 'ERR_INDEX_MISMATCH' },
      { field: 'emailIndex', record_key: '["3"]', code: 'ERR_INDEX_MISSING' },
      { field: 'emailIndex', record_key: '["4"]', code: 'ERR_INDEX_MISMATCH' },
      { field: 'emailIndex', record_key: '["5"]', code: 'ERR_INDEX_MISMATCH' },
      { field: 'emailIndex', record_key: '["9"]', code: 'ERR_INDEX_LEFT' },
    ])
    expect((await status(w.config)).indexes[0]).toMatchObject({ quarantined: 5 })

    await set(w, 6, { email: broken })
    expect(await reindex(w.config, { checkValues: true })).toMatchObject({ rows: 5 })
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', badIndexes: 0 })
    expect(await quarantine(w)).toEqual([])
  })
})
