import { afterEach, describe, expect, it } from 'vitest'
import { addIndexKey, activateIndexKey, openKeyring, rotate } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { addFenceStatements, fencesOf, loadTable } from '../../src/sql/index.ts'
import { openSealed, PROVIDERS, type Provider, type SealedDatabase } from './databases.ts'

const SCHEMA = `
model Owner {
  id   Int   @id
  cars Car[]
}
model Car {
  id         Int     @id
  /// @encrypted
  plate      String  @map("order")
  /// @encrypted
  papers     Json?
  /// @encrypted
  photo      Bytes?
  /// @encrypted
  note       String?
  /// @blindIndex(note)
  noteIndex  String? @map("index")
  n          Int     @default(0)
  ownerId    Int?
  owner      Owner?  @relation(fields: [ownerId], references: [id])
  @@map("group")
}
`

let sealed: SealedDatabase
afterEach(() => sealed.close())

async function open(provider: Provider): Promise<void> {
  sealed = await openSealed(provider, SCHEMA)
  await sealed.prisma.car.create({ data: { id: 1, plate: 'a' } })
}

/** As another process would, which this one has not heard of. */
async function replaceAndFence(holds: 'sealed' | 'indexes'): Promise<number> {
  const { keyring, store, db, provider, base, plan } = sealed
  const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
  const other = await openKeyring({ root, store })
  await other.index.refresh()
  const keys = holds === 'sealed' ? other : other.index
  const former = keys.keys().find(({ state }) => state === 'active')!.keyId
  if (holds === 'sealed') await rotate(other)
  else {
    await addIndexKey(other)
    await activateIndexKey(other)
  }
  const source = plan.models.Car
  const table = await loadTable(base, provider, source)
  const parts = fencesOf(table, source, holds, former).flatMap((fence) => fence.parts)
  for (const sql of addFenceStatements(table, parts)) await db.exec(sql)
  expect(keyring.activeKeyId).toBe(1)
  return former
}

const errorOf = (run: Promise<unknown>): Promise<any> => run.catch((error: unknown) => error)

const WRITES: Readonly<Record<string, (db: any) => Promise<unknown>>> = {
  create: (db) => db.car.create({ data: { id: 2, plate: 'x' } }),
  createMany: (db) => db.car.createMany({ data: [{ id: 2, plate: 'x' }] }),
  update: (db) => db.car.update({ where: { id: 1 }, data: { papers: { a: 1 } } }),
  updateMany: (db) => db.car.updateMany({ data: { photo: new Uint8Array([1]) } }),
  upsert: (db) =>
    db.car.upsert({ where: { id: 1 }, create: { id: 1, plate: 'x' }, update: { plate: 'x' } }),
  'a nested create': (db) =>
    db.owner.create({ data: { id: 1, cars: { create: { id: 2, plate: 'x' } } } }),
  'a batch': (db) =>
    db.$transaction([
      db.car.update({ where: { id: 1 }, data: { n: 1 } }),
      db.car.create({ data: { id: 2, plate: 'x' } }),
    ]),
  'an interactive transaction': (db) =>
    db.$transaction(async (tx: any) => {
      await tx.car.update({ where: { id: 1 }, data: { n: 1 } })
      await tx.car.create({ data: { id: 2, plate: 'x' } })
    }),
}

describe.each(PROVIDERS)('a value that a fence refuses, on %s', (provider) => {
  it.each(Object.entries(WRITES))('is reported for its field: %s', async (_, write) => {
    await open(provider)
    const former = await replaceAndFence('sealed')
    const before = await sealed.base.car.findMany()
    const error = await errorOf(write(sealed.prisma))
    expect(error).toMatchObject({ name: 'KeyError', code: 'ERR_KEY_STATE', retryable: true })
    expect(error.field).toMatch(/^Car\.(plate|papers|photo)$/)
    const text = `${error.field}: the database refuses what is under key ${former},`
    expect(error.message).toContain(text)
    expect(await sealed.base.car.findMany()).toEqual(before)
    const told = JSON.stringify([error, error.message, error.stack, error.cause, error.meta])
    expect(told).not.toMatch(/rs1\.|ri1\.|525301/)
  })

  it('is written under the active key when it is tried again', async () => {
    await open(provider)
    await replaceAndFence('sealed')
    const create = () => sealed.prisma.car.create({ data: { id: 2, plate: 'x' } })
    await expect(create()).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await expect.poll(() => sealed.keyring.activeKeyId).not.toBe(1)
    expect(await create()).toMatchObject({ plate: 'x' })
  })

  it('is reported for the field if it is in the blind index', async () => {
    await open(provider)
    const former = await replaceAndFence('indexes')
    const create = () => sealed.prisma.car.create({ data: { id: 2, plate: 'x', note: 'n' } })
    const error = await errorOf(create())
    expect(error).toMatchObject({ code: 'ERR_KEY_STATE', field: 'Car.note', retryable: true })
    expect(error.message).toContain(`key ${former}`)
    expect(error.message).not.toContain('noteIndex')
    await expect
      .poll(() => sealed.keyring.index.keys().find(({ keyId }) => keyId === former)?.state)
      .toBe('suspended')
    expect(await create()).toMatchObject({ note: 'n' })
  })

  it('is not confused with a foreign key, which SQLite reports alike', async () => {
    await open(provider)
    await replaceAndFence('sealed')
    await sealed.keyring.refresh()
    const create = sealed.prisma.car.create({ data: { id: 3, plate: 'x', ownerId: 99 } })
    expect(await errorOf(create)).toMatchObject({ code: 'P2003' })
  })
})
