import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { rotate } from '../../src/keys/index.ts'
import { openSealed, PROVIDERS, type SealedDatabase } from './databases.ts'
import { A, B, practice, seed } from './practice.ts'

const AUTH = { code: 'ERR_ENVELOPE_AUTH' }

describe.each(PROVIDERS)('bound values on %s', (provider) => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed(provider, practice(provider))
  })
  afterAll(() => sealed.close())
  beforeEach(() => seed(sealed.prisma))

  /** Copies what is stored, as a backup or an intruder would. */
  const move = async (column: string, from: string, to: string): Promise<void> => {
    const { [column]: stored } = await sealed.base.patient.findUnique({ where: { id: from } })
    await sealed.base.patient.update({ where: { id: to }, data: { [column]: stored } })
  }
  const statements = async (run: () => Promise<unknown>): Promise<string[]> => {
    const seen: string[] = []
    const spied = await openSpied(sealed, (query) => seen.push(query))
    await run.call(spied)
    return seen
  }

  it('a value moved to another record is noticed, whatever is selected', async () => {
    const { prisma } = sealed
    await move('notes', A, B)
    const where = { id: B }
    await expect(prisma.patient.findMany()).rejects.toMatchObject(AUTH)
    await expect(prisma.patient.findUnique({ where })).rejects.toThrow(`Patient.notes (id ${B})`)
    await expect(
      prisma.patient.findUnique({ where, select: { notes: true } }),
    ).rejects.toMatchObject(AUTH)
    await expect(prisma.patient.findUnique({ where, omit: { id: true } })).rejects.toMatchObject(
      AUTH,
    )
    await expect(prisma.tenant.findFirst({ select: { patients: true } })).rejects.toMatchObject(
      AUTH,
    )
    expect(await prisma.patient.findUnique({ where: { id: A } })).toMatchObject({ notes: 'of A' })
    expect(await prisma.patient.findUnique({ where, select: { email: true } })).toEqual({
      email: 'b',
    })
  })

  it('a value that is not bound may be moved, which is what bind is for', async () => {
    await move('phone', A, B)
    expect(await sealed.prisma.patient.findUnique({ where: { id: B } })).toMatchObject({
      phone: 'p of A',
    })
  })

  it('a bound column changed behind our back is noticed', async () => {
    await sealed.base.patient.update({ where: { id: A }, data: { tenantId: 2 } })
    await expect(sealed.prisma.patient.findUnique({ where: { id: A } })).rejects.toMatchObject(AUTH)
    expect(
      await sealed.prisma.patient.findUnique({ where: { id: A }, select: { email: true } }),
    ).toEqual({ email: 'a' })
  })

  it('what an update hands back is checked against the record it has written', async () => {
    const moved = sealed.prisma.$extends({
      query: {
        patient: {
          update: async ({ args, query }: any) => ({ ...(await query(args)), tenantId: 2 }),
        },
      },
    })
    const where = { id: A, tenantId: 1 }
    await expect(moved.patient.update({ where, data: { notes: 'x' } })).rejects.toMatchObject(AUTH)
  })

  it('a record is read without the hooks of other extensions, whose caches may be old', async () => {
    const seen: string[] = []
    const caching = await openExtended(sealed, {
      query: {
        patient: {
          $allOperations: ({ operation, args, query }: any) => {
            seen.push(operation)
            return operation === 'findUnique' ? { id: B, tenantId: 2 } : query(args)
          },
        },
      },
    })
    const update = (db: any): Promise<unknown> =>
      db.patient.update({ where: { code: 'a' }, data: { notes: 'x' }, select: { notes: true } })
    expect(await update(caching)).toEqual({ notes: 'x' })
    expect(await caching.$transaction(update)).toEqual({ notes: 'x' })
    expect(seen).toEqual(['update', 'update'])
  })

  it('an extension applied later may filter by bound columns, and not write them', async () => {
    const scoped = (change: (args: any) => object): any =>
      sealed.prisma.$extends({
        query: { patient: { $allOperations: ({ args, query }: any) => query(change(args)) } },
      })
    const filtering = scoped((args) => ({ ...args, where: { ...args.where, tenantId: 1 } }))
    const where = { id: A, tenantId: 1 }
    expect(await filtering.patient.findMany({ where: { id: A } })).toHaveLength(1)
    expect(await filtering.patient.update({ where, data: { notes: 'x' } })).toMatchObject({
      notes: 'x',
    })
    const setting = scoped((args) => ({ ...args, data: { ...args.data, tenantId: 2 } }))
    const create = { data: { code: 'z', tenantId: 1, notes: 'x' } }
    const order = { code: 'ERR_EXTENSION_ORDER', field: 'Patient.tenantId' }
    await expect(setting.patient.create(create)).rejects.toMatchObject(order)
    await expect(setting.patient.update({ where, data: { notes: 'y' } })).rejects.toMatchObject(
      order,
    )
    expect(await sealed.prisma.patient.findUnique({ where: { id: A } })).toMatchObject({
      notes: 'x',
      tenantId: 1,
    })
  })

  it('fields that other extensions compute find what they need opened', async () => {
    const computing = await openExtended(sealed, {
      result: {
        patient: { shout: { needs: { notes: true }, compute: (row: any) => `${row.notes}!` } },
      },
    })
    const [found] = await computing.patient.findMany({ where: { id: A }, select: { shout: true } })
    expect(found.shout).toBe('of A!')
    expect(Object.keys(found)).toEqual(['shout'])
    const left = await computing.patient.findUnique({
      where: { id: A },
      omit: { id: true, notes: true },
    })
    expect(left.shout).toBe('of A!')
  })

  // Prisma itself reads before it writes on MySQL.
  const itOn = it.skipIf(provider === 'mysql')
  itOn('an update that names what is bound needs no further statement', async () => {
    const seen = await statements(async function (this: any) {
      await this.patient.update({ where: { id: A, tenantId: 1 }, data: { notes: 1 } })
      await this.patient.update({ where: { code: 'a' }, data: { phone: '1', scan: null } })
    })
    expect(seen.filter((sql) => sql.startsWith('UPDATE'))).toHaveLength(2)
    expect(seen.filter((sql) => sql.startsWith('SELECT'))).toHaveLength(0)
  })

  itOn('an update that does not reads the bound columns, and nothing else, once', async () => {
    const seen = await statements(async function (this: any) {
      await this.patient.update({ where: { code: 'a' }, data: { notes: 1, email: 'x' } })
    })
    const reads = seen.filter((sql) => sql.startsWith('SELECT'))
    expect(reads).toHaveLength(1)
    expect(reads[0]).not.toMatch(/notes|email|phone/)
    expect(seen.at(-1)).toMatch(/^UPDATE .* WHERE .*code.*(id|tenantId)/)
  })

  it('stale values are re-encrypted with what they are bound to', async () => {
    const { prisma, keyring } = sealed
    const before = await sealed.raw('Patient', `id = '${A}'`)
    await rotate(keyring)
    const { done } = prisma.$rowseal.stats().reencryption
    expect(
      await prisma.patient.findMany({ select: { notes: true }, orderBy: { code: 'asc' } }),
    ).toEqual([{ notes: 'of A' }, { notes: 'of B' }])
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(prisma.$rowseal.stats().reencryption).toMatchObject({ done: done + 2, failed: 0 })
    expect((await sealed.raw('Patient', `id = '${A}'`))['notes']).not.toEqual(before['notes'])
    expect(await prisma.patient.findUnique({ where: { id: A } })).toMatchObject({
      notes: 'of A',
      email: 'a',
    })
    await prisma.$rowseal.flush()
  })

  it('raw SQL seals and opens with the values of the record', async () => {
    const { $rowseal } = sealed.prisma
    const of = { id: A, tenantId: 1 }
    const stored = await $rowseal.seal('Patient.notes', { raw: true }, of)
    await sealed.base.patient.update({ where: { id: A }, data: { notes: stored } })
    expect(await sealed.prisma.patient.findUnique({ where: { id: A } })).toMatchObject({
      notes: { raw: true },
    })
    expect(await $rowseal.open('Patient.notes', stored, { ...of, more: 1 })).toEqual({ raw: true })
    await expect(
      $rowseal.open('Patient.notes', stored, { id: A, tenantId: 2 }),
    ).rejects.toMatchObject(AUTH)
    await expect($rowseal.open('Patient.notes', stored, { id: A })).rejects.toThrow(TypeError)
    await expect($rowseal.open('Patient.notes', stored)).rejects.toThrow(
      'Patient.notes is bound to id',
    )
    await expect($rowseal.seal('Patient.notes', 1, { id: A, tenantId: '1' })).rejects.toThrow(
      TypeError,
    )
    expect(await $rowseal.open('Patient.phone', await $rowseal.seal('Patient.phone', 'x'))).toBe(
      'x',
    )
  })
})

async function openSpied(sealed: SealedDatabase, see: (query: string) => void): Promise<any> {
  const { PrismaClient, db } = sealed
  const base = new PrismaClient({ adapter: db.adapter(), log: [{ emit: 'event', level: 'query' }] })
  base.$on('query', (event: any) => see(event.query))
  closing.push(() => base.$disconnect())
  return base.$extends(rowseal({ plan: sealed.plan, keyring: sealed.keyring }))
}

async function openExtended(sealed: SealedDatabase, extension: object): Promise<any> {
  const { PrismaClient, db } = sealed
  const base = new PrismaClient({ adapter: db.adapter() })
  closing.push(() => base.$disconnect())
  return base.$extends(extension).$extends(rowseal({ plan: sealed.plan, keyring: sealed.keyring }))
}

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
