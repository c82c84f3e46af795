import { afterEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/keys/index.ts'
import { PROVIDERS } from './databases.ts'
import { keyIdOf, openTenancy, type Tenancy } from './tenancy.ts'

let t: Tenancy
afterEach(() => t.close())

const TENANT = { name: 'KeyError', code: 'ERR_TENANT' }

describe.each(PROVIDERS)('a keyring for each tenant, on %s', (provider) => {
  it('seals, opens and searches under the keyring of the current tenant', async () => {
    t = await openTenancy(provider)
    const { prisma, as, keyrings } = t
    const data = { email: 'A@x', city: 'Bonn', note: 'seen' }
    await as('acme', () => prisma.patient.create({ data: { id: 1, ...data } }))
    await as('globex', () => prisma.patient.create({ data: { id: 2, ...data } }))
    const [one, two] = [await t.raw(1), await t.raw(2)]
    const [acme, globex] = [await keyrings.get('tenant/acme'), await keyrings.get('tenant/globex')]
    expect(keyIdOf(one.email)).toBe(acme.activeKeyId)
    expect(keyIdOf(two.email)).toBe(globex.activeKeyId)
    expect(keyIdOf(one.emailIndex)).toBe(acme.index.stats()?.activeKeyId)
    expect(one.emailIndex.slice(13)).not.toBe(two.emailIndex.slice(13))
    expect(keyIdOf(one.note)).toBe(keyIdOf(two.note))
    expect(keyIdOf(one.note)).toBe((await keyrings.get('audit')).activeKeyId)

    const byEmail = (): Promise<any> => prisma.patient.findUnique({ where: { email: 'a@X' } })
    expect(await as('acme', byEmail)).toMatchObject({ id: 1, ...data })
    expect(await as('globex', byEmail)).toMatchObject({ id: 2, ...data })
    const inBonn = (): Promise<any> => prisma.patient.findMany({ where: { city: 'Bonn' } })
    expect((await as('acme', inBonn)).map((row: any) => row.id)).toEqual([1])
  })

  it('keeps a unique field unique within each tenant, in every way to write it', async () => {
    t = await openTenancy(provider)
    const { prisma, as } = t
    const create = (id: number): Promise<any> =>
      prisma.patient.create({ data: { id, email: 'a@x' } })
    await as('acme', () => create(1))
    await as('globex', () => create(2))
    await expect(as('acme', () => create(3))).rejects.toMatchObject({ code: 'P2002' })
    const upsert = (id: number): Promise<any> =>
      prisma.patient.upsert({
        where: { email: 'a@x' },
        create: { id, email: 'a@x' },
        update: { name: `by ${id}` },
      })
    expect(await as('globex', () => upsert(4))).toMatchObject({ id: 2, name: 'by 4', email: 'a@x' })
    const connect = (id: number): Promise<any> =>
      prisma.clinic.create({
        data: {
          id,
          slug: `c${id}`,
          patients: {
            connectOrCreate: { where: { email: 'a@x' }, create: { id: id + 10, email: 'a@x' } },
          },
        },
        include: { patients: true },
      })
    const connected = await as('acme', () => connect(1))
    expect(connected.patients).toMatchObject([{ id: 1, email: 'a@x' }])
  })

  it('refuses without a tenant what would seal, open or hash, before anything is sent', async () => {
    t = await openTenancy(provider)
    const { prisma, as } = t
    await as('acme', () => prisma.clinic.create({ data: { id: 1, slug: 'c' } }))
    const queries: (() => Promise<unknown>)[] = [
      () => prisma.patient.findMany(),
      () => prisma.patient.findMany({ select: { email: true } }),
      () => prisma.patient.findFirst({ where: { name: 'n' } }),
      () => prisma.clinic.findMany({ include: { patients: true } }),
      () => prisma.clinic.findMany({ select: { patients: { select: { city: true } } } }),
      () => prisma.clinic.findUnique({ where: { id: 1 } }).patients(),
      () => prisma.clinic.count({ where: { patients: { some: { city: 'Bonn' } } } }),
      () => prisma.patient.count({ where: { email: 'a' } }),
      () => prisma.patient.create({ data: { id: 1, email: 'a' } }),
      () => prisma.patient.create({ data: { id: 1, email: 'a' }, select: { id: true } }),
      () => prisma.patient.createMany({ data: [{ id: 1, email: 'a' }] }),
      () => prisma.patient.updateMany({ data: { city: 'a' } }),
      () =>
        prisma.clinic.update({
          where: { id: 1 },
          data: { slug: 'changed', patients: { create: { id: 1, email: 'a' } } },
        }),
      () => prisma.$rowseal.seal('Patient.email', 'a'),
      () => prisma.$rowseal.index('Patient.emailIndex', 'a'),
      () => prisma.$rowseal.indexEntries('Patient.email', 'a'),
    ]
    for (const tenant of [undefined, '', 'a/b', 'é', 'x'.repeat(116)])
      for (const query of queries)
        await expect(as(tenant, query), `${String(tenant)} ${String(query)}`).rejects.toMatchObject(
          TENANT,
        )
    expect(await t.base.patient.count()).toBe(0)
    expect(await t.base.clinic.findMany()).toEqual([{ id: 1, slug: 'c' }])
  })

  it('asks for no tenant where no value of theirs is touched', async () => {
    t = await openTenancy(provider)
    const { prisma, as } = t
    await as('acme', () =>
      prisma.clinic.create({
        data: { id: 1, slug: 'c', patients: { create: { id: 1, email: 'a', note: 'seen' } } },
      }),
    )
    expect(await prisma.clinic.findUnique({ where: { slug: 'c' } })).toEqual({ id: 1, slug: 'c' })
    expect(await prisma.clinic.count({ where: { patients: { some: { name: 'n' } } } })).toBe(1)
    expect(await prisma.patient.count()).toBe(1)
    const select = { id: true, note: true }
    expect(await prisma.patient.findMany({ select })).toEqual([{ id: 1, note: 'seen' }])
    const updated = await prisma.clinic.update({
      where: { id: 1 },
      data: { patients: { update: { where: { id: 1 }, data: { note: 'again' } } } },
      include: { patients: { select } },
    })
    expect(updated.patients).toEqual([{ id: 1, note: 'again' }])
    await expect(prisma.$rowseal.open('Patient.email', null)).resolves.toBeNull()
  })

  it("refuses to open another tenant's value, alone, among others, along relations and in transactions", async () => {
    t = await openTenancy(provider)
    const { prisma, as } = t
    await as('acme', () => prisma.clinic.create({ data: { id: 1, slug: 'c' } }))
    await as('acme', () => prisma.patient.create({ data: { id: 1, email: 'a', clinicId: 1 } }))
    await as('globex', () => prisma.patient.create({ data: { id: 2, email: 'b', clinicId: 1 } }))
    const refusal = { ...TENANT, field: 'Patient.email' }
    const reads: (() => Promise<unknown>)[] = [
      () => prisma.patient.findUnique({ where: { id: 2 } }),
      () => prisma.patient.findMany(),
      () => prisma.clinic.findFirst({ include: { patients: true } }),
      () => prisma.clinic.findUnique({ where: { id: 1 } }).patients(),
      () => prisma.patient.update({ where: { id: 2 }, data: { name: 'm' } }),
      () => prisma.$transaction((tx: any) => tx.patient.findMany()),
      () => prisma.$transaction([prisma.clinic.count(), prisma.patient.findMany()]),
    ]
    for (const read of reads)
      await expect(
        as('acme', () => read()),
        String(read),
      ).rejects.toMatchObject(refusal)
    const stored = (await t.raw(2)).email
    await expect(
      as('acme', () => prisma.$rowseal.open('Patient.email', stored)),
    ).rejects.toMatchObject(TENANT)
    const error = await as('acme', () => prisma.patient.findMany()).catch((e: unknown) => e)
    expect(String(error)).toMatch(
      /Patient\.email \(id 2\): Key \d+ belongs to keyring "tenant\/globex"/,
    )
    expect(await as('globex', () => prisma.$rowseal.open('Patient.email', stored))).toBe('b')
    const own = await as('acme', () => prisma.patient.findMany({ where: { clinicId: 1, id: 1 } }))
    expect(own).toMatchObject([{ email: 'a' }])
  })

  it('asks for the tenant once for each operation, when it is awaited', async () => {
    t = await openTenancy(provider)
    const { prisma, as } = t
    t.calls = 0
    await as('acme', () => prisma.patient.create({ data: { id: 1, email: 'a', city: 'b' } }))
    expect(t.calls).toBe(1)
    await as('acme', () =>
      prisma.patient.findMany({ where: { city: 'b' }, include: { clinic: true } }),
    )
    expect(t.calls).toBe(2)
    const made = await as('acme', async () => ({ read: prisma.patient.findMany() }))
    await expect(as('globex', () => made.read)).rejects.toMatchObject(TENANT)
    expect(t.calls).toBe(3)
    await as('acme', () =>
      prisma.$transaction([
        prisma.patient.findMany(),
        prisma.patient.findUnique({ where: { id: 1 } }),
      ]),
    )
    expect(t.calls).toBe(5)
  })

  it('takes the tenant of each operation within one transaction', async () => {
    t = await openTenancy(provider)
    const { prisma, as } = t
    const other = t.another().prisma // whose keyrings are not open
    await as('acme', () =>
      other.$transaction(async (tx: any) => {
        await tx.patient.create({ data: { id: 1, email: 'a' } })
        await as('globex', () => tx.patient.create({ data: { id: 2, email: 'a' } }))
        expect(await tx.patient.findUnique({ where: { email: 'a' } })).toMatchObject({ id: 1 })
        expect(
          await as('globex', () => tx.patient.findUnique({ where: { email: 'a' } })),
        ).toMatchObject({ id: 2 })
      }),
    )
    expect(await as('globex', () => prisma.patient.findUnique({ where: { id: 2 } }))).toMatchObject(
      {
        email: 'a',
      },
    )
    expect(
      await as('acme', () => other.patient.create({ data: { id: 3, email: 'b' } })),
    ).toMatchObject({ email: 'b' })
  })

  it('re-encrypts on read under the keyring of the tenant', async () => {
    t = await openTenancy(provider)
    const { prisma, as, keyrings } = t
    await as('acme', () => prisma.patient.create({ data: { id: 1, email: 'a' } }))
    await as('globex', () => prisma.patient.create({ data: { id: 2, email: 'b' } }))
    const acme = await keyrings.get('tenant/acme')
    const globex = await keyrings.get('tenant/globex')
    await rotate(acme)
    await rotate(globex)
    await Promise.all([
      as('acme', () => prisma.patient.findUnique({ where: { id: 1 } })),
      as('globex', () => prisma.patient.findUnique({ where: { id: 2 } })),
    ])
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(prisma.$rowseal.stats().reencryption).toMatchObject({ done: 2, failed: 0 })
    expect(keyIdOf((await t.raw(1)).email)).toBe(acme.activeKeyId)
    expect(keyIdOf((await t.raw(2)).email)).toBe(globex.activeKeyId)
    const { keyrings: stats } = prisma.$rowseal.stats()
    expect(Object.keys(stats).sort()).toEqual(['audit', 'tenant/acme', 'tenant/globex'])
    expect(stats['tenant/acme'].activeKeyId).toBe(acme.activeKeyId)
  })

  it('reads every tenant without `tenant`, and writes only what is under a fixed keyring', async () => {
    t = await openTenancy(provider)
    const { as, every } = t
    await as('acme', () => t.prisma.patient.create({ data: { id: 1, email: 'a', note: 'm' } }))
    await as('globex', () => t.prisma.patient.create({ data: { id: 2, email: 'b', note: 'n' } }))
    const rows = await every.patient.findMany({ orderBy: { id: 'asc' } })
    expect(rows).toMatchObject([
      { email: 'a', note: 'm' },
      { email: 'b', note: 'n' },
    ])
    expect(await every.$rowseal.open('Patient.email', (await t.raw(2)).email)).toBe('b')
    expect(await every.patient.update({ where: { id: 2 }, data: { note: 'o' } })).toMatchObject({
      email: 'b',
      note: 'o',
    })
    for (const query of [
      () => every.patient.create({ data: { id: 3, email: 'c' } }),
      () => every.patient.updateMany({ data: { city: 'c' } }),
      () => every.patient.findMany({ where: { email: 'a' } }),
      () => every.$rowseal.seal('Patient.email', 'c'),
    ])
      await expect(query()).rejects.toMatchObject(TENANT)
    const inside = await every.$transaction((tx: any) => tx.patient.findMany())
    expect(inside).toHaveLength(2)
  })

  it('says that a tenant has no keyring, and finds it once it was made', async () => {
    t = await openTenancy(provider)
    const { prisma, as } = t
    const create = (): Promise<any> => prisma.patient.create({ data: { id: 1, email: 'a' } })
    await expect(as('initech', create)).rejects.toMatchObject({
      code: 'ERR_KEYRING_MISSING',
      message: expect.stringMatching(/"tenant\/initech".*init --keyring tenant\/initech/),
    })
    expect(await t.base.patient.count()).toBe(0)
    const made = await t.another().keyrings.create('tenant/initech', t.plan)
    expect(made.created).toBe(true)
    expect((await t.keyrings.create('tenant/initech', t.plan)).created).toBe(false)
    await as('initech', create)
    const found = await as('initech', () => prisma.patient.findUnique({ where: { email: 'a' } }))
    expect(found).toMatchObject({ id: 1 })
  })
})
