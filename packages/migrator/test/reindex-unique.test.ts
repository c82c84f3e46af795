import { setImmediate as turn } from 'node:timers/promises'
import { incompleteIndex } from '@rowseal/prisma-extension/keys'
import { afterEach, describe, expect, it } from 'vitest'
import { listRuns, planReindex, reindex, rotateIndex, type ReindexEvent } from '../src/index.ts'
import {
  again,
  account,
  ACCOUNTS,
  accounts,
  BADGES,
  columns,
  expectedColumns,
  FOLLOW,
  instance,
} from './accounts.ts'
import { closeWorlds, PROVIDERS, world, type World } from './world.ts'

afterEach(closeWorlds)

const quarantine = (w: World): Promise<any[]> =>
  w.query('SELECT field, record_key, code FROM rowseal_quarantine ORDER BY field, record_key')

const keyIds = (w: World): number[] => w.keyring.index.keys().map(({ keyId }) => keyId)

const states = (w: World): [number, string][] =>
  w.keyring.index.keys().map(({ version, state }) => [version, state])

const record = (w: World, id: string): any => w.keyring.index.records().find((one) => one.id === id)

describe.each(PROVIDERS)('reindex of unique indexes on %s', (provider) => {
  it('puts into quarantine what differs only by its normalizers, and fills all other rows', async () => {
    const w = await world(provider, ACCOUNTS)
    await w.sealed.account.createMany({ data: Array.from({ length: 40 }, (_, i) => account(i)) })
    // As the rows were before anybody thought of an index.
    await w.plain.account.updateMany({ data: { loginIndex: null, codeIndex: null } })
    for (const [id, data] of [
      [7, { login: 'USER3' }],
      [20, { login: 'user5' }],
      [31, { login: 'uSER5' }],
      [13, { code: account(10).code }],
    ] as const) {
      await w.sealed.account.update({ where: { id }, data })
      await w.plain.account.update({ where: { id }, data: { loginIndex: null, codeIndex: null } })
    }
    for (const id of ['Account.loginIndex', 'Account.codeIndex'])
      await incompleteIndex(w.keyring, id)

    const report = await reindex(w.config, { batchRows: 25 })

    expect(report).toMatchObject({ outcome: 'incomplete', quarantined: 4 })
    expect(report.models[0]!.indexes.map(({ isComplete }) => isComplete)).toEqual([false, false])
    const code = 'ERR_INDEX_DUPLICATE'
    expect(await quarantine(w)).toEqual([
      // Those that have the value, too.
      { field: 'codeIndex', record_key: '["10"]', code },
      { field: 'codeIndex', record_key: '["13"]', code },
      { field: 'loginIndex', record_key: '["20"]', code },
      { field: 'loginIndex', record_key: '["3"]', code },
      { field: 'loginIndex', record_key: '["31"]', code },
      { field: 'loginIndex', record_key: '["5"]', code },
      { field: 'loginIndex', record_key: '["7"]', code },
    ])
    expect(report.models[0]!.samples).toHaveLength(7)
    const right = await expectedColumns(w, [keyIds(w)[0]!, null])
    for (const id of [7, 20, 31]) right[id].loginIndex = null
    right[13].codeIndex = null
    expect(await columns(w)).toEqual(right)

    for (const id of [7, 20, 31])
      await w.sealed.account.update({ where: { id }, data: { login: `mended${id}` } })
    await w.sealed.account.delete({ where: { id: 13 } })
    expect(await reindex(w.config)).toMatchObject({ outcome: 'done', quarantined: 0 })
    expect(await quarantine(w)).toEqual([])
    expect((await w.sealed.account.findUnique({ where: { login: 'MENDED7' } })).id).toBe(7)
  })

  it('rotates from slot to slot and back while others write and look up: no duplicate, no miss', async () => {
    const w = await accounts(provider, 60)
    // One notices changes sooner than the others.
    const others = [await instance(w, { refreshMs: 100 }), await instance(w), await instance(w)]
    const faults: unknown[] = []
    const phases: string[] = []
    let isOver = false
    let [writes, lookups, refused] = [0, 0, 0]

    // libsql works synchronously: without a turn of the event loop nobody else would have one.
    /** Takes a login that is free, lets it go again. */
    const write = async (client: any, reader: any, n: number): Promise<void> => {
      for (let i = 0; !isOver && faults.length < 5; i++) {
        await turn()
        const id = 1000 + n * 100 + (i % 10)
        const login = `New${n}-${i}`
        await again(() =>
          client.account.upsert({
            where: { id },
            create: { ...account(id), login, code: null },
            update: { login },
          }),
        )
        const where = { login: login.toUpperCase() }
        const found: any = await again(() => reader.account.findUnique({ where }))
        if (found?.id !== id) faults.push(`own ${login} was ${String(found?.id)}`)
        if (i % 4 === 3) await again(() => client.account.delete({ where: { id } }))
        writes++
      }
    }
    /** Looks up what never changes, and tries to take it. */
    const look = async (client: any, n: number): Promise<void> => {
      for (let i = n; !isOver && faults.length < 5; i++) {
        await turn()
        const { id, login, tenant, code } = account(i % 60)
        const found: any = await again(() => client.account.findUnique({ where: { login } }))
        if (found?.id !== id) faults.push(`${login} was ${String(found?.id)}`)
        const same: any = await again(() =>
          client.account.findUnique({
            where: { tenant_code: { tenant, code } },
          }),
        )
        if (same?.id !== id) faults.push(`${tenant} ${code} was ${String(same?.id)}`)
        if ((await again(() => client.account.count({ where: { login } }))) !== 1)
          faults.push(`count ${login}`)
        const data = { ...account(5000 + n), login: login.toUpperCase() }
        const taken = await again(() => client.account.create({ data })).then(
          () => 'created',
          (error: any) => error.code,
        )
        if (taken !== 'P2002') faults.push(`duplicate of ${login}: ${String(taken)}`)
        else refused++
        lookups++
      }
    }
    const guarded = (work: Promise<void>): Promise<void> =>
      work.catch((error: unknown) => void faults.push(error))
    const traffic = [
      guarded(write(others[0], others[1], 0)),
      guarded(write(others[1], others[0], 1)),
      guarded(look(others[2], 2)),
      guarded(look(w.sealed, 3)),
    ]
    const onEvent = (event: ReindexEvent): void => {
      if (event.type === 'phase') phases.push(`${event.index} ${event.phase}`)
    }
    const migrator = await w.another()
    const reports = []
    try {
      for (let turn = 0; turn < 2; turn++) {
        await rotateIndex(migrator)
        reports.push(await reindex(migrator, { maxTransactionMs: 1000, batchRows: 20, onEvent }))
      }
    } finally {
      isOver = true
      await Promise.all(traffic)
    }

    expect(faults).toEqual([])
    expect(Math.min(writes, lookups, refused)).toBeGreaterThan(10)
    const way = ['both-1', 'both-2', 'slot-2', 'both-2', 'both-1', 'slot-1']
    expect(phases.filter((phase) => phase.startsWith('Account.login'))).toEqual(
      way.map((phase) => `Account.loginIndex ${phase}`),
    )
    await w.keyring.index.refresh()
    expect(reports).toMatchObject([
      { outcome: 'done', retired: [{ keyring: 'default', keyId: keyIds(w)[0] }] },
      { outcome: 'done', retired: [{ keyring: 'default', keyId: keyIds(w)[1] }] },
    ])
    expect(states(w)).toEqual([
      [1, 'deactivated'],
      [2, 'deactivated'],
      [3, 'active'],
    ])
    expect(await columns(w)).toEqual(await expectedColumns(w, [keyIds(w)[2]!, null]))
  }, 180_000)

  it('goes on from every phase it was stopped in, forth and back', async () => {
    const w = await accounts(provider, 30)
    const phases: string[] = []
    for (let turn = 0; turn < 2; turn++) {
      await rotateIndex(w.config, { now: true })
      for (let runs = 0; ; runs++) {
        const controller = new AbortController()
        const report = await reindex(w.config, {
          now: true,
          signal: controller.signal,
          onEvent: (event) => {
            if (event.type !== 'phase') return
            if (event.index === 'Account.loginIndex') phases.push(event.phase)
            controller.abort()
          },
        })
        if (report.outcome === 'done') break
        expect(report.outcome).toBe('stopped')
        expect(runs).toBeLessThan(10)
        expect(await w.sealed.account.count({ where: { login: 'user7' } })).toBe(1)
      }
    }
    expect(phases).toEqual(['both-1', 'both-2', 'slot-2', 'both-2', 'both-1', 'slot-1'])
    expect(await columns(w)).toEqual(await expectedColumns(w, [keyIds(w)[2]!, null]))
  })

  it('does not take a slot for full that lacks a value', async () => {
    const w = await accounts(provider, 10)
    const { login } = await w.plain.account.findUnique({ where: { id: 4 } })
    await rotateIndex(w.config, { now: true })
    await w.plain.account.update({ where: { id: 4 }, data: { login: login.slice(0, -4) + 'AAAA' } })
    const report = await reindex(w.config, { now: true })
    expect(report).toMatchObject({ outcome: 'incomplete', quarantined: 1, retired: [] })
    expect(report.models[0]!.indexes).toMatchObject([
      { index: 'Account.loginIndex', phase: 'both-1', isDone: false },
      { index: 'Account.codeIndex', phase: 'slot-2', isDone: true },
    ])
    expect(await listRuns(w.config)).toMatchObject([
      { state: 'failed', reason: '1 row has a value in quarantine' },
    ])
    expect(await w.sealed.account.count({ where: { login: 'user5' } })).toBe(1)
    await w.plain.account.update({ where: { id: 4 }, data: { login } })
    expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done' })
    expect(await columns(w)).toEqual(await expectedColumns(w, [null, keyIds(w)[1]!]))
  })

  it('finishes a rotation under whose hands another key became active, then rotates again', async () => {
    const w = await accounts(provider, 10)
    await rotateIndex(w.config, { now: true })
    let once = false
    const report = await reindex(w.config, {
      now: true,
      onEvent: (event) => {
        if (event.type !== 'phase' || event.phase !== 'both-1' || once) return
        once = true
      },
    })
    expect(report.outcome).toBe('done')
    await rotateIndex(w.config, { now: true })
    const controller = new AbortController()
    await reindex(w.config, {
      now: true,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'phase') controller.abort()
      },
    })
    expect(record(w, 'Account.loginIndex')).toMatchObject({ lookup: 2, writes: 'both' })
    await rotateIndex(w.config, { now: true })
    expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done' })
    expect(await columns(w)).toEqual(await expectedColumns(w, [null, keyIds(w)[3]!]))
    expect(states(w).map(([, state]) => state)).toEqual([
      'deactivated',
      'deactivated',
      'deactivated',
      'active',
    ])
  })

  it('plans the phases that are ahead', async () => {
    const w = await accounts(provider, 10)
    await rotateIndex(w.config, { now: true })
    expect((await planReindex(w.config)).models[0]!.indexes[0]).toEqual({
      index: 'Account.loginIndex',
      isUnique: true,
      isRegistered: true,
      isComplete: true,
      phase: 'slot-1',
      ahead: ['both-1', 'both-2', 'slot-2'],
    })
    await reindex(w.config, { now: true })
    await rotateIndex(w.config, { now: true })
    expect((await planReindex(w.config)).models[0]!.indexes[0]).toMatchObject({
      phase: 'slot-2',
      ahead: ['both-2', 'both-1', 'slot-1'],
    })
  })
})

