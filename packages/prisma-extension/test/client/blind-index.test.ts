import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import {
  activateIndexKey,
  addIndexKey,
  completeIndex,
  incompleteIndex,
  moveIndex,
  openKeyring,
  retireIndexKeys,
} from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { openSealed, PROVIDERS, registerIndexes, type SealedDatabase } from './databases.ts'
import { delegating } from '../keys/support.ts'

const schema = (provider: string): string => {
  const text = provider === 'mysql' ? ' @db.VarChar(300)' : ''
  return `
model User {
  id          Int     @id
  tenantId    Int     @default(1)
  /// @encrypted
  email       String  @unique @map("e_mail")${text}
  /// @blindIndex(email)
  emailIndex  String? @unique @map("e_mail_index")
  /// @encrypted
  code        String?${text}
  /// @blindIndex(code)
  codeIndex   String?
  /// @encrypted
  name        String?${text}
  /// @blindIndex(name)
  nameIndex   String?
  /// @blindIndex(name, normalize: [diacritics, lowercase])
  nameFolded  String?
  /// @encrypted
  note        String?${text}
  @@unique([tenantId, code])
  @@unique([codeIndex, tenantId], map: "one_code")
  @@map("users")
}
model Slots {
  id     Int     @id
  /// @encrypted
  key    String${text}
  /// @blindIndex(key)
  first  String? @unique
  /// @blindIndex(key, slot: 2)
  second String? @unique
}
`
}

const errorOf = (call: Promise<unknown>): Promise<any> =>
  call.then(
    () => null,
    (error: unknown) => error,
  )

