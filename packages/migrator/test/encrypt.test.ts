import { afterEach, describe, expect, it } from 'vitest'
import { encrypt, reindex, status, verify } from '../src/index.ts'
import {
  dekOf,
  opened,
  peopleInPlain,
  person,
  plaintextOf,
  stored,
  withoutIndexes,
} from './converting.ts'
import { closeWorlds, PROVIDERS, type World } from './world.ts'

afterEach(closeWorlds)

const SEALED = ['name', 'notes', 'pin', 'scan', 'login', 'phone'] as const
const plaintextLeft = async (w: World): Promise<number> =>
  (await status(w.config)).fields.reduce((sum, { plaintext }) => sum + plaintext, 0)
const indexes = (row: any): unknown[] => [row.loginIndex, row.loginOther, row.phoneIndex]

describe.each(PROVIDERS)('encrypt on %s', (provider) => {
  it('seals every value in the form that the extension writes, and fills the indexes', async () => {
    const w = await peopleInPlain(provider, 60)
    const before = await opened(w)
    expect(await encrypt(w.config, { batchRows: 16 })).toMatchObject({
      ...{ outcome: 'done', rows: 60, superseded: 0, quarantined: 0 },
      models: [{ model: 'Person', passes: 2 }],
    })
    const after = await opened(w)
    expect(withoutIndexes(after)).toEqual(withoutIndexes(before))
    expect(await plaintextLeft(w)).toBe(0)
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0, badIndexes: 0 })

    const migrated = await stored(w)
    for (const row of migrated) {
      const deks = SEALED.flatMap((field) => (row[field] === null ? [] : [dekOf(row[field])]))
      expect(new Set(deks).size).toBe(1)
    }
    // The same values again, written by the extension.
    for (const { id } of migrated)
      await w.sealed.person.update({ where: { id }, data: person(provider, id) })
    for (const [i, row] of (await stored(w)).entries()) {
      expect(indexes(migrated[i])).toEqual(indexes(row))
      for (const field of ['name', 'pin', 'scan', 'login'] as const) {
        if (row[field] === null) continue
        const [a, b] = [migrated[i][field], row[field]]
        expect(await plaintextOf(w, field, a)).toBe(await plaintextOf(w, field, b))
      }
      // Bound, so their lengths tell; numbers may be written in another way.
      if (typeof row.notes === 'string' && i % 12 !== 6)
        expect([i, migrated[i].notes.length]).toEqual([i, row.notes.length])
    }
    // Nothing is left for reindex but to say that they are complete.
    await encrypt(w.config)
    expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done', rows: 0 })
    expect(await w.sealed.person.findUnique({ where: { login: 'USER7' } })).toMatchObject({ id: 7 })
    expect(await w.sealed.person.count({ where: { phone: '4902' } })).toBe(13)
  })

  it('changes nothing the second time', async () => {
    const w = await peopleInPlain(provider, 20)
    await encrypt(w.config)
    const before = await stored(w)
    expect(await encrypt(w.config)).toMatchObject({ outcome: 'done', rows: 0, quarantined: 0 })
    expect(await stored(w)).toEqual(before)
  })

  it('keeps what an old version of the application writes meanwhile, and seals that too', async () => {
    const w = await peopleInPlain(provider, 40)
    let [writes, writing] = [0, Promise.resolve()]
    const write = async (n: number): Promise<void> => {
      // Where the pass has been, and where it is going.
      await w.plain.person.update({ where: { id: 2 }, data: { name: `again ${n}` } })
      await w.plain.person.update({ where: { id: 37 }, data: { login: `Other${n}` } })
      await w.plain.person.create({ data: { ...person(provider, 100 + n), login: null } })
    }
    const report = await encrypt(w.config, {
      batchRows: 10,
      onEvent: ({ type }) => {
        const n = type === 'batch' && writes < 4 ? ++writes : null
        if (n !== null) writing = writing.then(() => write(n))
      },
    })
    await writing
    expect(report.outcome).toBe('done')
    expect(await encrypt(w.config)).toMatchObject({ outcome: 'done' })
    expect(await plaintextLeft(w)).toBe(0)
    const after = await opened(w)
    expect(after).toHaveLength(44)
    expect(after[2].name).toBe('again 4')
    expect(after[37].login).toBe('Other4')
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', badIndexes: 0 })
    expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done', rows: 0 })
  })

  it('never undoes what the application writes through the extension', async () => {
    const w = await peopleInPlain(provider, 60)
    const pending: Promise<void>[] = []
    let writes = 0
    const write = async (): Promise<void> => {
      const id = (writes++ * 13) % 60
      const data = { login: `new${id}`, notes: { id }, phone: null }
      await w.sealed.person.update({ where: { id }, data })
    }
    const report = await encrypt(w.config, {
      batchRows: 6,
      onEvent: ({ type }) => {
        if (type === 'batch') pending.push(write(), write())
      },
    })
    await Promise.all(pending)
    expect(report.outcome).toBe('done')
    expect(await plaintextLeft(w)).toBe(0)
    const written = new Set(Array.from({ length: writes }, (_, n) => (n * 13) % 60))
    for (const row of await opened(w)) {
      const expected = written.has(row.id)
        ? { login: `new${row.id}`, notes: { id: row.id }, phone: null }
        : { login: person(provider, row.id).login ?? null }
      expect(row).toMatchObject(expected)
    }
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0, badIndexes: 0 })
  })
})
