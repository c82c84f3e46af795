import {
  addKey,
  cancelKeyringEnd,
  closeKeyring,
  scheduleDestruction,
} from '@rowseal/prisma-extension/keys'
import { afterEach, expect, it } from 'vitest'
import { ACCOUNTS } from './accounts.ts'
import { Command, type Ended } from './command.ts'
import { activeIndexKey, addMembers, MEMBERS } from './indexed.ts'
import { closeWorlds, PROVIDERS, world } from './world.ts'

let command: Command
afterEach(async () => {
  command.remove()
  await closeWorlds()
})

it.each(PROVIDERS)('rowseal keys goes the whole way on %s', async (provider) => {
  const w = await world(provider, MEMBERS)
  command = new Command(w)
  await addMembers(w, 20)
  const said = async (code: number, ...args: string[]): Promise<string> => {
    const ended = await command.run(...args)
    if (process.env['SHOW']) console.log(`$ rowseal ${args.join(' ')}\n${ended.stderr}`)
    expect([ended.code, ended.stdout, args]).toEqual([code, '', args])
    return ended.stderr
  }
  expect(await said(0, 'keys', 'list', '--count')).toMatch(/default +1 +1 +active/)
  expect(await said(0, 'rotate', '--now')).toContain('key 3 (version 2) is active, key 1 is')
  expect(await said(1, 'keys', 'retire', '1', '--now')).toMatch(/ERR_KEY_IN_USE.*Member\.email: 18/)
  expect(await said(0, 'drain', '--now')).toContain('Next: npx rowseal keys retire 1 --fence')
  expect(await said(0, 'status')).toContain('Key 1: nothing is under it. npx rowseal keys retire 1')
  expect(await said(0, 'keys', 'retire', '1', '--fence', '--now')).toContain(
    'Proof: the database refuses values under it in every column.',
  )
  // Nobody is there to be asked.
  expect(await said(2, 'keys', 'destroy', '1')).toContain('Pass --yes.')
  const scheduled = await said(0, 'keys', 'destroy', '1', '--yes')
  expect(scheduled).toMatch(/BACKUPS made from .* UTC to .* UTC/)
  expect(scheduled).toContain('keys destroy 1 --cancel')
  expect(await said(0, 'keys', 'destroy', '1', '--cancel')).toContain('It opens again.')
  await w.keyring.refresh()
  await scheduleDestruction(w.keyring, 1, new Date(0))
  expect(await said(0, 'keys', 'destroy', '1', '--yes')).toContain('key 1 is destroyed')
  expect(await said(0, 'keys', 'compromise', '3')).toContain('npx rowseal drain')
  expect(await said(0, 'keys', 'rewrap')).toContain('already')
  expect(await said(2, 'rotate', '--root')).toContain('is not rotated by its provider')
  const listed = JSON.parse((await command.start('keys', 'list', '--json').ended).stdout)
  expect(listed.keyrings[0]).toMatchObject({
    keyring: 'default',
    revision: expect.any(Number),
    keys: [{ state: 'destroyed' }, { state: 'compromised' }, { state: 'active', values: null }],
  })
  expect(listed.rootKeys).toMatchObject([{ state: 'enabled', isCurrent: true, error: null }])
  expect(await said(2, 'keys', 'destroy')).toContain('Name either a KEY')
  expect(await said(0, 'keys', 'destroy', '--keyring', 'default', '--yes')).toContain('18')
  expect(await said(0, 'status')).toContain('is closed and seals nothing')
})

it.each(PROVIDERS)(
  'rowseal keys rewrap of a key store without keys is refused on %s',
  async (provider) => {
    const w = await world(provider, MEMBERS, { init: false })
    command = new Command(w)
    const ended = await command.run('keys', 'rewrap')
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('ERR_KEYRING_MISSING')])
  },
)

it('rowseal keys says what is true of unique indexes, and of a version that waits', async () => {
  const w = await world('sqlite', ACCOUNTS)
  command = new Command(w)
  const { stderr } = await command.run('keys', 'suspend', String(activeIndexKey(w)), '--now')
  expect(stderr).toContain(
    'of unique ones once these were moved. Next, to move all: npx rowseal reindex',
  )
  const { keyId } = await addKey(w.keyring)
  const ended = await command.run('keys', 'destroy', String(keyId), '--yes')
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('waits to become active')])
})

it('rowseal status suggests of a keyring that ends as a whole what can be done to it', async () => {
  const w = await world('sqlite', MEMBERS)
  command = new Command(w)
  await addMembers(w, 5)
  const suggested = async (): Promise<string[]> => {
    const { stderr } = await command.run('status')
    const all = stderr.matchAll(/Key \d+: .* npx rowseal (keys destroy .*)/g)
    return [...new Set([...all].map(([, args]) => args!))]
  }
  await command.run('keys', 'destroy', '--keyring', 'default', '--yes')
  const undo = await suggested()
  expect(undo).toEqual(['keys destroy --keyring default --cancel'])
  expect(await command.run(...undo[0]!.split(' '))).toMatchObject({ code: 0 })
  await w.keyring.refresh()
  await closeKeyring(w.keyring, new Date(0))
  const end = await suggested()
  expect(end).toEqual(['keys destroy --keyring default'])
  expect(await command.run(...end[0]!.split(' '), '--yes')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('keys are destroyed'),
  })
})

it('rowseal keys destroy says that a waiting period which is begun already stays as it is', async () => {
  const w = await world('sqlite', MEMBERS)
  command = new Command(w)
  await addMembers(w, 5)
  await command.run('rotate', '--now')
  await command.run('drain', '--now')
  await command.run('keys', 'retire', '1', '--now')
  const both = async (of: string[], past: () => Promise<unknown>): Promise<void> => {
    const name = of.join(' ')
    const destroy = (...flags: string[]): Promise<Ended> =>
      command.run('keys', 'destroy', ...of, ...flags)
    const first = await destroy('--wait', '30', '--yes')
    expect(first.stderr).not.toContain('--wait')
    const dayOf = (text: string): string => /(?:until|after) ([\d-]+ [\d:]+ UTC)/.exec(text)![1]!
    const again = await destroy('--wait', '7', '--yes')
    expect(again).toMatchObject({ code: 0 })
    expect(dayOf(again.stderr)).toBe(dayOf(first.stderr))
    expect(again.stderr).toContain(
      `--wait 7 changes nothing: the waiting period was begun before. For another one: npx rowseal keys destroy ${name} --cancel, then npx rowseal keys destroy ${name} --wait 7`,
    )
    expect((await destroy('--yes')).stderr).not.toContain('--wait')
    const cancel = await destroy('--cancel', '--wait', '7')
    expect([cancel.code, cancel.stderr]).toEqual([2, '--wait does not go with --cancel.\n'])
    await w.keyring.refresh()
    await past()
    // Nobody is there to be asked, and this is what they would be asked.
    const asked = await destroy('--wait', '30')
    expect(asked.code).toBe(2)
    expect(asked.stderr).toContain('--wait 30 begins no other one: the waiting period is over.')
    expect((await destroy()).stderr).not.toContain('--wait')
  }
  await both(['1'], () => scheduleDestruction(w.keyring, 1, new Date(0)))
  await both(['--keyring', 'default'], async () => {
    await cancelKeyringEnd(w.keyring)
    await closeKeyring(w.keyring, new Date(0))
  })
})
