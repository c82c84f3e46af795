import { expect, it } from 'vitest'
import type { Combination } from '../combination.ts'

export const ADA = {
  id: 'ada',
  name: 'Ada',
  email: 'ada@example.org',
  phone: '😀 5',
  notes: { allergies: ['penicillin', null], n: 1.5 },
  scan: new Uint8Array([0, 1, 255]),
}

/** Operations of every kind, in and out of transactions, and raw SQL. */
export function operationSuite(of: () => Combination): void {
  const where = { id: ADA.id }

  it('creates with relations, stores ciphertext, reads it back', async () => {
    const { prisma, raw } = of()
    const ward = { create: { id: 1, name: 'North', code: 'n1' } }
    const visits = {
      create: [
        { day: 1, room: 'a', finding: 'fit' },
        { day: 2, room: 'a', finding: 'ill' },
      ],
    }
    const created = await prisma.patient.create({
      data: { ...ADA, ward, visits },
      include: { ward: true },
    })
    expect(created).toMatchObject({ ...ADA, ward: { code: 'n1' } })
    const stored = await raw('Patient', `id = 'ada'`)
    expect(stored['email']).toMatch(/^rs1\./)
    expect(JSON.stringify(stored['notes'])).toMatch(/rs1\./)
    expect([...(stored['scan'] as Uint8Array).subarray(0, 3)]).toEqual([0x52, 0x53, 1])
    expect((await raw('Ward', 'id = 1'))['code']).toMatch(/^rs1\./)
    const found = await prisma.ward.findUnique({
      where: { name: 'North' },
      include: { patients: { include: { visits: { orderBy: { day: 'asc' } } } }, _count: true },
    })
    expect(found).toMatchObject({
      code: 'n1',
      _count: { patients: 1 },
      patients: [{ ...ADA, visits: [{ finding: 'fit' }, { finding: 'ill' }] }],
    })
  })

  it('honours select, omit, and what the client omits', async () => {
    const { patient, ward } = of().prisma
    expect(await patient.findUnique({ where, select: { email: true } })).toEqual({
      email: ADA.email,
    })
    expect(await patient.findUnique({ where, select: { ward: true } })).toEqual({
      ward: { id: 1, name: 'North', code: 'n1' },
    })
    expect(await patient.findUnique({ where, omit: { email: true } })).not.toHaveProperty('email')
    expect(await ward.findFirst({ omit: { floor: false } })).toMatchObject({ floor: 0, code: 'n1' })
  })

  it('answers fluent calls', async () => {
    const { patient, visit } = of().prisma
    expect(await patient.findUnique({ where }).ward()).toEqual({ id: 1, name: 'North', code: 'n1' })
    const day_room = { day: 1, room: 'a' }
    const visits = visit.findUnique({ where: { day_room } })
    expect(await visits.patient().ward({ select: { code: true } })).toEqual({ code: 'n1' })
    expect(
      await patient.update({ where, data: { name: 'A' } }).visits({ orderBy: { day: 'asc' } }),
    ).toMatchObject([{ finding: 'fit' }, { finding: 'ill' }])
    expect(await patient.findUnique({ where: { id: 'nobody' } }).ward()).toBeNull()
  })

  it('updates, upserts and writes to many, with null, DbNull and JsonNull', async () => {
    const { prisma, Prisma } = of()
    const { patient, visit } = prisma
    const { DbNull, JsonNull } = Prisma
    expect(await patient.update({ where, data: { phone: null, notes: DbNull } })).toMatchObject({
      phone: null,
      notes: null,
    })
    expect(await patient.findMany({ where: { phone: null, NOT: { scan: null } } })).toHaveLength(1)
    expect(
      await patient.update({ where, data: { notes: JsonNull, phone: { set: '6' } } }),
    ).toMatchObject({ phone: '6' })
    expect(await patient.count({ where: { notes: { not: DbNull } } })).toBe(1)
    for (const email of ['first', 'second']) {
      const row = { id: 'bob', name: 'B', email }
      expect(
        await patient.upsert({ where: { id: 'bob' }, create: row, update: { email } }),
      ).toMatchObject({ email })
    }
    expect(await visit.updateMany({ where: { room: 'a' }, data: { finding: 'same' } })).toEqual({
      count: 2,
    })
    expect(await visit.findMany({ select: { finding: true } })).toEqual([
      { finding: 'same' },
      { finding: 'same' },
    ])
    const data = [3, 4].map((day) => ({ day, room: 'b', finding: `f${day}` }))
    expect(await visit.createManyAndReturn({ data })).toMatchObject(data)
    expect(
      await visit.updateManyAndReturn({ where: { day: 3 }, data: { finding: 'g' } }),
    ).toMatchObject([{ finding: 'g' }])
    const update = {
      visits: {
        connectOrCreate: {
          where: { day_room: { day: 5, room: 'b' } },
          create: { day: 5, room: 'b', finding: 'h' },
        },
      },
    }
    expect(
      await patient.update({ where, data: update, select: { visits: { where: { day: 5 } } } }),
    ).toMatchObject({
      visits: [{ finding: 'h' }],
    })
    expect(await visit.deleteMany({ where: { room: 'b' } })).toEqual({ count: 3 })
    expect(await patient.delete({ where: { id: 'bob' } })).toMatchObject({ email: 'second' })
    expect(await patient.update({ where, data: ADA })).toMatchObject(ADA)
    expect(await prisma.country.create({ data: { code: 'X' } })).toEqual({ code: 'X' })
  })

  it('works in transactions of both forms', async () => {
    const { version, prisma } = of()
    const read = { where, select: { email: true } }
    const [updated, found, count] = await prisma.$transaction([
      prisma.patient.update({ where, data: { email: 'batch' } }),
      prisma.patient.findUnique(read),
      prisma.patient.count(),
    ])
    expect([updated.email, found, count]).toEqual(['batch', { email: 'batch' }, 1])
    const failed = prisma.$transaction(async (tx: any) => {
      await tx.patient.update({ where, data: { email: 'undone' } })
      expect(await tx.patient.findUnique(read)).toEqual({ email: 'undone' })
      throw new Error('back')
    })
    await expect(failed).rejects.toThrow('back')
    await prisma.$transaction(async (tx: any) => {
      await tx.patient.update({ where, data: { email: 'outer' } })
      if (version === 7)
        await tx.$transaction((inner: any) =>
          inner.patient.update({ where, data: { email: 'inner' } }),
        )
      expect(await tx.patient.findUnique({ where }).ward()).toMatchObject({ code: 'n1' })
    })
    expect(await prisma.patient.findUnique(read)).toEqual({
      email: version === 7 ? 'inner' : 'outer',
    })
  })

  it('passes raw values unopened, and $rowseal opens and seals them', async () => {
    const { prisma, Prisma, provider } = of()
    const { $rowseal } = prisma
    const [row] = await prisma.$queryRaw(
      Prisma.sql`SELECT email, scan FROM "Patient" WHERE id = ${ADA.id}`,
    )
    expect(row.email).toMatch(/^rs1\./)
    expect(await $rowseal.open('Patient.scan', row.scan)).toEqual(ADA.scan)
    const email = await $rowseal.seal('Patient.email', 'raw')
    const notes = JSON.stringify(await $rowseal.seal('Patient.notes', ['raw']))
    const cast = Prisma.raw(provider === 'postgresql' ? '::jsonb' : '')
    await prisma.$transaction([
      prisma.$executeRaw`UPDATE "Patient" SET email = ${email}, notes = ${notes}${cast} WHERE id = ${ADA.id}`,
    ])
    expect(await prisma.patient.findUnique({ where })).toMatchObject({
      email: 'raw',
      notes: ['raw'],
    })
    await expect($rowseal.open('Patient.phone', email)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
    })
  })

  it('keeps computed fields of extensions before and after it', async () => {
    const { base, prisma, plan, keyring, packages } = of()
    const card = { needs: { name: true, email: true }, compute: (p: any) => `${p.name} ${p.email}` }
    const extension = { result: { patient: { card } } }
    const before = base.$extends(extension).$extends(packages.extension.rowseal({ plan, keyring }))
    for (const client of [before, prisma.$extends(extension)]) {
      const [row] = await client.patient.findMany({ where, select: { card: true } })
      expect(Object.entries(row)).toEqual([['card', 'Ada raw']])
      const found = await client.ward.findFirst({
        include: { patients: { select: { card: true } } },
      })
      expect(found.patients[0].card).toBe('Ada raw')
    }
  })

  it('reads from replicas applied after it, fluent calls too', async () => {
    const { prisma, packages, connect } = of()
    const replica = connect({ log: [{ emit: 'event', level: 'query' }] })
    const statements: string[] = []
    replica.$on('query', ({ query }: any) => statements.push(query))
    const replicated = prisma.$extends(packages.replicas.readReplicas({ replicas: [replica] }))
    expect(await replicated.patient.findUnique({ where })).toMatchObject({ email: 'raw' })
    expect(await replicated.patient.findUnique({ where }).ward()).toMatchObject({ code: 'n1' })
    expect(statements.length).toBeGreaterThan(1)
    statements.length = 0
    expect(await replicated.patient.update({ where, data: ADA })).toMatchObject(ADA)
    expect(await replicated.$transaction([replicated.patient.findMany()])).toMatchObject([[ADA]])
    expect(statements).toEqual([])
  })
}
