import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rotate } from '../../src/keys/index.ts'
import { inSchemaOf } from '../../src/sql/index.ts'
import { openSealed, PROVIDERS, type SealedDatabase } from './databases.ts'

const NOTES = `
enum Kind {
  IN
  OUT
}
model Note {
  kind Kind
  id   Int
  /// @encrypted
  text String
  @@id([kind, id])
}
`

describe.runIf(PROVIDERS.includes('postgresql'))('a schema that the adapter was given', () => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed('postgresql', NOTES, {
      adapter: (db) => new PrismaPg({ connectionString: db.url }, { schema: 'clinic' }),
    })
    await sealed.db.exec(`CREATE SCHEMA clinic;
      CREATE TYPE clinic."Kind" AS ENUM ('IN', 'OUT');
      CREATE TABLE clinic."Note" (kind clinic."Kind", id int, text text NOT NULL, PRIMARY KEY (kind, id))`)
  })
  afterAll(() => sealed.close())

  it('is where stale values are re-encrypted, whatever the search path has', async () => {
    const { prisma, base, keyring } = sealed
    await prisma.note.create({ data: { kind: 'OUT', id: 1, text: 'in clinic' } })
    await base.$executeRaw`INSERT INTO public."Note" SELECT 'OUT', 1, text FROM clinic."Note"`
    await rotate(keyring)
    expect(await prisma.note.findMany()).toEqual([{ kind: 'OUT', id: 1, text: 'in clinic' }])
    expect(await prisma.$rowseal.flush()).toBe(true)
    expect(prisma.$rowseal.stats().reencryption).toMatchObject({ done: 1, superseded: 0 })
    const keys = await base.$queryRaw`
      SELECT (SELECT substr(text, 5, 8) FROM clinic."Note") AS clinic,
        (SELECT substr(text, 5, 8) FROM public."Note") AS public`
    expect(keys).toEqual([{ clinic: '00000002', public: '00000001' }])
    expect(await prisma.note.findMany()).toEqual([{ kind: 'OUT', id: 1, text: 'in clinic' }])
  })

  it('fails when Prisma changes where it keeps that', () => {
    const { base, plan } = sealed
    for (const client of [base, base.$extends({})]) {
      const placed = inSchemaOf(plan, client)
      expect(placed.models).toMatchObject({ Note: { ...plan.models.Note, schema: 'clinic' } })
      expect(placed.models['constructor']).toBeUndefined()
      expect(inSchemaOf(placed, client)).toEqual(placed)
    }
    expect(inSchemaOf(plan, {})).toBe(plan)
  })
})
