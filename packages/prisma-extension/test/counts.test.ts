import { isAvailable, startKms, type KmsServer } from '@rowseal/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rowseal } from '../src/index.ts'
import { openKeyring, type Keyring } from '../src/keys/index.ts'
import { sqlKeyStore } from '../src/keys/stores/sql.ts'
import { collectArguments, compile, IndexViews, OpenSites } from '../src/query/index.ts'
import {
  openPlain,
  openSealed,
  type PlainDatabase,
  type SealedDatabase,
} from './client/databases.ts'
import { CryptoCounter, newObjects, SCHEMA } from './counts-world.ts'
import { REGION, rootAt } from './keys/aws-support.ts'

/**
 * What an operation costs, in numbers that no machine changes. A number that rises here is a slower operation
 * everywhere; one that falls is to be written down.
 */

const PROVIDERS = (['sqlite', 'postgresql'] as const).filter(isAvailable)
const person = (id: number): any => ({ id, email: `e${id}`, address: `a${id}`, notes: `n${id}` })
const people = (from: number, count: number): any[] =>
  Array.from({ length: count }, (_, i) => person(from + i))
const contact = (id: number): any => ({ id, email: `${id}@example.test` })
/** No read of the key store that an operation has not asked for. */
const QUIET = { refreshMs: 3_600_000, maxAgeMs: 3_600_000 }
const LOG = { log: [{ emit: 'event', level: 'query' }] }

describe.each(PROVIDERS)('operations on %s', (provider) => {
  let sealed: SealedDatabase
  let plain: PlainDatabase
  let keyring: Keyring
  const statements = { sealed: 0, plain: 0 }
  const crypto = new CryptoCounter()

  beforeAll(async () => {
    sealed = await openSealed(provider, SCHEMA, {
      client: LOG,
      store: (base) => sqlKeyStore(base),
      keyring: QUIET,
    })
    plain = await openPlain(provider, SCHEMA, {
      client: LOG,
      before: (base) => {
        base.$on('query', () => statements.plain++)
        return base
      },
    })
    keyring = sealed.keyring
    sealed.base.$on('query', () => statements.sealed++)
    for (const db of [sealed.prisma, plain.prisma]) {
      await db.person.createMany({ data: people(1, 100) })
      await db.contact.create({ data: contact(1) })
      await db.team.create({ data: { id: 1, name: 'one' } })
      const data = Array.from({ length: 10 }, (_, i) => ({
        id: i + 1,
        teamId: 1,
        email: 'e',
        notes: 'n',
      }))
      await db.member.createMany({ data })
      await db.country.create({ data: { code: 'x', name: 'X' } })
    }
    crypto.start()
  })
  afterAll(async () => {
    crypto.stop()
    await sealed.close()
    await plain.close()
  })

  const cold = async (): Promise<void> => {
    keyring.forget()
    await keyring.verify()
  }
  const warm = async (read: () => unknown): Promise<void> => {
    await read()
    await read()
  }

  it('seals a record with a cipher call for each field and one for its DEK', async () => {
    const { prisma } = sealed
    const one = { createCipheriv: 4, createSecretKey: 1, randomBytes: 1 }
    expect(await crypto.during(() => prisma.person.create({ data: person(1001) }))).toEqual(one)
    const data = { email: 'new', address: 'new', notes: 'new' }
    const update = { where: { id: 1001 }, data }
    expect(await crypto.during(() => prisma.person.update(update))).toEqual(one)
    const many = { where: { id: { gt: 1000 } }, data }
    expect(await crypto.during(() => prisma.person.updateMany(many))).toEqual(one)
    const hundred = { createCipheriv: 400, createSecretKey: 100, randomBytes: 1 }
    const create = { data: people(1100, 100) }
    expect(await crypto.during(() => prisma.person.createMany(create))).toEqual(hundred)
    expect(
      await crypto.during(() =>
        prisma.person.update({ where: { id: 1001 }, data: { email: 'x' }, select: { id: true } }),
      ),
    ).toEqual({ createCipheriv: 2, createSecretKey: 1, randomBytes: 1 })
  })

  it('opens a record with a cipher call for each field, and one for its DEK the first time', async () => {
    const { prisma } = sealed
    const one = (): unknown => prisma.person.findUnique({ where: { id: 1 } })
    await cold()
    expect(await crypto.during(one)).toEqual({ createDecipheriv: 4, createSecretKey: 1 })
    await warm(one)
    expect(await crypto.during(one)).toEqual({ createDecipheriv: 3 })
    const some = (): unknown => prisma.person.findMany({ where: { id: { lte: 100 } } })
    await cold()
    expect(await crypto.during(some)).toEqual({ createDecipheriv: 400, createSecretKey: 100 })
    await warm(some)
    expect(await crypto.during(some)).toEqual({ createDecipheriv: 300 })
    const chosen = { where: { id: 1 }, select: { id: true, email: true } }
    expect(await crypto.during(() => prisma.person.findUnique(chosen))).toEqual({
      createDecipheriv: 1,
    })
    const nested = (): unknown => prisma.team.findMany({ include: { members: true } })
    await warm(nested)
    expect(await crypto.during(nested)).toEqual({ createDecipheriv: 20 })
  })

  it('looks a value up by one HMAC, its subkey derived once', async () => {
    const { prisma } = sealed
    const byEmail = { where: { email: '1@example.test' } }
    await warm(() => prisma.contact.findFirst(byEmail))
    const found = await crypto.during(() => prisma.contact.findFirst(byEmail))
    expect(found).toEqual({ createDecipheriv: 1, createHmac: 1 })
    expect(await crypto.during(() => prisma.contact.create({ data: contact(2) }))).toEqual({
      createCipheriv: 2,
      createHmac: 1,
      createSecretKey: 1,
      randomBytes: 1,
    })
  })

  it('makes no cipher call for what touches nothing encrypted', async () => {
    const { prisma } = sealed
    for (const work of [
      () => prisma.country.findMany(),
      () => prisma.country.create({ data: { code: `y`, name: 'Y' } }),
      () => prisma.team.findMany(),
      () => prisma.person.findMany({ select: { id: true } }),
      () => prisma.person.count(),
      () => prisma.person.deleteMany({ where: { id: { gt: 5000 } } }),
    ]) {
      expect(await crypto.during(work)).toEqual({})
    }
  })

  it('sends the statements that plain Prisma sends, and no more', async () => {
    let id = 2000
    const works: ((db: any) => Promise<unknown>)[] = [
      (db) => db.person.findUnique({ where: { id: 1 } }),
      (db) => db.person.findMany({ take: 50 }),
      (db) => db.person.create({ data: person(id) }),
      (db) => db.person.createMany({ data: people(id + 1, 20) }),
      (db) => db.person.update({ where: { id: 1 }, data: { email: 'new' } }),
      (db) => db.person.updateMany({ where: { id: { lt: 10 } }, data: { email: 'new' } }),
      (db) => db.person.delete({ where: { id: 100 } }),
      (db) => db.contact.findFirst({ where: { email: '1@example.test' } }),
      (db) => db.contact.findMany({ where: { email: { in: ['a', 'b'] } } }),
      (db) => db.team.findMany({ include: { members: true } }),
      (db) =>
        db.team.create({
          data: { id, name: 'n', members: { create: { id, email: 'e', notes: 'n' } } },
        }),
      (db) => db.country.findMany(),
      (db) => Promise.all([1, 2, 3].map((one) => db.person.findUnique({ where: { id: one } }))),
      (db) => db.$transaction([db.person.findMany({ take: 1 }), db.person.count()]),
    ]
    for (const work of works) {
      id += 100
      Object.assign(statements, { sealed: 0, plain: 0 })
      await work(plain.prisma)
      await work(sealed.prisma)
      expect(statements.plain, work.toString()).toBeGreaterThan(0)
      expect(statements.sealed, work.toString()).toBe(statements.plain)
    }
  })

  it('asks the key store nothing while it is fresh and keys are in memory', async () => {
    const { storeReads } = keyring.stats()
    await sealed.prisma.person.create({ data: person(9000) })
    await sealed.prisma.person.findMany()
    expect(keyring.stats().storeReads).toBe(storeReads)
  })
})

