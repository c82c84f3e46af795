import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digestOf } from '../../src/plan/index.ts'
import {
  fluentPath,
  globalOmitOf,
  handedDown,
  isStrictAboutUndefined,
  readRecord,
  schemaTextOf,
  viaOf,
  withoutExtensions,
  type InternalParams,
} from '../../src/client/internals.ts'
import { openClinic, type TestClinic } from './clinic.ts'
import { connect } from './databases.ts'

/** Each of these fails when Prisma changes what `client/internals.ts` reads. */
describe('what Prisma does not promise', () => {
  let clinic: TestClinic
  let spied: any
  const seen: InternalParams[] = []
  beforeAll(async () => {
    clinic = await openClinic('postgresql', {
      client: { omit: { patient: { age: true } }, log: [{ emit: 'event', level: 'query' }] },
    })
    spied = clinic.base.$extends({
      query: {
        $allModels: {
          $allOperations: ({ args, query, ...rest }: any) => (
            seen.push(rest.__internalParams),
            query(args)
          ),
        },
      },
    })
  })
  afterAll(() => clinic.close())

  const last = (): InternalParams | undefined => seen[seen.length - 1]

  it('a client carries its schema text', () => {
    expect(digestOf(schemaTextOf(clinic.base)!)).toBe(clinic.plan.digest)
    expect(schemaTextOf(spied)).toBe(schemaTextOf(clinic.base))
  })

  it('a client carries its global omit', () => {
    expect(globalOmitOf(clinic.base)).toEqual({ patient: { age: true } })
    expect(globalOmitOf(spied)).toEqual({ patient: { age: true } })
  })

  it('a client carries its preview features', async () => {
    expect(isStrictAboutUndefined(clinic.base)).toBe(false)
    const previews = ['strictUndefinedChecks']
    const { base, db } = await connect('sqlite', 'model A {\n  id Int @id\n}', { previews })
    for (const client of [base, base.$extends({})]) {
      expect(isStrictAboutUndefined(client)).toBe(true)
    }
    await base.$disconnect()
    await db.drop()
  })

  it('a fluent call has a path, any other call has none', async () => {
    await spied.profile
      .findUnique({ where: { id: 1 } })
      .patient()
      .clinic()
    expect(fluentPath(last())).toEqual(['patient', 'clinic'])
    await spied.profile.findUnique({ where: { id: 1 }, select: { patient: true } })
    expect(fluentPath(last())).toEqual([])
  })

  it('an operation can be handed down without its path, and each later extension is seen', async () => {
    const passedOn: unknown[] = []
    const hook = ({ args, query, __internalParams }: any): unknown =>
      query(
        args,
        handedDown(__internalParams, (changed) => passedOn.push(changed)),
      )
    const adding = (where: object) => (params: any) =>
      params.query({ ...params.args, where: { ...params.args.where, ...where } })
    const extend = (client: any, $allOperations: unknown): any =>
      client.$extends({ query: { patient: { $allOperations } } })
    const outer = extend(clinic.base, hook)
    const chained = extend(extend(outer, adding({ age: 5 })), adding({ name: 'n' }))
    await clinic.base.clinic.create({ data: { id: 9, name: 'c', licence: 'l' } })
    await clinic.base.patient.create({
      data: { id: 'x', name: 'n', email: 'e', age: 5, clinicId: 9 },
    })
    const where = { id: 'x' }
    for (const client of [outer, chained]) {
      // Prisma would give the clinic alone.
      expect(await client.patient.findUnique({ where }).clinic()).toMatchObject({
        clinic: { id: 9 },
      })
      const batch = [client.patient.findMany({ where }), client.patient.count({ where })]
      expect(await client.$transaction(batch)).toMatchObject([[where], 1])
      await client.$transaction(async (tx: any) => {
        await tx.clinic.update({ where: { id: 9 }, data: { name: 'inside' } })
        const found = await tx.patient.findUnique({ where, include: { clinic: true } })
        expect(found.clinic.name).toBe('inside')
      })
      await clinic.base.clinic.update({ where: { id: 9 }, data: { name: 'c' } })
    }
    expect(passedOn).toHaveLength(8)
    expect(passedOn[0]).toMatchObject({ where: { id: 'x', age: 5 } })
    expect(passedOn[1]).toMatchObject({ where: { id: 'x', age: 5, name: 'n' } })
    await clinic.base.patient.deleteMany()
  })

  it('an interactive transaction is told apart, a batch is not one', async () => {
    await spied.$transaction(async (tx: any) => tx.country.count())
    expect(viaOf(clinic.base, last())?.client === clinic.base).toBe(true)
    await spied.$transaction([spied.country.count(), spied.country.count()])
    expect(viaOf(clinic.base, last())).toBeUndefined()
    await spied.country.count()
    expect(viaOf(clinic.base, last())).toBeUndefined()
  })

  it('a client has a client without extensions below it, which joins its transactions', async () => {
    const { base, plan } = clinic
    for (const client of [base, spied]) {
      const plain: any = withoutExtensions(client)
      const before = seen.length
      await spied.$transaction(async (tx: any) => {
        await tx.country.create({ data: { code: 'XX', name: 'inside' } })
        const via = viaOf(client, last())
        const args = { where: { code: 'XX' }, select: { name: true } }
        expect(await readRecord(via, plain, 'country', args)).toEqual({ name: 'inside' })
        expect(await readRecord(undefined, plain, 'country', args)).toBeNull()
        await tx.country.delete({ where: { code: 'XX' } })
      })
      expect(seen.length).toBe(before + 2)
      expect(digestOf(schemaTextOf(plain)!)).toBe(plan.digest)
    }
  })

  it('three look-ups in one tick stay one statement', async () => {
    await clinic.prisma.patient.createMany({
      data: [1, 2, 3].map((i) => ({ id: `p${i}`, name: 'n', email: `e${i}` })),
    })
    const statements: string[] = []
    clinic.base.$on('query', (event: any) => statements.push(event.query))
    const found = await Promise.all(
      [1, 2, 3].map((i) => clinic.prisma.patient.findUnique({ where: { id: `p${i}` } })),
    )
    expect(found.map((patient: any) => patient.email)).toEqual(['e1', 'e2', 'e3'])
    expect(statements).toHaveLength(1)
  })
})
