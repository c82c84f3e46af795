import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openSealed, PROVIDERS, type SealedDatabase } from './databases.ts'
import { interrupted } from './interrupted.ts'
import { A, practice, seed } from './practice.ts'

const BINDING = { code: 'ERR_RECORD_BINDING' }

describe.each(PROVIDERS)('bound values, with others at work, on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, practice(provider))
  })
  afterAll(() => sealed.close())
  beforeEach(() => seed(sealed.prisma))

  describe('a record that somebody changes between reading and writing', () => {
    /** Runs `meanwhile` before the write of each of our own operations reaches the database. */
    const interrupted = (meanwhile: (attempt: number) => Promise<unknown>): any => {
      let attempt = 0
      return sealed.prisma.$extends({
        query: {
          patient: {
            $allOperations: async ({ operation, args, query }: any) => {
              if (['update', 'upsert'].includes(operation)) await meanwhile(++attempt)
              return query(args)
            },
          },
        },
      })
    }
    const theirs = (tenantId: number): Promise<unknown> =>
      sealed.prisma.patient.update({ where: { id: A }, data: { tenantId, notes: 'theirs' } })

    it.each([
      [
        'update',
        (db: any, notes: unknown) => db.patient.update({ where: { code: 'a' }, data: { notes } }),
      ],
      [
        'upsert',
        (db: any, notes: unknown) =>
          db.patient.upsert({
            where: { code: 'a' },
            create: { code: 'a', tenantId: 1, notes },
            update: { notes },
          }),
      ],
    ])('is read again by %s', async (_, run) => {
      const attempts: number[] = []
      const db = interrupted(async (attempt) => {
        attempts.push(attempt)
        if (attempt === 1) await theirs(2)
      })
      expect(await run(db, 'ours')).toMatchObject({ tenantId: 2, notes: 'ours' })
      expect(attempts).toEqual([1, 2])
      expect(await sealed.prisma.patient.findUnique({ where: { id: A } })).toMatchObject({
        tenantId: 2,
        notes: 'ours',
      })
      expect(await sealed.prisma.patient.count()).toBe(2)
    })

    it('is given up after some attempts, with an error that says to try again', async () => {
      const attempts: number[] = []
      const db = interrupted((attempt) => {
        attempts.push(attempt)
        return theirs(1 + (attempt % 2))
      })
      const failed = db.patient.update({ where: { code: 'a' }, data: { notes: 'ours' } })
      await expect(failed).rejects.toMatchObject({ ...BINDING, retryable: true })
      expect(attempts).toHaveLength(5)
      expect(await sealed.prisma.patient.findUnique({ where: { id: A } })).toMatchObject({
        notes: 'theirs',
      })
    })

    it('is updated by an upsert that did not find it at first', async () => {
      await sealed.prisma.patient.delete({ where: { id: A } })
      const db = interrupted(async (attempt) => {
        if (attempt > 1) return
        await sealed.prisma.patient.create({ data: { code: 'a', tenantId: 2, notes: 'theirs' } })
      })
      const done = await db.patient.upsert({
        where: { code: 'a' },
        create: { code: 'a', tenantId: 1, notes: 'created' },
        update: { notes: 'updated' },
      })
      expect(done).toMatchObject({ tenantId: 2, notes: 'updated' })
      expect(await sealed.prisma.patient.findMany({ where: { code: 'a' } })).toMatchObject([
        { notes: 'updated' },
      ])
    })

    it('is not found if it is deleted, and an upsert creates it again', async () => {
      const gone = interrupted(() => sealed.prisma.patient.deleteMany({ where: { id: A } }))
      await expect(
        gone.patient.update({ where: { code: 'a' }, data: { notes: 'x' } }),
      ).rejects.toMatchObject({ code: 'P2025' })
      await seed(sealed.prisma)
      const again = interrupted(() => sealed.prisma.patient.deleteMany({ where: { id: A } }))
      const create = { code: 'a', tenantId: 2, notes: 'again' }
      expect(
        await again.patient.upsert({ where: { code: 'a' }, create, update: { notes: 'x' } }),
      ).toMatchObject(create)
    })

    it('errors of Prisma that have other reasons stay what they are', async () => {
      const attempts: number[] = []
      const db = interrupted(async (attempt) => attempts.push(attempt))
      const where = { code: 'a' }
      await expect(
        db.patient.update({ where, data: { notes: 1, code: 'b' } }),
      ).rejects.toMatchObject({ code: 'P2002' })
      await expect(
        db.patient.update({
          where,
          data: { notes: 1, visits: { update: { where: { id: 9 }, data: { finding: 'f' } } } },
        }),
      ).rejects.toMatchObject({ code: 'P2025' })
      await expect(
        db.patient.upsert({
          where: { code: 'c' },
          create: { code: 'c', tenantId: 1, id: A, notes: 1 },
          update: { notes: 2 },
        }),
      ).rejects.toMatchObject({ code: 'P2002' })
      expect(attempts).toEqual([1, 2, 3])
      expect(await sealed.prisma.patient.findUnique({ where: { id: A } })).toMatchObject({
        notes: 'of A',
      })
    })

    // On SQLite one client does one thing at a time: nothing comes between.
    it.runIf(provider === 'postgresql')(
      'ends an interactive transaction with an error to try again',
      async () => {
        const db = interrupted(() => theirs(2))
        const running = db.$transaction((tx: any) =>
          tx.patient.update({ where: { code: 'a' }, data: { notes: 'ours' } }),
        )
        await expect(running).rejects.toMatchObject({ ...BINDING, retryable: true })
        expect(await sealed.prisma.patient.findUnique({ where: { id: A } })).toMatchObject({
          notes: 'theirs',
        })
      },
    )
  })

  it('many writers at once leave nothing behind that does not open', async () => {
    const { prisma } = sealed
    const tenantId = (n: number): number => 1 + (n % 2)
    const writes = Array.from({ length: 60 }, (_, n) => [
      () => prisma.patient.update({ where: { code: 'a' }, data: { notes: n } }),
      () => prisma.patient.update({ where: { id: A }, data: { tenantId: tenantId(n), notes: -n } }),
      () =>
        prisma.patient.upsert({
          where: { code: 'a' },
          create: { code: 'a', tenantId: 1, notes: 'created' },
          update: { notes: `upserted ${n}` },
        }),
    ]).flat()
    const outcomes = await Promise.allSettled(writes.map((write) => write()))
    const codes = outcomes.flatMap((one: any) =>
      one.reason === undefined ? [] : [one.reason.code],
    )
    // Giving up is all that may happen to a writer whom others overtake each time.
    expect(codes.filter((code) => code !== 'ERR_RECORD_BINDING')).toEqual([])
    expect(await prisma.patient.findMany({ select: { notes: true } })).toHaveLength(2)
  })

  it('an interactive transaction reads on its own connection, what it has written itself', async () => {
    const done = await sealed.prisma.$transaction(async (tx: any) => {
      await tx.patient.create({ data: { code: 'inside', tenantId: 1 } })
      await tx.patient.update({ where: { code: 'inside' }, data: { notes: 'seen' } })
      return tx.patient.findUnique({ where: { code: 'inside' }, select: { notes: true } })
    })
    expect(done).toEqual({ notes: 'seen' })
  })

  it('a batch is refused as a whole where something had to be read first', async () => {
    const { prisma } = sealed
    const batch = prisma.$transaction([
      prisma.patient.update({ where: { id: A, tenantId: 1 }, data: { notes: 'written' } }),
      prisma.patient.update({ where: { code: 'b' }, data: { notes: 'refused' } }),
    ])
    await expect(batch).rejects.toMatchObject({
      ...BINDING,
      field: 'Patient.notes',
      fix: expect.stringMatching(/out of the batch|outside of batches/),
    })
    expect(await prisma.patient.findUnique({ where: { id: A } })).toMatchObject({ notes: 'of A' })
  })
})

