import { afterEach, describe, expect, it } from 'vitest'
import { decrypt, encrypt, type FieldReport, type RunReport } from '../../src/index.ts'
import { afterFirstPage } from '../converting.ts'
import { onEachWrite } from '../intercept.ts'
import { closeWorlds, drain, PROVIDERS, world, type World } from '../world.ts'
import { at, people, peopleOf, person } from './people.ts'

afterEach(closeWorlds)

const NONE = { read: 0, changed: 0, superseded: 0, fresh: 0, quarantined: 0 }
const of = (report: RunReport, name: string): FieldReport =>
  report.models[0]!.reconciliation.find(({ field }) => field === name)!
const left = (report: RunReport): number | undefined => report.models[0]!.after?.left

/** Fails in the transaction of the nth batch, before it is committed. */
function endAt({ client, ...config }: World['config'], nth: number): World['config'] {
  let count = 0
  const broken = onEachWrite(client, (sql) => {
    if (/UPDATE "?rowseal_parts SET checkpoint/.test(sql) && ++count === nth)
      throw new Error('cut off')
  })
  return { ...config, client: broken }
}

describe.each(PROVIDERS)('the reconciliation of a run on %s', (provider) => {
  it('says of each field what became of its rows, and what the table holds then', async () => {
    const w = await peopleOf(provider, 20, 'sealed')
    await w.rotate()
    // One value of two is fresh; one does not open.
    await w.sealed.person.update({ ...at(3), data: { phone: 'new' } })
    const { name } = await w.plain.person.findUnique(at(4))
    await w.plain.person.update({ ...at(4), data: { name: `${name.slice(0, -2)}xx` } })
    const report = await drain(w.config, { batchRows: 6 })
    expect(report).toMatchObject({ outcome: 'incomplete', rows: 20, quarantined: 1 })
    expect(report.models[0]!.reconciliation).toEqual([
      { field: 'name', ...NONE, read: 20, changed: 19, quarantined: 1 },
      { field: 'phone', ...NONE, read: 16, changed: 15, fresh: 1 },
      { field: 'notes', ...NONE, read: 20, changed: 20 },
      { field: 'login', ...NONE, read: 20, changed: 20 },
    ])
    const [active, former] = [w.keyring.activeKeyId, w.keyring.staleKeyIds()[0]!]
    expect(report.models[0]!.after).toMatchObject({
      left: 1,
      fields: [
        {
          field: 'name',
          versions: [
            { keyId: former, count: 1 },
            { keyId: active, count: 19 },
          ].sort((a, b) => Number(a.keyId) - Number(b.keyId)),
          plaintext: 0,
          left: 1,
        },
        { field: 'phone', versions: [{ keyId: active, count: 16 }], null: 4, left: 0 },
        { field: 'notes', left: 0 },
        { field: 'login', left: 0 },
      ],
    })
  })

  it('counts a row that was written meanwhile as superseded, for the fields it was to change', async () => {
    const w = await peopleOf(provider, 20, 'sealed')
    await w.rotate()
    await w.sealed.person.update({ ...at(8), data: { phone: 'fresh before' } })
    const client = afterFirstPage(w.config.client, () =>
      w.sealed.person.update({ ...at(8), data: { name: 'meanwhile' } }),
    )
    const report = await drain({ ...w.config, client }, { batchRows: 5 })
    expect(report).toMatchObject({ outcome: 'done', superseded: 1, rows: 20 })
    // Name was written by somebody else: nothing to do to it the second time.
    expect(of(report, 'name')).toMatchObject({ read: 21, changed: 19, superseded: 1, fresh: 1 })
    expect(of(report, 'phone')).toMatchObject({ read: 17, changed: 15, superseded: 0, fresh: 2 })
    expect(of(report, 'notes')).toMatchObject({ read: 21, changed: 20, superseded: 1, fresh: 0 })
    expect(left(report)).toBe(0)
  })

  it('is one, however often the run was cut off and gone on with', async () => {
    const w = await peopleOf(provider, 30, 'plain')
    for (const nth of [2, 2])
      await expect(encrypt(endAt(w.config, nth), { batchRows: 7 })).rejects.toMatchObject({
        code: 'ERR_DATABASE_FAILED',
      })
    const report = await encrypt(w.config, { batchRows: 7 })
    expect(report.rows).toBeLessThan(30)
    expect(of(report, 'name')).toEqual({ field: 'name', ...NONE, read: 30, changed: 30 })
    expect(of(report, 'phone')).toEqual({ field: 'phone', ...NONE, read: 24, changed: 24 })
    expect(report.models[0]!.after).toMatchObject({
      left: 0,
      fields: [{ versions: [{ count: 30 }], plaintext: 0 }, {}, {}, {}],
    })
  })

  it('counts what a unique index refuses as quarantined, and the rest of the row as changed', async () => {
    const w = await peopleOf(provider, 10, 'plain')
    await w.plain.person.update({ ...at(6), data: { login: 'USER2' } })
    const report = await encrypt(w.config)
    expect(report.outcome).toBe('incomplete')
    const { changed, quarantined, read, ...rest } = of(report, 'login')
    expect([changed + quarantined, read, quarantined]).toEqual([10, 10, 1])
    expect(rest).toMatchObject({ superseded: 0, fresh: 0 })
    expect(of(report, 'name')).toEqual({ field: 'name', ...NONE, read: 10, changed: 10 })
    expect(left(report)).toBe(1)
  })

  it('says the same of those that leave', async () => {
    const sealed = await peopleOf(provider, 12, 'sealed')
    const w = await world(provider, people('seal: off'), { on: sealed })
    await w.plain.person.update({ ...at(2), data: { phone: 'plain already' } })
    const report = await decrypt(w.config, { batchRows: 5 })
    expect(of(report, 'name')).toEqual({ field: 'name', ...NONE, read: 12, changed: 12 })
    expect(of(report, 'phone')).toEqual({ field: 'phone', ...NONE, read: 9, changed: 8, fresh: 1 })
    expect(report.models[0]!.after).toMatchObject({
      left: 0,
      fields: [{ versions: [], plaintext: 12 }, { plaintext: 9, null: 3 }, {}, {}],
    })
    const read = await w.sealed.person.findUnique(at(7))
    expect(read).toMatchObject(person(7))
  })
})

describe.each(PROVIDERS)('the reconciliation of shards on %s', (provider) => {
  it('is of all of them, and the last one counts the table', async () => {
    const w = await peopleOf(provider, 20, 'sealed')
    await w.rotate()
    const first = await drain(w.config, { shard: { index: 1, of: 2 } })
    expect(first.models[0]!.after).toBeNull()
    const second = await drain(w.config, { shard: { index: 2, of: 2 } })
    expect(of(second, 'name')).toMatchObject({ read: 20, changed: 20 })
    expect(left(second)).toBe(0)
  })
})
