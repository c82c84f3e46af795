import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import type { TestDatabase } from '@rowseal/test-support'
import { freePort } from '@rowseal/test-support'
import { afterEach, describe, expect, it } from 'vitest'
import { ReencryptionQueue } from '../../src/client/reencryption.ts'
import { recordSwapper } from '../../src/client/reseal.ts'
import { rotate } from '../../src/keys/index.ts'
import { compile, OpenSites } from '../../src/query/index.ts'
import { openClinic, type ClinicOptions, type TestClinic } from './clinic.ts'
import { PROVIDERS, sql, type Provider } from './databases.ts'

const open: TestClinic[] = []
afterEach(async () => {
  for (const clinic of open.splice(0)) await clinic.close()
})

async function rotated(provider: Provider, options: ClinicOptions = {}): Promise<TestClinic> {
  const clinic = await openClinic(provider, options)
  open.push(clinic)
  await clinic.prisma.patient.createMany({
    data: [0, 1, 2].map((i) => ({ id: `p${i}`, name: 'n', email: `e${i}` })),
  })
  await rotate(clinic.keyring)
  return clinic
}

const emails = async (prisma: any): Promise<unknown> =>
  (await prisma.patient.findMany({ orderBy: { id: 'asc' } })).map((row: any) => row.email)

describe('re-encryption when SQLite is busy', () => {
  const impatient = (db: TestDatabase): unknown => new PrismaLibSql({ url: db.url, timeout: 0 })

  /** Hold the write lock of the database as another process would. */
  async function whileLocked(clinic: TestClinic, run: () => Promise<void>): Promise<void> {
    const other = new clinic.PrismaClient({ adapter: clinic.db.adapter() })
    await other.$transaction(
      async (tx: any) => {
        await tx.country.create({ data: { code: 'x', name: 'held' } })
        await run()
      },
      { timeout: 20_000 },
    )
    await other.$disconnect()
  }

  it('fails, and loses neither the next write of the application nor any after', async () => {
    const clinic = await rotated('sqlite', { adapter: impatient })
    const { prisma } = clinic
    await whileLocked(clinic, async () => {
      expect(await emails(prisma)).toEqual(['e0', 'e1', 'e2'])
      expect(await prisma.$rowseal.flush()).toBe(true)
      expect(prisma.$rowseal.stats().reencryption).toMatchObject({ done: 0, failed: 3 })
    })
    await prisma.patient.update({ where: { id: 'p0' }, data: { email: 'first write since' } })
    await prisma.patient.create({ data: { id: 'p3', name: 'n', email: 'second' } })

    const elsewhere = new clinic.PrismaClient({ adapter: clinic.db.adapter() })
    const rows = await elsewhere.patient.findMany({ orderBy: { id: 'asc' } })
    await elsewhere.$disconnect()
    const opened = rows.map((row: any) => prisma.$rowseal.open('Patient.email', row.email))
    expect(await Promise.all(opened)).toEqual(['first write since', 'e1', 'e2', 'second'])
  })

  it('is done by the next read', async () => {
    const clinic = await rotated('sqlite', { adapter: impatient })
    await whileLocked(clinic, async () => {
      await emails(clinic.prisma)
      await clinic.prisma.$rowseal.flush()
    })
    await emails(clinic.prisma)
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({ done: 3, failed: 3 })
  })
})

/** A client of SQLite has no more anyway. */
const ONE_CONNECTION: Readonly<Record<Provider, ClinicOptions>> = {
  postgresql: { adapter: (db) => new PrismaPg({ connectionString: db.url, max: 1 }) },
  sqlite: {},
  mysql: { adapter: (db) => new PrismaMariaDb(`${db.url}&connectionLimit=1`) },
}