describe('walks', () => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed('sqlite', SCHEMA)
  })
  afterAll(() => sealed.close())

  function collect(model: string, operation: string, args: any) {
    const plan = compile(sealed.plan, [sealed.keyring])
    const walk = {
      plan,
      views: new IndexViews(),
      wantsKeys: false,
      globalOmit: {},
      current: { state: 'unread' },
    } as const
    return collectArguments(walk, plan.get(model)!, operation, args)
  }

  it.each([
    ['Person', 'findUnique', { where: { id: 1 } }],
    ['Person', 'findMany', { where: { OR: [{ id: 1 }, { id: { in: [2, 3] } }] }, take: 10 }],
    ['Person', 'deleteMany', { where: { id: 1 } }],
    ['Team', 'findMany', { include: { members: { where: { id: 1 } } } }],
    ['Team', 'create', { data: { id: 1, name: 'n' } }],
    ['Contact', 'findMany', { orderBy: { id: 'asc' } }],
    ['Country', 'update', { where: { code: 'x' }, data: { name: 'X' } }],
  ])(
    'make nothing new of arguments without anything encrypted: %s.%s',
    (model, operation, args) => {
      const collected = collect(model, operation, args)
      expect(collected.args).toBe(args)
      expect([collected.sites.sites.length, collected.sites.deks.size]).toEqual([0, 0])
    },
  )

  it('copy only what is on the way to something encrypted', () => {
    const one = { data: person(1), select: { id: true } }
    const created = collect('Person', 'create', one)
    expect(newObjects(one, created.args)).toBe(2)
    expect([created.sites.sites.length, ...created.sites.deks.values()]).toEqual([3, 1])
    const many = { data: people(1, 100) }
    const all = collect('Person', 'createMany', many)
    expect(newObjects(many, all.args)).toBe(102)
    expect([all.sites.sites.length, ...all.sites.deks.values()]).toEqual([300, 100])
    const nested = {
      where: { id: 1 },
      data: {
        name: 'n',
        members: { create: [{ id: 1, email: 'e', notes: 'n' }], delete: [{ id: 2 }] },
      },
    }
    const updated = collect('Team', 'update', nested)
    expect(newObjects(nested, updated.args)).toBe(5)
    expect([updated.sites.sites.length, ...updated.sites.deks.values()]).toEqual([2, 1])
  })

  it('keep the rows of a result, and note one site for each value and one key for each record', async () => {
    const { prisma, base, keyring } = sealed
    await prisma.person.createMany({ data: people(1, 1000) })
    const rows = await base.person.findMany()
    const before = [...rows]
    const model = compile(sealed.plan, [keyring]).get('Person')!
    const found: number[][] = []
    for (const chunk of new OpenSites().walk(model, rows, null)) {
      const [[ring, envelopes] = []] = [...chunk.wanted]
      found.push([chunk.sites.length, envelopes!.length])
      chunk.open(new Map([[ring!, await ring!.forProcessEach(envelopes!)]]))
    }
    // The walk pauses after the row that makes it 500 values.
    expect(found).toEqual([...Array(5).fill([501, 167]), [495, 165]])
    expect(rows.every((row: unknown, i: number) => row === before[i])).toBe(true)
    expect(rows[999]).toEqual(person(1000))
  })

  it('are not begun for a model that nothing encrypted can be reached from', async () => {
    const { base, plan, keyring } = sealed
    let handed: unknown
    let given: unknown
    const before = base.$extends({
      query: {
        $allModels: {
          $allOperations: ({ args, query }: any) => {
            given = args
            return query(args)
          },
        },
      },
    })
    const after = before.$extends(rowseal({ plan, keyring })).$extends({
      query: { $allModels: { $allOperations: ({ args, query }: any) => query((handed = args)) } },
    })
    await after.country.findMany({ where: { code: 'x' } })
    expect(given).toEqual({ where: { code: 'x' } })
    expect(handed).toEqual(given)
  })
})

