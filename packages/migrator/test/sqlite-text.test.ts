import { afterEach, describe, expect, it } from 'vitest'
import { decrypt, encrypt, reindex, verify } from '../src/index.ts'
import { closeWorlds, drain, PROVIDERS, world, type World } from './world.ts'

afterEach(closeWorlds)

const memo = (option: string): string => `
model Memo {
  id        Int     @id
  /// @encrypted(${option})
  body      String?
  /// @blindIndex(body)
  bodyIndex String?
  /// @encrypted(${option})
  notes     Json?
  /// @encrypted(${option})
  scan      Bytes?
}`

async function memos(...columns: readonly string[]): Promise<World> {
  const w = await world('sqlite', memo('plaintext: allow'))
  await w.run(
    ...columns.map((row, id) => `INSERT INTO Memo (id, body, notes, scan) VALUES (${id}, ${row})`),
  )
  return w
}

const hexes = (w: World): Promise<any[]> =>
  w.query(
    'SELECT id, hex(body) AS body, hex(notes) AS notes, hex(scan) AS scan FROM Memo ORDER BY id',
  )
const inQuarantine = async (w: World): Promise<string[]> => {
  const rows = await w.query(
    'SELECT field, record_key, code FROM rowseal_quarantine ORDER BY record_key, field',
  )
  return rows.map(({ field, record_key: key, code }) => `${key} ${field} ${code}`)
}

/** SQLite keeps any bytes as text, and anything in a column of any type. */
describe.runIf(PROVIDERS.includes('sqlite'))('what only SQLite keeps as text', () => {
  it('is sealed whole where it holds U+0000, and opens as it was', async () => {
    const texts = ['a\u0000b', '\u0000', 'ä\u0000', '\u0000\u0000😀', '', 'a']
    const w = await memos(
      ...texts.map((text) => `CAST(x'${Buffer.from(text).toString('hex')}' AS TEXT), NULL, NULL`),
    )
    expect(await encrypt(w.config, { proof: true, batchRows: 4 })).toMatchObject({
      ...{ outcome: 'done', rows: texts.length, superseded: 0, quarantined: 0 },
    })
    const opened = await w.sealed.memo.findMany({ orderBy: { id: 'asc' } })
    expect(opened.map(({ body }: any) => body)).toEqual(texts)
    await reindex(w.config, { now: true })
    for (const [id, body] of texts.entries())
      expect(await w.sealed.memo.findMany({ where: { body } })).toMatchObject([{ id, body }])
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0, badIndexes: 0 })
  })

  it('stays as it is where it is none, each value with its code, and all else is sealed', async () => {
    const w = await memos(
      `'text', '{"a":1}', x'00'`,
      `CAST(x'61ff62' AS TEXT), CAST(x'22ff22' AS TEXT), 'no bytes'`,
      `CAST(x'eda080' AS TEXT), x'226122', x'01'`,
      `x'616263', CAST(x'313200' AS TEXT), x'02'`,
      `'', '"broken', NULL`,
    )
    const before = await hexes(w)
    const report = await encrypt(w.config)
    expect(report).toMatchObject({ outcome: 'incomplete', superseded: 0, quarantined: 4 })
    const places = ['1 body', '1 notes', '1 scan', '2 body', '2 notes', '3 body', '3 notes', '4 notes'] // prettier-ignore
    expect(await inQuarantine(w)).toEqual(
      places.map((place) => place.replace(/(\d) (\w+)/, '["$1"] $2 ERR_VALUE_INVALID')),
    )
    const envelope = { body: /^7273312E/, notes: /^227273312E/, scan: /^525301/ }
    for (const [id, row] of (await hexes(w)).entries())
      for (const field of ['body', 'notes', 'scan'] as const)
        if (places.includes(`${id} ${field}`)) expect(row[field]).toBe(before[id][field])
        else if (before[id][field] !== '' || field === 'body')
          expect(row[field]).toMatch(envelope[field])
  })

  it('is told of where a column that values are bound to holds it', async () => {
    const w = await world(
      'sqlite',
      `model Shelf {\n id Int @id\n owner String\n /// @encrypted(plaintext: allow, bind: [owner])\n text String\n}`,
    )
    const owners = [`'ann'`, `'ann' || char(0)`, `CAST(x'61ff' AS TEXT)`, `x'616e6e'`]
    await w.run(
      ...owners.map((owner, id) => `INSERT INTO Shelf VALUES (${id}, ${owner}, 'text ${id}')`),
    )
    expect(await encrypt(w.config)).toMatchObject({
      ...{ outcome: 'incomplete', rows: 1, superseded: 0, quarantined: 3 },
    })
    expect(await inQuarantine(w)).toEqual(
      [1, 2, 3].map((id) => `["${id}"] text ERR_RECORD_BINDING`),
    )
    const texts = await w.query('SELECT text FROM Shelf WHERE id > 0 ORDER BY id')
    expect(texts.map(({ text }) => text)).toEqual(['text 1', 'text 2', 'text 3'])
    expect(await w.sealed.shelf.findUnique({ where: { id: 0 } })).toMatchObject({ text: 'text 0' })
  })

  it('is told of as no envelope where an envelope was damaged, and all others are gone on with', async () => {
    const w = await world('sqlite', memo('plaintext: allow'))
    for (let id = 0; id < 6; id++)
      await w.sealed.memo.create({ data: { id, body: `memo ${id}`, notes: { id } } })
    const bytes = `CAST(body AS BLOB)`
    await w.run(
      `UPDATE Memo SET body = CAST(substr(${bytes}, 1, 80) || x'ff' || substr(${bytes}, 82) AS TEXT) WHERE id = 1`,
      `UPDATE Memo SET body = CAST(${bytes} || x'00' AS TEXT) WHERE id = 2`,
      `UPDATE Memo SET notes = CAST(CAST(notes AS BLOB) || x'00' AS TEXT) WHERE id = 3`,
      `UPDATE Memo SET notes = notes || ' ' WHERE id = 4`,
    )
    const damaged = ['1 body', '2 body', '3 notes', '4 notes']
    const told = damaged.map((place) => place.replace(/(\d) (\w+)/, '["$1"] $2 ERR_ENVELOPE_MALFORMED')) // prettier-ignore
    const before = await hexes(w)
    expect(await verify(w.config)).toMatchObject({ bad: 4 })
    expect(await inQuarantine(w)).toEqual(told)
    await w.rotate()
    expect(await drain(w.config)).toMatchObject({ outcome: 'incomplete', superseded: 0 })
    expect(await inQuarantine(w)).toEqual(told)
    const leaving = await world('sqlite', memo('seal: off'), { on: w, init: false })
    expect(await decrypt(leaving.config)).toMatchObject({ outcome: 'incomplete', superseded: 0 })
    expect(await inQuarantine(w)).toEqual(told)
    for (const [id, row] of (await hexes(w)).entries()) {
      const isDamaged = (field: string): boolean => damaged.includes(`${id} ${field}`)
      expect(row.body).toBe(isDamaged('body') ? before[id].body : hexOf(`memo ${id}`))
      expect(row.notes).toBe(isDamaged('notes') ? before[id].notes : hexOf(`{"id":${id}}`))
    }
  })
})

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex').toUpperCase()
}
