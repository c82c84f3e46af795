import { indexKeyIdOf } from '@rowseal/prisma-extension/envelope'
import { afterEach, describe, expect, it } from 'vitest'
import { init, reindex, type ReindexEvent } from '../src/index.ts'
import { addMembers, member, membersWithoutIndex, stored } from './indexed.ts'
import { closeWorlds, PROVIDERS, type World } from './world.ts'

afterEach(closeWorlds)

const ids = async (w: World, where: object): Promise<number[]> =>
  (await w.sealed.member.findMany({ where, orderBy: { id: 'asc' } })).map((row: any) => row.id)

describe.each(PROVIDERS)('reindex on %s', (provider) => {
  it('fills an index that was added to a table with rows: refused before, right after', async () => {
    const w = await membersWithoutIndex(provider, 60)
    await w.plain.member.update({ where: { id: 3 }, data: { phone: '+49 (0) 3' } })
    await init(w.config)
    await addMembers(w, 5, 100)
    for (const where of [{ email: 'member1@example.org' }, { phone: '491' }])
      await expect(ids(w, where)).rejects.toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED' })

    const events: ReindexEvent[] = []
    const report = await reindex(w.config, {
      batchRows: 20,
      onEvent: (event) => void events.push(event),
    })

    expect(report).toMatchObject({ outcome: 'done', superseded: 0, quarantined: 0, retired: [] })
    expect(report.models).toMatchObject([
      {
        model: 'Member',
        passes: 2,
        indexes: [
          {
            index: 'Member.emailIndex',
            isUnique: false,
            isComplete: true,
            phase: null,
            isDone: true,
          },
          {
            index: 'Member.phoneIndex',
            isUnique: false,
            isComplete: true,
            phase: null,
            isDone: true,
          },
        ],
      },
    ])
    expect(events.some(({ type }) => type === 'wait')).toBe(false)
    for (const i of [...Array(60).keys(), ...Array(5).keys()].map((n, at) =>
      at < 60 ? n : 100 + n,
    )) {
      const { email, phone } = member(i)
      if (email !== null) expect(await ids(w, { email: email.trim().toUpperCase() })).toEqual([i])
      if (phone !== null) expect(await ids(w, { phone: phone.replace(/\D/g, '') })).toEqual([i])
    }
    expect(await ids(w, { email: { not: 'member1@example.org' } })).not.toContain(1)
    const rows = await stored(w)
    for (const row of rows) {
      expect(row.emailIndex === null).toBe(row.email === null)
      expect(row.phoneIndex === null).toBe(row.phone === null)
    }
    expect(indexKeyIdOf(rows[0].emailIndex)).toBe(w.keyring.index.keys()[0]!.keyId)
    expect(await reindex(w.config)).toMatchObject({ outcome: 'done', rows: 0 })
  })
})