describe('calls of a KMS', () => {
  let kms: KmsServer
  const open: SealedDatabase[] = []
  beforeAll(async () => {
    kms = await startKms({ region: REGION })
  })
  afterAll(async () => {
    for (const one of open) await one.close()
    await kms.stop()
  })

  async function under(wrapping: 'kek' | 'kms') {
    const root = rootAt(kms.url, kms.createKey())
    const sealed = await openSealed('sqlite', SCHEMA, { keyring: { root, wrapping, ...QUIET } })
    open.push(sealed)
    await sealed.prisma.person.createMany({ data: people(1, 20) })
    const calls = async (work: (prisma: any) => Promise<unknown>): Promise<number> => {
      kms.forget()
      await work(sealed.prisma)
      return kms.count()
    }
    /** As in a process that has just started, the keyring open. */
    const cold = async (): Promise<void> => {
      const { store, base, plan } = sealed
      const keyring = await openKeyring({ root, store, wrapping, ...QUIET })
      Object.assign(sealed, { prisma: base.$extends(rowseal({ plan, keyring })), keyring })
    }
    return { sealed, calls, cold }
  }

  const reads = (ids: number[]) => (prisma: any) =>
    Promise.all(ids.map((id) => prisma.person.findFirst({ where: { id } })))
  const THOUSAND = Array.from({ length: 1000 }, (_, i) => i)

  it('are none while the KEK is in memory, and one for all that want it', async () => {
    const { sealed, calls, cold } = await under('kek')
    expect(await calls((prisma) => prisma.person.create({ data: person(100) }))).toBe(0)
    await cold()
    expect(await calls((prisma) => prisma.person.findMany())).toBe(0)
    sealed.keyring.forget()
    expect(await calls(reads(THOUSAND.map((i) => (i % 20) + 1)))).toBe(1)
    expect(await calls((prisma) => prisma.person.createMany({ data: people(200, 50) }))).toBe(0)
  })

  it('are one for each record where the KMS wraps DEKs, and none for what is in memory', async () => {
    const { calls, cold } = await under('kms')
    expect(await calls((prisma) => prisma.person.create({ data: person(100) }))).toBe(1)
    expect(await calls((prisma) => prisma.person.findUnique({ where: { id: 100 } }))).toBe(0)
    await cold()
    expect(await calls((prisma) => prisma.person.findMany({ where: { id: { lte: 20 } } }))).toBe(20)
    expect(await calls((prisma) => prisma.person.findMany({ where: { id: { lte: 20 } } }))).toBe(0)
    await cold()
    expect(await calls(reads(THOUSAND.map(() => 1)))).toBe(1)
  })
})
