import { beforeAll, describe, expect, test } from 'vitest'
import { CLINIC, LIBRARY, planOf } from './clinic.ts'
import { invalid } from './clinic-walks.ts'
import { to, walksOf, type Walks } from './walks.ts'

// `strictUndefinedChecks`: Prisma refuses an explicit undefined, but does not see what is sealed.

let clinic: Walks
let library: Walks
beforeAll(async () => {
  clinic = await walksOf(planOf(CLINIC), { isStrict: true })
  library = await walksOf(planOf(LIBRARY), { isStrict: true })
})

describe('with strictUndefinedChecks', () => {
  test.each<[string, unknown]>([
    ['a list that holds one beside others', [1, undefined]],
    ['an object that holds one beside others', { a: 1, b: undefined }],
    ['one further down', { a: [{ b: [undefined, 1] }] }],
  ])('a sealed value that is %s is refused', (_name, notes) => {
    expect(() => clinic.collect('Patient', 'create', { data: { notes } })).toThrow(
      invalid('Patient.notes'),
    )
  })

  test('values without one are sealed', () => {
    const notes = { a: [1, { b: null }], at: new Date(0) }
    expect(clinic.sent('Patient', 'create', { data: { notes } }).data.notes).toStrictEqual(
      to({ a: [1, { b: null }], at: '1970-01-01T00:00:00.000Z' }),
    )
  })

  test('what is left out is filled in', () => {
    const { args } = library.collect('Note', 'create', { data: { title: 'x' } })
    expect(args['data']).toMatchObject({ tenantId: 1, id: expect.any(String) })
  })
})