describe.each(PROVIDERS)('re-encryption beside a long transaction, on %s', (provider) => {
  it('never holds it up, nor what comes after', async () => {
    // One connection, and little patience: the batches cannot start before the transaction ends.
    const clinic = await rotated(provider, {
      client: { transactionOptions: { maxWait: 100, timeout: 20_000 } },
      ...ONE_CONNECTION[provider],
    })
    const { prisma } = clinic
    // So that the table is known.
    await emails(prisma)
    expect(await prisma.$rowseal.flush()).toBe(true)
    await rotate(clinic.keyring)
    // The batch comes at the next turn of the event loop, and the transaction is there before.
    expect(await emails(prisma)).toEqual(['e0', 'e1', 'e2'])
    await prisma.$transaction(async (tx: any) => {
      expect(await emails(tx)).toEqual(['e0', 'e1', 'e2'])
      // A batch in a transaction of its own gives up after `maxWait`; on PostgreSQL it needs none, and waits.
      expect(await prisma.$rowseal.flush({ timeoutMs: 500 })).toBe(provider !== 'postgresql')
      await tx.patient.update({ where: { id: 'p0' }, data: { email: 'inside' } })
    })
    expect(await prisma.$rowseal.flush()).toBe(true)
    await prisma.patient.update({ where: { id: 'p1' }, data: { phone: 'after' } })
    await prisma.$transaction([
      prisma.patient.update({ where: { id: 'p2' }, data: { phone: 'after' } }),
      prisma.patient.findMany(),
    ])
    expect(await emails(prisma)).toEqual(['inside', 'e1', 'e2'])
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(prisma.$rowseal.stats().reencryption.queued).toBe(0)
    const other = new clinic.PrismaClient({ adapter: clinic.db.adapter() })
    expect(await other.patient.count({ where: { phone: { not: null } } })).toBe(2)
    await other.$disconnect()
  })

  it('leaves a row that the transaction holds', async () => {
    const clinic = await rotated(provider)
    const { prisma } = clinic
    await prisma.$transaction(
      async (tx: any) => {
        await tx.patient.update({ where: { id: 'p0' }, data: { phone: 'held' } })
        if (provider === 'sqlite') await emails(tx)
        else {
          await emails(prisma)
          expect(await prisma.$rowseal.flush()).toBe(true)
          expect(prisma.$rowseal.stats().reencryption).toMatchObject({ done: 2, failed: 0 })
        }
      },
      { timeout: 20_000 },
    )
    await prisma.$rowseal.flush()
    expect(await emails(prisma)).toEqual(['e0', 'e1', 'e2'])
    expect((await prisma.patient.findUnique({ where: { id: 'p0' } })).phone).toBe('held')
  })
})

/** Adapters for a port where nobody listens. */
const DOWN = {
  postgresql: (port: number) =>
    new PrismaPg({ connectionString: `postgresql://nobody:nothing@127.0.0.1:${port}/none` }),
  mysql: (port: number) =>
    new PrismaMariaDb(`mariadb://nobody:nothing@127.0.0.1:${port}/none?acquireTimeout=300`),
}
const SERVERS = PROVIDERS.filter((provider) => provider !== 'sqlite')

describe.each(SERVERS)('re-encryption without its database, on %s', (provider) => {
  it('counts what failed, goes on, and throws nothing', async () => {
    const clinic = await rotated(provider, { reencryption: false })
    const down = new clinic.PrismaClient({ adapter: DOWN[provider](await freePort()) })
    const queue = new ReencryptionQueue(provider, recordSwapper(down, provider), { batchRows: 1 })
    const sites = new OpenSites()
    const patient = compile(clinic.plan, [clinic.keyring]).get('Patient')!
    expect([...sites.walk(patient, await clinic.base.patient.findMany(), null)]).toHaveLength(1)
    queue.add(sites.stale)
    expect(await queue.flush()).toBe(true)
    expect(queue.stats()).toMatchObject({ queued: 0, done: 0, failed: 3 })
    expect(queue.stats().lastError).toMatch(/^(P\d{4}|ECONNREFUSED)$/)
    await down.$disconnect()
  })

  it('fails and recovers with a table that comes and goes', async () => {
    const clinic = await rotated(provider)
    const { prisma, base } = clinic
    await emails(prisma)
    const flushed = prisma.$rowseal.flush()
    await base.$executeRawUnsafe(sql(provider, 'ALTER TABLE "Patient" RENAME TO "Elsewhere"'))
    expect(await flushed).toBe(true)
    const { done, failed } = prisma.$rowseal.stats().reencryption
    expect(done + failed).toBe(3)
    await base.$executeRawUnsafe(sql(provider, 'ALTER TABLE "Elsewhere" RENAME TO "Patient"'))
    await emails(prisma)
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(prisma.$rowseal.stats().reencryption.done).toBe(3)
  })

  it('ends with the client', async () => {
    const clinic = await rotated(provider)
    await emails(clinic.prisma)
    await clinic.prisma.$disconnect()
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    const { done, failed } = clinic.prisma.$rowseal.stats().reencryption
    expect(done + failed).toBe(3)
  })
})
