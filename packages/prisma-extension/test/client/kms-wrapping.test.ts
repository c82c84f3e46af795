import { afterEach, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { openKeyring, rotate, type KeyringOptions } from '../../src/keys/index.ts'
import { DENIAL, OUTAGE, troubledRoot } from '../keys/roots.ts'
import { openClinic, PROVIDERS, type TestClinic } from './clinic.ts'

const suiteOf = (value: unknown): number =>
  Buffer.from(String(value).slice(13), 'base64url').readUInt8(0)

const patient = (id: string): any => ({
  id,
  name: `name of ${id}`,
  email: `${id}@example.test`,
  phone: `phone of ${id}`,
  notes: { of: id },
  scan: new Uint8Array([1, 2, 3]),
})

describe.each(PROVIDERS)('values whose DEKs the KMS wraps, on %s', (provider) => {
  const open: TestClinic[] = []
  afterEach(async () => {
    for (const clinic of open.splice(0)) await clinic.close()
  })

  async function kms(options: Partial<KeyringOptions> = {}) {
    const root = troubledRoot()
    const clinic = await openClinic(provider, {
      keyring: { root, wrapping: 'kms', ...options },
      reencryption: false,
    })
    open.push(clinic)
    /** The client as another process would have it: nothing of it in memory but the active KEK. */
    const cold = async (more: Partial<KeyringOptions> = {}): Promise<any> => {
      const { base, plan, store } = clinic
      const keyring = await openKeyring({ root, store, wrapping: 'kms', ...options, ...more })
      root.reset()
      return base.$extends(rowseal({ plan, keyring, reencryption: false }))
    }
    root.reset()
    return { ...clinic, clinic, root, cold }
  }

  it('a record costs one call to write, one to read cold, and none to read again', async () => {
    const { prisma, root, cold, raw } = await kms()
    await prisma.patient.create({ data: patient('a') })
    expect(root.calls).toEqual({ kek: 0, dek: 1, mac: 0 })
    const stored = await raw('Patient', `id = 'a'`)
    expect([suiteOf(stored['email']), suiteOf(stored['phone'])]).toEqual([2, 2])
    expect(await prisma.patient.findUnique({ where: { id: 'a' } })).toMatchObject(patient('a'))
    expect(root.calls.dek).toBe(1)
    const other = await cold()
    for (let i = 0; i < 3; i++) {
      expect(await other.patient.findMany()).toMatchObject([patient('a')])
      expect(root.calls).toEqual({ kek: 0, dek: 1, mac: 0 })
    }
  })

  it('createMany, updateMany, nested writes and reads, and $rowseal are what they are with KEKs', async () => {
    const { prisma, root, cold, raw } = await kms()
    const ids = Array.from({ length: 50 }, (_, i) => `p${10 + i}`)
    await prisma.patient.createMany({ data: ids.map(patient) })
    expect([root.calls.dek, root.most]).toEqual([50, 16])
    root.reset()
    await prisma.clinic.create({
      data: {
        id: 1,
        name: 'North',
        licence: 'licence',
        patients: { create: [patient('n1'), patient('n2')] },
      },
    })
    expect(root.calls.dek).toBe(3)
    await prisma.patient.updateMany({ where: { id: { in: ids } }, data: { phone: 'one for all' } })
    expect(root.calls.dek).toBe(4)
    const sealed = await prisma.$rowseal.seal('Patient.phone', 'by hand')
    expect(await prisma.$rowseal.open('Patient.phone', sealed)).toBe('by hand')
    expect(suiteOf((await raw('Patient', `id = 'n1'`))['email'])).toBe(2)
    const other = await cold()
    const read = await other.clinic.findUnique({
      where: { id: 1 },
      include: { patients: { orderBy: { id: 'asc' } } },
    })
    expect(read).toMatchObject({ licence: 'licence', patients: [patient('n1'), patient('n2')] })
    expect(root.calls).toEqual({ kek: 0, dek: 3, mac: 0 })
    const all = await other.patient.findMany({ where: { id: { in: ids } }, orderBy: { id: 'asc' } })
    expect(all.map(({ email }: any) => email)).toEqual(ids.sort().map((id) => `${id}@example.test`))
    expect(new Set(all.map(({ phone }: any) => phone))).toEqual(new Set(['one for all']))
    expect(root.calls.dek).toBe(3 + 50 + 1) // updateMany left one value, so one DEK
  })

  it('a thousand reads at once of one cold record make one call', async () => {
    const { prisma, root, cold } = await kms()
    await prisma.staff.create({ data: { id: 1, badge: 'b', pin: '1234' } })
    const other = await cold()
    const reads = Array.from({ length: 1000 }, () => other.staff.findFirst())
    for (const read of await Promise.all(reads)) expect(read.pin).toBe('1234')
    expect(root.calls).toEqual({ kek: 0, dek: 1, mac: 0 })
  })

  it('with maxRecordsPerDek records share calls, of writing and of reading', async () => {
    const { prisma, root, cold } = await kms({ kms: { maxRecordsPerDek: 20 } })
    const ids = Array.from({ length: 50 }, (_, i) => `p${i}`)
    await prisma.patient.createMany({ data: ids.map(patient) })
    await prisma.patient.create({ data: patient('one') })
    expect(root.calls.dek).toBe(3)
    const other = await cold()
    expect(await other.patient.findMany()).toHaveLength(51)
    expect(root.calls.dek).toBe(3)
  })

  it('writes in transactions are sealed and rolled back like any other', async () => {
    const { prisma, root, cold } = await kms()
    await prisma.$transaction([
      prisma.patient.create({ data: patient('a') }),
      prisma.patient.create({ data: patient('b') }),
    ])
    await prisma
      .$transaction(async (tx: any) => {
        await tx.patient.create({ data: patient('c') })
        expect(await tx.patient.findUnique({ where: { id: 'a' } })).toMatchObject(patient('a'))
        throw new Error('back')
      })
      .catch(() => undefined)
    expect(root.calls.dek).toBe(3)
    const other = await cold()
    expect(await other.patient.count()).toBe(2)
  })

  it('with the KMS down nothing is written, what is in memory is read, the rest says so', async () => {
    const { prisma, root, cold } = await kms()
    await prisma.patient.create({ data: patient('a') })
    const other = await cold()
    root.trouble = OUTAGE
    const unavailable = { code: 'ERR_KEY_UNAVAILABLE', retryable: true }
    const writing = prisma.patient.createMany({ data: [patient('b'), patient('c')] })
    await expect(writing).rejects.toMatchObject(unavailable)
    expect(await prisma.patient.findMany()).toMatchObject([patient('a')])
    await expect(other.patient.findMany()).rejects.toMatchObject(unavailable)
    root.trouble = DENIAL
    await expect(other.patient.findMany()).rejects.toMatchObject({ code: 'ERR_ROOT_KEY_DISABLED' })
    root.trouble = null
    expect(await other.patient.findMany()).toMatchObject([patient('a')])
  })

  it('a blob moved from another record opens nothing', async () => {
    const { prisma, base, raw } = await kms()
    await prisma.staff.create({ data: { id: 1, badge: 'a', pin: '1111' } })
    await prisma.staff.create({ data: { id: 2, badge: 'b', pin: '2222' } })
    const [one, two] = [await raw('Staff', 'id = 1'), await raw('Staff', 'id = 2')].map((row) =>
      Buffer.from(String(row['pin']).slice(13), 'base64url'),
    ) as [Buffer, Buffer]
    const length = 3 + one.readUInt16BE(1)
    const mixed = Buffer.concat([two.subarray(0, length), one.subarray(length)])
    const pin = `rs1.00000001.${mixed.toString('base64url')}`
    await base.staff.update({ where: { id: 1 }, data: { pin } })
    await expect(prisma.staff.findMany()).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
      field: 'Staff.pin',
    })
  })

  it('re-encryption on read moves values from KEK to KMS and back', async () => {
    const { clinic, root, raw } = await kms({ wrapping: 'kek' })
    const { base, plan, store } = clinic
    await clinic.prisma.patient.create({ data: patient('a') })
    for (const [wrapping, suite] of [
      ['kms', 2],
      ['kek', 1],
      ['kms', 2],
    ] as const) {
      const keyring = await openKeyring({ root, store, wrapping })
      await rotate(keyring)
      const prisma = base.$extends(rowseal({ plan, keyring }))
      expect(await prisma.patient.findMany()).toMatchObject([patient('a')])
      expect(await prisma.$rowseal.flush()).toBe(true)
      const stored = await raw('Patient', `id = 'a'`)
      expect([suiteOf(stored['email']), suiteOf(stored['phone'])]).toEqual([suite, suite])
      expect(await prisma.patient.findMany()).toMatchObject([patient('a')])
    }
  })
})