describe.each(PROVIDERS)('blind indexes on %s', (provider) => {
  let sealed: SealedDatabase
  let prisma: any
  const log: string[] = []
  beforeAll(async () => {
    sealed = await openSealed(provider, schema(provider), {
      store: (base) => sqlKeyStore(base),
      client: { log: [{ emit: 'event', level: 'query' }] },
    })
    ;({ prisma } = sealed)
    sealed.base.$on('query', ({ query }: { query: string }) => log.push(query))
    await prisma.user.createMany({
      data: [
        { id: 1, email: 'a@x', code: 'c1', name: 'Zoë' },
        { id: 2, email: 'b@x', code: 'c2', name: 'ZOE' },
        { id: 3, email: 'c@x', name: 'Ann' },
      ],
    })
    await prisma.slots.create({ data: { id: 1, key: 'k1' } })
  })
  afterAll(() => sealed.close())

  it('look several unique values up in one statement', async () => {
    log.length = 0
    const found = await Promise.all(
      ['a@x', 'c@x', 'none'].map((email) => prisma.user.findUnique({ where: { email } })),
    )
    expect(found.map((user) => user?.id)).toEqual([1, 3, undefined])
    expect(log.filter((query) => query.startsWith('SELECT'))).toHaveLength(1)
  })

  it('are used with the normalizers of the column that answers', async () => {
    const ids = async (where: object): Promise<number[]> =>
      (await prisma.user.findMany({ where, orderBy: { id: 'asc' } })).map(({ id }: any) => id)
    expect(await ids({ name: 'Zoë' })).toEqual([1])
    expect(await ids({ name: 'zoe' })).toEqual([])
    if (provider !== 'postgresql') return
    expect(await ids({ name: { equals: 'zoe', mode: 'insensitive' } })).toEqual([1, 2])
    expect(await ids({ name: { not: 'zoe', mode: 'insensitive' } })).toEqual([3])
    expect(
      (await errorOf(ids({ email: { equals: 'A@X', mode: 'insensitive' } }))).message,
    ).toContain('@blindIndex(email, normalize: [lowercase])')
  })

  it('go when their value does', async () => {
    const nothing = { nameIndex: null, nameFolded: null }
    const ways: ((where: { id: number }) => Promise<unknown>)[] = [
      (where) => prisma.user.update({ where, data: { name: null } }),
      (where) => prisma.user.update({ where, data: { name: { set: null } } }),
      (where) => prisma.user.updateMany({ where, data: { name: null } }),
      (where) =>
        prisma.user.upsert({ where, create: { ...where, email: '-' }, update: { name: null } }),
    ]
    await prisma.user.create({ data: { id: 8, email: 'h@x', name: null } })
    for (const [i, forget] of ways.entries()) {
      await prisma.user.update({ where: { id: 8 }, data: { name: `name ${i}` } })
      expect((await sealed.raw('users', 'id = 8'))['nameIndex']).toMatch(/^ri1/)
      await forget({ id: 8 })
      expect(await sealed.raw('users', 'id = 8')).toMatchObject(nothing)
    }
    await prisma.user.delete({ where: { id: 8 } })
  })

  it('report a duplicate for the encrypted field, without its hash', async () => {
    const one = await errorOf(prisma.user.create({ data: { id: 9, email: 'a@x' } }))
    const two = await errorOf(prisma.user.update({ where: { id: 1 }, data: { code: 'c2' } }))
    const [email, code] = [one, two].map(({ meta }) => meta.driverAdapterError.cause.constraint)
    expect([one.code, two.code]).toEqual(['P2002', 'P2002'])
    if (provider === 'sqlite') {
      expect(email).toEqual({ fields: ['e_mail'] })
      expect([...code.fields].sort()).toEqual(['code', 'tenantId'])
    } else {
      expect(email.index).toContain('users_e_mail_key')
      expect(code.index).toContain('users_tenantId_code_key')
    }
    for (const error of [one, two]) {
      const said = error.message + error.stack + JSON.stringify(error.meta)
      expect(said).not.toMatch(/ri1\.|_index|one_code|codeIndex/)
      expect(error.message).toMatch(/Unique constraint failed on the .*(e_mail|code)/)
    }
  })

  it('say which two lines to add where there is none', async () => {
    const error = await errorOf(prisma.user.findFirst({ where: { note: 'x' } }))
    expect(error).toMatchObject({
      name: 'QueryError',
      code: 'ERR_QUERY_UNSUPPORTED',
      field: 'User.note',
    })
    expect(error.fix).toContain('"/// @blindIndex(note)" and "noteIndex String?"')
    expect(error.fix).toContain('rowseal reindex')
  })

  it('serve raw SQL', async () => {
    const { column, values } = await prisma.$rowseal.index('User.emailIndex', 'b@x')
    expect(column).toBe('e_mail_index')
    const quoted = provider === 'mysql' ? `\`${column}\`` : `"${column}"`
    const rows = await sealed.base.$queryRawUnsafe(
      `SELECT id FROM users WHERE ${quoted} IN ('${values.join("','")}')`,
    )
    expect(rows.map(({ id }: any) => Number(id))).toEqual([2])
    const entries = await prisma.$rowseal.indexEntries('User.name', 'Zoë')
    const stored = await sealed.raw('users', 'id = 1')
    expect(entries).toEqual({ nameIndex: stored['nameIndex'], nameFolded: stored['nameFolded'] })
    expect(await prisma.$rowseal.indexEntries('Slots.key', null)).toEqual({
      first: null,
      second: null,
    })
    await expect(prisma.$rowseal.index('User.email', 'x')).rejects.toThrow(TypeError)
  })

  it('are not searched before they are complete', async () => {
    await incompleteIndex(sealed.keyring, 'User.nameIndex')
    await sealed.keyring.index.refresh()
    const error = await errorOf(prisma.user.findMany({ where: { name: 'Ann' } }))
    expect(error).toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED', field: 'User.name' })
    expect(error.fix).toContain('npx rowseal reindex')
    await expect(prisma.$rowseal.index('User.nameIndex', 'Ann')).rejects.toThrow('rowseal reindex')
    // Written all the same, and not needed for NULL or for other fields.
    await prisma.user.update({ where: { id: 3 }, data: { name: 'Eve' } })
    expect(await prisma.user.count({ where: { name: null, email: 'a@x' } })).toBe(0)
    await completeIndex(sealed.keyring, 'User.nameIndex')
    await sealed.keyring.index.refresh()
    expect(await prisma.user.count({ where: { name: 'Eve' } })).toBe(1)
  })

  it('match every live key while they rotate, and only the new one afterwards', async () => {
    const { keyring } = sealed
    const count = (name: string): Promise<number> => prisma.user.count({ where: { name } })
    await addIndexKey(keyring)
    await keyring.index.refresh()
    expect([await count('Zoë'), await count('Eve')]).toEqual([1, 1])
    const { from } = await activateIndexKey(keyring)
    await keyring.index.refresh()
    await prisma.user.update({ where: { id: 1 }, data: { name: 'Zoë' } })
    expect([await count('Zoë'), await count('Eve')]).toEqual([1, 1])
    expect(await prisma.user.count({ where: { name: { notIn: ['Zoë', 'Eve'] } } })).toBe(1)
    const error = await errorOf(prisma.user.findMany({ distinct: ['name'] }))
    expect(error.message).toContain('rotates')
    // Unique ones stay under the key that their record pins.
    expect((await prisma.user.findUnique({ where: { email: 'b@x' } })).id).toBe(2)
    const rows = await prisma.user.findMany()
    for (const { id, name } of rows) await prisma.user.update({ where: { id }, data: { name } })
    await expect(retireIndexKeys(keyring, [from.keyId])).resolves.toEqual([]) // still pinned
    expect(await count('Eve')).toBe(1)
  })

  it('are written and searched as the phase of a unique index says', async () => {
    const { keyring } = sealed
    const stored = async (): Promise<[boolean, boolean]> => {
      const row = await sealed.base.slots.findUnique({ where: { id: 1 } })
      return [row.first !== null, row.second !== null]
    }
    // No column of the plan is unique for Prisma under the name of the field: a filter finds the row.
    const find = (): Promise<number> => prisma.slots.count({ where: { key: 'k1' } })
    expect(await stored()).toEqual([true, false])
    for (const [phase, columns] of [
      ['both-1', [true, true]],
      ['both-2', [true, true]],
      ['slot-2', [false, true]],
    ] as const) {
      await moveIndex(keyring, 'Slots.first', phase)
      await keyring.index.refresh()
      await prisma.slots.update({ where: { id: 1 }, data: { key: 'k1' } })
      expect(await stored()).toEqual(columns)
      expect(await find()).toBe(1)
    }
    await prisma.slots.update({ where: { id: 1 }, data: { key: { set: 'k2' } } })
    expect(await find()).toBe(0)
  })

  it('refuse writes and unique look-ups while they rotate offline', async () => {
    const { keyring } = sealed
    await moveIndex(keyring, 'User.emailIndex', 'offline')
    await keyring.index.refresh()
    for (const call of [
      prisma.user.create({ data: { id: 8, email: 'h@x' } }),
      prisma.user.findUnique({ where: { email: 'a@x' } }),
    ]) {
      expect(await errorOf(call)).toMatchObject({ code: 'ERR_INDEX_STATE', retryable: true })
    }
    expect(await prisma.user.count({ where: { email: { in: ['a@x', 'b@x'] } } })).toBe(2)
    await prisma.user.update({ where: { id: 1 }, data: { name: 'Zoë' } })
  })

  it('follow the key store inside an interactive transaction, on its own connection', async () => {
    const { PrismaClient, plan, db } = sealed
    const base = new PrismaClient({ adapter: db.adapter() })
    const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
    const keyring = await openKeyring({ root, store: sqlKeyStore(base) })
    const other = base.$extends(rowseal({ plan, keyring }))
    const found = await other.$transaction(async (tx: any) => {
      await tx.user.update({ where: { id: 3 }, data: { name: 'Ida' } })
      return tx.user.findMany({ where: { name: 'Ida' } })
    })
    expect(found.map(({ id }: any) => id)).toEqual([3])
    await base.$disconnect()
  })
})