describe.each(PROVIDERS)('reindex of a unique index with one column on %s', (provider) => {
  const badges = async (): Promise<World> => {
    const w = await world(provider, BADGES, { keyring: FOLLOW })
    const data = Array.from({ length: 30 }, (_, i) => ({ id: i, code: `badge ${i}` }))
    await w.sealed.badge.createMany({ data })
    await rotateIndex(w.config, { now: true })
    return w
  }

  it('is refused while others may write, and changes nothing', async () => {
    const w = await badges()
    const before = await w.plain.badge.findMany({ orderBy: { id: 'asc' } })
    await expect(reindex(w.config, { now: true })).rejects.toMatchObject({
      code: 'ERR_INDEX_OFFLINE',
      field: 'Badge.codeIndex',
      fix: expect.stringMatching(/slot: 2.*--offline/),
    })
    expect(await w.plain.badge.findMany({ orderBy: { id: 'asc' } })).toEqual(before)
    expect((await w.sealed.badge.findUnique({ where: { code: 'badge 3' } })).id).toBe(3)
    expect((await planReindex(w.config)).models[0]!.indexes[0]).toMatchObject({
      ahead: ['offline', 'slot-1'],
    })
  })

  it('refuses writes meanwhile when it is offline, and finds what is there', async () => {
    const w = await badges()
    const other = await instance(w)
    const seen: any[] = []
    const pending: Promise<void>[] = []
    const look = async (): Promise<void> => {
      const rows = await other.badge.findMany({ where: { code: { in: ['badge 2', 'badge 29'] } } })
      const write = await other.badge
        .create({ data: { id: 99, code: 'badge 2' } })
        .catch((error: any) => error.code)
      seen.push([rows.length, write])
    }
    const report = await reindex(w.config, {
      offline: true,
      batchRows: 1, // so that it is still under way when they answer
      maxTransactionMs: 0,
      onEvent: (event) => {
        if (event.type === 'batch' && event.rows > 0 && pending.length < 3) pending.push(look())
      },
    })
    await Promise.all(pending)
    expect(seen).toEqual(Array(3).fill([2, 'ERR_INDEX_STATE']))
    expect(report).toMatchObject({ outcome: 'done', rows: 30, retired: [{ keyId: keyIds(w)[0] }] })
    expect(record(w, 'Badge.codeIndex')).toMatchObject({
      lookup: 1,
      writes: 'lookup',
      keys: [keyIds(w)[1], null],
    })
    expect((await w.sealed.badge.findUnique({ where: { code: 'badge 3' } })).id).toBe(3)
    await expect(
      w.sealed.badge.create({ data: { id: 99, code: 'badge 2' } }),
    ).rejects.toMatchObject({ code: 'P2002' })
  })

  it('goes on offline without being told again', async () => {
    const w = await badges()
    const controller = new AbortController()
    const stopped = await reindex(w.config, {
      offline: true,
      now: true,
      batchRows: 10,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'batch' && event.rows > 0) controller.abort()
      },
    })
    expect(stopped.outcome).toBe('stopped')
    expect(record(w, 'Badge.codeIndex').writes).toBe('none')
    expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done' })
    expect(record(w, 'Badge.codeIndex')).toMatchObject({ writes: 'lookup', lookup: 1 })
  })

  it('does not go offline while a value does not open', async () => {
    const w = await badges()
    const { code } = await w.plain.badge.findUnique({ where: { id: 4 } })
    await w.plain.badge.update({ where: { id: 4 }, data: { code: code.slice(0, -4) + 'AAAA' } })
    const report = await reindex(w.config, { now: true, offline: true })
    expect(report).toMatchObject({ outcome: 'incomplete', quarantined: 1, rows: 0 })
    expect(record(w, 'Badge.codeIndex').writes).toBe('lookup')
    await w.sealed.badge.create({ data: { id: 99, code: 'still written' } })
  })
})
