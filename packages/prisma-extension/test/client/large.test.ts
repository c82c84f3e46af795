import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSealed, PROVIDERS, type SealedDatabase } from './databases.ts'

const schema = (provider: string): string => `
model Row {
  id    Int     @id
  /// @encrypted
  a     String?${provider === 'mysql' ? ' @db.LongText' : ''}
  /// @encrypted
  b     Json?
  kids  Kid[]
}
model Kid {
  id    Int     @id
  row   Row     @relation(fields: [rowId], references: [id])
  rowId Int
  /// @encrypted
  c     String?${provider === 'mysql' ? ' @db.LongText' : ''}
}
`
const ROWS = 5000

describe.each(PROVIDERS)('large results and values on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, schema(provider))
    const rows = Array.from({ length: ROWS }, (_, id) => ({ id, a: `a${id}`, b: { id } }))
    await sealed.prisma.row.createMany({ data: rows })
    const kids = Array.from({ length: ROWS }, (_, id) => ({ id, rowId: id % 7, c: `c${id}` }))
    await sealed.prisma.kid.createMany({ data: kids })
  })
  afterAll(() => sealed.close())

  it('opens 5,000 rows and 5,000 related ones', async () => {
    const { prisma } = sealed
    const rows = await prisma.row.findMany({ orderBy: { id: 'asc' } })
    expect(rows.map((row: any) => [row.a, row.b.id])).toEqual(
      Array.from({ length: ROWS }, (_, id) => [`a${id}`, id]),
    )
    const parents = await prisma.row.findMany({ where: { id: { lt: 7 } }, include: { kids: true } })
    const kids = parents.flatMap((row: any) => row.kids)
    expect(kids).toHaveLength(ROWS)
    expect(kids.every((kid: any) => kid.c === `c${kid.id}`)).toBe(true)
  })

  it('gives others their turn while a large result is opened, and no turn for a small one', async () => {
    let turns = 0
    let isArrived = false
    const count = (): void => {
      turns++
      if (isArrived) setImmediate(count)
    }
    // Applied after Rowseal: it sees the result before it is opened.
    const prisma = sealed.prisma.$extends({
      query: {
        row: {
          findMany: async ({ args, query }: any) => {
            const result = await query(args)
            isArrived = true
            turns = -1
            count()
            return result
          },
        },
      },
    })
    await prisma.row.findMany({ take: 10 })
    isArrived = false
    expect(turns).toBe(0)
    await new Promise(setImmediate)
    await prisma.row.findMany()
    isArrived = false
    expect(turns).toBeGreaterThanOrEqual(4)
  })

  it('seals and opens a text and a JSON string of 4 MiB', async () => {
    const a = '𝄞'.repeat(1024 * 1024)
    const b = { long: 'x'.repeat(4 * 1024 * 1024) }
    await sealed.prisma.row.create({ data: { id: ROWS, a, b } })
    const row = await sealed.prisma.row.findUnique({ where: { id: ROWS } })
    expect(row.a === a && row.b.long === b.long).toBe(true)
  })

  it('walks a filter of 20,000 conditions and data nested 500 deep', async () => {
    const OR = Array.from({ length: 20_000 }, (_, id) => ({ a: null, id: -1 - id }))
    const deep = Array.from({ length: 500 }).reduce<object>((inner) => ({ AND: inner }), { id: 1 })
    const where = { OR: OR.slice(0, provider === 'postgresql' ? 20_000 : 1_000), AND: deep }
    const outcome = await sealed.prisma.row.count({ where }).catch((error: Error) => error)
    expect(outcome).not.toBeInstanceOf(RangeError)
  })
})
