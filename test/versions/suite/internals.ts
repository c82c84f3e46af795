import { expect, it } from 'vitest'
import type { Combination } from '../combination.ts'

/** Everything that `client/internals.ts` reads and that Prisma does not promise to keep. */
export function internalsSuite(of: () => Combination): void {
  const spying = (client: any, hook: (params: any) => unknown): any =>
    client.$extends({ query: { $allModels: { $allOperations: hook } } })

  it('a client carries its schema text, global omit and preview features, extended or not', () => {
    const { base, prisma, plan, packages } = of()
    const { schemaTextOf, globalOmitOf } = packages.internals
    for (const client of [base, prisma, base.$extends({})]) {
      expect(packages.plan.digestOf(schemaTextOf(client))).toBe(plan.digest)
      expect(globalOmitOf(client)).toEqual({ ward: { floor: true } })
      expect(client._previewFeatures).toBeInstanceOf(Array)
    }
  })

  it('a fluent call has a path, and an interactive transaction is told apart', async () => {
    const { base, packages } = of()
    const { fluentPath, viaOf } = packages.internals
    const seen: any[] = []
    const spied = spying(base, ({ args, query, __internalParams }) => {
      seen.push([fluentPath(__internalParams), viaOf(base, __internalParams) !== undefined])
      return query(args)
    })
    await spied.patient
      .findUnique({ where: { id: 'x' } })
      .ward()
      .patients()
    await spied.patient.findUnique({ where: { id: 'x' }, select: { ward: true } })
    await spied.$transaction((tx: any) => tx.country.count())
    await spied.$transaction([spied.country.count(), spied.country.count()])
    expect(seen).toEqual([
      [['ward', 'patients'], false],
      [[], false],
      [[], true],
      [[], false],
      [[], false],
    ])
  })

  it('the store can read on the connection of a transaction', async () => {
    const { base, packages } = of()
    const { viaOf } = packages.internals
    const counts: number[] = []
    const spied = spying(base, async ({ model, args, query, __internalParams }) => {
      const { transaction } = viaOf(base, __internalParams) ?? {}
      const result = await query(args)
      if (model === 'Country')
        counts.push(await base.country.count().requestTransaction(transaction))
      return result
    })
    await expect(
      spied.$transaction(async (tx: any) => {
        await tx.country.create({ data: { code: 'inside' } })
        throw new Error('back')
      }),
    ).rejects.toThrow('back')
    expect(counts).toEqual([(await base.country.count()) + 1])
  })

  it('an operation is handed down without its path, and each later extension is seen', async () => {
    const { base, packages } = of()
    const passedOn: any[] = []
    const outer = spying(base, ({ args, query, __internalParams }) =>
      query(
        args,
        packages.internals.handedDown(__internalParams, (changed: any) => passedOn.push(changed)),
      ),
    )
    const later = spying(outer, ({ args, query }) =>
      query({ ...args, where: { ...args.where, name: 'n' } }),
    )
    await base.ward.create({
      data: { id: 50, name: 'w', patients: { create: { id: 'h', name: 'n', email: 'e' } } },
    })
    for (const client of [outer, later]) {
      const where = { id: 'h' }
      expect(await client.patient.findUnique({ where }).ward()).toMatchObject({ ward: { id: 50 } })
      await client
        .$transaction(async (tx: any) => {
          expect(await tx.patient.updateMany({ where, data: { phone: 'p' } })).toEqual({ count: 1 })
          throw new Error('back')
        })
        .catch((error: Error) => expect(error.message).toBe('back'))
      expect(await client.patient.count({ where: { phone: 'p' } })).toBe(0)
    }
    expect(passedOn.map(({ where }) => where.name)).toEqual(['n', 'n', 'n'])
    await base.patient.delete({ where: { id: 'h' } })
    await base.ward.delete({ where: { id: 50 } })
  })

  it('look-ups in one tick stay one statement', async () => {
    const { connect, plan, keyring, packages } = of()
    const client = connect({ log: [{ emit: 'event', level: 'query' }] })
    const statements: string[] = []
    client.$on('query', ({ query }: any) => statements.push(query))
    const prisma = client.$extends(packages.extension.rowseal({ plan, keyring }))
    const find = (id: string): Promise<any> =>
      prisma.patient.findUnique({ where: { id }, select: { email: true } })
    const found = await Promise.all([find('ada'), find('nobody'), find('ada')])
    expect(found.map((row) => row?.email)).toEqual([found[0].email, undefined, found[0].email])
    expect(statements.filter((sql) => sql.includes('SELECT'))).toHaveLength(1)
  })
}
