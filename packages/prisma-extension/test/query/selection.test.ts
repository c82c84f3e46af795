import { skip } from '@prisma/client/runtime/client'
import { describe, expect, test } from 'vitest'
import { atClinic, invalid, unsupported } from './clinic-walks.ts'
import { atLibrary } from './library-walks.ts'
import type { WalkOptions } from './walks.ts'

// What a selection becomes, and the fields that it gets beside its own.

const { collect: walk, phone, email } = atClinic()
const library = atLibrary()
const collect = (operation: string, args: object, model = 'Patient', options?: WalkOptions) =>
  walk(model, operation, args, options)

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
          cursor: { emailIndex: email('e') },
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
        invalid('Patient.phone'),
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
