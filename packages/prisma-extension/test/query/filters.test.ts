import { AnyNull, DbNull, skip } from '@prisma/client/runtime/client'
import { beforeAll, describe, expect, test } from 'vitest'
import { activateIndexKey, addIndexKey, moveIndex } from '../../src/keys/index.ts'
import { CLINIC, planOf } from './clinic.ts'
import { reference, walksOf, type Walks } from './walks.ts'

// What a `where` becomes, and what of it is refused.

let walks: Walks
beforeAll(async () => {
  walks = await walksOf(planOf(CLINIC))
})

const where = (given: unknown, operation = 'findMany', model = 'Patient'): unknown =>
  walks.collect(model, operation, { where: given }).args['where']
const phone = (text: string): string => walks.hash('Patient.phoneIndex', text)
const folded = (text: string): string => walks.hash('Patient.phoneLower', text, ['lowercase'])
const email = (text: string): string => walks.hash('Patient.emailIndex', text)
const code = (text: string): string => walks.hash('Patient.codeIndex', text)

describe('a filter that names no sealed value', () => {
  test.each<[string, unknown]>([
    ['of plain fields', { name: 'x', id: { gt: 1 } }],
    ['with logic', { OR: [{ name: 'x' }, { NOT: { id: 1 } }], AND: { id: 2 } }],
    ['of relations', { visits: { some: { id: 1 } }, doctor: { is: { name: 'x' } } }],
    ['of a relation that leads nowhere', { country: { anything: 1 } }],
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

describe('a where that names one row', () => {
  test('goes to the index of a unique field', () => {
    expect(where({ email: 'e' }, 'findUnique')).toStrictEqual({ emailIndex: email('e') })
    expect(where({ email: 'e', name: 'x' }, 'update')).toStrictEqual({
      emailIndex: email('e'),
      name: 'x',
    })
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
    walks.collect('Patient', 'findMany', { cursor: given }).args['cursor']

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
    expect(() => cursor(given)).toThrow(
      expect.objectContaining({ code: 'ERR_QUERY_UNSUPPORTED', field }),
    )
  })
})

describe('refuses', () => {
  const unsupported = (field?: string): unknown =>
    expect.objectContaining({ code: 'ERR_QUERY_UNSUPPORTED', field })
  const invalid = (field: string): unknown =>
    expect.objectContaining({ code: 'ERR_VALUE_INVALID', field })

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
    ['a mode nobody knows', { phone: { equals: 'p', mode: 'x' } }],
    ['a mode within a not, of no known kind', { phone: { equals: 'p', mode: 1 } }],
  ])('%s, as no value of its type', (_name, given) => {
    expect(() => where(given)).toThrow(invalid('Patient.phone'))
  })

  test('a mode within a not', () => {
    expect(() => where({ phone: { not: { equals: 'p', mode: 'insensitive' } } })).toThrow(
      unsupported('Patient.phone'),
    )
  })

  test('case-insensitive search where no index folds, and says which index would', () => {
    const given = { code: { equals: 'c', mode: 'insensitive' } }
    expect(() => where(given)).toThrow(unsupported('Patient.code'))
    expect(() => where(given)).toThrow('@blindIndex(code, normalize: [lowercase])')
    expect(() => where({ secret: 's' })).toThrow(
      'model Patient, "/// @blindIndex(secret)" and "secretIndex String?"',
    )
    expect(() => where({ notes: 1 })).toThrow('compare it with null only')
    expect(() => where({ words: 'w' })).toThrow('compare it with null only')
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
  })

  test('a field named as Prisma names logic, which can be read in two ways', async () => {
    const odd = await walksOf(
      planOf({
        Odd: {
          columns: { id: 'Int', AND: 'String', some: 'String', secret: 'String' },
          sealed: { secret: {} },
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
  })
})

describe('while an index rotates', () => {
  let rotating: Walks
  let former: number
  let active: number
  beforeAll(async () => {
    rotating = await walksOf(planOf(CLINIC))
    const { keyring } = rotating
    const before = await keyring.index.view()
    former = before.active
    await addIndexKey(keyring)
    active = (await activateIndexKey(keyring)).to.keyId
    await keyring.index.refresh()
    await keyring.index.view()
  })
  const whereOf = (given: unknown, operation = 'findMany'): unknown =>
    rotating.collect('Patient', operation, { where: given }).args['where']
  const both = (text: string): string[] =>
    [active, former].map((keyId) => rotating.hash('Patient.phoneIndex', text, [], keyId))

  test('a value is looked up under every key', () => {
    expect(whereOf({ phone: 'p' })).toStrictEqual({ phoneIndex: { in: both('p') } })
    expect(whereOf({ phone: { equals: 'p' } })).toStrictEqual({ phoneIndex: { in: both('p') } })
    expect(whereOf({ phone: { not: 'p' } })).toStrictEqual({ phoneIndex: { notIn: both('p') } })
    expect(whereOf({ phone: { in: ['p', 'q'] } })).toStrictEqual({
      phoneIndex: { in: [...both('p'), ...both('q')] },
    })
    expect(whereOf({ phone: { not: { equals: 'p' } } })).toStrictEqual({
      phoneIndex: { not: { in: both('p') } },
    })
  })

  test('what one not cannot say is refused', () => {
    const refused = expect.objectContaining({
      code: 'ERR_QUERY_UNSUPPORTED',
      field: 'Patient.phone',
    })
    expect(() => whereOf({ phone: { not: { not: 'p' } } })).toThrow(refused)
    expect(() => whereOf({ phone: { not: { equals: 'p', in: ['q'] } } })).toThrow(refused)
    expect(() => rotating.collect('Patient', 'findMany', { distinct: ['phone'] })).toThrow(refused)
    expect(
      rotating.collect('Patient', 'findMany', { distinct: ['email'] }).args['distinct'],
    ).toStrictEqual(['emailIndex'])
  })

  test('a unique index is looked up under its own key, in the column its record names', async () => {
    const hashOf = (column: string, keyId: number): string => rotating.hash(column, 'e', [], keyId)
    const look = (): unknown => whereOf({ email: 'e' }, 'findUnique')
    const written = (): any => rotating.collect('Patient', 'create', { data: { email: 'e' } }).args
    const move = async (...phases: Parameters<typeof moveIndex>[2][]): Promise<void> => {
      for (const phase of phases) await moveIndex(rotating.keyring, 'Patient.emailIndex', phase)
      await rotating.keyring.index.refresh()
      await rotating.keyring.index.view()
    }
    const first = hashOf('Patient.emailIndex', former)
    const second = hashOf('Patient.emailSecond', active)
    expect(look()).toStrictEqual({ emailIndex: first })
    expect(written().data).toMatchObject({ emailIndex: first, emailSecond: null })
    await move('both-1')
    expect(look()).toStrictEqual({ emailIndex: first })
    expect(written().data).toMatchObject({ emailIndex: first, emailSecond: second })
    await move('both-2')
    expect(look()).toStrictEqual({ emailSecond: second })
    expect(written().data).toMatchObject({ emailIndex: first, emailSecond: second })
    await move('slot-2')
    expect(look()).toStrictEqual({ emailSecond: second })
    expect(written().data).toMatchObject({ emailIndex: null, emailSecond: second })
  })

  test('offline, an index of one column takes no writes and names no row, and finds both', async () => {
    await moveIndex(rotating.keyring, 'Patient.codeIndex', 'offline')
    await rotating.keyring.index.refresh()
    await rotating.keyring.index.view()
    const offline = expect.objectContaining({
      code: 'ERR_INDEX_STATE',
      field: 'Patient.code',
      retryable: true,
    })
    const codes = [former, active].map((keyId) =>
      rotating.hash('Patient.codeIndex', 'c', [], keyId),
    )
    expect(() => whereOf({ tenantId_code: { tenantId: 1, code: 'c' } }, 'findUnique')).toThrow(
      offline,
    )
    expect(() => rotating.collect('Patient', 'create', { data: { code: 'c' } })).toThrow(offline)
    expect(rotating.sent('Patient', 'create', { data: { code: null } }).data).toStrictEqual({
      code: null,
      codeIndex: null,
    })
    expect(whereOf({ code: 'c' })).toStrictEqual({ codeIndex: { in: codes } })
  })
})

describe('an index that cannot be searched', () => {
  test('is refused until every row is known to be in it', async () => {
    const incomplete = await walksOf(planOf(CLINIC), { complete: false })
    expect(() => incomplete.collect('Patient', 'findMany', { where: { phone: 'p' } })).toThrow(
      expect.objectContaining({ code: 'ERR_QUERY_UNSUPPORTED', field: 'Patient.phone' }),
    )
    expect(incomplete.collect('Patient', 'create', { data: { phone: 'p' } }).args).toMatchObject({
      data: { phoneIndex: incomplete.hash('Patient.phoneIndex', 'p') },
    })
  })

  test('is refused where the key store has another one under its name', async () => {
    const { keyring } = walks
    const changed = planOf({
      Patient: {
        ...CLINIC.Patient,
        indexes: {
          ...CLINIC.Patient.indexes,
          phoneIndex: { field: 'phone', normalize: ['trim'] },
          phoneLower: { field: 'phone', normalize: ['lowercase'], unique: true },
          codeIndex: { field: 'code', id: 'Patient.unheard', unique: true },
        },
      },
      Visit: CLINIC.Visit,
      Doctor: CLINIC.Doctor,
      Country: CLINIC.Country,
    })
    const { compile, collectArguments, IndexViews } = await import('../../src/query/index.ts')
    const plan = compile(changed, [keyring])
    const collect = (operation: string, args: Record<string, unknown>) => () =>
      collectArguments(
        { plan, views: new IndexViews(), wantsKeys: false, globalOmit: {}, current: { state: 'unread' } }, // prettier-ignore
        plan.get('Patient')!,
        operation,
        args,
      )
    for (const field of ['phone', 'code']) {
      expect(collect('findMany', { where: { [field]: 'p' } })).toThrow(
        expect.objectContaining({ code: 'ERR_QUERY_UNSUPPORTED', field: `Patient.${field}` }),
      )
      expect(collect('create', { data: { [field]: 'p' } })).toThrow(
        expect.objectContaining({
          code: 'ERR_INDEX_STATE',
          field: `Patient.${field}`,
          retryable: false,
        }),
      )
    }
  })
})
