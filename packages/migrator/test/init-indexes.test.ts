import { afterEach, describe, expect, it } from 'vitest'
import { init } from '../src/index.ts'
import { Command } from './command.ts'
import { addMembers, MEMBERS, membersWithoutIndex } from './indexed.ts'
import { closeWorlds, PROVIDERS, world } from './world.ts'

let command: Command | null = null
afterEach(async () => {
  command?.remove()
  command = null
  await closeWorlds()
})

const EMAIL = { index: 'Member.emailIndex', keyring: 'default' }
const PHONE = { index: 'Member.phoneIndex', keyring: 'default' }

describe.each(PROVIDERS)('init with blind indexes on %s', (provider) => {
  it('takes an index for complete whose table is empty, unless plaintext may come in', async () => {
    const w = await world(provider, MEMBERS, { init: false })
    expect((await init(w.config)).indexes).toEqual([
      { ...EMAIL, isCreated: true, isComplete: true },
      { ...PHONE, isCreated: true, isComplete: false },
    ])
    await addMembers(w, 3)
    expect((await w.sealed.member.findFirst({ where: { email: 'member1@EXAMPLE.org' } })).id).toBe(
      1,
    )
    await expect(w.sealed.member.findFirst({ where: { phone: '491' } })).rejects.toMatchObject({
      code: 'ERR_QUERY_UNSUPPORTED',
    })
    expect((await init(w.config)).indexes).toEqual([
      { ...EMAIL, isCreated: false, isComplete: true },
      { ...PHONE, isCreated: false, isComplete: false },
    ])
  })

  it('takes no index for complete whose table has rows', async () => {
    const w = await membersWithoutIndex(provider, 3)
    await expect(w.sealed.member.create({ data: { id: 7, email: 'x' } })).rejects.toMatchObject({
      code: 'ERR_KEYRING_MISSING',
    })
    expect((await init(w.config)).indexes).toEqual([
      { ...EMAIL, isCreated: true, isComplete: false },
      { ...PHONE, isCreated: true, isComplete: false },
    ])
  })

  it('says what to run next', async () => {
    const w = await membersWithoutIndex(provider, 1)
    command = new Command(w)
    const { code, stderr } = await command.run('init')
    expect(code).toBe(0)
    expect(stderr).toContain('Index Member.emailIndex: registered, not complete.')
    expect(stderr).toContain('npx rowseal reindex')
    const again = await command.run('init', '--json')
    expect(JSON.parse(again.stdout).indexes).toEqual([
      { ...EMAIL, isCreated: false, isComplete: false },
      { ...PHONE, isCreated: false, isComplete: false },
    ])
  })

  it('takes an index for incomplete whose table is not there', async () => {
    const w = await world(provider, MEMBERS, { init: false })
    await w.run('DROP TABLE "group"')
    expect((await init(w.config)).indexes.map(({ isComplete }) => isComplete)).toEqual([
      false,
      false,
    ])
  })
})
