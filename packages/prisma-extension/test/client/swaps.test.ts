import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { openKeyring, initKeyring, rotate } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { HAS, openSealed, PROVIDERS, sql, type Provider, type SealedDatabase } from './databases.ts'

// Somebody who writes the database, and has no key, moves stored values about: what is refused, and what is not
// noticed. docs/threat-model.md has a line for each.

const schema = (provider: Provider): string => `
model Patient {
  id         Int     @id
  /// @encrypted
  email      String?
  /// @blindIndex(email)
  emailIndex String? @unique
  /// @encrypted
  phone      String?
  /// @encrypted(bind: [id])
  notes      String?
  /// @encrypted
  history    Json?
  /// @encrypted
  scan       Bytes?
  /// @encrypted(keyring: "audit")
  remark     String?
  ${HAS[provider].lists ? '/// @encrypted\n  words String[]' : ''}
}
model Visitor {
  id    Int     @id
  /// @encrypted
  email String?
}
`
const AUTH = { name: 'EnvelopeError', code: 'ERR_ENVELOPE_AUTH' }

describe.each(PROVIDERS)('stored values moved about, on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, schema(provider), {
      keyrings: ['audit'],
      reencryption: false,
    })
  })
  afterAll(() => sealed.close())
  beforeEach(async () => {
    for (const model of ['patient', 'visitor']) await sealed.base[model].deleteMany()
    for (const id of [1, 2])
      await sealed.prisma.patient.create({
        data: {
          id,
          email: `email ${id}`,
          phone: `phone ${id}`,
          notes: `notes ${id}`,
          history: { of: id },
          scan: new Uint8Array([id]),
          remark: `remark ${id}`,
          ...(HAS[provider].lists && { words: [`a${id}`, `b${id}`] }),
        },
      })
    await sealed.prisma.visitor.create({ data: { id: 1, email: 'email of a visitor' } })
  })

  const stored = (model: string, id: number): Promise<any> =>
    sealed.base[model].findUnique({ where: { id } })
  const put = (id: number, data: object): Promise<unknown> =>
    sealed.base.patient.update({ where: { id }, data })
  const read = (id: number): Promise<any> => sealed.prisma.patient.findUnique({ where: { id } })

  it('a value moved to another column does not open', async () => {
    const { email, phone } = await stored('patient', 1)
    await put(1, { phone: email })
    // To Rowseal the values of a field that was renamed look the same.
    const fix = expect.stringContaining('@encrypted(id: "Model.field")')
    await expect(read(1)).rejects.toMatchObject({ ...AUTH, field: 'Patient.phone', fix })
    await put(1, { email: phone, phone: null })
    await expect(read(1)).rejects.toMatchObject({ ...AUTH, field: 'Patient.email' })
  })

  it('a value moved to a column of another type is no envelope there, or does not open', async () => {
    const { email, scan, history } = await stored('patient', 1)
    await put(1, { history: email })
    await expect(read(1)).rejects.toMatchObject({ ...AUTH, field: 'Patient.history' })
    await put(1, { history, scan: Buffer.from(email) })
    await expect(read(1)).rejects.toMatchObject({ code: 'ERR_PLAINTEXT_REFUSED' })
    await put(1, { scan, phone: Buffer.from(scan).toString('hex') })
    await expect(read(1)).rejects.toMatchObject({ code: 'ERR_PLAINTEXT_REFUSED' })
  })

  it('a value moved to a record that it is bound to does not open in another', async () => {
    const { notes } = await stored('patient', 1)
    await put(2, { notes })
    await expect(read(2)).rejects.toMatchObject({ ...AUTH, field: 'Patient.notes' })
  })

  it('a value of an unbound field opens in another record, and nothing notices', async () => {
    const { phone, history, scan } = await stored('patient', 1)
    await put(2, { phone, history, scan })
    expect(await read(2)).toMatchObject({ phone: 'phone 1', history: { of: 1 }, notes: 'notes 2' })
  })

  it('a value moved to the same field of another model does not open', async () => {
    const { email } = await stored('visitor', 1)
    await put(1, { email })
    await expect(read(1)).rejects.toMatchObject({ ...AUTH, field: 'Patient.email' })
  })

  it('a value moved to a field of another keyring is refused before a key is loaded', async () => {
    const { remark } = await stored('patient', 1)
    await put(1, { phone: remark })
    await expect(read(1)).rejects.toMatchObject({ name: 'KeyError', field: 'Patient.phone' })
  })

  it('a value of another database does not open, under the same root key and key id either', async () => {
    const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
    const store = memoryKeyStore()
    const keyring = [
      await openKeyring({ root, store }),
      await openKeyring({ root, store, name: 'audit' }),
    ]
    for (const one of keyring) await initKeyring(one)
    const other = sealed.base.$extends(rowseal({ plan: sealed.plan, keyring }))
    const phone = await other.$rowseal.seal('Patient.phone', 'of another database')
    expect(phone.slice(0, 13)).toBe((await stored('patient', 1)).phone.slice(0, 13))
    await put(1, { phone })
    await expect(read(1)).rejects.toMatchObject({ ...AUTH, field: 'Patient.phone' })
  })

  it('an older value of the same field of the same record opens, bound or not, and nothing notices', async () => {
    const { phone, notes } = await stored('patient', 1)
    await sealed.prisma.patient.update({ where: { id: 1 }, data: { phone: 'new', notes: 'new' } })
    await put(1, { phone, notes })
    expect(await read(1)).toMatchObject({ phone: 'phone 1', notes: 'notes 1' })
  })

  it('an older value opens after a rotation too, as a stale one', async () => {
    const { phone } = await stored('patient', 1)
    await rotate(sealed.keyring)
    await sealed.prisma.patient.update({ where: { id: 1 }, data: { phone: 'new' } })
    await put(1, { phone })
    expect(await read(1)).toMatchObject({ phone: 'phone 1' })
  })

  it('NULL in place of a value, and a record that is gone, are not noticed', async () => {
    await put(1, { phone: null, notes: null })
    expect(await read(1)).toMatchObject({ phone: null, notes: null, email: 'email 1' })
    await sealed.base.patient.delete({ where: { id: 2 } })
    expect(await sealed.prisma.patient.count()).toBe(1)
  })

  it('blind indexes that were swapped find the wrong record, whose own value is shown', async () => {
    const one = await stored('patient', 1)
    const two = await stored('patient', 2)
    await put(1, { emailIndex: null })
    await put(2, { emailIndex: one.emailIndex })
    await put(1, { emailIndex: two.emailIndex })
    const found = await sealed.prisma.patient.findUnique({ where: { email: 'email 1' } })
    expect(found).toMatchObject({ id: 2, email: 'email 2' })
  })

  it('parts of two envelopes of one field do not make a third', async () => {
    const one = Buffer.from((await stored('patient', 1)).scan)
    const two = Buffer.from((await stored('patient', 2)).scan)
    // After the suite, the wrapped DEK, the nonce, the ciphertext.
    for (const seam of [8, 68, 80, 82]) {
      await put(1, { scan: Buffer.concat([one.subarray(0, seam), two.subarray(seam)]) })
      const reading = read(1)
      if (seam === 8) expect(await reading).toMatchObject({ scan: new Uint8Array([2]) })
      else await expect(reading).rejects.toMatchObject({ ...AUTH, field: 'Patient.scan' })
    }
  })

  it.runIf(HAS[provider].lists)(
    'elements of a list that were put into another order, taken out or doubled are not noticed',
    async () => {
      const { words } = await stored('patient', 1)
      await put(1, { words: [words[1], words[0], words[0]] })
      expect(await read(1)).toMatchObject({ words: ['b1', 'a1', 'a1'] })
      await put(1, { words: [words[1]] })
      expect(await read(1)).toMatchObject({ words: ['b1'] })
    },
  )

  it('plaintext put in the place of a value is refused, and so is what was sealed under no key', async () => {
    await put(1, { phone: 'written by an intruder' })
    await expect(read(1)).rejects.toMatchObject({ code: 'ERR_PLAINTEXT_REFUSED' })
    const { phone } = await stored('patient', 2)
    await put(1, { phone: `rs1.0badcafe.${phone.slice(13)}` })
    await expect(read(1)).rejects.toMatchObject({ code: 'ERR_KEY_UNKNOWN' })
  })

  it('what was moved shows in no error, by name or by content', async () => {
    const { email } = await stored('patient', 1)
    await sealed.base.$executeRawUnsafe(
      sql(provider, `UPDATE "Patient" SET "phone" = '${email}' WHERE "id" = 1`),
    )
    const error: any = await read(1).catch((thrown: unknown) => thrown)
    expect(`${error.message} ${error.stack}`).not.toMatch(/email 1|phone 1|rs1\.0000/)
  })
})
