import { describe, expect, test } from 'vitest'
import { rotate } from '../../src/keys/index.ts'
import { OpenSites } from '../../src/query/index.ts'
import { atClinic } from './clinic-walks.ts'
import { open, stored } from './stored-rows.ts'

const { walks } = atClinic()

describe('stale values', () => {
  test('are met with the key of their record and what is stored', async () => {
    const [row, second] = await stored(walks(), 'Patient', [
      { id: 1, secret: 's', words: ['a', 'b'] },
      { secret: 't' },
    ])
    const before = { ...row, words: [...row.words] }
    const former = walks().keyring.activeKeyId
    await rotate(walks().keyring)
    const [fresh] = await stored(walks(), 'Patient', [{ id: 3, secret: 'u' }])
    const mixed = { ...fresh, id: 4, words: [fresh.secret, row.words[0]] }
    const { sites } = await open(walks(), 'Patient', [row, second, fresh])
    expect(walks().keyring.activeKeyId).not.toBe(former)
    expect(sites.stale).toStrictEqual([
      {
        model: walks().plan.get('Patient'),
        key: [1],
        fields: [
          { field: expect.objectContaining({ name: 'secret' }), stored: before.secret, bound: [] },
          { field: expect.objectContaining({ name: 'words' }), stored: before.words, bound: [] },
        ],
      },
    ])
    const list = new OpenSites()
    const [chunk] = [...list.walk(walks().plan.get('Patient')!, mixed, null)]
    expect(chunk!.sites).toHaveLength(3)
    expect(list.stale.map(({ fields }) => fields.map(({ field }) => field.name))).toStrictEqual([['words']]) // prettier-ignore
    const first = new OpenSites()
    const other = { id: 5, words: [row.secret === 's' ? before.words[1] : '', fresh.words] }
    other.words.pop()
    expect([...first.walk(walks().plan.get('Patient')!, { ...other, words: [before.words[0], mixed.words[0]] }, null)]).toHaveLength(1) // prettier-ignore
    expect(first.stale).toHaveLength(1)
  })

  test('are passed over where a record has no key', async () => {
    const [row] = await stored(walks(), 'Visit', [{ id: 1, finding: 'f' }])
    await rotate(walks().keyring)
    const keyed = walks().plan.get('Visit')!
    for (const [key, stale] of [
      [['id'], 1],
      [[], 0],
      [['id', 'other'], 0],
    ] as const) {
      const sites = new OpenSites()
      const model = { ...keyed, source: { ...keyed.source, key } }
      expect([...sites.walk(model, { ...row }, null)]).toHaveLength(1)
      expect(sites.stale).toHaveLength(stale)
    }
  })
})
