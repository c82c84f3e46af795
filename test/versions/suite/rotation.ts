import { expect, it } from 'vitest'
import type { Combination } from '../combination.ts'
import { ADA } from './operations.ts'

/** Rotation, re-encryption on read, and the migrator through this version's client. */
export function rotationSuite(of: () => Combination): void {
  const where = { id: ADA.id }
  const keyOf = (stored: any): string => String(stored).slice(4, 12)

  it('re-encrypts what it reads after a rotation, and leaves the rest of the row', async () => {
    const { prisma, keyring, packages, raw } = of()
    const before = await raw('Patient', `id = 'ada'`)
    await packages.keys.rotate(keyring)
    const [row] = await prisma.patient.findMany({ where, select: { email: true } })
    expect(Object.entries(row)).toEqual([['email', ADA.email]])
    expect(await prisma.$rowseal.flush()).toBe(true)
    const after = await raw('Patient', `id = 'ada'`)
    expect([keyOf(before['email']), keyOf(after['email'])]).toEqual(['00000001', '00000002'])
    expect(after['phone']).toBe(before['phone'])
    expect(after['updatedAt']).toEqual(before['updatedAt'])
    await prisma.patient.findUnique({ where })
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(keyOf((await raw('Patient', `id = 'ada'`))['phone'])).toBe('00000002')
    expect(prisma.$rowseal.stats().reencryption).toMatchObject({
      done: 2,
      failed: 0,
      lastError: null,
    })
    expect(await prisma.patient.findUnique({ where })).toMatchObject(ADA)
  })

  it('opens what is older inside a transaction, and writes under the active key version', async () => {
    const { prisma, raw } = of()
    await prisma.$transaction(async (tx: any) => {
      expect(await tx.ward.findFirst()).toMatchObject({ code: 'n1' })
      await tx.visit.create({ data: { day: 9, room: 'z', finding: 'new' } })
    })
    expect(keyOf((await raw('Visit', 'day = 9'))['finding'])).toBe('00000002')
  })

  it('drains the rest, and verifies it', async () => {
    const { base, plan, keyring, prisma, packages } = of()
    const config = { client: base, plan, keyring }
    await packages.migrator.rotate(config, { now: true })
    const report = await packages.migrator.drain(config, { now: true })
    expect(report.outcome).toBe('done')
    const { fields } = await packages.migrator.verify(config)
    expect(fields.length).toBeGreaterThan(0)
    expect(prisma.$rowseal.stats().keyrings.default).toBeDefined()
    expect(await prisma.patient.findUnique({ where, include: { ward: true } })).toMatchObject({
      ...ADA,
      ward: { code: 'n1' },
    })
    for (const model of ['patient', 'visit', 'ward']) {
      const text = JSON.stringify(await base[model].findMany())
      expect(text).not.toMatch(/rs1\.0000000[12]/)
    }
  })
}
