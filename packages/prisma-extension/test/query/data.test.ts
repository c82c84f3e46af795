import { AnyNull, DbNull, Decimal, JsonNull, skip } from '@prisma/client/runtime/client'
import { beforeAll, describe, expect, test } from 'vitest'
import { CLINIC, FORMS, planOf } from './clinic.ts'
import { reference, to, walksOf, type Walks } from './walks.ts'

// What data becomes before its values are sealed: which of them, under which DEK of their keyring, with which
// values of blind indexes beside them.

let walks: Walks
beforeAll(async () => {
  walks = await walksOf(planOf(CLINIC))
})

const sent = (operation: string, args: object, model = 'Patient'): any =>
  walks.sent(model, operation, args)
const created = (data: unknown): unknown => sent('create', { data }).data
const updated = (data: unknown): unknown => sent('update', { where: { id: 1 }, data }).data
const phones = (text: string): object => ({
  phoneLower: walks.hash('Patient.phoneLower', text, ['lowercase']),
  phoneIndex: walks.hash('Patient.phoneIndex', text),
})
const bytes = new Uint8Array([1, 2])

describe('data without sealed values', () => {
  test.each<[string, string, object, string?]>([
    ['a create', 'create', { data: { id: 1, name: 'x' } }],
    ['a create of nothing', 'create', {}],
    ['a createMany', 'createMany', { data: [{ id: 1 }, { id: 2 }], skipDuplicates: true }],
    ['a createMany of one', 'createMany', { data: { id: 1 } }],
    ['an update', 'update', { where: { id: 1 }, data: { name: { set: 'x' } } }],
    ['an update of what is absent', 'update', { where: { id: 1 }, data: { phone: skip } }],
    ['an update without data', 'update', { where: { id: 1 } }],
    ['an updateMany', 'updateMany', { where: { id: 1 }, data: { name: 'x' }, limit: 1 }],
    ['an upsert', 'upsert', { where: { id: 1 }, create: { id: 1 }, update: {} }],
    ['a relation that leads nowhere', 'create', { data: { country: { create: { any: 1 } } } }],
    ['a nested write of plain fields', 'create', { data: { visits: { create: [{ id: 1 }] } } }],
    ['a model that reaches nothing', 'create', { data: { any: 'thing' } }, 'Country'],
    ['no data at all', 'create', { data: null }],
    ['a delete', 'delete', { where: { id: 1 } }],
    ['a relation that is null', 'create', { data: { visits: null } }],
  ])('stays the same object: %s', (_name, operation, args, model) => {
    expect(walks.collect(model ?? 'Patient', operation, args).args).toBe(args)
  })
})

