import { skip } from '@prisma/client/runtime/client'
import { beforeAll, describe, expect, test } from 'vitest'
import { mayReturn } from '../../src/query/index.ts'
import { CLINIC, LIBRARY, planOf } from './clinic.ts'
import { reference, walksOf, type WalkOptions, type Walks } from './walks.ts'

// Clauses that order, group, count and select, and the fields that a selection gets beside its own.

let walks: Walks
let library: Walks
beforeAll(async () => {
  ;[walks, library] = await Promise.all([walksOf(planOf(CLINIC)), walksOf(planOf(LIBRARY))])
})

const collect = (operation: string, args: object, model = 'Patient', options?: WalkOptions) =>
  walks.collect(model, operation, args, options)
const phone = (text: string): string => walks.hash('Patient.phoneIndex', text)
const unsupported = (field?: string): unknown =>
  expect.objectContaining({ code: 'ERR_QUERY_UNSUPPORTED', field })

describe('clauses', () => {
  test.each<[string, object]>([
    ['findMany', { orderBy: { id: 'asc' } }],
    ['findMany', { orderBy: [{ name: 'asc' }, { doctor: { name: 'asc' } }, { phone: undefined }] }],
    ['findMany', { orderBy: { visits: { _count: 'asc' } }, take: 1, skip: 1 }],
    ['findMany', { distinct: ['name', 'id'] }],
    ['findMany', { distinct: 'name', relationLoadStrategy: 'join' }],
    ['groupBy', { by: ['name'], having: { id: { _sum: { gt: 1 } } }, orderBy: { _count: { phone: 'asc' } } }], // prettier-ignore
    ['groupBy', { by: 'name', _count: { phone: true }, having: [{ OR: [{ id: 1 }] }] }],
    ['groupBy', { by: ['name'], _min: { id: true, phone: false }, having: { phone: undefined } }],
    ['aggregate', { _max: { id: true, phone: skip, email: undefined }, _count: true }],
    ['count', { select: { phone: true } }],
    ['findMany', { orderBy: 7, distinct: undefined }],
    ['aggregate', { _sum: true }],
    ['groupBy', { by: ['name'], having: 7 }],
  ])('of %s that name no sealed value stay: %j', (operation, args) => {
    expect(collect(operation, args).args).toBe(args)
  })

  test.each<[string, object, string?]>([
    ['findMany', { orderBy: { phone: 'asc' } }, 'Patient.phone'],
    ['findMany', { orderBy: [{ id: 'asc' }, { phone: { sort: 'asc' } }] }, 'Patient.phone'],
    ['findMany', { orderBy: { phoneIndex: 'asc' } }, 'Patient.phone'],
    ['findMany', { orderBy: { _relevance: { fields: ['phone'], search: 'x' } } }, 'Patient.phone'],
    ['findMany', { orderBy: { _relevance: { fields: 'phone' } } }, 'Patient.phone'],
    ['findMany', { distinct: ['secret'] }, 'Patient.secret'],
    ['findMany', { distinct: ['phoneIndex'] }, 'Patient.phone'],
    ['findMany', { distinct: [{ toJSON: () => 'phone' }] }],
    ['groupBy', { by: ['phone'] }, 'Patient.phone'],
    ['groupBy', { by: 'codeIndex' }, 'Patient.code'],
    ['groupBy', { by: [{ toJSON: () => 'phone' }] }],
    ['groupBy', { by: ['id'], having: { phone: 'p' } }, 'Patient.phone'],
    ['groupBy', { by: ['id'], having: { phone: { _count: { gt: 1 } } } }, 'Patient.phone'],
    ['groupBy', { by: ['id'], having: [{ AND: { NOT: [{ phone: 'p' }] } }] }, 'Patient.phone'],
    ['groupBy', { by: ['id'], having: { name: reference('Patient', 'phone') } }, 'Patient.phone'],
    ['groupBy', { by: ['id'], having: { emailIndex: 'p' } }, 'Patient.email'],
    ['groupBy', { by: ['id'], orderBy: { _min: { phone: 'asc' } } }, 'Patient.phone'],
    ['groupBy', { by: ['id'], _max: { phone: true } }, 'Patient.phone'],
    ['aggregate', { _min: { phone: true } }, 'Patient.phone'],
    ['aggregate', { _avg: { emailIndex: true } }, 'Patient.email'],
    ['aggregate', { _sum: { phone: 1 } }, 'Patient.phone'],
    ['aggregate', { _sum: { toJSON: () => ({ phone: true }) } }],
  ])('of %s are refused: %j', (operation, args, field) => {
    expect(() => collect(operation, args)).toThrow(unsupported(field))
  })

  test('order by a relation behind which a sealed field is refused', () => {
    const orderBy = { patient: { phone: 'asc' } }
    expect(() => collect('findMany', { orderBy }, 'Visit')).toThrow(unsupported('Patient.phone'))
  })

  test('distinct goes to the column of an index', () => {
    expect(collect('findMany', { distinct: ['id', 'phone'] }).args).toStrictEqual({
      distinct: ['id', 'phoneIndex'],
    })
    expect(collect('count', { distinct: 'email' }).args).toStrictEqual({ distinct: 'emailIndex' })
  })

  test('say what the fields are refused for', () => {
    expect(() => collect('findMany', { orderBy: { phone: 'asc' } })).toThrow('sorted by')
    expect(() => collect('groupBy', { by: ['phone'] })).toThrow('grouped by')
    expect(() => collect('groupBy', { by: ['id'], having: { phone: 1 } })).toThrow('in having')
    expect(() => collect('aggregate', { _min: { phone: true } })).toThrow('aggregated')
    expect(() => collect('findMany', { cursor: { phone: 'p' } })).toThrow('be a cursor')
    expect(() => collect('findMany', { distinct: ['secret'] })).toThrow('with distinct')
    expect(() => collect('findMany', { where: { phone: reference('Patient', 'name') } })).toThrow('compared with another') // prettier-ignore
  })
})

