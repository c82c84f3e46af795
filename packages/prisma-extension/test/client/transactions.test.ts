import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { openKeyring, rotate } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { openClinic, type TestClinic } from './clinic.ts'
import { openSealed, PROVIDERS, type SealedDatabase } from './databases.ts'
import { describeTwins, type Scenario } from './twins.ts'
import { zoo } from './zoo.ts'

const code = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: any) => error.code ?? error.message,
  )

const SCENARIOS: Record<string, Scenario> = {
  'a batch of every kind of operation': async (db, n) => {
    const id = n * 100
    const where = { id }
    return db.$transaction([
      db.person.create({ data: { id, secret: 'a', pets: { create: { id, chip: 'c' } } } }),
      db.person.findUnique({ where, include: { pets: true } }),
      db.person.findUnique({ where, select: { secret: true } }),
      db.person.createMany({ data: [{ id: id + 1, hint: 'b' }] }),
      db.person.update({ where, data: { secret: 'd' }, select: { secret: true } }),
      db.person.updateMany({ where, data: { hint: 'e' } }),
      db.person.upsert({ where, create: where, update: { hint: null } }),
      db.person.count({ where }),
      db.pet.deleteMany({ where: { ownerId: id } }),
      db.pet.groupBy({ by: ['kind'], where: { ownerId: id }, orderBy: { kind: 'asc' } }),
      db.person.findMany({ where: { id: { in: [id, id + 1] } }, orderBy: { id: 'asc' } }),
      db.person.findUnique({ where }).pets(),
      db.odd.count(),
    ])
  },
  'the same promise twice in a batch': async (db, n) => {
    const id = n * 100
    await db.person.create({ data: { id, hint: '1' } })
    const read = db.person.findUnique({ where: { id }, select: { hint: true } })
    const write = db.person.update({ where: { id }, data: { hint: '2' }, select: { hint: true } })
    const both = await db.$transaction([read, write, read, write])
    return [both, await db.$transaction([read]), await read, await write]
  },
  'a batch that fails is rolled back': async (db, n) => {
    const id = n * 100
    const failed = await code(
      db.$transaction([
        db.person.create({ data: { id, secret: 'a' } }),
        db.person.create({ data: { id: id + 1, boss: { create: { id: id + 2 } } } }),
        db.person.create({ data: { id, secret: 'b' } }),
      ]),
    )
    return [failed, await db.person.count({ where: { id: { gte: id, lt: id + 9 } } })]
  },
  'transactions in a transaction': async (db, n) => {
    const id = n * 100
    await db.$transaction(async (tx: any) => {
      await tx.person.create({ data: { id, secret: 'outer' } })
      await tx.$transaction(async (inner: any) => {
        await inner.person.update({ where: { id }, data: { hint: 'kept' } })
      })
      await code(
        tx.$transaction(async (inner: any) => {
          await inner.person.update({ where: { id }, data: { secret: 'undone' } })
          throw new Error('back')
        }),
      )
      return tx.person.findUnique({ where: { id } })
    })
    return db.person.findUnique({ where: { id } })
  },
  'an interactive transaction that fails, times out or is used too late': async (db, n) => {
    const id = n * 100
    let late: any
    const out = [
      await code(
        db.$transaction(async (tx: any) => {
          late = tx
          await tx.person.create({ data: { id, secret: 'x' } })
          await tx.person.create({ data: { id, secret: 'y' } })
        }),
      ),
      await code(
        db.$transaction(
          async (tx: any) => {
            await tx.person.create({ data: { id, secret: 'x' } })
            await new Promise((done) => setTimeout(done, 150))
            await tx.person.update({ where: { id }, data: { secret: 'z' } })
          },
          { timeout: 100 },
        ),
      ),
      await code(late.person.findMany()),
    ]
    return [out, await db.person.count({ where: { id } })]
  },
  'many operations at once': async (db, n) => {
    const id = n * 100
    await db.person.createMany({ data: Array.from({ length: 50 }, (_, i) => ({ id: id + i })) })
    const calls = Array.from({ length: 50 }, (_, i) => [
      db.person.update({ where: { id: id + i }, data: { secret: `s${i}`, hint: `h${i}` } }),
      db.person.findUnique({ where: { id: id + i }, select: { id: true } }),
      db.pet.create({ data: { id: id + i, chip: `c${i}`, owner: { connect: { id: id + i } } } }),
    ])
    await Promise.all(calls.flat())
    const found = Array.from({ length: 50 }, (_, i) =>
      db.person.findUnique({ where: { id: id + i }, include: { pets: true } }),
    )
    return Promise.all(found)
  },
}