describe('one value', () => {
  test.each<[string, unknown, unknown?]>([
    ['a text', { secret: 's' }, { secret: to('s') }],
    ['no text', { secret: '' }, { secret: to('') }],
    ['what looks like an envelope', { secret: 'rs1.' }, { secret: to('rs1.') }],
    ['Json', { notes: { a: [1, null] } }, { notes: to({ a: [1, null] }) }],
    ['Json that has a set', { notes: { set: 1 } }, { notes: to({ set: 1 }) }],
    ['a list in Json', { notes: [1] }, { notes: to([1]) }],
    ['null in Json', { notes: null }, { notes: to(null) }],
    ['JsonNull', { notes: JsonNull }, { notes: to(null) }],
    ['a Decimal in Json', { notes: new Decimal('1.50') }, { notes: to(1.5) }],
    ['DbNull', { notes: DbNull }],
    ['bytes', { scan: bytes }, { scan: to(bytes) }],
    ['bytes as a Buffer', { scan: Buffer.from(bytes) }, { scan: to(bytes) }],
    ['bytes as a view of words', { scan: new Uint16Array([0x0201]) }, { scan: to(bytes) }],
    ['bytes as base64', { scan: 'AQI=' }, { scan: to(bytes) }],
    ['null', { secret: null, scan: null }],
    ['what is not sealed any more', { old: 'o', oldScan: bytes }],
    ['null that is not sealed any more', { old: null }],
  ])('of a create: %s', (_name, given, becomes = given) => {
    expect(created(given)).toStrictEqual(becomes)
    expect(updated(given)).toStrictEqual(becomes)
  })

  test('of an update, in set', () => {
    expect(updated({ secret: { set: 's' }, scan: { set: bytes } })).toStrictEqual({
      secret: { set: to('s') },
      scan: { set: to(bytes) },
    })
    expect(updated({ secret: { set: null } })).toStrictEqual({ secret: { set: null } })
    expect(updated({ phone: { set: undefined } })).toStrictEqual({ phone: { set: undefined } })
  })

  test('comes with the values of all its indexes', () => {
    expect(created({ phone: 'P' })).toStrictEqual({ phone: to('P'), ...phones('P') })
    expect(updated({ phone: { set: 'P' } })).toStrictEqual({ phone: { set: to('P') }, ...phones('P') }) // prettier-ignore
    const none = { phoneLower: null, phoneIndex: null }
    expect(updated({ phone: null })).toStrictEqual({ phone: null, ...none })
    expect(updated({ phone: { set: null } })).toStrictEqual({ phone: { set: null }, ...none })
  })

  test.each<[string, object, string]>([
    ['a number for a text', { secret: 7 }, 'Patient.secret'],
    ['bytes for a text', { secret: bytes }, 'Patient.secret'],
    ['a text that is no base64', { scan: 'AQI' }, 'Patient.scan'],
    ['a number for bytes', { scan: 7 }, 'Patient.scan'],
    ['a lone surrogate', { secret: '\ud800' }, 'Patient.secret'],
    ['AnyNull', { notes: AnyNull }, 'Patient.notes'],
    ['a function in Json', { notes: { f: () => 1 } }, 'Patient.notes'],
    ['a reference in Json', { notes: [reference('Patient', 'name')] }, 'Patient.notes'],
    ['undefined in a list in Json', { notes: [undefined] }, 'Patient.notes'],
    ['skip in a list in Json', { notes: [skip] }, 'Patient.notes'],
    ['an envelope that is not to be sealed', { old: 'rs1.0' }, 'Patient.old'],
    ['bytes of an envelope that is not to be sealed', { oldScan: Buffer.from([0x52, 0x53, 1]) }, 'Patient.oldScan'], // prettier-ignore
    ['a set in a create', { secret: { set: 's' } }, 'Patient.secret'],
  ])('is refused: %s', (_name, data, field) => {
    expect(() => created(data)).toThrow(
      expect.objectContaining({ code: 'ERR_VALUE_INVALID', field }),
    )
  })

  test('is refused in an update: a set beside another operation', () => {
    const data = { secret: { set: 's', increment: 1 } }
    expect(() => updated(data)).toThrow(
      expect.objectContaining({ code: 'ERR_VALUE_INVALID', field: 'Patient.secret' }),
    )
  })

  test('is refused by name where Json refers to itself', () => {
    const circular: unknown[] = []
    circular.push(circular)
    expect(() => created({ notes: circular })).toThrow(
      expect.objectContaining({ code: 'ERR_VALUE_INVALID', field: 'Patient.notes' }),
    )
  })

  test('leaves an error of the application, thrown by a getter, as it is', () => {
    const mine = new TypeError('mine')
    const notes = { toJSON: () => { throw mine } } // prettier-ignore
    expect(() => created({ notes })).toThrow(mine)
  })
})

describe('a list', () => {
  test('has each element sealed, under one DEK', () => {
    expect(created({ words: ['a', 'b'], docs: [{}, [1]], blobs: [bytes] })).toStrictEqual({
      words: [to('a'), to('b')],
      docs: [to({}), to([1])],
      blobs: [to(bytes)],
    })
    expect(created({ words: [] })).toStrictEqual({ words: [] })
  })

  test('is set whole', () => {
    expect(created({ words: { set: ['a'] } })).toStrictEqual({ words: { set: [to('a')] } })
    expect(updated({ words: { set: ['a'], push: undefined } })).toStrictEqual({
      words: { set: [to('a')] },
    })
    expect(updated({ blobs: { set: [bytes] } })).toStrictEqual({ blobs: [to(bytes)] })
  })

  test('is pushed to', () => {
    expect(updated({ words: { push: 'a' } })).toStrictEqual({ words: { push: to('a') } })
    expect(updated({ words: { push: ['a', 'b'] } })).toStrictEqual({
      words: { push: [to('a'), to('b')] },
    })
    expect(updated({ docs: { push: [1, 2] } })).toStrictEqual({ docs: { push: to([1, 2]) } })
    expect(updated({ blobs: { push: bytes } })).toStrictEqual({ blobs: { push: to(bytes) } })
    expect(updated({ blobs: { push: [bytes] } })).toStrictEqual({ blobs: { push: to(bytes) } })
    expect(() => updated({ blobs: { push: [bytes, bytes] } })).toThrow(
      expect.objectContaining({ code: 'ERR_QUERY_UNSUPPORTED', field: 'Patient.blobs' }),
    )
  })

  test('does not change the list that was given', () => {
    const words = ['a']
    created({ words })
    expect(words).toStrictEqual(['a'])
  })

  test.each<[string, unknown]>([
    ['one value', 'a'],
    ['null', null],
    ['a set of one value', { set: 'a' }],
    ['two operations', { set: ['a'], push: 'b' }],
    ['an operation of no list', { unset: ['a'] }],
    ['no operation', {}],
    ['an element of another type', [7]],
    ['an element that is null', [null]],
  ])('is refused: %s', (_name, words) => {
    const refused = expect.objectContaining({ code: 'ERR_VALUE_INVALID', field: 'Patient.words' })
    expect(() => updated({ words })).toThrow(refused)
    expect(() => created({ words })).toThrow(refused)
  })

  test('is refused: a push in a create', () => {
    expect(() => created({ words: { push: 'a' } })).toThrow(
      expect.objectContaining({ code: 'ERR_VALUE_INVALID' }),
    )
  })
})

