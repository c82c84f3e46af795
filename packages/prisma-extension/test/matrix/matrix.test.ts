import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  HAS,
  openPlain,
  openSealed,
  PROVIDERS,
  type PlainDatabase,
  type SealedDatabase,
} from '../client/databases.ts'
import { activateIndexKey, addIndexKey } from '../../src/keys/index.ts'
import { cells, type Cell } from './cells.ts'
import { exampleOf } from './examples.ts'
import { fill, plainSchemaOf, schemaOf } from './models.ts'

/** What became of a call: its result and the data it left, or the error's kind. */
type Outcome = { readonly result: unknown; readonly left: unknown } | { readonly error: string }

class RollBack extends Error {}

/** Run one call and roll back what it did. */
async function outcomeOf(prisma: any, cell: Cell, args: unknown): Promise<Outcome> {
  let outcome: Outcome | undefined
  try {
    await prisma.$transaction(async (tx: any) => {
      const result = await tx.person[cell.operation](args)
      const left = [
        await tx.person.findMany({ orderBy: { id: 'asc' } }),
        await tx.note.findMany({ orderBy: { id: 'asc' } }),
        await tx.profile.findMany({ orderBy: { id: 'asc' } }),
      ]
      left.flat().forEach(assertIndexed)
      outcome = { result: withoutIndexes(result), left: withoutIndexes(left) }
      throw new RollBack()
    })
  } catch (error: any) {
    if (!(error instanceof RollBack)) outcome = { error: error.code ?? error.name }
  }
  return outcome!
}

/** An index has a value exactly where its field has one. */
function assertIndexed(row: Record<string, unknown>): void {
  for (const column of Object.keys(row).filter((key) => key.endsWith('Index'))) {
    const isNull = row[column.slice(0, -'Index'.length)] === null
    expect(row[column] === null, column).toBe(isNull)
  }
}

function withoutIndexes(value: any): any {
  if (Array.isArray(value)) return value.map(withoutIndexes)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const entries = Object.entries(value).filter(([key]) => !key.endsWith('Index'))
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutIndexes(inner)]))
}

/** With a second index key, values of indexes that are not unique are under either. */
const MODES = PROVIDERS.flatMap((provider) => [
  { provider, keys: 1 },
  { provider, keys: 2 },
])

describe.each(MODES)('the matrix on $provider with $keys index key(s)', ({ provider, keys }) => {
  let sealed: SealedDatabase
  let plain: PlainDatabase
  let succeeded = 0
  beforeAll(async () => {
    ;[sealed, plain] = await Promise.all([
      openSealed(provider, schemaOf(provider)),
      openPlain(provider, plainSchemaOf(provider)),
    ])
    await fill(sealed.prisma, provider)
    await fill(plain.prisma, provider)
    if (keys === 2) {
      await addIndexKey(sealed.keyring)
      await activateIndexKey(sealed.keyring)
      await sealed.keyring.index.refresh()
    }
  })
  afterAll(async () => {
    await Promise.all([sealed.close(), plain.close()])
  })

  it.each(cells())('$operation, $argument: $clause is $treatment', async (cell) => {
    const { Prisma } = sealed
    const args = exampleOf(cell, { provider, Prisma, db: sealed.prisma })
    if (args === undefined) return // the database has no such thing
    const actual = await outcomeOf(sealed.prisma, cell, args)
    const isRotating = keys === 2 && cell.place === 'distinct'
    if (cell.treatment === 'refused' || isRotating) {
      expect(actual).toEqual({ error: 'ERR_QUERY_UNSUPPORTED' })
      return
    }
    const same = exampleOf(cell, { provider, Prisma, db: plain.prisma })
    const expected = await outcomeOf(plain.prisma, cell, same)
    // What Prisma refuses to take, Rowseal may refuse before it.
    const isLacking = !HAS[provider].returningMany && cell.operation.endsWith('AndReturn')
    const refusal = isLacking ? 'PrismaClientUnknownRequestError' : 'PrismaClientValidationError'
    if ('error' in expected && expected.error === refusal)
      expect([actual]).toEqual([{ error: expect.stringMatching(`^(ERR_|${refusal}$)`) }])
    else expect(actual).toEqual(expected)
    if ('result' in expected) succeeded++
  })

  it('was mostly gone through by calls that succeed', () => {
    const answered = cells().filter(({ treatment }) => treatment !== 'refused').length
    expect(succeeded / answered).toBeGreaterThan(0.6)
  })
})
