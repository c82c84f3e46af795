import { moveIndex } from '@rowseal/prisma-extension/keys'
import { afterEach, describe, expect, it } from 'vitest'
import { encrypt, reindex, rotateIndex } from '../src/index.ts'
import { ACCOUNTS, BADGES } from './accounts.ts'
import { closeWorlds, PROVIDERS, world, type World } from './world.ts'

afterEach(closeWorlds)

const quarantine = (w: World): Promise<any[]> =>
  w.query('SELECT field, record_key, code FROM rowseal_quarantine ORDER BY record_key, field')
const stored = ({ plain }: World): Promise<any[]> =>
  plain.account.findMany({ orderBy: { id: 'asc' } })

describe.each(PROVIDERS)('encrypt with unique indexes on %s', (provider) => {
  it('puts values that an index takes for equal into quarantine, and seals all else', async () => {
    const w = await world(provider, ACCOUNTS)
    const at = (id: number, tenant: number, login: string, code: string | null): object => {
      return { id, tenant, login, code }
    }
    await w.plain.account.createMany({
      data: [
        at(1, 1, 'Ann', 'a'),
        at(2, 1, 'Bob', 'b'),
        at(3, 1, 'aNN', 'c'), // the login of 1
        at(4, 2, 'Dan', 'a'),
        at(5, 1, 'Eve', 'b'), // the code of 2
        at(6, 1, 'BOB', 'a'), // both
        at(7, 1, 'Gus', null),
        at(8, 1, 'Hal', null),
      ],
    })
    const report = await encrypt(w.config)
    expect(report).toMatchObject({ outcome: 'incomplete', superseded: 0 })
    const duplicate = (id: number, field: string): object => {
      return { field, record_key: `["${id}"]`, code: 'ERR_INDEX_DUPLICATE' }
    }
    expect(await quarantine(w)).toEqual([
      duplicate(1, 'codeIndex'),
      duplicate(1, 'loginIndex'),
      duplicate(2, 'codeIndex'),
      duplicate(2, 'loginIndex'),
      duplicate(3, 'loginIndex'),
      duplicate(5, 'codeIndex'),
      duplicate(6, 'codeIndex'),
      duplicate(6, 'loginIndex'),
    ])
    // A value and its index changed together or not at all.
    for (const { id, login, loginIndex, code, codeIndex } of await stored(w)) {
      const isSealed = [login, code].map((text) => text?.startsWith('rs1.') === true)
      expect([id, ...isSealed]).toEqual([id, ![3, 6].includes(id), ![5, 6, 7, 8].includes(id)])
      expect([loginIndex !== null, codeIndex !== null]).toEqual(isSealed)
    }
    await w.plain.account.update({ where: { id: 3 }, data: { login: 'Cyd' } })
    await w.plain.account.delete({ where: { id: 6 } })
    await w.plain.account.update({ where: { id: 5 }, data: { code: 'e' } })
    expect(await encrypt(w.config)).toMatchObject({ outcome: 'done', rows: 2 })
    expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done', rows: 0 })
    expect(await quarantine(w)).toEqual([])
    expect(await w.sealed.account.findUnique({ where: { login: 'CYD' } })).toMatchObject({ id: 3 })
  })

  it('fills the slots that the extension writes, in every phase of a rotation', async () => {
    const w = await world(provider, ACCOUNTS)
    const { keyring } = w
    await encrypt(w.config)
    await reindex(w.config, { now: true })
    await rotateIndex(w.config, { now: true })
    const phases = ['slot-1', 'both-1', 'both-2', 'slot-2'] as const
    for (const [i, phase] of phases.entries()) {
      for (const id of phase === 'slot-1' ? [] : ['loginIndex', 'codeIndex'])
        await moveIndex(keyring, `Account.${id}`, phase)
      const data = { tenant: 1, login: `User${i}`, code: `c${i}` }
      await w.sealed.account.create({ data: { ...data, id: i } })
      const written = (await stored(w)).at(-1)
      await w.sealed.account.delete({ where: { id: i } })
      await w.plain.account.create({ data: { ...data, id: i } })
      expect(await encrypt(w.config)).toMatchObject({ outcome: 'done', rows: 1 })
      const { loginIndex, loginOther, codeIndex, codeOther } = written
      const indexes = { loginIndex, loginOther, codeIndex, codeOther }
      expect((await stored(w)).at(-1)).toMatchObject(indexes)
    }
  })

  it('writes nothing while an index is rotated offline', async () => {
    const w = await world(provider, BADGES)
    await encrypt(w.config)
    await reindex(w.config, { now: true })
    await rotateIndex(w.config, { now: true })
    await moveIndex(w.keyring, 'Badge.codeIndex', 'offline')
    await w.plain.badge.create({ data: { id: 1, code: 'plain' } })
    const error = { code: 'ERR_INDEX_STATE', retryable: true, field: 'Badge.codeIndex' }
    await expect(encrypt(w.config)).rejects.toMatchObject(error)
    expect(await w.plain.badge.findMany()).toMatchObject([{ code: 'plain', codeIndex: null }])
  })

  it('refuses an index that has values of other normalizers', async () => {
    const w = await world(provider, BADGES)
    const trimmed = BADGES.replace('@blindIndex(code)', '@blindIndex(code, normalize: [trim])')
    const other = await world(provider, trimmed, { init: false, on: w })
    await w.plain.badge.create({ data: { id: 1, code: 'plain' } })
    await expect(encrypt(other.config)).rejects.toMatchObject({ code: 'ERR_INDEX_STATE' })
    expect(await w.plain.badge.findMany()).toMatchObject([{ code: 'plain', codeIndex: null }])
  })
})
