import { AnyNull, DbNull } from '@prisma/client/runtime/client'
import { describe, expect, test } from 'vitest'
import { CLINIC, planOf } from './clinic.ts'
import { atClinic, invalid, unsupported } from './clinic-walks.ts'
import { reference, walksOf } from './walks.ts'

// What of a `where` is refused.

const { where } = atClinic()

describe('refuses', () => {
  test.each<[string, unknown, string?]>([
    ['contains', { phone: { contains: 'p' } }, 'Patient.phone'],
    ['lt', { phone: { lt: 'p' } }, 'Patient.phone'],
    ['has', { words: { has: 'w' } }, 'Patient.words'],
    ['a path into Json', { notes: { path: ['a'] } }, 'Patient.notes'],
    ['an operator nobody knows', { phone: { near: 'p' } }, 'Patient.phone'],
    ['an operator that objects inherit', { phone: { toString: 'p' } }, 'Patient.phone'],
    ['equality without an index', { secret: 's' }, 'Patient.secret'],
    ['an operator without an index', { secret: { in: ['s'] } }, 'Patient.secret'],
    ['Json as a value', { notes: { a: 1 } }, 'Patient.notes'],
    ['AnyNull of Json', { notes: AnyNull }, 'Patient.notes'],
    ['Json within a not', { notes: { not: { equals: 1 } } }, 'Patient.notes'],
    ['what Json is not compared with', { notes: { not: { equals: DbNull } } }, 'Patient.notes'],
    ['a reference to a list', { phone: { in: reference('Patient', 'name') } }, 'Patient.phone'],
    ['an index column', { phoneIndex: 'x' }, 'Patient.phone'],
    ['the second column of an index', { emailSecond: 'x' }, 'Patient.email'],
    ['an index column below a relation', { doctor: { patients: { some: { codeIndex: 'x' } } } }, 'Patient.code'], // prettier-ignore
    ['a reference', { phone: reference('Patient', 'name') }, 'Patient.phone'],
    ['a reference in an operator', { phone: { equals: reference('Patient', 'name') } }, 'Patient.phone'], // prettier-ignore
    ['a reference in a list', { phone: { in: [reference('Patient', 'name')] } }, 'Patient.phone'],
    ['a plain field beside a sealed one', { name: { equals: reference('Patient', 'phone') } }, 'Patient.phone'], // prettier-ignore
    ['a reference in a list of a plain field', { name: { in: [reference('Visit', 'finding')] } }, 'Visit.finding'], // prettier-ignore
    ['a plain field beside an index', { name: reference('Patient', 'emailSecond') }, 'Patient.email'], // prettier-ignore
    ['null and a value in one not', { phone: { not: { equals: null, in: ['p'] } } }, 'Patient.phone'], // prettier-ignore
    ['a name that is no field', { nothing: 1 }],
    ['a name that objects inherit', { constructor: 1 }],
    ['a compound unique in a filter', { tenantId_code: { tenantId: 1, code: 'c' } }],
    ['a plain compound unique in a filter', { tenantId_name: { tenantId: 1, name: 'x' } }],
    ['what stands beside the operators of a relation', { visits: { some: {}, id: 1 } }],
    ['an object with toJSON', { toJSON: () => ({ phone: 'p' }) }],
    ['an object with raw parameters', { __prismaRawParameters__: true }],
  ])('%s', (_name, given, field) => {
    expect(() => where(given)).toThrow(unsupported(field))
  })

  test.each<[string, unknown]>([
    ['a list for one value', { phone: { equals: ['p'] } }],
    ['one value for a list', { phone: { in: 'p' } }],
    ['a number', { phone: 7 }],
    ['a lone surrogate', { phone: 'p\ud800' }],
    ['null in a list', { phone: { in: [null] } }],
    ['null for a list', { phone: { in: null } }],
    ['operators for one value', { phone: { equals: { equals: 'p' } } }],
    ['a mode nobody knows', { phone: { equals: 'p', mode: 'x' } }],
    ['a mode within a not, of no known kind', { phone: { equals: 'p', mode: 1 } }],
  ])('%s, as no value of its type', (_name, given) => {
    expect(() => where(given)).toThrow(invalid('Patient.phone'))
  })

  test('an index column by its name', () => {
    expect(() => where({ phoneIndex: 'x' })).toThrow('Patient.phoneIndex is a blind index')
    expect(() => where({ name: reference('Patient', 'emailSecond') })).toThrow(
      'Patient.emailSecond is a blind index',
    )
  })

  test('a mode within a not', () => {
    expect(() => where({ phone: { not: { equals: 'p', mode: 'insensitive' } } })).toThrow(
      unsupported('Patient.phone'),
    )
  })

  test('case-insensitive search where no index folds, and says which index would', () => {
    const given = { code: { equals: 'c', mode: 'insensitive' } }
    expect(() => where(given)).toThrow(unsupported('Patient.code'))
    expect(() => where(given)).toThrow(
      '"/// @blindIndex(code, normalize: [lowercase])" and "codeLowerIndex String?"',
    )
    expect(() => where({ secret: { equals: 's', mode: 'insensitive' } })).toThrow(
      '"/// @blindIndex(secret, normalize: [lowercase])" and "secretIndex String?"',
    )
    expect(() => where({ secret: 's' })).toThrow(
      'model Patient, "/// @blindIndex(secret)" and "secretIndex String?"',
    )
    expect(() => where({ secret: 's' })).toThrow('looked up with equality, because')
    expect(() => where({ secret: { in: ['s'] } })).toThrow('looked up with "in", because')
    expect(() => where({ notes: 1 })).toThrow('with null only, which is Prisma.DbNull.')
    expect(() => where({ words: 'w' })).toThrow('compare it with null only.')
  })

  test('a mode anywhere but on PostgreSQL', async () => {
    const other = await walksOf(planOf(CLINIC, 'sqlite'))
    for (const mode of ['default', 'insensitive'])
      expect(() =>
        other.collect('Patient', 'findMany', { where: { phone: { equals: 'p', mode } } }),
      ).toThrow(invalid('Patient.phone'))
  })

  test('in a where that names one row', () => {
    const one = (given: unknown) => () => where(given, 'findUnique')
    const compound = (given: unknown) => one({ tenantId_code: given })
    expect(one({ tenantId_codeIndex: { tenantId: 1, codeIndex: 'x' } })).toThrow(
      unsupported('Patient.code'),
    )
    expect(one({ tenantId_codeIndex: { tenantId: 1 } })).toThrow('Patient.tenantId_codeIndex is a')
    expect(compound(7)).toThrow(unsupported())
    expect(compound({ tenantId: 1, code: 'c', more: 1 })).toThrow(unsupported())
    expect(compound({ tenantId: 1, code: reference('Patient', 'name') })).toThrow(
      unsupported('Patient.code'),
    )
    expect(compound({ tenantId: 1, code: 7 })).toThrow(invalid('Patient.code'))
    expect(one({ email: 7 })).toThrow(invalid('Patient.email'))
    expect(one({ email: reference('Patient', 'name') })).toThrow(unsupported('Patient.email'))
    expect(one({ tenantId_name: { phone: 'p' } })).toThrow(unsupported())
    expect(one({ nothing: 1 })).toThrow(unsupported())
    const twice = { tenantId_code: { tenantId: 1, code: 'c' }, tenantId_codeIndex: {} }
    expect(one(twice)).toThrow('tenantId_code, a second time')
  })

  test('a field named as Prisma names logic, which can be read in two ways', async () => {
    const odd = await walksOf(
      planOf({
        Odd: {
          columns: { id: 'Int', AND: 'String', some: 'String', secret: 'String', code: 'String', codeIndex: 'String' }, // prettier-ignore
          sealed: { secret: {}, code: {} },
          indexes: { codeIndex: { field: 'code' } },
          relations: { odds: { model: 'Odd', list: true } },
        },
      }),
    )
    const whereOdd = (given: unknown) => () =>
      odd.collect('Odd', 'findMany', { where: given }).args['where']
    expect(whereOdd({ AND: [] })).toThrow(unsupported('Odd.AND'))
    const clear = { odds: { some: { id: 1 } } }
    expect(whereOdd({ odds: { some: { secret: null } } })()).toStrictEqual({
      odds: { some: { secret: null } },
    })
    expect(whereOdd(clear)()).toBe(clear)
    const beside = { odds: { some: { id: 1 }, id: 1 } }
    expect(whereOdd(beside)()).toBe(beside)
    expect(whereOdd({ odds: { some: { code: 'c' } } })).toThrow(unsupported('Odd.some'))
    expect(whereOdd({ odds: { some: 'x', code: 'c' } })).toThrow(unsupported('Odd.some'))
    const others = { odds: { every: { code: 'c' } } }
    const hash = odd.hash('Odd.codeIndex', 'c')
    expect(whereOdd(others)()).toStrictEqual({ odds: { every: { codeIndex: hash } } })
  })
})
