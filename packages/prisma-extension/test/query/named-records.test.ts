import { describe, expect, test } from 'vitest'
import { planOf } from './clinic.ts'
import { atClinic, unsupported } from './clinic-walks.ts'
import { walksOf } from './walks.ts'

// What a `where` and a cursor become that name one record.

const { collect, where, email, phone, code } = atClinic()

describe('a where that names one row', () => {
  test('goes to the index of a unique field', () => {
    expect(where({ email: 'e' }, 'findUnique')).toStrictEqual({ emailIndex: email('e') })
    expect(where({ email: 'e', name: 'x' }, 'update')).toStrictEqual({
      emailIndex: email('e'),
      name: 'x',
    })
  })

  test('goes to the index that is unique, where another one answers filters', async () => {
    const walks = await walksOf(
      planOf({
        A: {
          columns: { id: 'Int', s: 'String', sLower: 'String', sPlain: 'String' },
          sealed: { s: {} },
          indexes: {
            sPlain: { field: 's' },
            sLower: { field: 's', unique: true, normalize: ['lowercase'] },
          },
          constraints: { A_sLower_key: ['sLower'] },
        },
      }),
    )
    const become = (operation: string): unknown =>
      walks.collect('A', operation, { where: { s: 'X' } }).args['where']
    expect(become('findUnique')).toStrictEqual({
      sLower: walks.hash('A.sLower', 'X', ['lowercase']),
    })
    expect(become('findMany')).toStrictEqual({ sPlain: walks.hash('A.sPlain', 'X') })
  })

  test('takes operators on it, and fields that are not unique alone, as filters', () => {
    expect(where({ id: 1, email: { in: ['e'] } }, 'findUnique')).toStrictEqual({
      id: 1,
      emailIndex: { in: [email('e')] },
    })
    expect(where({ id: 1, code: 'c', email: null }, 'findUnique')).toStrictEqual({
      id: 1,
      codeIndex: code('c'),
      email: null,
    })
  })

  test('goes to the columns of a compound unique, by the name of its fields', () => {
    expect(where({ tenantId_code: { tenantId: 1, code: 'c' }, id: 1 }, 'delete')).toStrictEqual({
      id: 1,
      tenantId_codeIndex: { tenantId: 1, codeIndex: code('c') },
    })
    expect(where({ tenantId_code: { tenantId: 1, code: null } }, 'findUnique')).toStrictEqual({
      tenantId_codeIndex: { tenantId: 1, codeIndex: null },
    })
    expect(where({ tenantId_code: { tenantId: 1, code: undefined } }, 'findUnique')).toStrictEqual({
      tenantId_codeIndex: { tenantId: 1 },
    })
  })

  test('leaves a compound unique over plain fields alone', () => {
    const given = { tenantId_name: { tenantId: 1, name: 'x' } }
    expect(where(given, 'findUnique')).toBe(given)
  })

  test('is rewritten in its logic as a filter', () => {
    expect(where({ id: 1, AND: [{ phone: 'p' }] }, 'findUnique')).toStrictEqual({
      id: 1,
      AND: [{ phoneIndex: phone('p') }],
    })
  })
})

describe('a cursor', () => {
  const cursor = (given: unknown): unknown =>
    collect('Patient', 'findMany', { cursor: given }).args['cursor']

  test('stays where it names plain fields, and goes to the index of a unique one', () => {
    for (const given of [{ id: 1 }, { tenantId_name: { tenantId: 1, name: 'x' } }, 7])
      expect(cursor(given)).toBe(given)
    expect(cursor({ email: 'e', phone: undefined })).toStrictEqual({
      emailIndex: email('e'),
      phone: undefined,
    })
    expect(cursor({ tenantId_code: { tenantId: 1, code: 'c' } })).toStrictEqual({
      tenantId_codeIndex: { tenantId: 1, codeIndex: code('c') },
    })
  })

  test.each<[string, unknown, string]>([
    ['a field that is not unique', { phone: 'p' }, 'Patient.phone'],
    ['an operator', { email: { equals: 'e' } }, 'Patient.email'],
    ['null', { email: null }, 'Patient.email'],
    ['a filter behind logic', { id: 1, AND: [{ phone: 'p' }] }, 'Patient.AND'],
    ['a filter behind a relation', { visits: { some: { patient: { phone: 'p' } } } }, 'Patient.visits'], // prettier-ignore
    ['an index column', { emailIndex: 'x' }, 'Patient.email'],
  ])('refuses %s', (_name, given, field) => {
    expect(() => cursor(given)).toThrow(unsupported(field))
  })
})
