import { skip } from '@prisma/client/runtime/client'
import { describe, expect, test } from 'vitest'
import { mayReturn } from '../../src/query/index.ts'
import { atClinic } from './clinic-walks.ts'

const { walks } = atClinic()

describe('may an operation return a field', () => {
  const may = (args: Record<string, unknown>, operation = 'findMany', model = 'Patient'): boolean =>
    mayReturn(walks().plan.get(model)!, operation, args, ({ name }) => name === 'phone')

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
