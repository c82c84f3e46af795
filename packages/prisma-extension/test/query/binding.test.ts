import { skip } from '@prisma/client/runtime/client'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  boundIn,
  boundTexts,
  contended,
  RecordPending,
  type Current,
} from '../../src/query/index.ts'
import { LIBRARY, planOf } from './clinic.ts'
import { to, walksOf, type WalkOptions, type Walks } from './walks.ts'

// What a value is bound to, as far as the arguments say it; what they must say; and what is added to them.

let walks: Walks
let mysql: Walks
beforeAll(async () => {
  ;[walks, mysql] = await Promise.all([walksOf(planOf(LIBRARY)), walksOf(planOf(SHELF, 'mysql'))])
})

/** Text in an id: its comparison may find another spelling on MySQL. */
const SHELF = {
  Shelf: {
    columns: { id: 'Int', name: 'String', isOpen: 'Boolean', kind: 'Kind', note: 'String', flag: 'String' }, // prettier-ignore
    sealed: { note: { bind: ['name'] }, flag: { bind: ['isOpen'] } },
    bound: {
      name: { type: 'String', maxChars: 3 },
      isOpen: { type: 'Boolean', default: false },
      kind: { type: 'Enum' },
    },
  },
} as const

const A = '00000000-0000-4000-8000-00000000000a'
const B = '00000000-0000-4000-8000-00000000000b'
const read = (texts: Record<string, string>): { current: Current } => ({
  current: { state: 'read', texts },
})

/** What each value of the collected arguments is bound to, by its field. */
function bound(
  from: Walks,
  model: string,
  operation: string,
  args: object,
  options?: WalkOptions,
): Record<string, string[]> {
  const { sites } = from.collect(model, operation, args, options)
  return Object.fromEntries(
    sites.sites.map(({ field, bound }) => [field.label, bound.map((part) => part.toString())]),
  )
}

const refused = (field: string, message?: string): unknown =>
  expect.objectContaining({
    code: 'ERR_RECORD_BINDING',
    field,
    retryable: false,
    ...(message === undefined ? {} : { message: expect.stringContaining(message) }),
  })

describe('a create', () => {
  test('binds to what it gives', () => {
    const data = { id: A.toUpperCase(), tenantId: 7, text: 't', tags: ['x'], title: 'y' }
    expect(bound(walks, 'Note', 'create', { data })).toStrictEqual({
      'Note.text': ['7', A],
      'Note.tags': ['7'],
      'Note.title': [],
    })
  })

  test('writes down ids and defaults that Prisma would fill in', () => {
    const { args, sites } = walks.collect('Note', 'create', { data: { text: 't', id: undefined } })
    const { id, tenantId } = args['data'] as { id: string; tenantId: number }
    expect(tenantId).toBe(1)
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4/)
    expect(sites.sites[0]!.bound.map(String)).toStrictEqual(['1', id])
    const [one, two] = walks.collect('Note', 'createMany', { data: [{}, {}] }).args['data'] as any
    expect(one.id).not.toBe(two.id)
    expect(walks.sent('Book', 'create', { data: {} }).data).toStrictEqual({ id: 7n })
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
      bound(walks, 'Page', 'create', { data: { ...data, text: 't' } })['Page.text']
    if (texts === null) expect(create).toThrow(refused('Page.text', 'is bound to bookId'))
    else expect(create()).toStrictEqual(texts)
  })

  test('without sealed values need not say it', () => {
    const args = { data: { title: 'x', pages: { connectOrCreate: [] } } }
    expect(() => walks.collect('Page', 'create', { data: { text: null } })).not.toThrow()
    expect(() => walks.collect('Book', 'create', { data: { title: 'x' } })).not.toThrow()
    expect(() => walks.collect('Book', 'create', args)).toThrow(refused('Page.bookId')) // prettier-ignore
  })

  test('hands its key down to the records below it', () => {
    const pages = { create: [{ text: 't' }, { text: 'u' }], createMany: { data: [{ json: 1 }] } }
    const { sites } = walks.collect('Book', 'create', { data: { id: 4, pages } })
    expect(sites.sites.map(({ bound }) => bound.map(String))).toStrictEqual([['4'], ['4'], ['4']])
    expect(
      walks.sent('Book', 'create', { data: { pages: { create: { text: 't' } } } }),
    ).toStrictEqual({
      // prettier-ignore
      data: { id: 7n, pages: { create: { text: to('t') } } },
    })
    expect(() => walks.collect('Book', 'create', { data: { id: 1.5, pages: { create: { text: 't' } } } })).toThrow(refused('Page.text')) // prettier-ignore
    expect(() => walks.collect('Book', 'create', { data: { id: 4, cover: { create: { text: 't' } } } })).toThrow(refused('Page.text')) // prettier-ignore
  })

  test.each(['connect', 'set', 'connectOrCreate', 'disconnect'])(
    'gives no record that is there another key, by %s',
    (operation) => {
      const data = { pages: { [operation]: { id: 1 } } }
      expect(() => walks.collect('Book', 'create', { data })).toThrow(
        refused('Page.bookId', `"${operation}"`),
      )
      const cover = { [operation]: operation === 'connectOrCreate' ? {} : { id: 1 } }
      expect(() =>
        walks.collect('Book', 'update', { where: { id: 1 }, data: { cover } }),
      ).not.toThrow()
    },
  )

  test('binds to no text that the database would not give back', () => {
    const create = (name: string): unknown =>
      bound(mysql, 'Shelf', 'create', { data: { name, note: 'n' } })['Shelf.note']
    expect(create('abc')).toStrictEqual(['abc'])
    expect(create('😀😀😀')).toStrictEqual(['😀😀😀'])
    expect(() => create('abcd')).toThrow(refused('Shelf.name', 'longer than the 3 characters'))
    expect(() => create('😀😀😀😀')).toThrow(refused('Shelf.name'))
    expect(() => create('a\0')).toThrow(refused('Shelf.name', 'U+0000'))
  })
})

