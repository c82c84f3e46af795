import { DbNull, skip } from '@prisma/client/runtime/client'
import { describe, expect, test } from 'vitest'
import { atClinic } from './clinic-walks.ts'
import { reference } from './walks.ts'

// What a `where` becomes.

const { where, phone, folded, email } = atClinic()

describe('a filter that names no sealed value', () => {
  test.each<[string, unknown]>([
    ['of plain fields', { name: 'x', id: { gt: 1 } }],
    ['with logic', { OR: [{ name: 'x' }, { NOT: { id: 1 } }], AND: { id: 2 } }],
    ['of relations', { visits: { some: { id: 1 } }, doctor: { is: { name: 'x' } } }],
    ['of a relation that leads nowhere', { country: { anything: 1 } }],
    ['of a relation that is null', { doctor: null }],
    ['of a reference to a model nobody knows', { name: reference('Nobody', 'phone') }],
    ['of null', { phone: null, email: { not: null }, secret: { equals: null } }],
    ['of DbNull', { notes: DbNull }],
    ['of DbNull in operators', { notes: { equals: DbNull, not: DbNull } }],
    ['of what is absent', { phone: undefined, email: skip, secret: { equals: undefined } }],
    ['of a nested not null', { phone: { not: { not: null } } }],
    ['that is a list', [{ name: 'x' }, { id: 1 }]],
    ['that is no object', 7],
    ['of a reference between plain fields', { name: { equals: reference('Patient', 'name') } }],
    ['of a list of references', { name: { in: [reference('Doctor', 'name')] } }],
  ])('stays the same object: %s', (_name, given) => {
    expect(where(given)).toBe(given)
  })

  test('stays the same object beside what is rewritten', () => {
    const [plain, relation] = [{ name: 'x' }, { some: { id: 1 } }]
    const out = where({ AND: [plain, { phone: 'p' }], visits: relation }) as any
    expect(out.AND[0]).toBe(plain)
    expect(out.visits).toBe(relation)
  })
})

describe('equality goes to the index', () => {
  test.each<[string, () => [given: unknown, becomes: unknown]]>([
    ['a value', () => [{ phone: 'p' }, { phoneIndex: phone('p') }]],
    ['equals', () => [{ phone: { equals: 'p' } }, { phoneIndex: { equals: phone('p') } }]],
    [
      'in and notIn',
      () => [
        { phone: { in: ['p', 'q'], notIn: [] } },
        { phoneIndex: { in: [phone('p'), phone('q')] }, AND: [{ phoneIndex: { notIn: [] } }] },
      ],
    ],
    ['not', () => [{ phone: { not: 'p' } }, { phoneIndex: { not: phone('p') } }]],
    [
      'a not of operators',
      () => [
        { phone: { not: { equals: 'p', in: ['q'] } } },
        { phoneIndex: { not: { equals: phone('p'), in: [phone('q')] } } },
      ],
    ],
    [
      'a not within a not',
      () => [{ phone: { not: { not: 'p' } } }, { phoneIndex: { not: { not: phone('p') } } }],
    ],
    [
      'a comparison with null beside it, which stays',
      () => [
        { phone: { not: null, in: ['p'] }, id: 1 },
        { phone: { not: null }, id: 1, phoneIndex: { in: [phone('p')] } },
      ],
    ],
    [
      'an undefined beside it, which stays for Prisma to judge',
      () => [
        { phone: { equals: 'p', not: undefined } },
        { phone: { not: undefined }, phoneIndex: { equals: phone('p') } },
      ],
    ],
    [
      'an undefined within a not',
      () => [
        { phone: { equals: 'p', not: { equals: undefined } } },
        { phone: { not: { equals: undefined } }, phoneIndex: { equals: phone('p') } },
      ],
    ],
    [
      'null within a not, beside a value',
      () => [
        { phone: { equals: 'p', not: { equals: null } } },
        { phone: { not: { equals: null } }, phoneIndex: { equals: phone('p') } },
      ],
    ],
    [
      'null and undefined within a not',
      () => [
        { phone: { equals: 'p', not: { equals: null, not: undefined } } },
        { phone: { not: { equals: null, not: undefined } }, phoneIndex: { equals: phone('p') } },
      ],
    ],
    [
      'upper and lower case alike',
      () => [
        { phone: { equals: 'PQ', mode: 'insensitive' } },
        { phoneLower: { equals: folded('pq') } },
      ],
    ],
    [
      'the mode that is the default',
      () => [{ phone: { equals: 'p', mode: 'default' } }, { phoneIndex: { equals: phone('p') } }],
    ],
    [
      'a mode that is absent',
      () => [{ phone: { equals: 'p', mode: skip } }, { phoneIndex: { equals: phone('p') } }],
    ],
    [
      'within AND, OR, NOT and lists',
      () => [
        { OR: [{ phone: 'p' }, { AND: { phone: 'q' } }], NOT: [{ phone: 'r' }] },
        {
          OR: [{ phoneIndex: phone('p') }, { AND: { phoneIndex: phone('q') } }],
          NOT: [{ phoneIndex: phone('r') }],
        },
      ],
    ],
    [
      'below relations',
      () => [
        { doctor: { patients: { some: { phone: 'p' }, none: { phone: 'q' } } } },
        { doctor: { patients: { some: { phoneIndex: phone('p') }, none: { phoneIndex: phone('q') } } } }, // prettier-ignore
      ],
    ],
    [
      'below is, isNot and every',
      () => [
        { doctor: { isNot: { patients: { every: { phone: 'p' } } } } },
        { doctor: { isNot: { patients: { every: { phoneIndex: phone('p') } } } } },
      ],
    ],
    ['of a unique field, as a filter', () => [{ email: 'e' }, { emailIndex: email('e') }]],
  ])('%s', (_name, pair) => {
    const [given, becomes] = pair()
    const before = structuredCloneOf(given)
    const out = where(given)
    expect(out).toStrictEqual(becomes)
    expect(given).toStrictEqual(before)
  })

  test('joins what would stand at one key with AND, after what stands there', () => {
    expect(where({ AND: [{ id: 1 }], phone: { in: ['p'], not: 'q' } })).toStrictEqual({
      AND: [{ id: 1 }, { phoneIndex: { not: phone('q') } }],
      phoneIndex: { in: [phone('p')] },
    })
    expect(where({ AND: { id: 1 }, phone: { in: ['p'], not: 'q' } })).toStrictEqual({
      AND: [{ id: 1 }, { phoneIndex: { not: phone('q') } }],
      phoneIndex: { in: [phone('p')] },
    })
    expect(where({ AND: undefined, phone: { in: ['p'], not: 'q' } })).toStrictEqual({
      AND: [{ phoneIndex: { not: phone('q') } }],
      phoneIndex: { in: [phone('p')] },
    })
  })
})

/** As it was, special values included. */
function structuredCloneOf(value: any): any {
  if (Array.isArray(value)) return value.map(structuredCloneOf)
  if (value === null || typeof value !== 'object' || value === DbNull || value === skip)
    return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, structuredCloneOf(v)]))
}
