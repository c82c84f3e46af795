import { afterEach, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { activateKey, addKey, openKeyring, rotate } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { openClinic, PROVIDERS, type ClinicOptions, type TestClinic } from './clinic.ts'
import { sql } from './databases.ts'

const key = (value: unknown): string => String(value).slice(4, 12)

describe.each(PROVIDERS)('re-encryption on read, on %s', (provider) => {
  const open: TestClinic[] = []
  afterEach(async () => {
    for (const clinic of open.splice(0)) await clinic.close()
  })

  async function rotated(options: ClinicOptions = {}): Promise<TestClinic> {
    const clinic = await openClinic(provider, options)
    open.push(clinic)
    for (let i = 0; i < 3; i++) {
      await clinic.prisma.patient.create({
        data: {
          id: `p${i}`,
          name: `n${i}`,
          email: `e${i}`,
          phone: `t${i}`,
          notes: { i },
          scan: new Uint8Array([i]),
        },
      })
    }
    await clinic.prisma.visit.create({
      data: { day: 1, room: "r'1", finding: 'f', patientId: 'p0' },
    })
    await rotate(clinic.keyring)
    return clinic
  }

  it('rewrites exactly the stale values that were read', async () => {
    const clinic = await rotated()
    const before = await clinic.raw('Patient', `id = 'p0'`)
    const untouched = await clinic.raw('Patient', `id = 'p1'`)
    await clinic.prisma.patient.findUnique({ where: { id: 'p0' } })
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    const after = await clinic.raw('Patient', `id = 'p0'`)
    expect([key(before['email']), key(after['email'])]).toEqual(['00000001', '00000002'])
    expect(key(after['phone'])).toBe('00000002')
    expect(
      Buffer.from(after['scan'] as Uint8Array)
        .subarray(3, 7)
        .readUInt32BE(),
    ).toBe(2)
    expect(after['updatedAt']).toEqual(before['updatedAt'])
    expect(await clinic.raw('Patient', `id = 'p1'`)).toEqual(untouched)
    expect(await clinic.prisma.patient.findUnique({ where: { id: 'p0' } })).toMatchObject({
      email: 'e0',
      phone: 't0',
      notes: { i: 0 },
      scan: new Uint8Array([0]),
    })
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({
      queued: 0,
      done: 1,
      superseded: 0,
      failed: 0,
    })
  })

  it('finds the record when the key was not selected, and does not show the key', async () => {
    const clinic = await rotated()
    const rows = await clinic.prisma.patient.findMany({
      select: { email: true, visits: { select: { finding: true } } },
      orderBy: { id: 'asc' },
    })
    expect(JSON.stringify(rows[0])).toBe('{"email":"e0","visits":[{"finding":"f"}]}')
    expect(Object.keys(rows[0])).toEqual(['email', 'visits'])
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({ done: 4, failed: 0 })
    const patient = await clinic.raw('Patient', `id = 'p0'`)
    // Only what was read: phone is still stale.
    expect([key(patient['email']), key(patient['phone'])]).toEqual(['00000002', '00000001'])
    expect(key((await clinic.raw('Visit', 'day = 1'))['finding'])).toBe('00000002')
  })

  it('finds the record when the key is omitted, here or for the whole client', async () => {
    const clinic = await rotated({ client: { omit: { patient: { id: true } } } })
    const rows = await clinic.prisma.patient.findMany({ orderBy: { name: 'asc' } })
    expect(Object.keys(rows[0])).not.toContain('id')
    const visit = await clinic.prisma.visit.findFirst({
      omit: { day: true },
      include: { patient: true },
    })
    expect(JSON.stringify(visit)).not.toMatch(/"(id|day)":/)
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({ done: 4, failed: 0 })
  })

  it('keeps a computed field that needs the key', async () => {
    const clinic = await rotated()
    const extended = clinic.prisma.$extends({
      result: {
        patient: {
          card: { needs: { id: true, email: true }, compute: (p: any) => `${p.id}:${p.email}` },
        },
      },
    })
    expect(
      JSON.stringify(
        await extended.patient.findFirst({ where: { id: 'p0' }, select: { card: true } }),
      ),
    ).toBe('{"card":"p0:e0"}')
    expect(
      await extended.patient.findFirst({ where: { id: 'p0' }, select: { card: true, name: true } }),
    ).toMatchObject({ card: 'p0:e0', name: 'n0' })
  })

  it('lets a concurrent write win', async () => {
    const clinic = await rotated()
    await clinic.prisma.patient.findUnique({ where: { id: 'p0' } })
    // The entry waits for the next turn of the event loop; this write comes first.
    await clinic.base.$executeRawUnsafe(
      sql(provider, `UPDATE "Patient" SET email = 'written meanwhile' WHERE id = 'p0'`),
    )
    await clinic.prisma.patient.findUnique({ where: { id: 'p1' } })
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    const row = await clinic.raw('Patient', `id = 'p0'`)
    const { done, superseded } = clinic.prisma.$rowseal.stats().reencryption
    expect(done + superseded).toBe(2)
    expect(row['email']).toBe('written meanwhile')
  })

  it('leaves what a transaction read that may write it, seeing the database as it began', async () => {
    const clinic = await rotated()
    const isolated = provider === 'sqlite' ? {} : { isolationLevel: 'RepeatableRead' }
    await clinic.prisma.$transaction(async (tx: any) => {
      expect(await tx.patient.findUnique({ where: { id: 'p0' } })).toMatchObject({ phone: 't0' })
      expect(await clinic.prisma.$rowseal.flush()).toBe(true)
      await tx.patient.update({ where: { id: 'p0' }, data: { phone: 'new' } })
    }, isolated)
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({ queued: 0, done: 0 })
    expect((await clinic.prisma.patient.findUnique({ where: { id: 'p0' } })).phone).toBe('new')
  })

  it('leaves what another instance sealed under a key that is not active here yet', async () => {
    const clinic = await openClinic(provider)
    open.push(clinic)
    const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
    const ahead = await openKeyring({ root, store: clinic.store })
    await addKey(clinic.keyring)
    await activateKey(ahead)
    const other = clinic.base.$extends(rowseal({ plan: clinic.plan, keyring: ahead }))
    await other.patient.create({ data: { id: 'p0', name: 'n', email: 'e' } })
    expect(await clinic.prisma.patient.findMany()).toMatchObject([{ email: 'e' }])
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(key((await clinic.raw('Patient', `id = 'p0'`))['email'])).toBe('00000002')
  })

  it('runs no hook of an extension that was applied before', async () => {
    const raw: string[] = []
    const clinic = await rotated({
      before: (base) =>
        base.$extends({
          query: {
            $allOperations: ({ model, operation, args, query }: any) => {
              if (model === undefined) raw.push(operation)
              return query(args)
            },
          },
        }),
    })
    await clinic.prisma.patient.findUnique({ where: { id: 'p0' } })
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({ done: 1, failed: 0 })
    expect(raw).toEqual([])
  })

  it('bounds the queue, and drops what does not fit', async () => {
    const clinic = await rotated({ reencryption: { maxQueued: 2 } })
    await clinic.prisma.patient.findMany()
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({ done: 2, dropped: 1 })
  })

  it('can be turned off', async () => {
    const clinic = await rotated({ reencryption: false })
    await clinic.prisma.patient.findMany()
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(key((await clinic.raw('Patient', `id = 'p0'`))['email'])).toBe('00000001')
  })

  it('counts a failure and goes on reading', async () => {
    const clinic = await rotated()
    await clinic.base.$executeRawUnsafe(
      provider === 'sqlite'
        ? `CREATE TRIGGER stop BEFORE UPDATE ON "Patient" BEGIN SELECT RAISE(ABORT, 'no'); END`
        : sql(
            provider,
            `ALTER TABLE "Patient" ADD CONSTRAINT stop CHECK (email LIKE 'rs1.00000001%')`,
          ),
    )
    expect(await clinic.prisma.patient.findMany()).toHaveLength(3)
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({ done: 0, failed: 3 })
    expect(clinic.prisma.$rowseal.stats().reencryption.lastError).toMatch(/^P\d{4}$/)
    expect(await clinic.prisma.patient.findMany()).toHaveLength(3)
  })
})

describe('re-encryption of lists', () => {
  it('replaces the whole list', async () => {
    const clinic = await openClinic('postgresql')
    const data = {
      id: 1,
      words: ['a', 'b"\\{},'],
      docs: [{ a: 1 }, 'x'],
      blobs: [new Uint8Array([1]), new Uint8Array()],
    }
    await clinic.prisma.lists.create({ data })
    await rotate(clinic.keyring)
    expect(await clinic.prisma.lists.findUnique({ where: { id: 1 } })).toEqual(data)
    expect(await clinic.prisma.$rowseal.flush()).toBe(true)
    expect(clinic.prisma.$rowseal.stats().reencryption).toMatchObject({ done: 1, failed: 0 })
    const row = await clinic.raw('Lists', 'id = 1')
    expect((row['words'] as string[]).map(key)).toEqual(['00000002', '00000002'])
    expect(await clinic.prisma.lists.findUnique({ where: { id: 1 } })).toEqual(data)
    await clinic.close()
  })
})