/** Prisma looks for a record, and writes it by its key: on MySQL nobody says that there was nothing to write. */
describe.each(PROVIDERS.filter((provider) => provider !== 'sqlite'))(
  'a record that somebody changes just before Prisma writes it, on %s',
  (provider) => {
    let sealed: SealedDatabase
    let meanwhile: (() => Promise<unknown>) | null = null
    const UPDATE = /^UPDATE .*Patient. SET/
    beforeAll(async () => {
      sealed = await openSealed(provider, practice(provider), {
        adapter: (db) =>
          interrupted(db.adapter(), UPDATE, async () => {
            const once = meanwhile
            meanwhile = null
            await once?.()
          }),
      })
    })
    afterAll(() => sealed.close())
    beforeEach(async () => {
      meanwhile = null
      await seed(sealed.prisma)
    })

    const theirs = (): Promise<unknown> =>
      sealed.prisma.patient.update({ where: { id: A }, data: { tenantId: 2, notes: 'theirs' } })
    const where = { code: 'a' }
    const ours = { notes: 'ours' }
    const stored = (): Promise<unknown> =>
      sealed.prisma.patient.findUnique({
        where: { id: A },
        select: { tenantId: true, notes: true, phone: true },
      })

    it.each([
      ['update', (db: any) => db.patient.update({ where, data: ours })],
      [
        'update with set',
        (db: any) => db.patient.update({ where, data: { mail: { set: 'm' }, ...ours } }),
      ],
      [
        'update of bytes',
        (db: any) => db.patient.update({ where, data: { ...ours, scan: Buffer.from([1]) } }),
      ],
      [
        'update that hands out something else',
        (db: any) => db.patient.update({ where, data: ours, select: { tenantId: true } }),
      ],
      [
        'fluent update',
        async (db: any) => ({
          tenantId: (await db.patient.update({ where, data: ours }).tenant()).id,
        }),
      ],
      [
        'upsert',
        (db: any) =>
          db.patient.upsert({ where, create: { code: 'a', tenantId: 1, ...ours }, update: ours }),
      ],
    ])('is read again by %s', async (_, run) => {
      meanwhile = theirs
      const done = await run(sealed.prisma)
      expect(done).toMatchObject({ tenantId: 2 })
      expect(await stored()).toEqual({ tenantId: 2, notes: 'ours', phone: 'p of A' })
    })

    it('ends an interactive transaction with an error to try again', async () => {
      meanwhile = theirs
      const running = sealed.prisma.$transaction((tx: any) =>
        tx.patient.update({ where, data: { ...ours, visits: { create: { id: 1 } } } }),
      )
      await expect(running).rejects.toMatchObject({ ...BINDING, retryable: true })
      expect(await stored()).toMatchObject({ notes: 'theirs' })
      expect(await sealed.prisma.visit.count()).toBe(0)
    })

    it('is written with what is nested in the update, or an error says what was not', async () => {
      meanwhile = theirs
      const data = { ...ours, visits: { create: { id: 1, finding: 'f' } } }
      const [done] = await Promise.allSettled([sealed.prisma.patient.update({ where, data })])
      const notes = done.status === 'fulfilled' ? 'ours' : 'theirs'
      expect(await stored()).toMatchObject({ tenantId: 2, notes })
      if (done.status === 'rejected')
        expect(done.reason).toMatchObject({ ...BINDING, retryable: false, field: 'Patient' })
    })
  },
)

/** A PostgreSQL pool of one connection: whoever asks for a second one waits for ever. */
describe('a pool of one connection', () => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed('postgresql', practice('postgresql'), {
      adapter: (db) => new PrismaPg({ connectionString: db.url, max: 1 }),
    })
    await seed(sealed.prisma)
  })
  afterAll(() => sealed.close())

  it('is enough for an update in a transaction that reads its record first', async () => {
    const done = await sealed.prisma.$transaction((tx: any) =>
      tx.patient.update({ where: { code: 'a' }, data: { notes: 'x' }, select: { notes: true } }),
    )
    expect(done).toEqual({ notes: 'x' })
  })
})
