import { afterEach, describe, expect, it } from 'vitest'
import { openSealed, type SealedDatabase } from './databases.ts'

const schema = `
model Account {
  id         Int     @id @default(autoincrement())
  tenant     Int     @default(1)
  logins     Int     @default(1)
  /// @encrypted(seal: off)
  email      String  @unique
  /// @blindIndex(email)
  emailIndex String? @unique
  /// @encrypted(seal: off)
  code       String?
  /// @blindIndex(code)
  codeIndex  String?
  @@unique([tenant, code])
  @@unique([tenant, codeIndex])
}
`

describe('two upserts at once of a field that is no longer sealed, on PostgreSQL', () => {
  let sealed: SealedDatabase
  afterEach(() => sealed.close())

  /**
   * A row is in the unique over the field for a while before it is in the one over its index: PostgreSQL fills
   * indexes in the order in which they were made.
   */
  async function open(unique: string): Promise<void> {
    sealed = await openSealed('postgresql', schema)
    const run = (statement: string): Promise<unknown> => sealed.base.$executeRawUnsafe(statement)
    await run(`CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(0.5); RETURN n; END'`)
    await run('CREATE INDEX slow ON "Account" (slow(id))')
    const [{ indexdef }] = await sealed.base.$queryRawUnsafe(
      `SELECT indexdef FROM pg_indexes WHERE indexname = '${unique}'`,
    )
    await run(`DROP INDEX "${unique}"`)
    await run(indexdef)
  }

  it('make one row and update it', async () => {
    await open('Account_emailIndex_key')
    const upsert = (): Promise<any> =>
      sealed.prisma.account.upsert({
        where: { email: 'a@x' },
        create: { email: 'a@x' },
        update: { logins: { increment: 1 } },
      })
    const both = await Promise.all([upsert(), upsert()])
    expect(both.map(({ logins }) => logins).sort()).toEqual([1, 2])
    expect(await sealed.base.account.count()).toBe(1)
  })

  it('make one row and update it, by a compound unique', async () => {
    await open('Account_tenant_codeIndex_key')
    const upsert = (email: string): Promise<any> =>
      sealed.prisma.account.upsert({
        where: { tenant_code: { tenant: 1, code: 'c' } },
        create: { email, tenant: 1, code: 'c' },
        update: { logins: { increment: 1 } },
      })
    const both = await Promise.all([upsert('a@x'), upsert('b@x')])
    expect(both.map(({ logins }) => logins).sort()).toEqual([1, 2])
    expect(await sealed.base.account.count()).toBe(1)
  })

  it('report a duplicate that is one', async () => {
    await open('Account_emailIndex_key')
    const { account } = sealed.prisma
    await account.create({ data: { email: 'a@x' } })
    const call = account.upsert({ where: { id: 7 }, create: { email: 'a@x' }, update: {} })
    await expect(call).rejects.toMatchObject({
      code: 'P2002',
      meta: { driverAdapterError: { cause: { constraint: { index: 'Account_email_key' } } } },
    })
  })
})
