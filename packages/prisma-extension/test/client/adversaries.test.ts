import { createDecipheriv, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { parseText } from '../../src/envelope/index.ts'
import { initKeyring, openKeyring, rotate, type Keyring } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { connect, registerIndexes } from './databases.ts'

// One database with its key store in it, and what each adversary of docs/threat-model.md gets out of it.

const SCHEMA = `
model Patient {
  id         Int     @id
  /// @encrypted
  email      String?
  /// @blindIndex(email)
  emailIndex String? @unique
  /// @encrypted
  notes      Json?
  /// @encrypted
  scan       Bytes?
}
`
const SENTINEL = 'sentinel-of-the-plaintext'

let world: Awaited<ReturnType<typeof connect>>
let rootKey: Buffer
let keyring: Keyring
let prisma: any

const openWith = (key: Buffer): Promise<Keyring> =>
  openKeyring({ root: localRootKey({ key }), store: sqlKeyStore(world.base) })

beforeEach(async () => {
  world = await connect('sqlite', SCHEMA)
  rootKey = randomBytes(32)
  await sqlKeyStore(world.base).init()
  keyring = await openWith(rootKey)
  await initKeyring(keyring)
  await registerIndexes(world.plan, { default: keyring })
  prisma = world.base.$extends(rowseal({ plan: world.plan, keyring }))
  await prisma.patient.create({
    data: { id: 1, email: SENTINEL, notes: { SENTINEL }, scan: Buffer.from(SENTINEL) },
  })
})
afterEach(async () => {
  await prisma.$rowseal.flush()
  await world.base.$disconnect()
  await world.db.drop()
})

/** The KEK of a key version, as whoever may use the root key gets it. */
async function kekOf(keyId: number): Promise<Buffer> {
  const row = keyring.keys().find((key) => key.keyId === keyId)!
  const context = { keyring: 'default', keyId, use: 'kek' } as const
  return localRootKey({ key: rootKey }).unwrap(row.wrappedKek, row.rootKeyId, context)
}

/** Does a KEK, and nothing else, unwrap the DEK of a value? */
function unwraps(kek: Buffer, stored: string): boolean {
  const { wrapped, keyId } = parseText(stored)!
  const aad = Buffer.from('rowseal/v1/dek\x01\0\0\0\0', 'latin1')
  aad.writeUInt32BE(keyId, 15)
  const decipher = createDecipheriv('aes-256-gcm', kek, wrapped.subarray(0, 12))
  decipher.setAAD(aad).setAuthTag(wrapped.subarray(44))
  decipher.update(wrapped.subarray(12, 44))
  try {
    decipher.final()
    return true
  } catch {
    return false
  }
}

const emailOf = async (id: number): Promise<string> =>
  (await world.base.patient.findUnique({ where: { id } })).email

describe('whoever has the files of the database', () => {
  it('finds no plaintext, no root key and no KEK in any of them, in any spelling', async () => {
    await rotate(keyring)
    await prisma.patient.update({ where: { id: 1 }, data: { email: SENTINEL } })
    const keys = [rootKey, ...(await Promise.all(keyring.keys().map(({ keyId }) => kekOf(keyId))))]
    const files = readdirSync(world.db.folder!).map((name) =>
      readFileSync(join(world.db.folder!, name)),
    )
    expect(Buffer.concat(files).length).toBeGreaterThan(10_000)
    const sought = [Buffer.from(SENTINEL), ...keys].flatMap((bytes) => [
      bytes,
      Buffer.from(bytes.toString('hex')),
      Buffer.from(bytes.toString('base64').slice(0, 30)),
      Buffer.from(bytes.toString('base64url').slice(0, 30)),
    ])
    for (const file of files) for (const bytes of sought) expect(file.includes(bytes)).toBe(false)
    // It would have been found: ids and names of columns are there.
    expect(Buffer.concat(files).includes('emailIndex')).toBe(true)
  })

  it('opens nothing with them and another root key, and gets no keyring', async () => {
    await expect(openWith(randomBytes(32))).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
  })

  it('sees that two values are equal by a blind index, and not by what is sealed', async () => {
    await prisma.patient.create({ data: { id: 2, notes: { SENTINEL } } })
    const rows = await world.base.patient.findMany()
    expect(new Set(rows.map(({ notes }: any) => notes)).size).toBe(2)
    const index = (await world.base.patient.findUnique({ where: { id: 1 } })).emailIndex
    await prisma.patient.update({ where: { id: 1 }, data: { email: SENTINEL } })
    expect((await world.base.patient.findUnique({ where: { id: 1 } })).emailIndex).toBe(index)
  })
})

describe('whoever had an instance, and took the KEK it held', () => {
  it('opens what was sealed under that version, and nothing that is sealed after a rotation', async () => {
    const [first] = keyring.keys()
    const taken = await kekOf(first!.keyId)
    expect(unwraps(taken, await emailOf(1))).toBe(true)
    await rotate(keyring)
    expect(unwraps(taken, await emailOf(1))).toBe(true)
    await prisma.patient.update({ where: { id: 1 }, data: { email: 'new' } })
    await prisma.patient.create({ data: { id: 2, email: 'later' } })
    for (const id of [1, 2]) expect(unwraps(taken, await emailOf(id))).toBe(false)
  })
})

describe('whoever reads what an application prints', () => {
  it('finds neither keys nor values in the keyring, its statistics and its errors', async () => {
    const kek = await kekOf(1)
    await world.base.patient.update({ where: { id: 1 }, data: { scan: Buffer.from('RS\x01\0') } })
    const error: any = await prisma.patient.findMany().catch((thrown: unknown) => thrown)
    expect(error.code).toBe('ERR_ENVELOPE_MALFORMED')
    const shown = [keyring, keyring.stats(), error, prisma.$rowseal.stats()]
      .map((value) => `${inspect(value, { depth: 9, showHidden: true })} ${JSON.stringify(value)}`)
      .join('\n')
    for (const secret of [rootKey, kek])
      for (const form of ['hex', 'base64', 'base64url'] as const)
        expect(shown).not.toContain(secret.toString(form))
    expect(shown).not.toContain(SENTINEL)
    expect(shown).not.toContain(await emailOf(1))
  })
})
