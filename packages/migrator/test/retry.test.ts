import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encrypt, listQuarantine, listRuns, retryQuarantine, verify } from '../src/index.ts'
import { BADGES } from './accounts.ts'
import { RunStore } from '../src/runs/store.ts'
import { Command } from './command.ts'
import { guard, guarded, notes, unguard, type Note } from './refusing.ts'
import { closeWorlds, drain, PROVIDERS, world, type World } from './world.ts'

afterAll(closeWorlds)

const KEY = { orderBy: [{ tenant: 'asc' }, { name: 'asc' }] }
const read = ({ sealed }: World): Promise<any[]> => sealed.note.findMany(KEY)
const stored = ({ plain }: World): Promise<any[]> => plain.note.findMany(KEY)
const codes = async (w: World): Promise<string[]> =>
  (await listQuarantine(w.config, { limit: 1_000 })).entries.map(
    ({ key, field, code, direction }) => `${key.join(' ')} ${field} ${code} ${direction}`,
  )

describe.each(PROVIDERS)('a retry of what is in quarantine, on %s', (provider) => {
  let w: World
  let bad: Note[]
  const isStale = (value: string | null): boolean =>
    value !== null && Number.parseInt(value.slice(4, 12), 16) !== w.keyring.activeKeyId
  beforeAll(async () => {
    w = await world(provider, guarded(provider))
    const all = notes(provider, 40)
    bad = all.filter((note) => note.guard !== null)
    await w.sealed.note.createMany({ data: all })
    await guard(w)
    await w.rotate()
  })
  const keyOf = ({ tenant, name }: Note): object => ({ tenant_name: { tenant, name } })
  const by = (name: string): Note => bad.find((note) => note.guard === name)!

  it('is refused while a run over the model is not at its end', async () => {
    const stop = new AbortController()
    const first = await drain(w.config, {
      batchRows: 5,
      signal: stop.signal,
      onEvent: ({ type }) => {
        if (type === 'batch') stop.abort()
      },
    })
    expect(first.outcome).toBe('stopped')
    const { quarantine } = new RunStore(w.plain, provider)
    const entry = { model: 'Note', field: 'title', key: ['0', 'gone'], code: 'ERR_CHECK_VIOLATION' }
    const record = (): Promise<void> =>
      w.plain.$transaction((tx: any) => quarantine.record(tx, [entry], 'encrypt'))
    await record()
    await expect(retryQuarantine(w.config)).rejects.toMatchObject({
      code: 'ERR_RUN_STATE',
      fix: expect.stringContaining('rowseal drain'),
    })
    expect(await drain(w.config)).toMatchObject({ outcome: 'incomplete' })
    expect(await codes(w)).not.toContain('0 gone title ERR_CHECK_VIOLATION encrypt')
    await record()
  })

  it('writes those rows that are good now, and no others, and says of the rest what to do', async () => {
    const [late] = await stored(w).then((rows) => rows.filter(({ title }) => isStale(title)))
    await w.plain.note.create({ data: { ...late, name: 'stale', guard: null } })
    for (const name of ['raise', 'child'])
      await w.plain.note.update({ where: keyOf(by(name)), data: { guard: null } })
    await w.plain.note.delete({ where: keyOf(by('null')) })
    const before = await read(w)
    const entries = await listQuarantine(w.config, { limit: 1_000 })
    const of = (names: string[]): number =>
      entries.entries.filter(({ record }) => names.some((name) => by(name).name === record['name']))
        .length

    const together: number[] = []
    const report = await retryQuarantine(w.config, {
      batchRows: 2,
      onEvent: (event) => {
        if (event.type === 'batch') together.push(event.rows)
      },
    })
    expect(Math.max(...together)).toBe(2)
    expect(report).toMatchObject({
      outcome: 'incomplete',
      released: of(['raise', 'child']),
      deleted: of(['null']) + 1,
      left: entries.total - of(['raise', 'child', 'null']) - 1,
    })
    expect(report.codes[0]!.fix).toMatch(/\.$/)
    const left = await codes(w)
    expect(left).toHaveLength(report.left)
    expect(left.some((text) => /raise|child|null|gone/.test(text))).toBe(false)
    expect(left.every((text) => text.endsWith(' drain'))).toBe(true)
    expect(await read(w)).toEqual(before)
    for (const { name, guard: reason, title } of await stored(w))
      expect([name, isStale(title)]).toEqual([
        name,
        name === 'stale' || (reason !== null && reason !== 'text'),
      ])
    expect(await listRuns(w.config)).toMatchObject([{ direction: 'retry', state: 'failed' }])
  })

  it('ends with 3 while something is left, and with 0 when nothing is', async () => {
    const command = new Command(w)
    const only = ['--code', 'ERR_CHECK_VIOLATION']
    const three = await command.run('runs', 'quarantine', 'retry', ...only)
    expect(three.code).toBe(3)
    expect(three.stderr).toMatch(/Left, \d values? in quarantine:\n {2}ERR_CHECK_VIOLATION/)
    expect(three.stderr).toContain('list --code ERR_CHECK_VIOLATION')
    await unguard(w)
    const before = await read(w)
    const zero = await command.run('runs', 'quarantine', 'retry')
    command.remove()
    expect(zero.code).toBe(0)
    expect(zero.stderr).toMatch(/\d values are in quarantine no more/)
    expect(await codes(w)).toEqual([])
    expect(await read(w)).toEqual(before)
    expect((await stored(w)).filter(({ title }) => isStale(title))).toHaveLength(1)
    expect(await listRuns(w.config)).toMatchObject([{ direction: 'retry', state: 'succeeded' }])
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 1 })
    expect(await retryQuarantine(w.config)).toMatchObject({ outcome: 'done', models: [], left: 0 })
  })

  it('opens again what verify could not, and keeps what it still cannot', async () => {
    const [one, other] = await stored(w)
    for (const { tenant, name } of [one, other])
      await w.plain.note.update({
        where: { tenant_name: { tenant, name } },
        data: { title: `${one.title.slice(0, -4)}AAAA` },
      })
    expect(await verify(w.config)).toMatchObject({ outcome: 'incomplete', bad: 2 })
    const { tenant, name } = one
    await w.sealed.note.update({ where: { tenant_name: { tenant, name } }, data: { title: 'new' } })
    expect(await retryQuarantine(w.config)).toMatchObject({ released: 1, deleted: 0, left: 1 })
    const left = [`${other.tenant} ${other.name} title ERR_ENVELOPE_AUTH verify`]
    expect(await codes(w)).toEqual(left)
    // A drain has nothing to do with it any more; it does not open all the same.
    const { quarantine } = new RunStore(w.plain, provider)
    const key = [String(other.tenant), other.name]
    const entry = { model: 'Note', field: 'title', key, code: 'ERR_CHECK_VIOLATION' }
    await w.plain.$transaction((tx: any) => quarantine.record(tx, [entry], 'drain'))
    expect(await retryQuarantine(w.config)).toMatchObject({ released: 0, left: 1 })
    expect(await codes(w)).toEqual(left)
  })

  it('does not take a value for good that its record holds no more than before', async () => {
    const badges = await world(provider, BADGES)
    await badges.plain.badge.createMany({
      data: [
        { id: 1, code: 'a' },
        { id: 2, code: 'a' },
        { id: 3, code: 'b' },
      ],
    })
    expect(await encrypt(badges.config)).toMatchObject({ outcome: 'incomplete', rows: 2 })
    const duplicates = [1, 2].map((id) => `${id} codeIndex ERR_INDEX_DUPLICATE encrypt`)
    expect(await codes(badges)).toEqual(duplicates)
    expect(await retryQuarantine(badges.config)).toMatchObject({ left: 2 })
    expect(await codes(badges)).toEqual(duplicates)
    await badges.plain.badge.update({ where: { id: 2 }, data: { code: 'c' } })
    expect(await retryQuarantine(badges.config)).toMatchObject({ outcome: 'done', released: 2 })
    expect(await badges.sealed.badge.findMany({ orderBy: { id: 'asc' } })).toMatchObject([
      { code: 'a' },
      { code: 'c' },
      { code: 'b' },
    ])
    expect(await badges.sealed.badge.findUnique({ where: { code: 'c' } })).toMatchObject({ id: 2 })
  })
})
