import { afterEach, describe, expect, it } from 'vitest'
import { decrypt, encrypt, reindex, status, verify } from '../src/index.ts'
import {
  addPlain,
  afterFirstPage,
  cutOff,
  dump,
  entering,
  leaving,
  opened,
  peopleInPlain,
  person,
  stored,
  withoutIndexes,
} from './converting.ts'
import { closeWorlds, PROVIDERS, world, type World } from './world.ts'

afterEach(closeWorlds)

/** Columns of indexes were NULL before, and stay filled. */
const plainColumns = (rows: any[]): any[] => withoutIndexes(rows)
const sealedLeft = async (w: World): Promise<number> =>
  (await status(w.config)).fields
    .flatMap(({ versions, malformed }) => [...versions.map(({ count }) => count), malformed])
    .reduce((sum, count) => sum + count, 0)

describe.each(PROVIDERS)('decrypt on %s', (provider) => {
  /** The same table under a schema in which every field has `seal: off`. */
  const leave = (w: World): Promise<World> =>
    world(provider, leaving(provider), { init: false, on: w })

  it('gives back every column byte by byte as it was before encrypt', async () => {
    const w = await peopleInPlain(provider, 50)
    await addJson(w)
    const [before, values] = [await dump(w), await opened(w)]
    await encrypt(w.config)
    await reindex(w.config, { now: true })
    const out = await leave(w)
    const report = await decrypt(out.config, { batchRows: 16 })
    expect(report).toMatchObject({ outcome: 'done', rows: before.length, quarantined: 0 })
    expect(plainColumns(await dump(out))).toEqual(plainColumns(before))
    expect(plainColumns(await opened(out))).toEqual(plainColumns(values))
    expect(await sealedLeft(out)).toBe(0)
    // Look-ups go on: the extension writes indexes of fields that it does not seal.
    expect(await out.sealed.person.findUnique({ where: { login: 'USER7' } })).toMatchObject({
      id: 7,
    })
    expect(await verify(out.config)).toMatchObject({ outcome: 'done', badIndexes: 0 })
    expect(await reindex(out.config, { now: true })).toMatchObject({ outcome: 'done', rows: 0 })
    const after = await stored(out)
    expect(await decrypt(out.config)).toMatchObject({ outcome: 'done', rows: 0 })
    expect(await stored(out)).toEqual(after)
  })

  it('keeps what others write meanwhile, sealed or not, and comes back for it', async () => {
    const w = await peopleInPlain(provider, 12)
    await encrypt(w.config)
    const out = await leave(w)
    const client = afterFirstPage(out.plain, async () => {
      await w.sealed.person.update({ where: { id: 3 }, data: { name: 'sealed again' } })
      await out.sealed.person.update({ where: { id: 4 }, data: { name: 'plain already' } })
    })
    const report = await decrypt({ ...out.config, client })
    expect(report).toMatchObject({ outcome: 'done', superseded: 2, rows: 12 })
    const names = (await stored(out)).map(({ name }) => name)
    expect(names.slice(3, 5)).toEqual(['sealed again', 'plain already'])
    expect(await sealedLeft(out)).toBe(0)
  })

  it('is gone on with after it was cut off', async () => {
    const w = await peopleInPlain(provider, 20)
    const before = await dump(w)
    await encrypt(w.config)
    const out = await leave(w)
    for (const nth of [1, 2, 3]) {
      const client = cutOff(out.plain, nth)
      await expect(decrypt({ ...out.config, client }, { batchRows: 3 })).rejects.toMatchObject({
        code: 'ERR_DATABASE_FAILED',
      })
      await out.run(`UPDATE rowseal_parts SET heartbeat_at_ms = 0`)
    }
    expect(await decrypt(out.config)).toMatchObject({ outcome: 'done', rows: 20 - 3 * 3 })
    expect(plainColumns(await dump(out))).toEqual(plainColumns(before))
  })

  it('leaves what does not open, and what the column cannot hold unsealed, as it is', async () => {
    const w = await world(provider, entering(provider))
    await addPlain(w, 6, 10)
    await encrypt(w.config)
    const set = (id: number, data: object): Promise<unknown> =>
      w.sealed.person.update({ where: { id }, data })
    await set(10, { name: 'rs1.2 released' })
    await set(11, { notes: 'rs1.' })
    await set(12, { scan: new Uint8Array([0x52, 0x53, 1]) })
    const [, , , , other] = await stored(w)
    await w.plain.person.update({ where: { id: 13 }, data: { name: other.pin } })
    await set(14, { notes: { a: '\\u0000' } }) // which is none
    await set(15, { name: 'a\u0000b' })
    for (const [i, text] of ['\u0000', 'x\\\u0000', '\ud800'].entries())
      await w.sealed.person.create({ data: { ...person(provider, 20 + i), notes: [text] } })
    const before = await stored(w)
    const out = await leave(w)
    const report = await decrypt(out.config)
    expect(report).toMatchObject({ outcome: 'incomplete', superseded: 0 })
    const rows = await w.query(
      'SELECT field, record_key, code FROM rowseal_quarantine ORDER BY record_key',
    )
    expect(rows.map(({ field, record_key, code }) => `${record_key} ${field} ${code}`)).toEqual([
      '["10"] name ERR_VALUE_INVALID',
      '["11"] notes ERR_VALUE_INVALID',
      '["12"] scan ERR_VALUE_INVALID',
      '["13"] name ERR_ENVELOPE_AUTH',
      ...(provider === 'mysql' ? [] : ['["15"] name ERR_VALUE_INVALID']),
      ...{ postgresql: [20, 21, 22], mysql: [22], sqlite: [] }[provider].map(
        (id) => `["${id}"] notes ERR_VALUE_INVALID`,
      ),
    ])
    const after = await stored(out)
    for (const [i, field] of ['name', 'notes', 'scan', 'name'].entries())
      expect(after[i][field]).toEqual(before[i][field])
    expect(after[5].name).toBe(provider === 'mysql' ? 'a\u0000b' : before[5].name)
    expect(await sealedLeft(out)).toBe(rows.length)
    if (provider === 'sqlite') expect(after[8].notes).toEqual(['\ud800'])
  })

  it('is refused where the application still seals, and changes nothing', async () => {
    const w = await peopleInPlain(provider, 3)
    await encrypt(w.config)
    const before = await stored(w)
    const error = { code: 'ERR_SEAL_ON', field: 'Person.name' }
    await expect(decrypt(w.config)).rejects.toMatchObject(error)
    await expect(decrypt(w.config, { models: ['Person'] })).rejects.toThrow(/seal: off/)
    expect(await stored(w)).toEqual(before)
  })
})

