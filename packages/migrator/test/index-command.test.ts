import { afterEach, describe, expect, it } from 'vitest'
import { init } from '../src/index.ts'
import { account, ACCOUNTS, BADGES, columns, expectedColumns } from './accounts.ts'
import { Command, type Started } from './command.ts'
import { activeIndexKey, expectedIndexes, membersWithoutIndex, storedIndexes } from './indexed.ts'
import { closeWorlds, PROVIDERS, world, type Provider, type World } from './world.ts'

let command: Command
afterEach(async () => {
  command.remove()
  await closeWorlds()
})

const checkpoint = async (w: World): Promise<string | null> =>
  (await w.query('SELECT checkpoint FROM rowseal_parts'))[0]?.checkpoint ?? null

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((done) => setTimeout(done, 20))
}

/** Kill a command some time after its next checkpoint. */
async function killSoon(w: World, { child, ended }: Started): Promise<void> {
  const before = await checkpoint(w)
  await until(async () => (await checkpoint(w)) !== before || child.exitCode !== null)
  await new Promise((done) => setTimeout(done, Math.random() * 150))
  child.kill('SIGKILL')
  await ended
}

async function unindexed(provider: Provider, count: number): Promise<World> {
  const w = await membersWithoutIndex(provider, count)
  command = new Command(w)
  return w
}

describe.each(PROVIDERS)('rowseal reindex on %s', (provider) => {
  it('goes the whole way: init, reindex, rotate --index, reindex, status, verify', async () => {
    const w = await unindexed(provider, 20)
    expect((await command.run('init')).stderr).toContain('npx rowseal reindex')
    const dry = await command.run('reindex', '--dry-run', '--json')
    expect(dry.code).toBe(0)
    expect(JSON.parse(dry.stdout)).toMatchObject({ rows: 20, models: [{ model: 'Member' }] })
    expect((await command.run('reindex', '--dry-run')).stderr).toMatch(
      /Member\.emailIndex +not complete[\s\S]*20 rows would be gone over/,
    )
    const filled = await command.start('reindex').ended
    expect(filled).toMatchObject({ code: 0, stdout: '' })
    expect(filled.stderr).toMatch(/Member\.emailIndex: complete\.[\s\S]*Member +20 /)
    await w.keyring.index.refresh()
    expect(await storedIndexes(w)).toEqual(await expectedIndexes(w, activeIndexKey(w)))

    const rotated = await command.run('rotate', '--index', '--now', '--json')
    expect(JSON.parse(rotated.stdout)).toMatchObject({
      keyring: 'default',
      outcome: 'done',
      from: { version: 1 },
      to: { version: 2 },
    })
    const moved = await command.run('reindex', '--now', '--json')
    expect(moved.code).toBe(0)
    expect(JSON.parse(moved.stdout)).toMatchObject({
      outcome: 'done',
      rows: 20,
      retired: [{ keyring: 'default' }],
      models: [{ indexes: [{ index: 'Member.emailIndex', isComplete: true, isDone: true }, {}] }],
    })
    const now = await command.run('status', '--json')
    expect(JSON.parse(now.stdout).indexes).toMatchObject([
      { index: 'Member.emailIndex', missing: 0, pending: 0, isComplete: true },
      { index: 'Member.phoneIndex', missing: 0, pending: 0, isComplete: true },
    ])
    expect((await command.run('status')).stderr).toMatch(
      /default\/index +\d+ +1 +deactivated[\s\S]*Member\.emailIndex +allowed/,
    )
    const verified = await command.run('verify', '--json')
    expect(verified.code).toBe(0)
    expect(JSON.parse(verified.stdout)).toMatchObject({ outcome: 'done', badIndexes: 0 })

    await w.plain.member.update({ where: { id: 1 }, data: { emailIndex: null } })
    const bad = await command.run('verify')
    expect(bad.code).toBe(3)
    expect(bad.stderr).toMatch(/Member\.emailIndex of the record 1: ERR_INDEX_MISSING/)
    expect(bad.stderr).toContain('npx rowseal reindex --check-values')
  }, 180_000)

  it('killed at random moments and run again ends with every row indexed', async () => {
    const w = await unindexed(provider, 3000)
    await init(w.config)
    for (let i = 0; i < 6; i++)
      await killSoon(w, command.startSoon('reindex', '--batch-rows', '4', '--json'))
    expect(
      (await storedIndexes(w)).some((row) => row.phoneIndex === null && row.id % 7 !== 6),
    ).toBe(true)
    expect(w.keyring.index.records().some(({ complete }) => complete)).toBe(false)
    const last = await command.run('reindex', '--json')
    expect(last.code).toBe(0)
    await w.keyring.index.refresh()
    expect(await storedIndexes(w)).toEqual(await expectedIndexes(w, activeIndexKey(w)))
  }, 180_000)

  it('killed at random moments of a rotation and run again comes out in the other slot', async () => {
    const w = await world(provider, ACCOUNTS)
    command = new Command(w)
    const data = Array.from({ length: 600 }, (_, i) => account(i))
    await w.sealed.account.createMany({ data })
    await command.run('rotate', '--index', '--now')
    for (let i = 0; i < 8; i++)
      await killSoon(w, command.startSoon('reindex', '--now', '--batch-rows', '10'))
    expect((await command.run('reindex', '--now')).code).toBe(0)
    await w.keyring.index.refresh()
    expect(await columns(w)).toEqual(await expectedColumns(w, [null, activeIndexKey(w)]))
    expect((await w.sealed.account.findUnique({ where: { login: 'user599' } })).id).toBe(599)
  }, 180_000)

  it('ends with 3 for duplicates, and says where they are without what they are', async () => {
    const w = await world(provider, BADGES)
    command = new Command(w)
    await w.sealed.badge.create({ data: { id: 1, code: 'secret' } })
    await w.plain.badge.update({ where: { id: 1 }, data: { codeIndex: null } })
    await w.sealed.badge.create({ data: { id: 2, code: 'secret' } })
    const { code, stderr } = await command.run('reindex')
    expect(code).toBe(3)
    expect(stderr).toContain('npx rowseal runs quarantine list')
    expect(stderr).toContain('Badge.codeIndex of the record 1: ERR_INDEX_DUPLICATE')
    expect(stderr).toContain('Badge.codeIndex of the record 2: ERR_INDEX_DUPLICATE')
    expect(stderr).not.toContain('secret')
    expect(stderr).not.toContain('ri1.')
  })
})