describe('records', () => {
  test('have a DEK each, for all their values', () => {
    expect(
      sent('createMany', { data: [{ secret: 'a', notes: 1 }, { id: 2 }, { secret: 'b' }] }).data,
    ).toStrictEqual([{ secret: to('a', 0), notes: to(1, 0) }, { id: 2 }, { secret: to('b', 1) }])
    expect(sent('createManyAndReturn', { data: { secret: 'a' } }).data).toStrictEqual({
      secret: to('a'),
    })
    expect(sent('updateMany', { data: { secret: 'a' } }).data).toStrictEqual({ secret: to('a') })
    expect(sent('updateManyAndReturn', { data: { secret: 'a' } })).toStrictEqual({
      data: { secret: to('a') },
    })
  })

  test('of an upsert share one, whichever it is', () => {
    const args = { where: { id: 1 }, create: { secret: 'a' }, update: { secret: 'b', notes: 1 } }
    expect(sent('upsert', args)).toStrictEqual({
      where: { id: 1 },
      create: { secret: to('a', 0) },
      update: { secret: to('b', 0), notes: to(1, 0) },
    })
  })

  test('are counted by keyring', () => {
    const { sites } = walks.collect('Patient', 'createMany', {
      data: [{ secret: 'a' }, { secret: 'b' }],
    })
    expect([...sites.deks]).toStrictEqual([[walks.keyring, 2]])
  })

  test('below others have one each', () => {
    const visit = { finding: 'f' }
    expect(
      updated({
        secret: 's',
        visits: {
          create: [visit, visit],
          createMany: { data: [visit], skipDuplicates: true },
          connectOrCreate: { where: { id: 1 }, create: visit },
          update: [{ where: { id: 1 }, data: visit }],
          updateMany: { where: { finding: null }, data: visit },
          upsert: { where: { id: 1 }, create: visit, update: visit },
        },
      }),
    ).toStrictEqual({
      secret: to('s', 0),
      visits: {
        create: [{ finding: to('f', 1) }, { finding: to('f', 2) }],
        createMany: { data: [{ finding: to('f', 3) }], skipDuplicates: true },
        connectOrCreate: { where: { id: 1 }, create: { finding: to('f', 4) } },
        update: [{ where: { id: 1 }, data: { finding: to('f', 5) } }],
        updateMany: { where: { finding: null }, data: { finding: to('f', 6) } },
        upsert: { where: { id: 1 }, create: { finding: to('f', 7) }, update: { finding: to('f', 7) } }, // prettier-ignore
      },
    })
  })

  test('of a single relation are updated bare, or with a filter', () => {
    const update = (value: unknown): any =>
      sent('update', { where: { id: 1 }, data: { patient: { update: value } } }, 'Visit').data
        .patient.update
    expect(update({ secret: 's' })).toStrictEqual({ secret: to('s') })
    expect(update({ where: { phone: 'p' }, data: { secret: 's' } })).toStrictEqual({
      where: { phoneIndex: walks.hash('Patient.phoneIndex', 'p') },
      data: { secret: to('s') },
    })
    expect(update({ data: { secret: 's' } })).toStrictEqual({ data: { secret: to('s') } })
    const upsert = { create: { secret: 'a' }, update: { secret: 'b' }, where: { email: 'e' } }
    expect(
      sent('update', { where: { id: 1 }, data: { patient: { upsert } } }, 'Visit').data,
    ).toStrictEqual({
      patient: {
        upsert: {
          where: { emailIndex: walks.hash('Patient.emailIndex', 'e') },
          create: { secret: to('a') },
          update: { secret: to('b') },
        },
      },
    })
  })

  test('are named by their indexes in nested writes', () => {
    const email = walks.hash('Patient.emailIndex', 'e')
    const phone = walks.hash('Patient.phoneIndex', 'p')
    const update = (patients: unknown): any =>
      sent('update', { where: { id: 1 }, data: { patients } }, 'Doctor').data.patients
    const one = { email: 'e' }
    expect(
      update({ connect: one, disconnect: [one], set: [one], delete: one, deleteMany: { phone: 'p' } }), // prettier-ignore
    ).toStrictEqual({
      connect: { emailIndex: email },
      disconnect: [{ emailIndex: email }],
      set: [{ emailIndex: email }],
      delete: { emailIndex: email },
      deleteMany: { phoneIndex: phone },
    })
    expect(
      update({ update: { where: one, data: { name: 'x' } }, updateMany: [{ where: { phone: 'p' }, data: {} }] }), // prettier-ignore
    ).toStrictEqual({
      update: { where: { emailIndex: email }, data: { name: 'x' } },
      updateMany: [{ where: { phoneIndex: phone }, data: {} }],
    })
    const same = { connect: { id: 1 }, disconnect: true, update: undefined }
    expect(update(same)).toBe(same)
    expect(
      sent('update', { where: { id: 1 }, data: { patient: { disconnect: { phone: 'p' }, delete: { phone: 'p' } } } }, 'Visit').data, // prettier-ignore
    ).toStrictEqual({
      patient: { disconnect: { phoneIndex: phone }, delete: { phoneIndex: phone } },
    })
  })

  test.each<[string, string, object, string?]>([
    ['a list of lists', 'createMany', { data: [[{ secret: 's' }]] }],
    ['a text', 'create', { data: 'secret' }],
    ['an object with toJSON', 'create', { data: { toJSON: () => ({ secret: 's' }) } }],
    ['a field nobody knows', 'create', { data: { nothing: 's' } }],
    ['an index column', 'create', { data: { phoneIndex: 's' } }, 'Patient.phone'],
    ['a relation that is a text', 'create', { data: { visits: 's' } }],
    ['a nested write nobody knows', 'create', { data: { visits: { make: {} } } }],
    ['an argument of a nested createMany', 'create', { data: { visits: { createMany: { data: [], x: 1 } } } }], // prettier-ignore
    ['an argument of a nested update', 'update', { where: { id: 1 }, data: { visits: { update: { where: {}, data: {}, x: 1 } } } }], // prettier-ignore
    ['an argument of a nested connectOrCreate', 'create', { data: { visits: { connectOrCreate: { where: {}, update: {} } } } }], // prettier-ignore
    ['an operation nobody knows', 'replace', {}],
    ['an operation that objects inherit', 'toString', {}],
    ['an argument nobody knows', 'create', { data: {}, when: 1 }],
    ['an argument of another operation', 'create', { data: {}, where: { id: 1 } }],
    ['an argument that objects inherit', 'create', { data: {}, valueOf: 1 }],
    ['arguments of a prototype', 'create', Object.create({ data: { secret: 's' } }) as object],
  ])('are refused: %s', (_name, operation, args, field) => {
    expect(() => sent(operation, args)).toThrow(
      expect.objectContaining({ code: 'ERR_QUERY_UNSUPPORTED', field }),
    )
  })

  test('pass arguments that are absent, whatever their name', () => {
    const args = { data: { id: 1 }, when: undefined, why: skip }
    expect(walks.collect('Patient', 'create', args).args).toBe(args)
  })
})

