import { beforeAll, describe, expect, test } from 'vitest'
import { planOf } from './clinic.ts'
import { refused } from './library-walks.ts'
import { walksOf, type Walks } from './walks.ts'

// A bound foreign key with a default: Prisma fills it in where no relation is written, and takes it beside none.

const LOANS = {
  Loan: {
    columns: { id: 'Int', branchId: 'Int', note: 'String' },
    sealed: { note: { bind: ['branchId'] } },
    bound: { branchId: { type: 'Int', default: 1 } },
    relations: {
      branch: { model: 'Branch', list: false, boundHere: { branchId: 'id' } },
      clerk: { model: 'Clerk', list: false },
      books: { model: 'Clerk', list: true },
    },
  },
  Branch: { columns: { id: 'Int' }, bound: { id: { type: 'Int' } } },
  Clerk: { columns: { id: 'Int' } },
} as const

let walks: Walks
beforeAll(async () => {
  walks = await walksOf(planOf(LOANS))
})

const boundTo = (data: object): readonly string[] => {
  const { sites } = walks.collect('Loan', 'create', { data: { ...data, note: 'n' } })
  return sites.sites[0]!.bound.map(String)
}
const written = (data: object): unknown =>
  (walks.collect('Loan', 'create', { data: { ...data, note: 'n' } }).args['data'] as any).branchId

describe('the default of a bound foreign key', () => {
  test.each<[string, object]>([
    ['nothing beside it', {}],
    ['a list of relations', { books: { connect: { id: 3 } } }],
    ['a relation that is undefined', { clerk: undefined, branch: undefined }],
  ])('is written down with %s', (_name, data) => {
    expect(written(data)).toBe(1)
    expect(boundTo(data)).toStrictEqual(['1'])
  })

  test('gives way to a relation that sets it', () => {
    const data = { branch: { connect: { id: 6 } } }
    expect(written(data)).toBeUndefined()
    expect(boundTo(data)).toStrictEqual(['6'])
  })

  test('is not written beside another relation, where Prisma would refuse it', () => {
    const create = (): unknown => boundTo({ clerk: { connect: { id: 3 } } })
    expect(create).toThrow(refused('Loan.note', 'is bound to branchId'))
    const both = { clerk: { connect: { id: 3 } }, branch: { connect: { id: 6 } } }
    expect(written(both)).toBeUndefined()
    expect(boundTo(both)).toStrictEqual(['6'])
  })
})
