import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import type { TestDatabase } from '@rowseal/test-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rotate } from '../../src/keys/index.ts'
import { rowseal } from '../../src/index.ts'
import { openSealed, PROVIDERS, type SealedDatabase } from './databases.ts'

const SCHEMA = `
model Note {
  id   Int    @id
  /// @encrypted
  text String @db.Text
  folderId Int?
  folder   Folder? @relation(fields: [folderId], references: [id])
}
model Folder {
  id    Int    @id
  notes Note[]
}
`
const SHORT = 'a'
const LONG = 'a'.repeat(200)

function adapter(db: TestDatabase, options: object): PrismaMariaDb {
  const { hostname: host, port, username: user, password, pathname } = new URL(db.url)
  const database = pathname.slice(1)
  return new PrismaMariaDb({
    ...{ host, port: Number(port), user, password: decodeURIComponent(password), database },
    ...options,
  })
}

describe.runIf(PROVIDERS.includes('mysql'))('a session of MySQL that is not strict', () => {
  let strict: SealedDatabase
  let loose: any
  let prisma: any
  beforeAll(async () => {
    strict = await openSealed('mysql', SCHEMA, { reencryption: false })
    // Narrower than the schema says, with room for a short value.
    await strict.db.exec('ALTER TABLE `Note` MODIFY `text` VARCHAR(150) NOT NULL')
    await strict.prisma.note.create({ data: { id: 1, text: SHORT } })
    const initSql = `SET sql_mode = 'NO_ENGINE_SUBSTITUTION'`
    loose = new strict.PrismaClient({ adapter: adapter(strict.db, { initSql }) })
    prisma = loose.$extends(rowseal({ plan: strict.plan, keyring: strict.keyring }))
  })
  afterAll(async () => {
    await loose.$disconnect()
    await strict.close()
  })

  it('is written to by nobody who seals', async () => {
    const before = await strict.base.note.findMany()
    const writes: readonly (() => Promise<unknown>)[] = [
      () => prisma.note.create({ data: { id: 2, text: LONG } }),
      () => prisma.note.createMany({ data: [{ id: 2, text: SHORT }] }),
      () => prisma.note.update({ where: { id: 1 }, data: { text: LONG } }),
      () => prisma.$transaction([prisma.note.create({ data: { id: 2, text: LONG } })]),
      () => prisma.$transaction((tx: any) => tx.note.create({ data: { id: 2, text: LONG } })),
    ]
    for (const write of writes)
      await expect(write()).rejects.toMatchObject({
        name: 'QueryError',
        code: 'ERR_SQL_MODE',
        fix: expect.stringContaining('STRICT_TRANS_TABLES'),
      })
    expect(await strict.base.note.findMany()).toEqual(before)
  })

  it('is read, and what is stale there is left', async () => {
    const before = await strict.base.note.findMany()
    await rotate(strict.keyring)
    expect(await prisma.note.findMany()).toMatchObject([{ id: 1, text: SHORT }])
    await prisma.$rowseal.flush()
    expect(prisma.$rowseal.stats().reencryption).toMatchObject({
      ...{ failed: 1, done: 0 },
      lastError: 'ERR_SQL_MODE',
    })
    expect(await strict.base.note.findMany()).toEqual(before)
  })

  it('is looked for once by a client, on the one connection that a transaction may have', async () => {
    const asks: string[] = []
    const client = new strict.PrismaClient({
      adapter: adapter(strict.db, { connectionLimit: 1 }),
      log: [{ emit: 'event', level: 'query' }],
    })
    client.$on('query', ({ query }: { query: string }) => asks.push(query))
    const sealed = client.$extends(rowseal({ plan: strict.plan, keyring: strict.keyring }))
    const before = await strict.base.note.count()
    await expect(
      sealed.$transaction(async (tx: any) => {
        await tx.note.create({ data: { id: 3, text: LONG } })
      }),
    ).rejects.toMatchObject({ code: 'P2000' })
    await sealed.$transaction(async (tx: any) => {
      await tx.note.create({ data: { id: 4, text: SHORT } })
      await tx.note.create({ data: { id: 5, text: SHORT } })
    })
    await sealed.note.update({ where: { id: 4 }, data: { text: SHORT } })
    expect(asks.filter((sql) => sql.includes('sql_mode'))).toHaveLength(1)
    await client.$disconnect()
    expect(await strict.base.note.count()).toBe(before + 2)
  })

  it('is as good as there with skipDuplicates, where what would be cut off is refused', async () => {
    const { prisma: sealed, base } = strict
    const before = await base.note.findMany()
    const options = {
      data: [
        { id: 6, text: SHORT },
        { id: 7, text: LONG },
      ],
      skipDuplicates: true,
    }
    const writes: readonly (() => Promise<unknown>)[] = [
      () => sealed.note.createMany(options),
      () => sealed.folder.create({ data: { id: 1, notes: { createMany: options } } }),
      () => sealed.$transaction([sealed.note.createMany(options)]),
      () => sealed.$transaction((tx: any) => tx.note.createMany(options)),
    ]
    for (const write of writes)
      await expect(write()).rejects.toMatchObject({
        ...{ name: 'QueryError', code: 'ERR_VALUE_CUT_OFF', field: 'Note.text' },
        fix: 'Widen the column by a migration.',
      })
    expect(await base.note.findMany()).toEqual(before)
    await sealed.note.createMany({ ...options, data: [{ id: 1, text: LONG.slice(0, 9) }] })
    expect(await base.note.findMany()).toEqual(before)
  })
})
