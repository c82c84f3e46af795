import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { openKeyring, rotate } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { openClinic, PROVIDERS, type TestClinic } from './clinic.ts'

const failure = (call: Promise<unknown>): Promise<any> =>
  call.then(
    () => expect.unreachable('nothing was thrown'),
    (error: unknown) => error,
  )

describe.each(PROVIDERS)('a value that is not right, on %s', (provider) => {
  let clinic: TestClinic
  let secret: string
  beforeAll(async () => {
    clinic = await openClinic(provider)
  })
  afterAll(() => clinic.close())

  afterEach(() => clinic.base.patient.deleteMany())

  async function store(column: string, change: (stored: string) => string): Promise<string> {
    secret = 'a very secret value'
    await clinic.prisma.patient.create({
      data: { id: 'p', name: 'n', email: secret, phone: secret },
    })
    const row = await clinic.raw('Patient', `id = 'p'`)
    const next = change(row[column] as string)
    await clinic.base.patient.update({ where: { id: 'p' }, data: { [column]: next } })
    return next
  }

  async function expectRefused(code: string, stored: string): Promise<void> {
    for (const call of [
      clinic.prisma.patient.findUnique({ where: { id: 'p' } }),
      clinic.prisma.patient.findMany({ select: { email: true, id: true } }),
      clinic.prisma.patient.update({ where: { id: 'p' }, data: { name: 'm' } }),
    ]) {
      const error = await failure(call)
      expect(error).toMatchObject({ code, name: 'EnvelopeError', field: 'Patient.email' })
      expect(error.message).toContain('Patient.email (id p)')
      expect(`${error.message} ${error.stack}`).not.toContain(secret)
      expect(error.message).not.toContain(stored)
    }
  }

  it('is refused when one character was altered', async () => {
    const alter = (s: string): string =>
      s.slice(0, 120) + (s[120] === 'A' ? 'B' : 'A') + s.slice(121)
    await expectRefused('ERR_ENVELOPE_AUTH', await store('email', alter))
  })

  it('is refused when it was cut', async () => {
    await expectRefused('ERR_ENVELOPE_MALFORMED', await store('email', (s) => s.slice(0, 60)))
  })

  it('is refused when it is plaintext', async () => {
    await expectRefused(
      'ERR_PLAINTEXT_REFUSED',
      await store('email', () => 'plain and simple text'),
    )
  })

  it('is refused when it was moved from another field', async () => {
    await store('email', (s) => s)
    const { phone } = await clinic.raw('Patient', `id = 'p'`)
    await clinic.base.patient.update({ where: { id: 'p' }, data: { email: phone } })
    await expectRefused('ERR_ENVELOPE_AUTH', phone as string)
  })

  it('is refused when its key id is unknown', async () => {
    await store('email', (s) => `rs1.000000ff.${s.slice(13)}`)
    const error = await failure(clinic.prisma.patient.findUnique({ where: { id: 'p' } }))
    expect(error).toMatchObject({
      name: 'KeyError',
      code: 'ERR_KEY_UNKNOWN',
      field: 'Patient.email',
    })
    expect(error.message).toMatch(/^Patient\.email \(id p\): Key 255 /)
    expect(error.message.endsWith(error.fix)).toBe(true)
  })

  it('is refused when its key id was changed to another key of the keyring', async () => {
    await store('email', (s) => s)
    const { to } = await rotate(clinic.keyring)
    const { email } = await clinic.raw('Patient', `id = 'p'`)
    const moved = `rs1.${to.keyId.toString(16).padStart(8, '0')}.${String(email).slice(13)}`
    await clinic.base.patient.update({ where: { id: 'p' }, data: { email: moved } })
    const error = await failure(clinic.prisma.patient.findUnique({ where: { id: 'p' } }))
    expect(error).toMatchObject({
      name: 'EnvelopeError',
      code: 'ERR_ENVELOPE_AUTH',
      field: 'Patient.email',
    })
  })

  it('does not show in raw SQL, and opens through $rowseal', async () => {
    await store('email', (s) => s)
    const { email } = await clinic.raw('Patient', `id = 'p'`)
    expect(email).toMatch(/^rs1\./)
    expect(await clinic.prisma.$rowseal.open('Patient.email', email)).toBe(secret)
    const again = await clinic.prisma.$rowseal.seal('Patient.email', 'raw')
    await clinic.base.patient.update({ where: { id: 'p' }, data: { email: again } })
    expect((await clinic.prisma.patient.findUnique({ where: { id: 'p' } })).email).toBe('raw')
    expect(await clinic.prisma.$rowseal.open('Patient.phone', null)).toBeNull()
    await expect(clinic.prisma.$rowseal.open('Patient.phone', email)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
    })
    await expect(clinic.prisma.$rowseal.open('Patient.nothing', email)).rejects.toThrow(TypeError)
  })

  it('opens when another instance rotated meanwhile, in a transaction too', async () => {
    // Of its own: a store is asked for unknown keys once a second, and other tests here ask in vain.
    const clinic = await openClinic(provider)
    await clinic.prisma.patient.create({ data: { id: 'p', name: 'n', email: 'before' } })
    const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
    const elsewhere = await openKeyring({ root, store: clinic.store })
    await rotate(elsewhere)
    const other = clinic.base.$extends(rowseal({ plan: clinic.plan, keyring: elsewhere }))
    await other.patient.update({ where: { id: 'p' }, data: { email: 'from elsewhere' } })
    const read = await clinic.prisma.$transaction((tx: any) =>
      tx.patient.findUnique({ where: { id: 'p' } }),
    )
    expect(read.email).toBe('from elsewhere')
    await clinic.close()
  })
})

describe('an extension that does not fit', () => {
  let clinic: TestClinic
  beforeAll(async () => {
    clinic = await openClinic('sqlite')
  })
  afterAll(() => clinic.close())

  it('is refused when applied twice', async () => {
    const { plan, keyring } = clinic
    expect(() => clinic.prisma.$extends(rowseal({ plan, keyring }))).toThrow(
      expect.objectContaining({ name: 'SchemaError', code: 'ERR_EXTENSION_ORDER' }),
    )
  })

  it('is refused when the plan is of another schema', async () => {
    const plan = {
      ...clinic.plan,
      digest: '0'.repeat(64),
      source: { ...clinic.plan.source, digest: '0'.repeat(64) },
    }
    expect(() => clinic.base.$extends(rowseal({ plan, keyring: clinic.keyring }))).toThrow(
      expect.objectContaining({ name: 'SchemaError', code: 'ERR_PLAN_STALE' }),
    )
  })

  it('is refused when a keyring is missing', async () => {
    expect(() => clinic.base.$extends(rowseal({ plan: clinic.plan, keyring: [] }))).toThrow(
      expect.objectContaining({ name: 'SchemaError', code: 'ERR_ANNOTATION_INVALID' }),
    )
  })
})
