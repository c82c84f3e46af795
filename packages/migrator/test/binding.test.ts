import { afterEach, describe, expect, it } from 'vitest'
import { reindex, verify } from '../src/index.ts'
import { drain, closeWorlds, PROVIDERS, world, type Provider, type World } from './world.ts'

afterEach(closeWorlds)

/** Values bound to a column of each kind, under names that the database has otherwise. */
const schema = (provider: Provider): string => `
enum Kind {
  IN
  OUT
}
model Record {
  id        Int     @id @map("order")
  uuid      String  @default(uuid())${provider === 'postgresql' ? ' @db.Uuid' : ''}
  owner     String  @map("group")
  number    BigInt
  active    Boolean
  kind      Kind
  /// @encrypted(bind: [id, uuid, owner, number, active, kind])
  body      String
  /// @encrypted(bind: [active, owner])
  notes     Json?
  /// @encrypted(bind: [number])
  scan      Bytes?
  /// @encrypted
  loose     String?
  /// @encrypted(bind: [kind])
  mail      String?
  /// @blindIndex(mail)
  mailIndex String?
  ${provider === 'postgresql' ? '/// @encrypted(bind: [owner])\n  words String[]' : ''}
  @@index([mailIndex])
}
`

const record = (provider: Provider, id: number): object => ({
  id,
  owner: `Ow'ner ü${id % 3} `,
  number: BigInt(-4_000_000_000 + id * 1_000_000_000),
  active: id % 2 === 0,
  kind: id % 4 === 0 ? 'IN' : 'OUT',
  body: `body ${id}`,
  notes: id % 3 === 0 ? undefined : { id },
  scan: new Uint8Array([id]),
  loose: `loose ${id}`,
  mail: `mail${id}`,
  ...(provider === 'postgresql' ? { words: [`w${id}`, ''] } : {}),
})

async function filled(provider: Provider): Promise<World> {
  const w = await world(provider, schema(provider))
  await w.sealed.record.createMany({
    data: Array.from({ length: 20 }, (_, id) => record(provider, id)),
  })
  return w
}
const readAll = (w: World): Promise<any[]> => w.sealed.record.findMany({ orderBy: { id: 'asc' } })

describe.each(PROVIDERS)('a table with bound values, on %s', (provider) => {
  it('is drained and verified with what its values are bound to', async () => {
    const w = await filled(provider)
    const values = await readAll(w)
    await w.rotate()
    const stale = await w.plain.record.findMany({ orderBy: { id: 'asc' } })
    expect(await drain(w.config, { batchRows: 6 })).toMatchObject({
      outcome: 'done',
      rows: 20,
      quarantined: 0,
    })
    const fresh = await w.plain.record.findMany({ orderBy: { id: 'asc' } })
    for (const [i, row] of fresh.entries()) expect(row.body).not.toBe(stale[i].body)
    expect(await readAll(w)).toEqual(values)
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0, rows: 20 })
  })

  it('has its indexes filled from values that open', async () => {
    const w = await filled(provider)
    await w.plain.record.updateMany({ data: { mailIndex: null } })
    expect(await reindex(w.config)).toMatchObject({ outcome: 'done', rows: 20, quarantined: 0 })
    const found = await w.sealed.record.findMany({
      where: { mail: 'mail7' },
      select: { body: true },
    })
    expect(found).toEqual([{ body: 'body 7' }])
  })

  it('shows values that were moved to another record, and bound columns that were changed', async () => {
    const w = await filled(provider)
    const [a, b] = await w.plain.record.findMany({
      where: { id: { in: [1, 2] } },
      orderBy: { id: 'asc' },
    })
    await w.plain.record.update({ where: { id: 2 }, data: { body: a.body, loose: a.loose } })
    await w.plain.record.update({ where: { id: 1 }, data: { body: b.body } })
    await w.plain.record.update({ where: { id: 4 }, data: { active: false } })
    await w.plain.record.update({ where: { id: 5 }, data: { number: 0n } })

    const report = await verify(w.config)

    const bad = report.samples
      .map(({ key, field, code }) => `${key.join()} ${field} ${code}`)
      .sort()
    expect(bad).toEqual(
      ['1 body', '2 body', '4 body', '4 notes', '5 body', '5 scan'].map(
        (at) => `${at} ERR_ENVELOPE_AUTH`,
      ),
    )
    expect(report.outcome).toBe('incomplete')
    await w.rotate()
    expect(await drain(w.config)).toMatchObject({ outcome: 'incomplete', quarantined: 4 })
    expect(await w.sealed.record.findUnique({ where: { id: 3 } })).toMatchObject({ body: 'body 3' })
  })
})
