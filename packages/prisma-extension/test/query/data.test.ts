import { skip } from '@prisma/client/runtime/client'
import { describe, expect, test } from 'vitest'
import { planOf } from './clinic.ts'
import { atClinic, unsupported } from './clinic-walks.ts'
import { to, walksOf } from './walks.ts'

// Which records data holds, each under a DEK of its keyring, and by what its nested writes name them.

const { walks, collect, hash, sent, updated } = atClinic()

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
    ['nested writes of nothing', 'update', { where: { id: 1 }, data: { visits: { update: [null], updateMany: [null], upsert: [null] } } }], // prettier-ignore
    ['a nested update of nothing', 'update', { where: { id: 1 }, data: { patient: { update: null } } }, 'Visit'], // prettier-ignore
  ])('stays the same object: %s', (_name, operation, args, model) => {
    expect(collect(model ?? 'Patient', operation, args).args).toBe(args)
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
    const { sites } = collect('Patient', 'createMany', {
      data: [{ secret: 'a' }, { secret: 'b' }],
    })
    expect([...sites.deks]).toStrictEqual([[walks().keyring, 2]])
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
      where: { phoneIndex: hash('Patient.phoneIndex', 'p') },
      data: { secret: to('s') },
    })
    expect(update({ data: { secret: 's' } })).toStrictEqual({ data: { secret: to('s') } })
    const upsert = { create: { secret: 'a' }, update: { secret: 'b' }, where: { email: 'e' } }
    expect(
      sent('update', { where: { id: 1 }, data: { patient: { upsert } } }, 'Visit').data,
    ).toStrictEqual({
      patient: {
        upsert: {
          where: { emailIndex: hash('Patient.emailIndex', 'e') },
          create: { secret: to('a') },
          update: { secret: to('b') },
        },
      },
    })
  })

  test('are named by their indexes in nested writes', () => {
    const email = hash('Patient.emailIndex', 'e')
    const phone = hash('Patient.phoneIndex', 'p')
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

  test('are named by compound uniques where they are one of a list, and nowhere else', () => {
    const given = { tenantId_code: { tenantId: 1, code: 'c' } }
    const where = { tenantId_codeIndex: { tenantId: 1, codeIndex: hash('Patient.codeIndex', 'c') } }
    const update = (patients: object): any =>
      sent('update', { where: { id: 1 }, data: { patients } }, 'Doctor').data.patients
    const data = { name: 'x' }
    expect(
      update({
        connect: given,
        disconnect: given,
        set: [given],
        delete: [given],
        update: { where: given, data },
        connectOrCreate: { where: given, create: data },
        upsert: { where: given, create: data, update: data },
      }),
    ).toStrictEqual({
      connect: where,
      disconnect: where,
      set: [where],
      delete: [where],
      update: { where, data },
      connectOrCreate: { where, create: data },
      upsert: { where, create: data, update: data },
    })
    for (const many of [{ deleteMany: given }, { updateMany: { where: given, data } }])
      expect(() => update(many)).toThrow(unsupported())
  })

  test('leave what was given, and nested writes beside them, as they are', () => {
    const visits = { connect: { id: 1 }, create: { finding: 'f' }, deleteMany: {}, update: [] }
    const args = { where: { id: 1 }, data: { name: 'x', visits } }
    const before = structuredClone(args)
    expect(sent('update', args).data).toStrictEqual({
      name: 'x',
      visits: { ...visits, create: { finding: to('f') } },
    })
    expect(args).toStrictEqual(before)
  })

  test('are refused with the name of what is wrong in them', () => {
    expect(() => sent('create', { data: { phoneIndex: 's' } })).toThrow('Patient.phoneIndex is a')
    expect(() => sent('create', { data: { visits: 's' } })).toThrow('Patient.visits must be an')
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
    expect(() => sent(operation, args)).toThrow(unsupported(field))
  })

  test('pass arguments that are absent, whatever their name', () => {
    const args = { data: { id: 1 }, when: undefined, why: skip }
    expect(collect('Patient', 'create', args).args).toBe(args)
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