describe('an update', () => {
  const update = (args: object, options?: WalkOptions, model = 'Note') =>
    walks.collect(model, 'update', args, options)

  test('binds to what its where names', () => {
    const data = { text: 't' }
    for (const where of [
      { id: A, tenantId: 2 },
      { tenantId_id: { tenantId: 2, id: A } },
      { id: A, AND: { tenantId: 2 } },
      { id: A, AND: [{ title: null }, { tenantId: { equals: 2 } }] },
    ]) {
      const args = { where, data }
      expect(bound(walks, 'Note', 'update', args)).toStrictEqual({ 'Note.text': ['2', A] })
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
    const shelf = mysql.collect(
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
    expect(bound(walks, 'Note', 'update', args)).toStrictEqual({
      'Note.text': ['5', A],
      'Note.tags': ['5'],
    })
    for (const tags of [{ set: [] }, []])
      expect(bound(walks, 'Note', 'update', { where: { id: A }, data: { tenantId: 5, text: { set: 'x' }, tags } })).toStrictEqual({ 'Note.text': ['5', A] }) // prettier-ignore
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

describe('an update of many', () => {
  const many = (args: object, model = 'Note') => walks.collect(model, 'updateMany', args)

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
      walks.collect('Book', 'update', {
        where: { id: 2 },
        data: { pages: { updateMany: { where, data: { text: 't' } } } },
      })
    expect(below({ bookId: 2 })).toThrow(refused('Page.text'))
  })
})

describe('an upsert', () => {
  const upsert = (args: object, options?: WalkOptions) =>
    walks.collect('Note', 'upsert', args, options)
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

describe('on MySQL', () => {
  test('a where with text does not say which spelling it finds', () => {
    const update = (where: object, options?: WalkOptions) =>
      mysql.collect('Shelf', 'update', { where, data: { note: 'n' } }, options)
    expect(() => update({ id: 1, name: 'abc' })).toThrow(RecordPending)
    const { args } = update({ id: 1, name: 'abc' }, read({ name: 'ABC', isOpen: 'true' }))
    expect(args['where']).toStrictEqual({ id: 1, name: 'abc', AND: [{ name: 'ABC' }] })
    expect(() => update({ id: 1, name: 'abc' }, { current: { state: 'batch' } })).toThrow(
      refused('Shelf.note', 'another spelling'),
    )
    const flag = { where: { id: 1, isOpen: true }, data: { flag: 'f' } }
    expect(bound(mysql, 'Shelf', 'update', flag)).toStrictEqual({ 'Shelf.flag': ['true'] })
    const read1 = mysql.collect('Shelf', 'update', { where: { id: 1 }, data: { flag: 'f' } }, read({ isOpen: 'false' })) // prettier-ignore
    expect(read1.args['where']).toStrictEqual({ id: 1, AND: [{ isOpen: false }] })
  })
})

describe('what stands in a record', () => {
  test('is read by the type of its column', () => {
    const note = walks.plan.get('Note')!
    const text = note.sealed.get('text')!
    expect(boundIn(note, text, { id: A, tenantId: 2 }).map(String)).toStrictEqual(['2', A])
    expect(boundTexts(note, { id: A, tenantId: 2 })).toStrictEqual({ id: A, tenantId: '2' })
    for (const row of [{ id: A }, { id: A, tenantId: null }, { id: 'x', tenantId: 2 }]) {
      expect(() => boundIn(note, text, row)).toThrow(TypeError)
      expect(() => boundTexts(note, row)).toThrow(TypeError)
    }
    expect(() => boundIn(note, text, Object.create({ id: A, tenantId: 2 }))).toThrow(TypeError) // prettier-ignore
    expect(contended(note)).toMatchObject({ code: 'ERR_RECORD_BINDING', retryable: true })
  })
})
