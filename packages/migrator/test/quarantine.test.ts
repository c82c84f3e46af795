import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportQuarantine, listQuarantine } from '../src/index.ts'
import { Command } from './command.ts'
import { guard, guarded, notes, type Note } from './refusing.ts'
import { closeWorlds, drain, PROVIDERS, world, type World } from './world.ts'

afterAll(closeWorlds)

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}

describe.each(PROVIDERS)('a quarantine on %s', (provider) => {
  let w: World
  let bad: Note[]
  let command: Command
  beforeAll(async () => {
    w = await world(provider, guarded(provider))
    const all = notes(provider, 40).map((note) =>
      note.guard === 'raise' ? { ...note, name: '=1+1\u001b[31m\n"x"' } : note,
    )
    bad = all.filter((note) => note.guard !== null)
    await w.sealed.note.createMany({ data: all })
    await guard(w)
    await w.rotate()
    await drain(w.config)
    command = new Command(w)
  })
  afterAll(() => command.remove())

  it('is listed by page, each value once, and filtered', async () => {
    const all = await listQuarantine(w.config, { limit: 1_000 })
    expect(all).toMatchObject({ total: all.entries.length, next: null })
    expect(new Set(all.entries.map(({ key }) => JSON.stringify(key))).size).toBe(bad.length)
    expect(all.entries[0]).toEqual({
      model: 'Note',
      field: 'text',
      key: [expect.any(String), expect.any(String)],
      record: { tenant: expect.any(String), name: expect.any(String) },
      code: expect.stringMatching(/^ERR_/),
      direction: 'drain',
      foundAt: expect.stringMatching(/^20\d\d-.*Z$/),
      fix: expect.stringMatching(/\.$/),
    })
    const paged = []
    for (let after: string | undefined; ;) {
      const page = await listQuarantine(w.config, { limit: 4, ...(after && { after }) })
      expect(page.total).toBe(all.total)
      paged.push(...page.entries)
      if (page.next === null) break
      after = page.next
    }
    expect(paged).toEqual(all.entries)
    const of = async (filter: object): Promise<number> =>
      (await listQuarantine(w.config, filter)).total
    const titles = all.entries.filter(({ field }) => field === 'title').length
    expect(await of({ fields: ['Note.title'] })).toBe(titles)
    expect(await of({ fields: ['title', 'Other.text'] })).toBe(titles)
    expect(await of({ fields: ['Other.title'] })).toBe(0)
    expect(await of({ models: ['Note'] })).toBe(all.total)
    expect(await of({ models: [] })).toBe(0)
    const counted = all.codes.find(({ code }) => code === 'ERR_TRIGGER_REFUSED')!.count
    expect(await of({ codes: ['ERR_TRIGGER_REFUSED'] })).toBe(counted)
    await expect(listQuarantine(w.config, { limit: 0 })).rejects.toThrow(TypeError)
    await expect(listQuarantine(w.config, { after: 'x' })).rejects.toThrow(TypeError)
  })

  it('is shown to people: where, what to do, and how to see the rest', async () => {
    const { code, stderr, stdout } = await command.run(
      ...['runs', 'quarantine', 'list', '--field', 'Note.title', '--limit', '3'],
    )
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).toMatch(/3 of \d values in quarantine:/)
    expect(stderr).toMatch(/ERR_CHECK_VIOLATION \(1\): Change the value/)
    expect(stderr).toMatch(/list --field Note.title --after \S+\n/)
    // What a key holds is not obeyed by a terminal.
    expect(stderr).not.toContain('\u001b')
    expect(stderr).toContain('name==1+1\\u{1b}[31m\\u{a}"x"')
    const none = await command.run('runs', 'quarantine', 'list', '--code', 'ERR_NONE')
    expect(none).toMatchObject({ code: 0, stderr: 'Nothing in quarantine fits that.\n' })
    const misuse = await command.run('runs', 'quarantine', 'list', '--limit', '0')
    expect(misuse.code).toBe(2)
  })

  it('is exported as lines of JSON, without content', async () => {
    const { entries } = await listQuarantine(w.config, { limit: 1_000 })
    const { stdout, stderr, code } = await command.run('runs', 'quarantine', 'export')
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(entries)
    expect([code, stderr]).toEqual([0, `${entries.length} entries.\n`])
    expect(stdout).not.toMatch(/SECRET|rs1\.|Title/)
    expect(await linesOf(exportQuarantine(w.config, { models: ['Other'] }))).toEqual([])
  })

  it('is exported for a spreadsheet, which finds no formula in it', async () => {
    const out = join(command.folder, 'out.csv')
    const args = ['runs', 'quarantine', 'export', '--format', 'csv', '--out', out]
    writeFileSync(out, 'of an earlier export', { mode: 0o644 })
    const { code, stderr } = await command.run(...args)
    const { total } = await listQuarantine(w.config)
    expect([code, stderr]).toEqual([0, `${total} entries written to ${out}.\n`])
    expect(statSync(out).mode & 0o777).toBe(0o600)
    const text = readFileSync(out, 'utf8')
    expect(text.startsWith('model,field,key,code,direction,foundAt,fix\r\n')).toBe(true)
    expect(text.match(/\r\n/g)).toHaveLength(total + 1)
    const rename = (key: string, code: string): Promise<unknown> =>
      w.plain.$executeRawUnsafe(
        `UPDATE rowseal_quarantine SET record_key = '["${key}"]' WHERE field = 'title' AND code = '${code}'`,
      )
    await rename('=cmd|x', 'ERR_CHECK_VIOLATION')
    await rename('-1', 'ERR_UNIQUE_VIOLATION')
    const lines = await linesOf(exportQuarantine(w.config, { format: 'csv', fields: ['title'] }))
    expect(lines.find((line) => line.includes('ERR_CHECK_VIOLATION'))).toMatch(/,'=cmd\|x,/)
    expect(lines.find((line) => line.includes('ERR_UNIQUE_VIOLATION'))).toMatch(/,-1,/)
    expect((await command.run(...args.slice(0, -2), '--format', 'xml')).code).toBe(2)
  })

  it('is empty, and no error, where no run has been', async () => {
    const fresh = await world(provider, guarded(provider), { init: false })
    expect(await listQuarantine(fresh.config)).toMatchObject({ total: 0, next: null })
    expect(await linesOf(exportQuarantine(fresh.config))).toEqual([])
  })
})
