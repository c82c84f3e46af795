import { compare, type Figure } from './measure.ts'
import { person, type Bench } from './setup.ts'

/** Everyday operations with three sealed fields, beside plain Prisma. */
export async function operations({ plain, sealed }: Bench, quick: boolean): Promise<Figure[]> {
  const rounds = quick ? 9 : 31
  const people = Array.from({ length: 1000 }, (_, i) => person(i + 1))
  for (const db of [plain, sealed]) await db.person.createMany({ data: people })
  for (const db of [plain, sealed]) await db.country.create({ data: { code: 'x', name: 'X' } })

  const figure = async (
    name: string,
    calls: number,
    target: string | undefined,
    run: (db: any, i: number) => Promise<unknown>,
  ): Promise<Figure> => {
    const times = await compare(
      rounds,
      calls,
      (i) => run(plain, i),
      (i) => run(sealed, i),
    )
    return {
      name,
      unit: 'ms',
      ...times,
      ratio: times.rowseal / times.plain,
      ...(target === undefined ? {} : { target }),
    }
  }

  const unique = (db: any, i: number): Promise<unknown> =>
    db.person.findUnique({ where: { id: (i % 1000) + 1 } })
  let next = 10_000
  return [
    await figure('findUnique', 200, '<= 1.15 x', unique),
    await figure('create', 100, '<= 1.15 x', (db) => db.person.create({ data: person(next++) })),
    await figure('update', 100, undefined, (db, i) =>
      db.person.update({ where: { id: (i % 1000) + 1 }, data: { email: 'new@example.org' } }),
    ),
    await figure('findMany 1,000', 3, '<= plain + 20 ms', (db) =>
      db.person.findMany({ take: 1000, orderBy: { id: 'asc' } }),
    ),
    await figure('createMany 1,000', 1, undefined, (db) => {
      const data = Array.from({ length: 1000 }, () => person(next++))
      return db.person.createMany({ data })
    }),
    await figure('model with nothing sealed', 200, undefined, (db) =>
      db.country.findUnique({ where: { code: 'x' } }),
    ),
  ]
}