/** Json as Prisma would not write it. */
const EXTRA: readonly string[] = [
  '{ "b" : 1.50, "a": [12345678901234567890, 1e2, 0.10] }',
  'null',
  '0.30000000000000004',
  '1e300',
  '"\\u0041"',
  ' "x"',
  '{"b": 1, "a": " : ", "c":{}}',
]

async function addJson({ plain, provider }: World): Promise<void> {
  for (const [i, text] of EXTRA.entries()) {
    if (provider === 'postgresql') {
      const columns = 'notes = $1::jsonb, "text" = $1::json, docs = ARRAY[$1, NULL]::jsonb[]'
      const sql = `UPDATE "table" SET ${columns} WHERE "order" = ${20 + i}`
      await plain.$executeRawUnsafe(sql, text)
    } else {
      const order = provider === 'mysql' ? '`order`' : '"order"'
      const table = provider === 'mysql' ? '`table`' : '"table"'
      const sql = `UPDATE ${table} SET notes = ? WHERE ${order} = ${20 + i}`
      await plain.$executeRawUnsafe(sql, text)
    }
  }
}

describe.runIf(PROVIDERS.includes('mysql'))('decrypt into columns of other character sets', () => {
  const memo = (option: string): string => `
model Memo {
  id    Int    @id
  /// @encrypted(${option})
  body  String @db.Text
  /// @encrypted(${option})
  other String @db.Text
}
`

  it('leaves what they cannot hold sealed, and opens all else', async () => {
    const w = await world('mysql', memo('plaintext: allow'))
    await w.run(
      'ALTER TABLE Memo MODIFY body TEXT CHARACTER SET latin1 NOT NULL, MODIFY other TEXT CHARACTER SET utf8mb3 NOT NULL',
    )
    const data = [
      { id: 1, body: 'Zoë', other: 'ł' },
      { id: 2, body: 'ł', other: 'plain' },
      { id: 3, body: 'é', other: '😀' },
    ]
    await w.sealed.memo.createMany({ data })
    const out = await world('mysql', memo('seal: off'), { init: false, on: w })
    expect(await decrypt(out.config)).toMatchObject({ outcome: 'incomplete', quarantined: 2 })
    const entries = await w.query(
      'SELECT field, record_key, code FROM rowseal_quarantine ORDER BY record_key',
    )
    expect(entries).toEqual([
      { field: 'body', record_key: '["2"]', code: 'ERR_VALUE_INVALID' },
      { field: 'other', record_key: '["3"]', code: 'ERR_VALUE_INVALID' },
    ])
    expect(await w.sealed.memo.findMany({ orderBy: { id: 'asc' } })).toEqual(data)
    const [first, second, third] = await w.plain.memo.findMany({ orderBy: { id: 'asc' } })
    expect([first, second.other, third.body]).toEqual([data[0], 'plain', 'é'])
  })
})
