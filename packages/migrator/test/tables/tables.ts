import { quote } from '@rowseal/prisma-extension/sql'
import { expect } from 'vitest'
import { definePlan } from '@rowseal/prisma-extension/plan'
import {
  decrypt,
  encrypt,
  planDrain,
  reindex,
  rotateIndex,
  status,
  verify,
  type MigratorConfig,
} from '../../src/index.ts'
import { drain } from '../world.ts'
import type { World } from '../world.ts'
import { literal } from './key-types.ts'

/** A model with rows whose sealed field `secret` tells which row it is. */
export interface Filled {
  readonly model: string
  /** As the database has it. */
  readonly table: string
  readonly schema?: string
  /** Key columns as the database has them. */
  readonly key: readonly string[]
  /** The column of `secret`. */
  readonly secret?: string
  /** SQL literals of the keys, a list for each row. */
  readonly rows: readonly (readonly string[])[]
}

const name = ({ provider }: World, { schema, table }: Filled): string =>
  [...(schema === undefined ? [] : [schema]), table].map((part) => quote(provider, part)).join('.')

/** What row `n` has in its field. */
const secretOf = ({ model }: Filled, n: number): string => `${model} ${n}`

/**
 * Insert rows by SQL, as their keys have to be: what Prisma cannot write too. The blind index is left empty.
 */
export async function fill(w: World, filled: Filled): Promise<void> {
  const columns = [...filled.key, 'n', filled.secret ?? 'secret'].map((column) =>
    quote(w.provider, column),
  )
  const rows: string[] = []
  for (const [n, key] of filled.rows.entries()) {
    const sealed: string = await w.sealed.$rowseal.seal(
      `${filled.model}.secret`,
      secretOf(filled, n),
    )
    rows.push(`(${[...key, n, literal(w.provider, sealed)].join(', ')})`)
  }
  await w.db.exec(
    `INSERT INTO ${name(w, filled)} (${columns.join(', ')}) VALUES ${rows.join(',\n')};\n`,
  )
}

/** Every value of `secret` opens and is what it was. */
export async function expectSecrets(w: World, filled: Filled): Promise<void> {
  const rows = await w.plain.$queryRawUnsafe(
    `SELECT n, ${quote(w.provider, filled.secret ?? 'secret')} AS secret FROM ${name(w, filled)} ORDER BY n`,
  )
  const found: [string, string][] = []
  for (const { secret } of rows)
    found.push([filled.model, await w.sealed.$rowseal.open(`${filled.model}.secret`, secret)])
  expect(found).toEqual(filled.rows.map((_, n) => [filled.model, secretOf(filled, n)]))
}

/**
 * Fill the indexes, verify, rotate both keys, drain, reindex and verify again, with pages of one row and more:
 * so that a page ends between every two neighbours. Every row is met exactly once each time.
 */
export async function expectEveryRowMet(w: World, tables: readonly Filled[]): Promise<void> {
  const expected = Object.fromEntries(tables.map(({ model, rows }) => [model, rows.length]))
  const total = tables.reduce((sum, { rows }) => sum + rows.length, 0)
  const byModel = (models: readonly { model: string; rows: number }[]): Record<string, number> =>
    Object.fromEntries(models.map(({ model, rows }) => [model, rows]))
  const done = { outcome: 'done', superseded: 0, quarantined: 0 }

  const filling = await reindex(w.config, { now: true, batchRows: 1 })
  expect(byModel(filling.models)).toEqual(expected)
  expect(filling).toMatchObject(done)
  expect(await verify(w.config, { batchRows: 1 })).toMatchObject({
    outcome: 'done',
    rows: total,
    opened: total,
  })
  await w.rotate()
  await rotateIndex(w.config, { now: true })
  expect((await planDrain(w.config)).staleRows).toBe(total)
  const draining = await drain(w.config, { batchRows: 2, proof: true })
  expect(byModel(draining.models)).toEqual(expected)
  expect(draining).toMatchObject({ ...done, rows: total })
  const indexing = await reindex(w.config, { now: true, batchRows: 3 })
  expect(byModel(indexing.models)).toEqual(expected)
  expect(indexing).toMatchObject(done)
  expect(await verify(w.config, { batchRows: 2 })).toMatchObject({
    outcome: 'done',
    rows: total,
    opened: total,
    badIndexes: 0,
  })
  expect((await status(w.config)).stale).toBe(0)
  for (const table of tables) await expectSecrets(w, table)
}

/**
 * The tables leave Rowseal and enter it again, with pages of one row and more. Every row is met exactly once each
 * time, and no run is done before nothing is left.
 */
export async function expectLeavesAndEnters(w: World, tables: readonly Filled[]): Promise<void> {
  const expected = Object.fromEntries(tables.map(({ model, rows }) => [model, rows.length]))
  const done = { outcome: 'done', superseded: 0, quarantined: 0 }
  const byModel = (models: readonly { model: string; rows: number }[]): Record<string, number> =>
    Object.fromEntries(models.map(({ model, rows }) => [model, rows]))

  const leaving = annotated(w, { seal: 'off' })
  const decrypting = await decrypt(leaving, { batchRows: 1, proof: true })
  expect(decrypting).toMatchObject(done)
  expect(byModel(decrypting.models)).toEqual(expected)
  for (const table of tables) await expectInPlaintext(w, table)
  const total = decrypting.rows
  expect(await verify(leaving)).toMatchObject({ outcome: 'done', rows: total, opened: 0 })

  const entering = annotated(w, { plaintext: 'allow' })
  const encrypting = await encrypt(entering, { batchRows: 2, proof: true })
  expect(encrypting).toMatchObject(done)
  expect(byModel(encrypting.models)).toEqual(expected)
  const sealed = { outcome: 'done', rows: total, opened: total, badIndexes: 0 }
  expect(await verify(w.config, { batchRows: 3 })).toMatchObject(sealed)
  for (const table of tables) await expectSecrets(w, table)
}

/** The same with another option of `@encrypted` in every field, as if the schema said so. */
function annotated({ config }: World, option: object): MigratorConfig {
  const source = structuredClone(config.plan.source) as any
  for (const model of Object.values<any>(source.models))
    for (const field of Object.values<any>(model.sealed)) Object.assign(field, option)
  return { ...config, plan: definePlan(source) }
}

async function expectInPlaintext(w: World, filled: Filled): Promise<void> {
  const rows = await w.plain.$queryRawUnsafe(
    `SELECT ${quote(w.provider, filled.secret ?? 'secret')} AS secret FROM ${name(w, filled)} ORDER BY n`,
  )
  expect(rows).toEqual(filled.rows.map((_, n) => ({ secret: secretOf(filled, n) })))
}