describeTwins('transactions, sealed and plain,', { schema: zoo, scenarios: () => SCENARIOS })

describe.each(PROVIDERS)('an operation that is refused, on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, zoo(provider))
  })
  afterAll(() => sealed.close())

  it('fails the whole batch before anything is written, however many are refused', async () => {
    const { prisma } = sealed
    const call = prisma.$transaction([
      prisma.person.create({ data: { id: 1, secret: 'a' } }),
      prisma.person.findMany({ where: { secret: 'a' } }),
      prisma.person.findMany({ orderBy: { secret: 'asc' } }),
      prisma.person.create({ data: { id: 2, secret: 5 } }),
    ])
    expect(await code(call)).toBe('ERR_QUERY_UNSUPPORTED')
    expect(await prisma.person.count()).toBe(0)
    expect(await prisma.person.findMany()).toEqual([])
  })

  it('leaves an interactive transaction to its owner', async () => {
    const { prisma } = sealed
    await prisma.$transaction(async (tx: any) => {
      await tx.person.create({ data: { id: 3, secret: 'kept' } })
      expect(await code(tx.person.findMany({ where: { secret: 'a' } }))).toBe(
        'ERR_QUERY_UNSUPPORTED',
      )
      await tx.person.update({ where: { id: 3 }, data: { hint: 'h' } })
    })
    expect(await prisma.person.findUnique({ where: { id: 3 } })).toMatchObject({ hint: 'h' })
  })
})

const SERVERS = PROVIDERS.filter((provider) => provider !== 'sqlite')

it.each(SERVERS)(
  'a transaction opens what another instance sealed since it began, on %s',
  async (provider) => {
    const clinic = await openClinic(provider, { store: (base) => sqlKeyStore(base) })
    const where = { id: 'p' }
    await clinic.prisma.patient.create({ data: { ...where, name: 'n', email: 'before' } })
    const client = new clinic.PrismaClient({ adapter: clinic.db.adapter() })
    const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
    const keyring = await openKeyring({ root, store: sqlKeyStore(client) })
    const elsewhere = client.$extends(rowseal({ plan: clinic.plan, keyring }))
    const read = await clinic.prisma.$transaction(async (tx: any) => {
      const { email } = await tx.patient.findUnique({ where })
      await rotate(keyring)
      await elsewhere.patient.update({ where, data: { email: 'since' } })
      // MySQL gives back the row as it is now, with a key that was not there when the transaction began.
      return [email, await tx.patient.update({ where, data: { phone: 'x' } })]
    })
    expect(read).toMatchObject(['before', { email: 'since', phone: 'x' }])
    await client.$disconnect()
    await clinic.close()
  },
)

describe.each(PROVIDERS)('a transaction while keys rotate, on %s', (provider) => {
  let clinic: TestClinic
  beforeAll(async () => {
    clinic = await openClinic(provider, { store: (base) => sqlKeyStore(base) })
    await clinic.prisma.patient.create({ data: { id: 'p', name: 'n', email: 'before' } })
  })
  afterAll(() => clinic.close())

  it('reads what it read, seals under the newer key, and rewrites nothing of its own', async () => {
    const { prisma, keyring } = clinic
    const where = { id: 'p' }
    const step = { go: (): void => undefined }
    const rotated = new Promise<void>((done) => (step.go = done))
    const running = prisma.$transaction(
      async (tx: any) => {
        const first = await tx.patient.findUnique({ where })
        await rotated
        const second = await tx.patient.findUnique({ where, select: { email: true } })
        const third = await tx.patient.update({ where, data: { phone: 'inside' } })
        return [first.email, second.email, third.email, third.phone]
      },
      { timeout: 20_000 },
    )
    // On SQLite one client does one thing at a time: the rotation waits for the transaction.
    const rotation = provider === 'sqlite' ? null : rotate(keyring)
    await rotation
    step.go()
    expect(await running).toEqual(['before', 'before', 'before', 'inside'])
    if (provider === 'sqlite') await rotate(keyring)
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(await prisma.patient.findUnique({ where })).toMatchObject({
      email: 'before',
      phone: 'inside',
    })
    expect(prisma.$rowseal.stats().reencryption.failed).toBe(0)
  })
})