describe('a selection', () => {
  test.each<[string, object]>([
    ['of sealed fields', { select: { phone: true, email: false, code: undefined } }],
    ['of relations', { include: { visits: true, country: { select: { any: 1 } } } }],
    ['of relations with clauses', { select: { visits: { where: { id: 1 }, orderBy: { id: 'asc' }, take: 1, distinct: ['id'], cursor: { id: 1 } } } }], // prettier-ignore
    ['of counts', { include: { _count: true } }],
    ['of counts of some', { select: { _count: { select: { visits: { where: { id: 1 } } } } } }],
    ['of counts of all', { select: { _count: { select: { visits: true, x: { where: 1 } } } } }],
    ['without fields', { omit: { phone: true, email: skip } }],
    ['of nothing', { select: null, include: undefined }],
    ['of relations left out', { include: { visits: false, doctor: undefined, x: null } }],
  ])('stays: %s', (_name, args) => {
    const collected = collect('findMany', args)
    expect(collected.args).toBe(args)
    expect(collected.hidden).toBeNull()
  })

  test('is rewritten where it filters', () => {
    const { args } = collect(
      'findMany',
      {
        include: {
          patients: {
            where: { phone: 'p' },
            cursor: { email: 'e' },
            distinct: ['phone'],
            include: { visits: { where: { patient: { phone: 'q' } } } },
          },
          _count: { select: { patients: { where: { phone: 'p' } }, x: true } },
        },
      },
      'Doctor',
    )
    expect(args).toStrictEqual({
      include: {
        patients: {
          where: { phoneIndex: phone('p') },
          cursor: { emailIndex: walks.hash('Patient.emailIndex', 'e') },
          distinct: ['phoneIndex'],
          include: { visits: { where: { patient: { phoneIndex: phone('q') } } } },
        },
        _count: { select: { patients: { where: { phoneIndex: phone('p') } }, x: true } },
      },
    })
  })

  test('is rewritten in a count beside other relations', () => {
    const given = {
      select: { visits: { where: { patient: { phone: 'p' } } }, _count: { select: { visits: { where: { patient: { phone: 'p' } } } } } }, // prettier-ignore
    }
    const where = { patient: { phoneIndex: phone('p') } }
    expect(collect('findMany', given).args).toStrictEqual({
      select: { visits: { where }, _count: { select: { visits: { where } } } },
    })
    expect(
      collect('findMany', { select: { _count: given.select._count, visits: given.select.visits } }).args, // prettier-ignore
    ).toStrictEqual({ select: { _count: { select: { visits: { where } } }, visits: { where } } })
  })

  test.each<[string, object, string?]>([
    ['an order', { include: { visits: { orderBy: { finding: 'asc' } } } }, 'Visit.finding'],
    ['an argument nobody knows', { include: { visits: { when: 1 } } }],
    ['a filter without an index', { include: { visits: { where: { finding: 'f' } } } }, 'Visit.finding'], // prettier-ignore
    ['a filter of a count', { select: { _count: { select: { visits: { where: { finding: 'f' } } } } } }, 'Visit.finding'], // prettier-ignore
    ['a count with toJSON', { select: { _count: { toJSON: () => true } } }],
  ])('is refused: %s', (_name, args, field) => {
    expect(() => collect('findMany', args)).toThrow(unsupported(field))
  })

  test('is refused where a sealed field is neither chosen nor left out', () => {
    for (const part of ['select', 'omit'])
      expect(() => collect('findMany', { [part]: { phone: 'x' } })).toThrow(
        expect.objectContaining({ code: 'ERR_VALUE_INVALID', field: 'Patient.phone' }),
      )
  })
})