const DEFAULTS = `
model Word {
  id          Int     @id
  n           Int     @default(0)
  /// @encrypted
  sealed      String? @default("one")
  /// @blindIndex(sealed)
  sealedIndex String?
  /// @encrypted(seal: off)
  plain       String? @default("two")
  /// @blindIndex(plain)
  plainIndex  String?
  @@unique([sealedIndex, n])
}
`

describe('a write whose keys take long to load', () => {
  it('is written as the phase says that the index is in by then', async () => {
    const sealed = await openSealed('sqlite', schema('sqlite'))
    const { base, plan, store } = sealed
    await addIndexKey(sealed.keyring)
    await activateIndexKey(sealed.keyring)
    const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
    let isSlow = false
    const slow = {
      ...delegating(root),
      unwrap: async (...args: Parameters<typeof root.unwrap>) => {
        if (isSlow && args[2].keyring === 'default') {
          isSlow = false
          await moveIndex(sealed.keyring, 'Slots.first', 'both-1')
          await sleep(500)
        }
        return root.unwrap(...args)
      },
    }
    const kekCache = { maxAgeMs: 100 }
    const keyring = await openKeyring({
      root: slow,
      store,
      refreshMs: 100,
      maxAgeMs: 250,
      kekCache,
    })
    const prisma: any = base.$extends(rowseal({ plan, keyring }))
    await prisma.slots.create({ data: { id: 1, key: 'k1' } })
    await sleep(150)
    isSlow = true
    await prisma.slots.create({ data: { id: 2, key: 'k2' } })
    expect(isSlow).toBe(false)
    expect((await base.slots.findUnique({ where: { id: 1 } })).second).toBeNull()
    expect((await base.slots.findUnique({ where: { id: 2 } })).second).not.toBeNull()
    await sealed.close()
  })
})

