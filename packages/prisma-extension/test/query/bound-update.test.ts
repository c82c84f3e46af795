import { describe, expect, test } from 'vitest'
import { RecordPending } from '../../src/query/index.ts'
import { A, atLibrary, atShelves, read, refused } from './library-walks.ts'
import type { WalkOptions } from './walks.ts'

// What the values of an update are bound to: by its `where`, by its data, or by the record, which is then asked for.

const library = atLibrary()
const shelves = atShelves()

describe('an update', () => {
  const update = (args: object, options?: WalkOptions, model = 'Note') =>
    library.collect(model, 'update', args, options)

  test('binds to what its where names', () => {
    const data = { text: 't' }
    for (const where of [
      { id: A, tenantId: 2 },
      { tenantId_id: { tenantId: 2, id: A } },
      { id: A, AND: { tenantId: 2 } },
      { id: A, AND: [{ title: null }, { tenantId: { equals: 2 } }] },
    ]) {
      const args = { where, data }
      expect(library.bound('Note', 'update', args)).toStrictEqual({ 'Note.text': ['2', A] })
      expect(update(args).args['where']).toBe(where)
    }
  })

  test.each<[string, object]>([
    ['nothing of a column', { id: A }],
    ['a list', { id: A, tenantId: { in: [2] } }],
    ['what differs', { id: A, tenantId: { not: 2 } }],
    ['one of two', { id: A, OR: [{ tenantId: 2 }] }],
    ['a mode', { id: A, tenantId: { equals: 2, mode: 'insensitive' } }],
    ['a value of no such type', { id: A, tenantId: 'two' }],
    ['something absent', { id: A, tenantId: undefined }],
    ['a compound unique of other columns', { id: A, tenantId_id: 7 }],
  ])('asks for the record where its where says %s', (_name, where) => {
    const args = { where, data: { text: 't' } }
    let pending: unknown
    try {
      update(args)
    } catch (error) {
      pending = error
    }
    expect(pending).toBeInstanceOf(RecordPending)
    expect(pending).toMatchObject({ where, model: { name: 'Note' } })
    const { args: out, sites } = update(args, read({ tenantId: '3', id: A }))
    expect(sites.sites[0]!.bound.map(String)).toStrictEqual(['3', A])
    expect((out['where'] as any).AND.at(-1)).toStrictEqual({ tenantId: 3 })
  })

  test('writes only if the record is still as it was read', () => {
    const { args } = update(
      { where: { id: A, AND: { title: null } }, data: { tags: ['x'] } },
      read({ tenantId: '3', id: A }),
    )
    expect(args['where']).toStrictEqual({ id: A, AND: [{ title: null }, { tenantId: 3 }] })
    const many = update(
      { where: { title: null, AND: [{ title: null }] }, data: { text: 't' } },
      read({ tenantId: '3', id: A }),
    )
    expect(many.args['where']).toStrictEqual({
      title: null,
      AND: [{ title: null }, { tenantId: 3 }, { id: A }],
    })
  })

  test('of a record that is not there writes nothing', () => {
    const { args } = update(
      { where: { id: A }, data: { text: 't' } },
      { current: { state: 'absent' } },
    )
    expect(args['where']).toStrictEqual({ id: A, AND: [{ tenantId: { in: [] } }] })
    const shelf = shelves.collect(
      'Shelf',
      'update',
      { where: { id: 1 }, data: { flag: 'f' } },
      { current: { state: 'absent' } },
    )
    expect(shelf.args['where']).toStrictEqual({
      id: 1,
      AND: [{ isOpen: true }, { isOpen: false }],
    })
  })

  test('in a batch must name the record whole', () => {
    const current = { state: 'batch' } as const
    expect(() => update({ where: { id: A }, data: { text: 't' } }, { current })).toThrow(
      refused('Note.text', 'Name tenantId in where, or take the update out of the batch.'),
    )
    expect(() => update({ where: { id: A }, data: { title: 't' } }, { current })).not.toThrow()
  })

  test('may lack what it does not bind', () => {
    const args = { where: { id: A }, data: { title: 'x', text: undefined } }
    expect(() => update(args)).not.toThrow()
    const none = { where: { id: A }, data: {} }
    expect(update(none).args).toBe(none)
    const nulled = { where: { id: A }, data: { text: null } }
    expect(update(nulled).args).toStrictEqual(nulled)
    expect(update(nulled).sites.sites).toHaveLength(0)
  })

  test('changes a column with all that is bound to it', () => {
    const args = { where: { id: A }, data: { tenantId: { set: 5 }, text: 't', tags: ['x'] } }
    expect(library.bound('Note', 'update', args)).toStrictEqual({
      'Note.text': ['5', A],
      'Note.tags': ['5'],
    })
    for (const tags of [{ set: [] }, []])
      expect(library.bound('Note', 'update', { where: { id: A }, data: { tenantId: 5, text: { set: 'x' }, tags } })).toStrictEqual({ 'Note.text': ['5', A] }) // prettier-ignore
  })

  test.each<[string, object]>([
    ['a value that is left', { tenantId: 5, text: 't' }],
    ['a value that is absent', { tenantId: 5, text: 't', tags: undefined }],
    ['a list that is pushed to', { tenantId: 5, text: 't', tags: { push: 'x' } }],
    ['a set of nothing', { tenantId: 5, text: { set: undefined }, tags: [] }],
  ])(
    'that changes a column is refused with %s, and passes where nothing changes',
    (_name, data) => {
      const args = { where: { id: A }, data }
      expect(() => update(args)).toThrow(RecordPending)
      expect(() => update(args, read({ tenantId: '4', id: A }))).toThrow(
        refused('Note.tenantId', 'cannot change without'),
      )
      expect(() => update(args, read({ tenantId: '5', id: A }))).not.toThrow()
      expect(() => update(args, { current: { state: 'absent' } })).not.toThrow()
      const named = { where: { id: A, tenantId: 5 }, data }
      expect(update(named).args['where']).toBe(named.where)
    },
  )

  test('is refused where it does not say what a column becomes', () => {
    for (const tenantId of [{ increment: 1 }, { set: 1, increment: 1 }, 'x', null])
      expect(() => update({ where: { id: A }, data: { tenantId, text: 't', tags: [] } })).toThrow(
        refused('Note.tenantId', 'does not say what it becomes'),
      )
  })

  test('of a foreign key by its relation', () => {
    const page = (data: object, options?: WalkOptions) =>
      update({ where: { id: 1, bookId: 2 }, data }, options, 'Page')
    const moved = page({ book: { connect: { id: 3 } }, text: 't', json: 1 })
    expect(moved.sites.sites.map(({ bound }) => String(bound))).toStrictEqual(['3', '3'])
    expect(() => page({ book: { connect: { id: 3 } }, text: 't' })).toThrow(refused('Page.bookId'))
    expect(() => page({ book: { connect: { title: 'x' } }, text: 't', json: 1 })).toThrow(
      refused('Page.bookId', 'does not say'),
    )
    expect(() => page({ bookId: 3, book: { connect: { id: 4 } }, text: 't', json: 1 })).toThrow(
      refused('Page.bookId', 'does not say'),
    )
    expect(page({ bookId: 3, book: { connect: { id: 3 } }, text: 't', json: 1 }).sites.sites).toHaveLength(2) // prettier-ignore
    const stays = page({ book: { update: { title: 'x' }, connect: undefined }, text: 't' })
    expect(String(stays.sites.sites[0]!.bound)).toBe('2')
    expect(page({ book: { create: {} }, text: 't', json: 1 }).args['data']).toMatchObject({
      book: { create: { id: 7n } },
    })
    expect(page({ book: undefined, text: 't' }).args['where']).toStrictEqual({ id: 1, bookId: 2 })
  })

  test('hands its key down, unless it changes', () => {
    const book = (data: object, where: object = { id: 2 }) =>
      update({ where, data }, { current: { state: 'batch' } }, 'Book')
    const below = { pages: { create: { text: 't' }, update: { where: { id: 1 }, data: { text: 'u' } } } } // prettier-ignore
    const { sites, args } = book(below)
    expect(sites.sites.map(({ bound }) => String(bound))).toStrictEqual(['2', '2'])
    expect((args['data'] as any).pages.update.where).toStrictEqual({ id: 1, AND: [{ bookId: 2n }] })
    expect(() => book({ ...below, id: 3 })).toThrow(refused('Page.text'))
    expect(() => book(below, { title: 'x' })).toThrow(refused('Page.text'))
    const named = book({ pages: { update: { where: { id: 1, bookId: 9 }, data: { text: 'u' } } } })
    expect(String(named.sites.sites[0]!.bound)).toBe('9')
  })
})

describe('on MySQL', () => {
  test('a where with text does not say which spelling it finds', () => {
    const update = (where: object, options?: WalkOptions) =>
      shelves.collect('Shelf', 'update', { where, data: { note: 'n' } }, options)
    expect(() => update({ id: 1, name: 'abc' })).toThrow(RecordPending)
    const { args } = update({ id: 1, name: 'abc' }, read({ name: 'ABC', isOpen: 'true' }))
    expect(args['where']).toStrictEqual({ id: 1, name: 'abc', AND: [{ name: 'ABC' }] })
    expect(() => update({ id: 1, name: 'abc' }, { current: { state: 'batch' } })).toThrow(
      refused('Shelf.note', 'another spelling'),
    )
    const flag = { where: { id: 1, isOpen: true }, data: { flag: 'f' } }
    expect(shelves.bound('Shelf', 'update', flag)).toStrictEqual({ 'Shelf.flag': ['true'] })
    const read1 = shelves.collect('Shelf', 'update', { where: { id: 1 }, data: { flag: 'f' } }, read({ isOpen: 'false' })) // prettier-ignore
    expect(read1.args['where']).toStrictEqual({ id: 1, AND: [{ isOpen: false }] })
  })
})
