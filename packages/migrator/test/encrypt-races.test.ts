import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encrypt, reindex, status, verify } from '../src/index.ts'
import {
  addPlain,
  afterFirstPage,
  cutOff,
  opened,
  peopleInPlain,
  person,
  stored,
  withoutIndexes,
} from './converting.ts'
import { closeWorlds, PROVIDERS, world, type World } from './world.ts'

describe.each(PROVIDERS)('encrypt beside others, on %s', (provider) => {
  let w: World
  beforeAll(async () => {
    w = await peopleInPlain(provider, 0)
    await encrypt(w.config) // registers the indexes
  })
  afterAll(closeWorlds)
  beforeEach(async () => {
    await w.plain.person.deleteMany()
    await addPlain(w, 6)
  })

  /** Encrypt, and let somebody write between the first read and the first write. */
  const encryptWhile = (write: () => Promise<unknown>): ReturnType<typeof encrypt> =>
    encrypt({ ...w.config, client: afterFirstPage(w.plain, write) })
  const row = async (id: number): Promise<any> => (await opened(w)).find((one) => one.id === id)

  it.each<[string, object, object]>([
    ['a value', { name: 'theirs' }, { name: 'theirs' }],
    ['an indexed value', { login: 'Theirs' }, { login: 'Theirs' }],
    ['the case of a value', { login: 'uSER3' }, { login: 'uSER3' }],
    ['Json into what looks alike', { notes: '0' }, { notes: '0' }],
    ['a column that a value is bound to', { kind: 'IN' }, { kind: 'IN', notes: false }],
    ['the text that a value is bound to', { owner: `Ow'ner ü0` }, { owner: `Ow'ner ü0` }],
    ['an index', { loginIndex: `ri1.00000002.${'a'.repeat(64)}` }, {}],
  ])('leaves a row to whoever changed %s, and comes back for it', async (_, data, expected) => {
    // The number 0 becomes the text.
    if ('notes' in data) await w.plain.person.update({ where: { id: 3 }, data: { notes: 0 } })
    if ('kind' in data) await w.plain.person.update({ where: { id: 3 }, data: { notes: false } })
    const before = await row(3)
    const report = await encryptWhile(async () => {
      await w.plain.person.update({ where: { id: 3 }, data })
    })
    expect(report).toMatchObject({ outcome: 'done', superseded: 1, rows: 6, quarantined: 0 })
    const after = await row(3)
    expect(withoutIndexes([after])).toEqual(withoutIndexes([{ ...before, ...expected }]))
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0, badIndexes: 0 })
  })

  it('keeps what the extension sealed between its read and its write', async () => {
    let sealed: any
    const report = await encryptWhile(async () => {
      await w.sealed.person.update({ where: { id: 3 }, data: person(provider, 3) })
      sealed = (await stored(w))[3]
    })
    expect(report).toMatchObject({ outcome: 'done', superseded: 1, rows: 5 })
    expect((await stored(w))[3]).toEqual(sealed)
  })

  it('goes over rows again that another version of the application put back', async () => {
    await encrypt(w.config)
    const { login } = person(provider, 1)
    await w.plain.person.update({ where: { id: 1 }, data: { login: `${login}x` } })
    expect(await encrypt(w.config)).toMatchObject({ outcome: 'done', rows: 1 })
    expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done', rows: 0 })
    expect(await w.sealed.person.findUnique({ where: { login: `${login}X` } })).toMatchObject({
      id: 1,
    })
    expect(await w.sealed.person.findUnique({ where: { login } })).toBeNull()
  })

  it('is gone on with after it was cut off at any batch', async () => {
    await w.plain.person.deleteMany()
    await addPlain(w, 30)
    const before = await opened(w)
    for (const nth of [1, 2, 3]) {
      const client = cutOff(w.plain, nth)
      await expect(encrypt({ ...w.config, client }, { batchRows: 4 })).rejects.toMatchObject({
        code: 'ERR_DATABASE_FAILED',
      })
      // Nobody gave the run back, and its process is gone.
      await w.run(`UPDATE rowseal_parts SET heartbeat_at_ms = 0`)
    }
    const { plaintext } = (await status(w.config)).fields.find(({ field }) => field === 'name')!
    expect(plaintext).toBe(30 - 4 * (0 + 1 + 2))
    let isResumed = false
    const report = await encrypt(w.config, {
      batchRows: 4,
      onEvent: (event) => {
        if (event.type === 'model') isResumed = event.isResumed
      },
    })
    expect(isResumed).toBe(true)
    expect(report).toMatchObject({ outcome: 'done', rows: 30 - 4 * (0 + 1 + 2) })
    expect(withoutIndexes(await opened(w))).toEqual(withoutIndexes(before))
  })
})

describe.each(PROVIDERS)('encrypt, bound to nothing else, on %s', (provider) => {
  afterEach(closeWorlds)

  it('puts what cannot be sealed into quarantine, and seals all else', async () => {
    const w = await world(provider, VALUES)
    const long = 'ü'.repeat(1 << 20)
    const values: [string | null, unknown][] = [
      ['rs1.', { a: 1 }],
      ['rs1.00000001.short', 'rs1.2 released'],
      ['rs1', ['rs1.2']],
      [long, long],
      [null, null],
      ['', ''],
      ['rs1.ABCDEF01.', 'RS1.'],
    ]
    const data = values.map(([text, json], id) => ({ id, text, ...(json !== null && { json }) }))
    for (const one of data) await w.plain.item.create({ data: one })
    const report = await encrypt(w.config)
    expect(report).toMatchObject({ outcome: 'incomplete', quarantined: 3, superseded: 0 })
    const sql = 'SELECT field, record_key, code FROM rowseal_quarantine ORDER BY record_key, field'
    const malformed = (field: string, id: number): object => {
      return { field, record_key: `["${id}"]`, code: 'ERR_ENVELOPE_MALFORMED' }
    }
    expect(await w.query(sql)).toEqual([
      malformed('text', 0),
      malformed('json', 1),
      malformed('text', 1),
      malformed('text', 6),
    ])
    const rows = await w.plain.item.findMany({ orderBy: { id: 'asc' } })
    expect(rows.map(({ text }: any) => /^rs1\..{50}/.test(text ?? ''))).toEqual([
      ...[false, false, true, true, false, true, false],
    ])
    expect([rows[0].text, rows[1].text, rows[1].json]).toEqual([
      ...['rs1.', 'rs1.00000001.short', 'rs1.2 released'],
    ])
    const good = await w.sealed.item.findMany({
      where: { id: { in: [2, 3, 4, 5] } },
      orderBy: { id: 'asc' },
    })
    expect(good.map(({ text, json }: any) => [text, json])).toEqual(values.slice(2, 6))
  })
})

const VALUES = `
model Item {
  id   Int     @id
  /// @encrypted(plaintext: allow)
  text String?
  /// @encrypted(plaintext: allow)
  json Json?
}
`
