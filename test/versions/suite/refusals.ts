import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Combination } from '../combination.ts'

/** What is refused: at `$extends`, and at operations. */
export function refusalSuite(of: () => Combination): void {
  it('is the version it says, for the client and for what the extension imports', () => {
    const { version, Prisma, installation } = of()
    const expected = version === 6 ? /^6\.19\./ : /^7\.10\./
    expect(Prisma.prismaVersion.client).toMatch(expected)
    const imported = createRequire(
      join(installation.dir, 'node_modules/@rowseal/prisma-extension/dist/index.js'),
    ).resolve('@prisma/client/extension')
    const { version: found } = JSON.parse(readFileSync(join(imported, '../package.json'), 'utf8'))
    expect(found).toMatch(expected)
  })

  const thrownBy = (call: () => unknown): unknown => {
    try {
      return call()
    } catch (error) {
      return error
    }
  }

  it('refuses a stale plan, a second application, and read replicas before it', () => {
    const { base, prisma, plan, keyring, packages } = of()
    const { rowseal } = packages.extension
    const { readReplicas } = packages.replicas
    const stale = {
      ...plan,
      digest: plan.digest.replace(/^./, (c: string) => (c === '0' ? '1' : '0')),
    }
    expect(thrownBy(() => base.$extends(rowseal({ plan: stale, keyring })))).toMatchObject({
      code: 'ERR_PLAN_STALE',
    })
    for (const client of [prisma, base.$extends(readReplicas({ replicas: [base] }))]) {
      expect(thrownBy(() => client.$extends(rowseal({ plan, keyring })))).toMatchObject({
        code: 'ERR_EXTENSION_ORDER',
      })
    }
  })

  it('refuses clauses that would work on ciphertext, and values of another type', async () => {
    const { patient, ward } = of().prisma
    const refused = { code: 'ERR_QUERY_UNSUPPORTED' }
    await expect(patient.findMany({ where: { email: 'e' } })).rejects.toMatchObject(refused)
    await expect(patient.findMany({ where: { email: { contains: 'e' } } })).rejects.toMatchObject(
      refused,
    )
    await expect(patient.findMany({ orderBy: { email: 'asc' } })).rejects.toMatchObject(refused)
    await expect(patient.findMany({ distinct: ['email'] })).rejects.toMatchObject(refused)
    await expect(patient.groupBy({ by: ['email'] })).rejects.toMatchObject(refused)
    await expect(patient.aggregate({ _max: { email: true } })).rejects.toMatchObject(refused)
    await expect(
      ward.findMany({ where: { patients: { some: { email: 'e' } } } }),
    ).rejects.toMatchObject(refused)
    await expect(
      patient.count({ where: { email: { equals: patient.fields.phone } } }),
    ).rejects.toMatchObject(refused)
    await expect(patient.create({ data: { name: 'n', email: 5 } })).rejects.toMatchObject({
      code: 'ERR_VALUE_INVALID',
    })
  })

  it('refuses altered and foreign values, and plaintext', async () => {
    const { base, prisma } = of()
    const data = { name: 'n', email: 'e', phone: 'p' }
    const { id } = await prisma.patient.create({ data: { ...data, id: 'tampered' } })
    const where = { id }
    const { email } = await base.patient.findUnique({ where })
    await base.patient.update({ where, data: { phone: email } })
    await expect(prisma.patient.findUnique({ where })).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
    })
    await base.patient.update({ where, data: { phone: 'plain' } })
    await expect(prisma.patient.findUnique({ where })).rejects.toMatchObject({
      code: 'ERR_PLAINTEXT_REFUSED',
    })
    await prisma.patient.delete({ where, select: { id: true } })
  })

  it('refuses what an extension applied later adds on an encrypted field', async () => {
    const { prisma } = of()
    const later = prisma.$extends({
      query: {
        patient: {
          $allOperations: ({ args, query }: any) => query({ ...args, where: { email: 'e' } }),
        },
      },
    })
    for (const call of [later.patient.findMany(), later.$transaction([later.patient.count()])]) {
      await expect(call).rejects.toMatchObject({
        code: 'ERR_EXTENSION_ORDER',
        field: 'Patient.email',
      })
    }
  })
}
