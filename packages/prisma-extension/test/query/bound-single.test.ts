import { beforeAll, describe, expect, test } from 'vitest'
import { planOf } from './clinic.ts'
import { atLibrary, refused } from './library-walks.ts'
import { to, walksOf, type Walks } from './walks.ts'

// Nested writes of records that are bound to the key of the record above them.

const profile = (more: Record<string, string> = {}) => ({
  columns: { id: 'Int', userId: 'Int', text: 'String', ...more },
  sealed: { text: { bind: ['userId'] } },
  bound: { userId: { type: 'Int' } },
})
const below = (model: string) => ({ model, list: false, boundThere: { userId: 'id' } })
const USERS = {
  User: {
    columns: { id: 'Int' },
    bound: { id: { type: 'Int' } },
    relations: { plain: below('Plain'), odd: below('Odd'), even: below('Even') },
  },
  Plain: profile(),
  Odd: profile({ data: 'String' }),
  Even: profile({ where: 'String' }),
} as const

describe('a single record below the one that is updated', () => {
  let users: Walks
  beforeAll(async () => {
    users = await walksOf(planOf(USERS as never))
  })
  const update = (relation: string, value: unknown): any =>
    users.sent(
      'User',
      'update',
      { where: { id: 2 }, data: { [relation]: { update: value } } },
      { current: { state: 'batch' } },
    ).data[relation].update

  test('is bound to its key, which a where then demands', () => {
    const where = { AND: [{ userId: 2 }] }
    expect(update('plain', { text: 't' })).toStrictEqual({ where, data: { text: to('t') } })
    expect(update('plain', { where: { id: 1 }, data: { text: 't' } })).toStrictEqual({
      where: { id: 1, ...where },
      data: { text: to('t') },
    })
  })

  test('stays bare where nothing is sealed', () => {
    expect(update('plain', { text: null })).toStrictEqual({ text: null })
    expect(update('plain', { id: 1 })).toStrictEqual({ id: 1 })
    expect(update('plain', null)).toBeNull()
  })

  test.each(['odd', 'even'])(
    'is refused bare where %s names are those of a wrapper',
    (relation) => {
      expect(() => update(relation, { text: 't' })).toThrow(
        refused(`${relation === 'odd' ? 'Odd' : 'Even'}.text`, 'is bound to userId'),
      )
      expect(update(relation, { text: null })).toStrictEqual({ text: null })
    },
  )
})

describe('many records below the one that is updated', () => {
  const library = atLibrary()
  const pages = (data: object): unknown =>
    library.collect(
      'Book',
      'update',
      { where: { id: 2 }, data: { pages: data } },
      { current: { state: 'batch' } },
    )

  test('are bound to its key in an upsert, whichever it is', () => {
    const upsert = { where: { id: 1 }, create: { text: 'c' }, update: { text: 'u' } }
    const { sites, args } = pages({ upsert }) as ReturnType<Walks['collect']>
    expect(sites.sites.map(({ bound }) => String(bound))).toStrictEqual(['2', '2'])
    expect((args['data'] as any).pages.upsert.where).toStrictEqual({ id: 1, AND: [{ bookId: 2n }] })
  })

  test('keep their keys in an updateMany', () => {
    const data = { bookId: 5, text: 't', json: 1 }
    expect(() => pages({ updateMany: { where: { id: 1 }, data } })).toThrow(
      refused('Page.bookId', 'an update of many records would change it'),
    )
  })
})
