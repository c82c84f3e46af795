import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { activateIndexKey, addIndexKey } from '../../src/keys/index.ts'
import {
  openPlain,
  openSealed,
  PROVIDERS,
  type PlainDatabase,
  type Provider,
  type SealedDatabase,
} from './databases.ts'

/** Combinations of clauses, each of which found something else than on plain columns once. */

const schema = (provider: Provider): string => {
  const short = provider === 'mysql' ? ' @db.VarChar(300)' : ''
  return `
model Person {
  id         Int      @id
  tenantId   Int      @default(1)
  seat       Int?
  /// @encrypted
  name       String?${short}
  /// @blindIndex(name)
  nameIndex  String?
  /// @encrypted
  email      String?  @unique${short}
  /// @blindIndex(email, normalize: [lowercase])
  emailLowerIndex String? @unique
  /// @blindIndex(email)
  emailIndex String?  @unique
  /// @encrypted
  code       String?${short}
  /// @blindIndex(code, normalize: [digits])
  codeDigitsIndex String?
  /// @blindIndex(code)
  codeIndex  String?
  bossId     Int?
  boss       Person?  @relation("boss", fields: [bossId], references: [id])
  team       Person[] @relation("boss")
  @@unique([tenantId, seat], name: "spot")
  @@unique([tenantId, code], name: "byCode")
  @@unique([tenantId, codeDigitsIndex])
  @@unique([tenantId, codeIndex])
}
`
}

const plainSchema = (provider: Provider): string =>
  schema(provider)
    .split('\n')
    .filter((line) => !/\/\/\/|Index/.test(line))
    .join('\n')

const MODES = PROVIDERS.flatMap((provider) => [
  { provider, keys: 1 },
  { provider, keys: 2 },
])

describe.each(MODES)('filters on $provider with $keys index key(s)', ({ provider, keys }) => {
  let sealed: SealedDatabase
  let plain: PlainDatabase
  beforeAll(async () => {
    ;[sealed, plain] = await Promise.all([
      openSealed(provider, schema(provider)),
      openPlain(provider, plainSchema(provider)),
    ])
    for (const { prisma } of [sealed, plain]) {
      await prisma.person.createMany({
        data: [
          { id: 1, name: 'Ann', email: 'a@x', code: '1', seat: 1 },
          { id: 2, name: 'Bob', email: 'b@x', code: 'x2', bossId: 1, seat: 2 },
          { id: 3, name: 'Cid', email: 'c@x', bossId: 2, seat: 3 },
        ],
      })
    }
    if (keys === 1) return
    await addIndexKey(sealed.keyring)
    await activateIndexKey(sealed.keyring)
    await sealed.keyring.index.refresh()
  })
  afterAll(() => Promise.all([sealed.close(), plain.close()]))

  const ids = async (db: any, where: object): Promise<number[]> =>
    (await db.person.findMany({ where, orderBy: { id: 'asc' } })).map(({ id }: any) => id)
  const codeOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => null,
      (error: any) => error.code ?? error.name,
    )

  it.each([
    { name: { in: ['Ann', 'Bob'], not: 'Ann' }, AND: [{ id: { gt: 0 } }] },
    { name: { in: ['Ann', 'Bob'], not: 'Ann' }, AND: { email: { not: 'c@x' } } },
    { name: { not: null, notIn: ['Ann'] }, OR: [{ id: 2 }, { code: { equals: 'x2', not: '1' } }] },
    { NOT: { name: { in: ['Ann', 'Bob'], not: 'Ann' }, AND: [{ id: { gt: 0 } }] } },
    { boss: { is: undefined, name: { not: 'Ann' } } },
    { boss: { is: undefined, name: 'Ann' } },
    { team: { some: { name: { in: ['Bob', 'Cid'], not: 'Cid' } }, none: undefined } },
    { name: { not: { in: ['Ann'], notIn: ['Bob'] } } },
    { name: { not: { notIn: ['Bob'] } } },
  ])('%j finds what it finds on plain columns', async (where) => {
    expect(await ids(sealed.prisma, where)).toEqual(await ids(plain.prisma, where))
  })

  it.each([{ name: { not: { not: 'Ann' } } }, { name: { not: { equals: 'Ann', not: 'Bob' } } }])(
    '%j finds the same, or is refused while the index rotates',
    async (where) => {
      if (keys === 2) {
        expect(await codeOf(ids(sealed.prisma, where))).toBe('ERR_QUERY_UNSUPPORTED')
      } else expect(await ids(sealed.prisma, where)).toEqual(await ids(plain.prisma, where))
    },
  )

  it('takes a cursor over a compound unique of plain fields', async () => {
    const find = (db: any): Promise<unknown> =>
      db.person.findMany({ cursor: { spot: { tenantId: 1, seat: 2 } }, select: { id: true } })
    expect(await find(sealed.prisma)).toEqual(await find(plain.prisma))
  })

  it('updates only the rows that all conditions are true for', async () => {
    const where = { name: { in: ['Ann', 'Bob'], not: 'Ann' }, AND: [{ id: { gt: 0 } }] }
    expect(await sealed.prisma.person.updateMany({ where, data: { tenantId: 1 } })).toEqual({
      count: 1,
    })
  })

  it('names a row by the index without normalizers, in compounds too', async () => {
    const { person } = sealed.prisma
    expect(await person.findUnique({ where: { email: 'A@X' } })).toBeNull()
    expect(await codeOf(person.delete({ where: { email: 'A@X' } }))).toBe('P2025')
    const where = (code: string): object => ({ byCode: { tenantId: 1, code } })
    expect(await person.findUnique({ where: where('2') })).toBeNull()
    expect((await person.findUnique({ where: where('x2') })).id).toBe(2)
  })

  it.each([
    ['a second name of one compound', { tenantId_code: { tenantId: 1, code: 'x2' } }],
    ['a compound by its index column', { tenantId_codeIndex: { tenantId: 1, codeIndex: 'x' } }],
    ['a field within a compound of columns', { tenantId_codeIndex: { tenantId: 1, code: 'x2' } }],
    ['a further key in a compound', { byCode: { tenantId: 1, code: 'x2', name: 'x' } }],
  ])('refuses %s', async (_, where) => {
    const call = sealed.prisma.person.findUnique({ where })
    expect(await codeOf(call)).toBe('ERR_QUERY_UNSUPPORTED')
  })

  it.each([
    ['a compound among other filters', { byCode: { tenantId: 1, code: 'SECRETVALUE' } }],
    ['a field beside an operator', { boss: { is: { id: 1 }, name: 'SECRETVALUE' } }],
    ['a mode within not', { name: { not: { equals: 'SECRETVALUE', mode: 'insensitive' } } }],
  ])('refuses %s, without its value', async (_, where) => {
    const error: Error & { code?: string } = await sealed.prisma.person
      .findMany({ where })
      .catch((caught: Error) => caught)
    expect(error.code).toBe('ERR_QUERY_UNSUPPORTED')
    expect(`${error.message}${JSON.stringify(error)}`).not.toContain('SECRETVALUE')
  })
})
