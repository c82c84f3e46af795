import { readReplicas } from '@prisma/extension-read-replicas'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/keys/index.ts'
import {
  connect,
  HAS,
  openSealed,
  PROVIDERS,
  sql,
  type Provider,
  type SealedDatabase,
} from '../client/databases.ts'
import { computed, schema } from './extensions.ts'

/** A second database takes the part of the replica: it gets what the primary has when a test says so. */
interface Replica {
  readonly client: any
  catchUp(): Promise<void>
  close(): Promise<void>
}

async function openReplica(provider: Provider, sealed: SealedDatabase): Promise<Replica> {
  const { base: client, db } = await connect(provider, schema())
  return {
    client,
    // Raw, as replication does. The name tells which of the two answered.
    catchUp: async () => {
      for (const model of ['card', 'pet', 'owner']) await client[model].deleteMany()
      for (const model of ['owner', 'pet', 'card']) {
        const data = (await sealed.base[model].findMany()).map(withoutNulls)
        if (data.length > 0) await client[model].createMany({ data })
      }
      await client.owner.updateMany({ data: { name: 'replica' } })
    },
    close: async () => {
      await client.$disconnect()
      await db.drop()
    },
  }
}

const withoutNulls = (row: object): object =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))

describe.each(PROVIDERS)('read replicas after Rowseal, on %s', (provider) => {
  let sealed: SealedDatabase
  let replica: Replica
  let prisma: any
  beforeAll(async () => {
    sealed = await openSealed(provider, schema(), { before: computed })
    replica = await openReplica(provider, sealed)
    prisma = sealed.prisma.$extends(readReplicas({ replicas: [replica.client] }))
  })
  afterAll(async () => {
    await replica.close()
    await sealed.close()
  })
  beforeEach(async () => {
    await sealed.base.card.deleteMany()
    await sealed.base.pet.deleteMany()
    await sealed.base.owner.deleteMany()
    await prisma.owner.create({
      data: {
        id: 1,
        name: 'primary',
        email: 'ada',
        notes: ['a'],
        scan: new Uint8Array([1]),
        pets: { create: { id: 1, name: 'Rex', chip: 'abc' } },
        card: { create: { id: 1, number: '11112222' } },
      },
    })
    await replica.catchUp()
  })
  const where = { id: 1 }
  const fresh = { name: 'primary', email: 'ada' }
  const read = { name: 'replica', email: 'ada' }

  it('every read comes from a replica, opened', async () => {
    const { owner } = prisma
    expect(await owner.findUnique({ where, include: { pets: true, card: true } })).toMatchObject({
      ...read,
      notes: ['a'],
      scan: new Uint8Array([1]),
      pets: [{ chip: 'ABC' }],
      card: { number: '11112222' },
      contact: 'replica <ada>',
    })
    expect(await owner.findFirst({ where: { name: 'replica' } })).toMatchObject(read)
    expect(await owner.findMany({ select: { email: true } })).toEqual([{ email: 'ada' }])
    expect(await owner.findUniqueOrThrow({ where })).toMatchObject(read)
    expect(await owner.count({ where: { name: 'replica' } })).toBe(1)
    expect(await owner.groupBy({ by: ['name'], _count: { email: true } })).toEqual([
      { name: 'replica', _count: { email: 1 } },
    ])
  })

  it('fluent calls come from a replica, opened, and give what their types say', async () => {
    const { owner, pet, card } = prisma
    expect(await pet.findUnique({ where }).owner()).toMatchObject(read)
    expect(await pet.findUnique({ where }).owner().card()).toMatchObject({ number: '11112222' })
    const [rex] = await owner.findUnique({ where }).pets({ select: { chip: true } })
    expect(Object.entries(rex)).toEqual([['chip', 'ABC']])
    expect(await card.findUnique({ where: { id: 2 } }).owner()).toBeNull()
    expect(
      await card
        .findUnique({ where: { id: 2 } })
        .owner()
        .pets(),
    ).toBeNull()
    expect(await owner.update({ where, data: { email: 'x' } }).card()).toMatchObject({
      number: '11112222',
    })
  })

  it('writes go to the primary, and give back what they wrote', async () => {
    const { owner } = prisma
    const create = { id: 2, name: 'n', email: 'grace' }
    expect(await owner.update({ where, data: { email: 'new' } })).toMatchObject({ email: 'new' })
    expect(await owner.upsert({ where: { id: 2 }, create, update: {} })).toMatchObject(create)
    const data = [{ ...create, id: 3 }]
    if (HAS[provider].returningMany) {
      expect(await owner.createManyAndReturn({ data })).toMatchObject(data)
    } else expect(await owner.createMany({ data })).toEqual({ count: 1 })
    expect(await owner.delete({ where: { id: 3 } })).toMatchObject({ email: 'grace' })
    expect(await owner.findMany()).toMatchObject([read])
    await replica.catchUp()
    expect(await owner.findMany({ orderBy: { id: 'asc' } })).toMatchObject([
      { name: 'replica', email: 'new' },
      { name: 'replica', email: 'grace' },
    ])
  })

  it('transactions stay on the primary', async () => {
    const { owner, pet } = prisma
    expect(
      await prisma.$transaction([owner.findMany(), pet.findUnique({ where }).owner()]),
    ).toMatchObject([[fresh], fresh])
    await prisma.$transaction(async (tx: any) => {
      await tx.owner.update({ where, data: { email: 'inside' } })
      expect(await tx.owner.findMany()).toMatchObject([{ name: 'primary', email: 'inside' }])
      expect(await tx.pet.findUnique({ where }).owner()).toMatchObject({ email: 'inside' })
    })
  })

  it('$primary reads from the primary, opened', async () => {
    expect(await prisma.$primary().owner.findUnique({ where })).toMatchObject(fresh)
    expect(await prisma.$primary().$rowseal.flush()).toBe(true)
  })

  it('$replica hands out the client it was given, where $rowseal.open opens values', async () => {
    const [row] = await prisma.$replica().owner.findMany()
    expect(row.email).toMatch(/^rs1\./)
    expect(await prisma.$rowseal.open('Owner.email', row.email)).toBe('ada')
    const [raw] = await prisma
      .$replica()
      .$queryRawUnsafe(sql(provider, 'SELECT name, email FROM "Owner"'))
    expect(raw.name).toBe('replica')
    expect(await prisma.$rowseal.open('Owner.email', raw.email)).toBe('ada')
  })

  it('raw queries go to the primary', async () => {
    const [raw] = await prisma.$queryRawUnsafe(sql(provider, 'SELECT name, email FROM "Owner"'))
    expect(raw.name).toBe('primary')
    expect(await prisma.$rowseal.open('Owner.email', raw.email)).toBe('ada')
  })

  it('a selection that names a computed field needs the primary: the replica client knows none', async () => {
    const select = { contact: true }
    await expect(prisma.owner.findMany({ select })).rejects.toThrow('Unknown field `contact`')
    const [[row]] = await prisma.$transaction([prisma.owner.findMany({ select })])
    expect(Object.entries(row)).toEqual([['contact', 'primary <ada>']])
  })

  it('what is refused is refused before a replica is asked', async () => {
    await expect(
      prisma.owner.findMany({ where: { email: { startsWith: 'a' } } }),
    ).rejects.toMatchObject({
      code: 'ERR_QUERY_UNSUPPORTED',
    })
  })

  it('a stale value that a replica had is re-encrypted on the primary, if it is still there', async () => {
    const before = await sealed.raw('Owner', 'id = 1')
    await rotate(sealed.keyring)
    const done = (): number => prisma.$rowseal.stats().reencryption.done
    const start = done()
    expect(await prisma.owner.findMany({ select: { email: true } })).toEqual([{ email: 'ada' }])
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(done()).toBe(start + 1)
    const after = await sealed.raw('Owner', 'id = 1')
    expect(after['email']).not.toBe(before['email'])
    expect(after['notes']).toEqual(before['notes'])
    expect((await replica.client.owner.findUnique({ where })).email).toBe(before['email'])
    // The replica lags: what it still has was superseded, and is not written again.
    expect(await prisma.owner.findMany({ select: { email: true } })).toEqual([{ email: 'ada' }])
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(done()).toBe(start + 1)
    expect((await sealed.raw('Owner', 'id = 1'))['email']).toBe(after['email'])
    expect(prisma.$rowseal.stats().reencryption.failed).toBe(0)
  })
})

describe('$primary and $replica of the read-replicas extension in an interactive transaction', () => {
  it('leave the transaction, since Prisma 7.10 gives its client a $transaction of its own', async () => {
    const sealed = await openSealed('postgresql', schema())
    const replica = await openReplica('postgresql', sealed)
    const prisma: any = sealed.prisma.$extends(readReplicas({ replicas: [replica.client] }))
    await prisma.$transaction(async (tx: any) => {
      await tx.owner.create({ data: { id: 1, name: 'n', email: 'e' } })
      expect(await tx.owner.count()).toBe(1)
      expect(await tx.$primary().owner.count()).toBe(0)
      expect(await tx.$replica().owner.count()).toBe(0)
    })
    await replica.close()
    await sealed.close()
  })
})