describe('an index that the key store does not know', () => {
  it('is not written under, and reads that need no index go on', async () => {
    const sealed = await openSealed('sqlite', schema('sqlite'))
    const { base, plan } = sealed
    await sealed.prisma.user.create({ data: { id: 1, email: 'a@x', name: 'Ann' } })
    const store = memoryKeyStore()
    const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
    const keyring = await openKeyring({ root, store })
    const prisma: any = base.$extends(rowseal({ plan, keyring }))
    const missing = await errorOf(prisma.user.count({ where: { name: 'Ann' } }))
    expect(missing).toMatchObject({ code: 'ERR_KEYRING_MISSING' })
    expect(await prisma.user.count({ where: { name: null } })).toBe(0)
    await registerIndexes({ ...plan, models: {} }, { default: keyring })
    await sealed.close()
  })

  it('covers a default that is sealed, and one that stays in the clear', async () => {
    const sealed = await openSealed('sqlite', DEFAULTS)
    const created = await sealed.prisma.word.create({ data: { id: 1 } })
    expect(created).toMatchObject({ sealed: 'one', plain: 'two' })
    expect(await sealed.prisma.word.count({ where: { sealed: 'one', plain: 'two' } })).toBe(1)
    expect((await sealed.raw('Word', 'id = 1'))['plain']).toBe('two')
    await sealed.close()
  })

  it('takes the names of compound uniques that the schema does not declare', async () => {
    const sealed = await openSealed('sqlite', DEFAULTS)
    await sealed.prisma.word.createMany({ data: [{ id: 1 }, { id: 2, sealed: 'x' }] })
    const where = { sealed_n: { sealed: 'x', n: 0 } }
    expect((await sealed.prisma.word.findUnique({ where })).id).toBe(2)
    const missing = await errorOf(sealed.prisma.word.findUnique({ where: { sealed_n: { n: 0 } } }))
    expect(missing.name).toBe('PrismaClientValidationError')
    const unknown = await errorOf(
      sealed.prisma.word.findUnique({ where: { sealed_n: { sealedIndex: 'x', n: 0 } } }),
    )
    expect(unknown.code).toBe('ERR_QUERY_UNSUPPORTED')
    await sealed.close()
  })

  it('is refused if its normalizers changed in place', async () => {
    const sealed = await openSealed('sqlite', schema('sqlite'))
    const changed = schema('sqlite').replace('[diacritics, lowercase]', '[lowercase]')
    const { PrismaClient, plan } = await openSealed('sqlite', changed)
    const base = new PrismaClient({ adapter: sealed.db.adapter() })
    const prisma: any = base.$extends(rowseal({ plan, keyring: sealed.keyring }))
    const error = await errorOf(prisma.user.create({ data: { id: 1, email: 'a', name: 'Ann' } }))
    expect(error).toMatchObject({ code: 'ERR_INDEX_STATE', field: 'User.name' })
    expect(await sealed.base.user.count()).toBe(0)
    await base.$disconnect()
    await sealed.close()
  })
})
