import { afterEach, describe, expect, it } from 'vitest'
import { decrypt, encrypt } from '../src/index.ts'
import { closeWorlds, drain, PROVIDERS, world } from './world.ts'

afterEach(closeWorlds)

const note = (option: string): string => `
model Note {
  id    Int      @id
  /// @encrypted(${option})
  words String[]
  /// @encrypted(${option})
  docs  Json[]
  /// @encrypted(${option})
  texts Json[]   @db.Json
  /// @encrypted(${option})
  blobs Bytes[]
}`

describe.runIf(PROVIDERS.includes('postgresql'))('lists of PostgreSQL', () => {
  it('are sealed, drained and opened wherever they begin', async () => {
    const w = await world('postgresql', note('plaintext: allow'))
    await w.run(
      `INSERT INTO "Note" VALUES (1, '[0:1]={a,b}', '[3:3]={"{\\"a\\": 1}"}', '[-1:0]={1,null}', '[7:7]={"\\\\x01"}')`,
      `INSERT INTO "Note" VALUES (2, '[5:5]={c}', '{}', '[2:2]={[]}', '{}')`,
    )
    const before = await w.plain.note.findMany({ orderBy: { id: 'asc' } })
    const done = { outcome: 'done', rows: 2, superseded: 0, quarantined: 0 }
    expect(await encrypt(w.config, { proof: true })).toMatchObject(done)
    expect(await w.sealed.note.findMany({ orderBy: { id: 'asc' } })).toEqual(before)
    await w.run(`UPDATE "Note" SET words = ('[0:0]={' || words[1] || '}')::text[] WHERE id = 2`)
    await w.rotate()
    expect(await drain(w.config)).toMatchObject(done)
    const out = await world('postgresql', note('seal: off'), { on: w, init: false })
    expect(await decrypt(out.config, { proof: true })).toMatchObject(done)
    expect(await out.plain.note.findMany({ orderBy: { id: 'asc' } })).toEqual(before)
  })
})
