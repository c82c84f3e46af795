import { afterAll, describe, expect, it } from 'vitest'
import { decrypt, encrypt } from '../src/index.ts'
import { closeWorlds, PROVIDERS, world, type Provider, type World } from './world.ts'

afterAll(closeWorlds)

const memo = (option: string): string => `
model Memo {
  id        Int     @id
  /// @encrypted(${option})
  body      String
  /// @blindIndex(body)
  bodyIndex String? @unique
  /// @encrypted(${option})
  other     String?
}
`

/** Columns that have no room for everything, which the schema does not say. */
const table = (provider: Provider): string => {
  const quote = provider === 'mysql' ? '`' : '"'
  const text = (name: string, chars: number): string =>
    provider === 'sqlite' ? `TEXT CHECK (length(${name}) <= ${chars})` : `VARCHAR(${chars})`
  return `CREATE TABLE ${quote}Memo${quote} (id INT NOT NULL PRIMARY KEY, body ${text('body', 200)},
  ${quote}bodyIndex${quote} VARCHAR(100) UNIQUE, other ${text('other', 400)});\n`
}

async function memos(provider: Provider): Promise<World> {
  const w = await world(provider, memo('plaintext: allow'), { ddl: table(provider) })
  const data = Array.from({ length: 30 }, (_, id) => ({
    id,
    body: id === 5 || id === 6 ? `long ${id} `.padEnd(60, '.') : `short ${id}`,
    other: id === 6 || id === 7 ? `long ${id} `.padEnd(300, '.') : `other ${id % 28}`,
  }))
  await w.plain.memo.createMany({ data })
  return w
}

const stored = ({ plain }: World): Promise<any[]> => plain.memo.findMany({ orderBy: { id: 'asc' } })
const inQuarantine = async (w: World): Promise<string[]> => {
  const rows = await w.query(
    'SELECT field, record_key, code FROM rowseal_quarantine ORDER BY record_key, field',
  )
  return rows.map(({ field, record_key: key, code }) => `${key} ${field} ${code}`)
}

describe.each(PROVIDERS)('values that a column does not take, on %s', (provider) => {
  it('stay as they are, each with its code, and all others are sealed, and opened again', async () => {
    const w = await memos(provider)
    const before = await stored(w)
    expect(await encrypt(w.config)).toMatchObject({
      outcome: 'incomplete',
      rows: 29, // of rows 5 and 7 the other field
      quarantined: 3,
    })
    const places = ['["5"] body', '["6"] body', '["6"] other', '["7"] other']
    const tooLong = provider === 'sqlite' ? 'ERR_CHECK_VIOLATION' : 'ERR_VALUE_TOO_LONG'
    expect(await inQuarantine(w)).toEqual(places.map((place) => `${place} ${tooLong}`))
    for (const row of await stored(w)) {
      const { id, body, other, bodyIndex } = row
      const isSealed = [body, other].map((text) => text.startsWith('rs1.'))
      expect([id, ...isSealed]).toEqual([id, ![5, 6].includes(id), ![6, 7].includes(id)])
      // A value and its index changed together or not at all.
      expect([id, bodyIndex !== null]).toEqual([id, isSealed[0]])
    }

    const leaving = await world(provider, memo('seal: off'), { on: w, init: false })
    await w.run(
      'DELETE FROM rowseal_quarantine',
      // Of 0 and 28, and of 1 and 29, they are the same.
      provider === 'postgresql'
        ? 'ALTER TABLE "Memo" ADD CONSTRAINT others EXCLUDE USING btree (other WITH =)'
        : 'CREATE UNIQUE INDEX others ON "Memo" (other)',
    )
    expect(await decrypt(leaving.config)).toMatchObject({
      outcome: 'incomplete',
      rows: 30 - 1, // all but 6, which was never sealed; of 28 and 29 the other field
      quarantined: 2,
    })
    const code = provider === 'postgresql' ? 'ERR_EXCLUSION_VIOLATION' : 'ERR_UNIQUE_VIOLATION'
    expect(await inQuarantine(w)).toEqual([`["28"] other ${code}`, `["29"] other ${code}`])
    for (const row of await stored(w)) {
      const { id, body, other } = before[row.id]
      expect(row).toMatchObject({ id, body })
      if (id < 28) expect(row.other).toBe(other)
      else expect(row.other).toMatch(/^rs1\./)
    }
  })
})