describe('defaults', () => {
  let forms: Walks
  let strict: Walks
  beforeAll(async () => {
    ;[forms, strict] = await Promise.all([
      walksOf(planOf(FORMS)),
      walksOf(planOf(FORMS), { isStrict: true }),
    ])
  })
  const filled = (given: Record<string, unknown> = {}): object => ({
    status: to('new'),
    statusIndex: forms.hash('Form.statusIndex', 'new'),
    tags: [to('a'), to('b')],
    extra: to({ a: 1 }),
    found: 'y',
    foundIndex: forms.hash('Form.foundIndex', 'y'),
    ...given,
  })

  test('are written where a create leaves fields out', () => {
    expect(forms.sent('Form', 'create', { data: { id: 1 } }).data).toStrictEqual(filled({ id: 1 }))
    expect(forms.sent('Form', 'create', {}).data).toStrictEqual(filled())
    expect(forms.sent('Form', 'create', { data: undefined }).data).toStrictEqual(filled())
    expect(
      forms.sent('Form', 'create', { data: { status: undefined, tags: skip } }).data,
    ).toStrictEqual(filled())
  })

  test('are not, where they do not', () => {
    const given = { status: 's', tags: ['t'], extra: DbNull, open: 'o', found: null }
    expect(forms.sent('Form', 'create', { data: given }).data).toStrictEqual({
      status: to('s'),
      statusIndex: forms.hash('Form.statusIndex', 's'),
      tags: [to('t')],
      extra: DbNull,
      open: 'o',
      found: null,
      foundIndex: null,
    })
    const update = { where: { id: 1 }, data: { id: 1 } }
    expect(forms.collect('Form', 'update', update).args).toBe(update)
    const upsert = { where: { id: 1 }, create: { id: 1 }, update: {} }
    expect(forms.sent('Form', 'upsert', upsert)).toStrictEqual({
      ...upsert,
      create: filled({ id: 1 }),
    })
    const many = { skipDuplicates: true }
    expect(forms.collect('Form', 'createMany', many).args).toBe(many)
  })

  test('stay out where an explicit undefined is for Prisma to refuse', () => {
    const data = { tags: skip }
    expect(() => strict.sent('Form', 'create', { data: { status: undefined } })).not.toThrow()
    expect(strict.sent('Form', 'create', { data }).data.tags).toStrictEqual([to('a'), to('b')])
    expect(strict.sent('Form', 'create', { data: { status: undefined } }).data.status).toBe(
      undefined,
    )
    const bare = { data: undefined }
    expect(strict.collect('Form', 'create', bare).args).toBe(bare)
  })

  test.each<[string, unknown, boolean]>([
    ['in a list', { tags: ['a', undefined] }, true],
    ['in Json', { extra: { a: { b: undefined } } }, true],
    ['in a set', { status: { set: undefined } }, true],
    ['in what is a value of its own', { extra: new Decimal(1) }, false],
    ['in what toJSON replaces', { extra: { a: undefined, toJSON: () => 1 } }, false],
    ['in DbNull', { extra: DbNull }, false],
    ['nowhere', { extra: { a: [1, null, skip as unknown].slice(0, 2) } }, false],
    ['in a property that is skipped', { extra: { a: skip } }, false],
  ])('with strict checks an undefined %s', (_name, data, isRefused) => {
    const update = (): unknown => strict.sent('Form', 'update', { where: { id: 1 }, data })
    if (!isRefused) expect(update).not.toThrow()
    else expect(update).toThrow(expect.objectContaining({ code: 'ERR_VALUE_INVALID' }))
  })
})

