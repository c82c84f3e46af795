import { rowseal } from '@rowseal/prisma-extension'
import { definePlan, PLAN_FORMAT, type ModelSource } from '@rowseal/prisma-extension/plan'
import { quote } from '@rowseal/prisma-extension/sql'
import { init } from '../../src/index.ts'
import { world, type Provider, type World } from '../world.ts'
import type { Filled } from './tables.ts'

/** A table that somebody has made by SQL of their own, and what the generator would say of it. */
export interface OwnTable {
  readonly model: string
  /** Prisma's type, the column's type and further attributes, and SQL literals for each column of the key. */
  readonly key: readonly OwnColumn[]
  /** In place of a primary key over the columns. */
  readonly constraint?: string
  /** After the closing parenthesis. */
  readonly options?: string
  /** Keys in place of all combinations of the columns' values. */
  readonly rows?: readonly (readonly string[])[]
}

export interface OwnColumn {
  readonly prisma: string
  readonly type: string
  readonly values: readonly string[]
}

/** A world over tables that Prisma did not make. @param before - statements to run first, for `:database`. */
export async function ownWorld(
  provider: Provider,
  tables: readonly OwnTable[],
  before: readonly string[] = [],
): Promise<{ readonly w: World; readonly filled: readonly Filled[] }> {
  const empty = await world(provider, 'model Unused {\n  id Int @id\n}', { init: false })
  const name = new URL(empty.db.url).pathname.slice(1)
  for (const statement of before)
    await empty.db.exec(`${statement.replace(':database', quote(provider, name))};\n`)
  // Settings of the database are those of connections made after.
  const config = await empty.another()
  const w = { ...empty, config, plain: config.client }
  return { w: await withTables(w, tables), filled: tables.map(filledOf) }
}

/** The same world, with other tables. */
export async function withTables(w: World, tables: readonly OwnTable[]): Promise<World> {
  for (const table of tables) await w.db.exec(`${createTable(w.provider, table)};\n`)
  const models = Object.fromEntries(tables.map((table) => [table.model, sourceOf(table)]))
  const { digest, provider } = w.config.plan
  const plan = definePlan({ format: PLAN_FORMAT, digest, provider, models })
  const config = { ...w.config, plan }
  await init(config)
  const extension = rowseal({ plan, keyring: config.keyring, reencryption: false })
  return { ...w, config, sealed: w.plain.$extends(extension) }
}

export function filledOf({ model, key, rows }: OwnTable): Filled {
  const all = key.reduce<readonly (readonly string[])[]>(
    (before, { values }) => before.flatMap((row) => values.map((value) => [...row, value])),
    [[]],
  )
  return { model, table: model, key: key.map((_, i) => `k${i}`), rows: rows ?? all }
}

function createTable(
  provider: Provider,
  { model, key, constraint, options = '' }: OwnTable,
): string {
  const text = provider === 'mysql' ? 'VARCHAR(500)' : 'TEXT'
  const name = quote(provider, model)
  const columns = key.map(({ type }, i) => `k${i} ${type} NOT NULL`)
  const names = key.map((_, i) => `k${i}`).join(', ')
  return `CREATE TABLE ${name} (${columns.join(', ')}, n INT NOT NULL, secret ${text} NOT NULL,
  ${quote(provider, 'secretIndex')} ${text}, ${constraint ?? `PRIMARY KEY (${names})`}) ${options}`
}

function sourceOf({ model, key }: OwnTable): ModelSource {
  const keyColumns = key.map(
    ({ prisma }, i) => [`k${i}`, { type: prisma, column: `k${i}` }] as const,
  )
  const column = (name: string): { type: string; column: string } => ({
    type: 'String',
    column: name,
  })
  return {
    table: model,
    key: keyColumns.map(([name]) => name),
    columns: {
      ...Object.fromEntries(keyColumns),
      n: { type: 'Int', column: 'n' },
      secret: column('secret'),
      secretIndex: column('secretIndex'),
    },
    relations: {},
    uniques: {},
    constraints: {},
    bound: {},
    indexes: {
      secretIndex: {
        field: 'secret',
        id: `${model}.secretIndex`,
        normalize: [],
        slot: 1,
        unique: false,
      },
    },
    sealed: {
      secret: {
        type: 'String',
        list: false,
        nullable: false,
        id: `${model}.secret`,
        keyring: 'default',
        plaintext: 'refuse',
        seal: 'on',
        pad: 0,
        bind: [],
      },
    },
  }
}
