import { skip } from '@prisma/client/runtime/client'
import { describe, expect, test } from 'vitest'
import { atClinic, unsupported } from './clinic-walks.ts'
import { reference } from './walks.ts'

// Clauses that order, group and count.

const { collect: walk } = atClinic()
const collect = (operation: string, args: object, model = 'Patient') => walk(model, operation, args)

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