describe('rowseal reindex', () => {
  it('stops at once while it waits, and says how to go on', async () => {
    await unindexed('sqlite', 3)
    await command.run('reindex')
    const rotating = command.start('rotate', '--index')
    await untilSaid(rotating, /Waiting \d+ s until every instance has read key/)
    rotating.child.kill('SIGTERM')
    const stopped = await rotating.ended
    expect(stopped.code).toBe(143)
    expect(stopped.stderr).toContain('To go on: npx rowseal rotate --index')
    expect((await command.run('rotate', '--index', '--now')).code).toBe(0)

    const reindexing = command.start('reindex')
    await untilSaid(reindexing, /Waiting \d+ s until every instance follows/)
    reindexing.child.kill('SIGINT')
    const interrupted = await reindexing.ended
    expect(interrupted.code).toBe(130)
    expect(interrupted.stderr).toContain('To go on: npx rowseal reindex')
  })

  it('ends with 1 where it would have to go offline, and with 2 on misuse', async () => {
    const w = await world('sqlite', BADGES)
    command = new Command(w)
    await w.sealed.badge.create({ data: { id: 1, code: 'x' } })
    await command.run('rotate', '--index', '--now')
    const refused = await command.run('reindex', '--now', '--json')
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'ERR_INDEX_OFFLINE' } })
    expect((await command.run('reindex', '--now', '--offline')).code).toBe(0)
    expect((await command.run('reindex', '--model', 'Nobody')).code).toBe(2)
    expect((await command.run('rotate', '--index', '--keyring', 'other')).code).toBe(2)
  })
})

async function untilSaid({ child }: Started, what: RegExp): Promise<void> {
  let said = ''
  await new Promise<void>((done) => {
    child.stderr!.on('data', (chunk: unknown) => {
      said += String(chunk)
      if (what.test(said)) done()
    })
  })
}