describe('keys that re-encryption needs', () => {
  const wanting = (args: object, globalOmit = {}, model = 'Patient') =>
    collect('findMany', args, model, { wantsKeys: true, globalOmit })

  test('are added to what is selected, and hidden', () => {
    expect(wanting({ select: { phone: true } })).toMatchObject({
      args: { select: { phone: true, id: true } },
      hidden: { fields: ['id'], relations: new Map() },
    })
    expect(wanting({ select: { phone: true, id: false } }).args).toStrictEqual({
      select: { phone: true, id: true },
    })
    expect(wanting({ omit: { id: true, name: true } })).toMatchObject({
      args: { omit: { id: false, name: true } },
      hidden: { fields: ['id'] },
    })
    expect(wanting({}, { patient: { id: true } })).toMatchObject({
      args: { omit: { id: false } },
      hidden: { fields: ['id'] },
    })
  })

  test.each<[string, object, object?, string?]>([
    ['all fields come', {}],
    ['they are selected', { select: { id: true, phone: true } }],
    ['nothing is selected', { select: { phone: false, id: skip } }],
    ['other fields are left out', { omit: { phone: true } }],
    ['a local choice shows them', { omit: { id: false } }, { patient: { id: true } }],
    ['a local choice is absent', { omit: { id: skip } }, { patient: { id: true } }],
    ['another model leaves them out', {}, { visit: { id: true } }],
    ['there is no sealed field', { select: { name: true } }, {}, 'Doctor'],
  ])('are not added where %s', (_name, args, globalOmit, model) => {
    const collected = wanting(args, globalOmit, model)
    expect(collected.args).toBe(args)
    expect(collected.hidden).toBeNull()
  })

  test('are added below relations, and hidden there', () => {
    const { args, hidden } = wanting(
      { select: { name: true, patients: { select: { phone: true, visits: { omit: { id: true } } } } } }, // prettier-ignore
      {},
      'Doctor',
    )
    expect(args).toStrictEqual({
      select: {
        name: true,
        patients: { select: { phone: true, visits: { omit: { id: false } }, id: true } },
      },
    })
    const visits = { fields: ['id'], relations: new Map() }
    const patients = { fields: ['id'], relations: new Map([['visits', visits]]) }
    expect(hidden).toStrictEqual({ fields: [], relations: new Map([['patients', patients]]) })
  })

  test('are added below a relation that is taken whole, where the client leaves them out', () => {
    expect(wanting({ include: { visits: true } }, { visit: { id: true } }).args).toStrictEqual({
      include: { visits: { omit: { id: false } } },
    })
  })

  test('are not asked of counts and aggregates', () => {
    const args = { select: { phone: true } }
    const collected = collect('count', args, 'Patient', { wantsKeys: true })
    expect(collected).toMatchObject({ hidden: null, result: 'values' })
    expect(collected.args).toBe(args)
    expect(collect('findMany', {}).result).toBe('rows')
  })

  test('come with the columns that values are bound to, whether or not keys are wanted', () => {
    const added = (wantsKeys: boolean): unknown =>
      library.collect('Note', 'findMany', { select: { title: true } }, { wantsKeys }).args['select']
    expect(added(true)).toStrictEqual({ title: true, id: true, tenantId: true })
    expect(added(false)).toStrictEqual({ title: true, tenantId: true, id: true })
    const page = library.collect('Page', 'findMany', { select: { text: true } }).args['select']
    expect(page).toStrictEqual({ text: true, bookId: true })
  })
})

describe('may an operation return a field', () => {
  const may = (args: Record<string, unknown>, operation = 'findMany', model = 'Patient'): boolean =>
    mayReturn(walks.plan.get(model)!, operation, args, ({ name }) => name === 'phone')

  test.each<[boolean, Record<string, unknown>, string?, string?]>([
    [true, {}],
    [true, { select: { phone: true } }],
    [true, { select: { computed: true } }],
    [true, { select: null }],
    [true, {}, 'create'],
    [true, { include: { visits: true } }],
    [true, { select: { visits: { select: { patient: true } } } }],
    [true, { select: { patients: true } }, 'findMany', 'Doctor'],
    [true, { include: { patients: true } }, 'findMany', 'Doctor'],
    [true, { include: { patients: { select: { phone: true } } } }, 'findMany', 'Doctor'],
    [false, { include: { patients: { select: { id: true } } } }, 'findMany', 'Doctor'],
    [false, { select: { phone: false, computed: false, email: true, id: true } }],
    [false, { select: { phone: undefined, computed: skip } }],
    [false, { select: { _count: true } }],
    [false, { select: { country: true } }],
    [false, { select: { visits: true } }],
    [false, { select: { computed: true } }, 'findMany', 'Doctor'],
    [false, {}, 'findMany', 'Doctor'],
    [false, {}, 'findMany', 'Visit'],
    [false, {}, 'count'],
    [false, {}, 'createMany'],
    [false, {}, 'nothing'],
  ])('%s: %j', (expected, args, operation, model) => {
    expect(may(args, operation, model)).toBe(expected)
  })
})
