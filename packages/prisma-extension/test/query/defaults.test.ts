import { DbNull, Decimal, skip } from '@prisma/client/runtime/client'
import { beforeAll, describe, expect, test } from 'vitest'
import { FORMS, planOf } from './clinic.ts'
import { to, walksOf, type Walks } from './walks.ts'

// Defaults that are written where a create leaves sealed fields out, and what is left undefined.

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
