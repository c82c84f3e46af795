import { afterEach, describe, expect, it } from 'vitest'
import { PROVIDERS } from './databases.ts'
import { keyIdOf, openTenancy, type Tenancy } from './tenancy.ts'

const TENANTS = Array.from({ length: 100 }, (_, i) => `t${i}`)
const OPERATIONS = 1000

let t: Tenancy
afterEach(() => t.close())

/** The kinds of operation that are mixed, each with what it must give. */
const KINDS = [
  async (prisma: any, tenant: string, i: number) => {
    const row = await prisma.patient.create({ data: { id: 1000 + i, city: `${tenant} ${i}` } })
    expect(row.city).toBe(`${tenant} ${i}`)
  },
  async (prisma: any, tenant: string) => {
    const row = await prisma.patient.findUnique({ where: { email: 'Same@x' } })
    expect(row.city).toBe(tenant)
  },
  async (prisma: any, tenant: string) => {
    const rows = await prisma.patient.findMany({ where: { city: tenant } })
    expect(rows.map((row: any) => row.city)).toEqual([tenant])
  },
  async (prisma: any, tenant: string, i: number) => {
    const row = await prisma.patient.findUnique({ where: { id: i % TENANTS.length } })
    expect(row).toMatchObject({ email: 'Same@x', city: tenant })
  },
  async (prisma: any, _tenant: string, i: number) => {
    const others = (i + 1) % TENANTS.length
    await expect(prisma.patient.findUnique({ where: { id: others } })).rejects.toMatchObject({
      code: 'ERR_TENANT',
    })
  },
  async (prisma: any, tenant: string, i: number) => {
    const data = { name: `by ${i}` }
    const row = await prisma.patient.update({ where: { email: 'same@X' }, data })
    expect(row).toMatchObject({ city: tenant, ...data })
  },
]

describe.each(PROVIDERS)('operations of many tenants at once, on %s', (provider) => {
  it('each work with the keys of their own tenant', { timeout: 300_000 }, async () => {
    // Fewer than there are tenants: some make room for others all the time.
    t = await openTenancy(provider, { tenants: TENANTS, keyrings: { entries: 60 } })
    const { prisma, as, keyrings } = t
    for (const [id, tenant] of TENANTS.entries())
      await as(tenant, () => prisma.patient.create({ data: { id, email: 'Same@x', city: tenant } }))
    t.calls = 0
    await Promise.all(
      Array.from({ length: OPERATIONS }, (_, i) => {
        const tenant = TENANTS[i % TENANTS.length]!
        // Tenants times kinds: every tenant runs every kind.
        const kind = KINDS[Math.floor(i / TENANTS.length) % KINDS.length]!
        return as(tenant, () => kind(prisma, tenant, i))
      }),
    )
    expect(t.calls).toBe(OPERATIONS)
    expect(keyrings.stats()).toMatchObject({ open: 60, opening: 0 })
    expect(keyrings.stats().evicted).toBeGreaterThan(0)
    const owners = new Map<number, string>()
    for (const tenant of TENANTS)
      for (const { keyId } of (await keyrings.get(`tenant/${tenant}`)).keys())
        owners.set(keyId, tenant)
    const rows: any[] = await t.base.patient.findMany({ where: { id: { gte: 1000 } } })
    expect(rows).toHaveLength(2 * TENANTS.length)
    for (const { id, city } of rows) expect(owners.get(keyIdOf(city))).toBe(TENANTS[id % 100])
  })
})
