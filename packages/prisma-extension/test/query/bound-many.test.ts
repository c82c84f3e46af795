import { describe, expect, test } from 'vitest'
import { A, atLibrary, B, read, refused } from './library-walks.ts'
import type { WalkOptions } from './walks.ts'

// What is bound where one operation may write many records, or one of two.

const library = atLibrary()

describe('an update of many', () => {
  const many = (args: object, model = 'Note') => library.collect(model, 'updateMany', args)

  test('binds to what its where says of all of them', () => {
    const args = { where: { tenantId: 2 }, data: { tags: ['x'] } }
    const { sites, args: out } = many(args)
    expect(String(sites.sites[0]!.bound)).toBe('2')
    expect(out['where']).toBe(args.where)
  })

  test('is refused where that is not said', () => {
    expect(() => many({ where: { id: A }, data: { tags: ['x'] } })).toThrow(
      refused('Note.tags', 'Name tenantId in where.'),
    )
    expect(() => many({ data: { text: 't' } })).toThrow(refused('Note.text'))
    expect(() => many({ where: { tenantId: 2 }, data: { text: 't' } })).toThrow(
      refused('Note.text', 'Name id in where.'),
    )
    expect(() => many({ data: { title: 't' } })).not.toThrow()
  })

  test('changes no column to which values are bound', () => {
    const data = { tenantId: 5, text: 't', tags: [] }
    expect(() => many({ where: { id: A }, data })).toThrow(
      refused('Note.tenantId', 'an update of many records would change it'),
    )
    expect(() => many({ where: { tenantId: 5, id: B }, data })).not.toThrow()
  })

  test('by key takes no other column for granted', () => {
    const limited = { where: { tenantId: 2, id: A }, data: { tags: ['x'] }, limit: 1 }
    expect(() => many(limited)).toThrow(refused('Note.tags', 'one by one, with tenantId in where'))
    expect(() => many({ ...limited, limit: undefined })).not.toThrow()
    const below = (where: object) => () =>
      library.collect('Book', 'update', {
        where: { id: 2 },
        data: { pages: { updateMany: { where, data: { text: 't' } } } },
      })
    expect(below({ bookId: 2 })).toThrow(refused('Page.text'))
  })
})

describe('an upsert', () => {
  const upsert = (args: object, options?: WalkOptions) =>
    library.collect('Note', 'upsert', args, options)
  const create = { id: A, tenantId: 2, text: 'c' }

  test('binds each of its two to its own record', () => {
    const args = { where: { id: A, tenantId: 2 }, create, update: { text: 'u' } }
    const { sites, args: out } = upsert(args)
    expect(sites.sites.map(({ bound }) => bound.map(String))).toStrictEqual([
      ['2', A],
      ['2', A],
    ])
    expect(out['where']).toBe(args.where)
  })

  test('creates no second record beside the one it means', () => {
    const args = { where: { id: A }, create, update: { text: 'u' } }
    const found = read({ tenantId: '9', id: A })
    expect(upsert(args, found).args['where']).toStrictEqual({ id: A, AND: [{ tenantId: 9 }] })
    const other = { ...args, create: { ...create, id: B } }
    expect(() => upsert(other, found)).toThrow(refused('Note.tenantId', 'does not name tenantId'))
    const compound = { ...args, where: { tenantId_id: { tenantId: 2, id: A } } }
    expect(() => upsert(compound)).not.toThrow()
    const beside = { ...args, where: { id: A, title: { not: null }, AND: [], x: undefined } }
    expect(() => upsert({ ...beside, where: { id: A, title: undefined } }, found)).not.toThrow()
  })

  test('of a record that is not there creates it', () => {
    const args = { where: { id: A }, create, update: { text: 'u' } }
    const { args: out } = upsert(args, { current: { state: 'absent' } })
    expect(out['where']).toStrictEqual({ id: A, AND: [{ tenantId: { in: [] } }] })
  })
})