test('an update that may be read in two ways is refused, or read in the one that is left', async () => {
  const written = {
    Host: {
      columns: { id: 'Int' },
      relations: { odd: { model: 'Odd', list: false }, even: { model: 'Even', list: false } },
    },
    Odd: { columns: { id: 'Int', data: 'String', secret: 'String' }, sealed: { secret: {} } },
    Even: {
      columns: { id: 'Int', data: 'String', where: 'String', secret: 'String' },
      sealed: { secret: {} },
    },
  }
  const odd = await walksOf(planOf(written))
  const update = (relation: string, value: unknown) => (): any =>
    odd.sent('Host', 'update', { where: { id: 1 }, data: { [relation]: { update: value } } }).data[
      relation
    ].update
  const refused = expect.objectContaining({ code: 'ERR_QUERY_UNSUPPORTED' })
  expect(update('odd', { data: 'x' })).toThrow(refused)
  expect(update('odd', { data: 'x' })).toThrow('Write { where: {}, data: {...} }')
  expect(update('odd', { data: 'x', secret: 's' })()).toStrictEqual({ data: 'x', secret: to('s') })
  expect(update('odd', { where: {}, data: { secret: 's' } })()).toStrictEqual({
    where: {},
    data: { secret: to('s') },
  })
  expect(update('odd', { data: undefined, secret: 's' })()).toStrictEqual({
    data: undefined,
    secret: to('s'),
  })
  expect(update('even', { where: 'x', data: 'x' })).toThrow(refused)
  expect(update('even', { where: 'x', data: 'x' })).toThrow('Update Even by itself.')
})
