import { skip } from '@prisma/client/runtime/client'
import { describe, expect, test } from 'vitest'
import { LIBRARY, planOf } from './clinic.ts'
import { A, atLibrary, atShelves, refused } from './library-walks.ts'
import { to, walksOf } from './walks.ts'

// What the values of a create are bound to, as far as its data says it, and what it must say.

const library = atLibrary()
const shelves = atShelves()

describe('a create', () => {
  test('binds to what it gives', () => {
    const data = { id: A.toUpperCase(), tenantId: 7, text: 't', tags: ['x'], title: 'y' }
    expect(library.bound('Note', 'create', { data })).toStrictEqual({
      'Note.text': ['7', A],
      'Note.tags': ['7'],
      'Note.title': [],
    })
  })

  test('writes down ids and defaults that Prisma would fill in', () => {
    const { args, sites } = library.collect('Note', 'create', {
      data: { text: 't', id: undefined },
    })
    const { id, tenantId } = args['data'] as { id: string; tenantId: number }
    expect(tenantId).toBe(1)
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4/)
    expect(sites.sites[0]!.bound.map(String)).toStrictEqual(['1', id])
    const [one, two] = library.collect('Note', 'createMany', { data: [{}, {}] }).args['data'] as any
    expect(one.id).not.toBe(two.id)
    expect(library.sent('Book', 'create', { data: {} }).data).toStrictEqual({ id: 7n })
  })

  test('leaves an undefined for Prisma to refuse, where it would', async () => {
    const strict = await walksOf(planOf(LIBRARY), { isStrict: true })
    const given = { data: { id: undefined, tenantId: skip, title: null } }
    expect(strict.collect('Note', 'create', given).args['data']).toStrictEqual({
      id: undefined,
      tenantId: 1,
      title: null,
    })
  })

  test.each<[string, object, string[] | null]>([
    ['a foreign key', { bookId: 5 }, ['5']],
    ['a foreign key as text', { bookId: '05' }, ['5']],
    ['connect', { book: { connect: { id: 6n } } }, ['6']],
    ['a create beside it', { book: { create: { id: 8 } } }, ['8']],
    ['a create that is filled in', { book: { create: { title: 'x' } } }, ['7']],
    ['connectOrCreate of one id', { book: { connectOrCreate: { where: { id: 3 }, create: { id: 3 } } } }, ['3']], // prettier-ignore
    ['connectOrCreate of two ids', { book: { connectOrCreate: { where: { id: 3 }, create: { id: 4 } } } }, null], // prettier-ignore
    ['connectOrCreate of no object', { book: { connectOrCreate: 3 } }, null],
    ['connect by something else', { book: { connect: { title: 'x' } } }, null],
    ['connect of no object', { book: { connect: 3 } }, null],
    ['two nested writes', { book: { connect: { id: 6n }, create: { id: 6 } } }, null],
    ['an absent one beside', { book: { connect: { id: 6n }, create: undefined } }, ['6']],
    ['another nested write', { book: { update: { id: 6n } } }, null],
    ['no nested write', { book: {} }, null],
    ['nothing', {}, null],
    ['a key and a relation that agree', { bookId: 6, book: { connect: { id: 6 } } }, ['6']],
    ['a key and a relation that do not', { bookId: 5, book: { connect: { id: 6 } } }, null],
    ['a value that is none', { bookId: 1.5 }, null],
    ['connect with AND', { book: { connect: { AND: [{ title: 'x' }, { id: { equals: 9 } }] } } }, ['9']], // prettier-ignore
  ])('of a page that gives its book by %s', (_name, data, texts) => {
    const create = (): unknown =>
      library.bound('Page', 'create', { data: { ...data, text: 't' } })['Page.text']
    if (texts === null) expect(create).toThrow(refused('Page.text', 'is bound to bookId'))
    else expect(create()).toStrictEqual(texts)
  })

  test('without sealed values need not say it', () => {
    const args = { data: { title: 'x', pages: { connectOrCreate: [] } } }
    expect(() => library.collect('Page', 'create', { data: { text: null } })).not.toThrow()
    expect(() => library.collect('Book', 'create', { data: { title: 'x' } })).not.toThrow()
    expect(() => library.collect('Book', 'create', args)).toThrow(refused('Page.bookId')) // prettier-ignore
  })

  test('hands its key down to the records below it', () => {
    const pages = { create: [{ text: 't' }, { text: 'u' }], createMany: { data: [{ json: 1 }] } }
    const { sites } = library.collect('Book', 'create', { data: { id: 4, pages } })
    expect(sites.sites.map(({ bound }) => bound.map(String))).toStrictEqual([['4'], ['4'], ['4']])
    expect(
      library.sent('Book', 'create', { data: { pages: { create: { text: 't' } } } }),
    ).toStrictEqual({
      // prettier-ignore
      data: { id: 7n, pages: { create: { text: to('t') } } },
    })
    expect(() => library.collect('Book', 'create', { data: { id: 1.5, pages: { create: { text: 't' } } } })).toThrow(refused('Page.text')) // prettier-ignore
    expect(() => library.collect('Book', 'create', { data: { id: 4, cover: { create: { text: 't' } } } })).toThrow(refused('Page.text')) // prettier-ignore
  })

  test.each(['connect', 'set', 'connectOrCreate', 'disconnect'])(
    'gives no record that is there another key, by %s',
    (operation) => {
      const data = { pages: { [operation]: { id: 1 } } }
      expect(() => library.collect('Book', 'create', { data })).toThrow(
        refused('Page.bookId', `"${operation}"`),
      )
      const cover = { [operation]: operation === 'connectOrCreate' ? {} : { id: 1 } }
      expect(() =>
        library.collect('Book', 'update', { where: { id: 1 }, data: { cover } }),
      ).not.toThrow()
    },
  )

  test('binds to no text that the database would not give back', () => {
    const create = (name: string): unknown =>
      shelves.bound('Shelf', 'create', { data: { name, note: 'n' } })['Shelf.note']
    expect(create('abc')).toStrictEqual(['abc'])
    expect(create('😀😀😀')).toStrictEqual(['😀😀😀'])
    expect(() => create('abcd')).toThrow(refused('Shelf.name', 'longer than the 3 characters'))
    expect(() => create('😀😀😀😀')).toThrow(refused('Shelf.name'))
    expect(() => create('a\0')).toThrow(refused('Shelf.name', 'U+0000'))
  })
})
