import { database, generatedClient, type TestDatabase } from '@rowseal/test-support'
import { randomBytes } from 'node:crypto'
import { rowseal } from '../../src/index.ts'
import {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  initKeyring,
  moveIndex,
  openKeyring,
  registerIndex,
  rotate,
  type Keyring,
} from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Plan, Provider } from '../../src/plan/index.ts'
import { fill } from './fixture.ts'
import { plainSchema, sealedSchema } from './schema.ts'
import type { Side } from './special.ts'
import { keepStatements, mariadbTables, resetStatements } from './tables.ts'

/** What differs from one run to the next. */
export interface Setting {
  readonly title: string
  /** Added to the seed: other sequences than in other settings. */
  readonly offset: number
  /** The records every sequence begins with are stale, and the index keys are being rotated. */
  readonly isRotating: boolean
  /** `undefined` is an error; `Prisma.skip` in its place. */
  readonly isStrict: boolean
  /** Fields that `new PrismaClient` leaves out. */
  readonly omit?: Readonly<Record<string, Readonly<Record<string, boolean>>>>
}

/** One of the twins. */
export interface Twin extends Side {
  /** The un-extended client. */
  readonly base: any
  readonly db: TestDatabase
}

/** Two databases with the same data: one plain, one sealed. */
export interface World {
  readonly provider: Provider
  readonly setting: Setting
  readonly plain: Twin
  readonly sealed: Twin
  /** Bring both back to the records every sequence begins with. */
  reset(): Promise<void>
  close(): Promise<void>
}

export async function openWorld(provider: Provider, setting: Setting): Promise<World> {
  const [plain, sealed] = await Promise.all([
    openPlain(provider, setting),
    openSealed(provider, setting),
  ])
  const twins = [plain, sealed]
  const all = async (statements: readonly string[]): Promise<void> => {
    await Promise.all(
      twins.map(({ base }) =>
        base.$transaction(statements.map((sql) => base.$executeRawUnsafe(sql))),
      ),
    )
  }
  await Promise.all(twins.map(({ client, Prisma }) => fill(client, Prisma)))
  if (setting.isRotating) await sealed.rotate()
  await all(keepStatements(provider))
  return {
    provider,
    setting,
    plain,
    sealed,
    reset: () => all(resetStatements(provider)),
    close: async () => {
      await Promise.all(twins.map(({ base }) => base.$disconnect()))
      await Promise.all(twins.map(({ db }) => db.drop()))
    },
  }
}

async function openPlain(provider: Provider, setting: Setting): Promise<Twin> {
  const { base, ...twin } = await connect(provider, setting, false)
  // Merely having a hook changes things: Prisma clones the arguments.
  const client = base.$extends({
    query: { $allModels: { $allOperations: ({ args, query }: any) => query(args) } },
  })
  return { ...twin, base, client, isSealed: false, isStrict: setting.isStrict }
}

async function openSealed(
  provider: Provider,
  setting: Setting,
): Promise<Twin & { rotate(): Promise<void> }> {
  const { base, plan, ...twin } = await connect(provider, setting, true)
  process.env['ROWSEAL_TEST_ROOT_KEY'] ??= randomBytes(32).toString('base64')
  const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
  const keyring = await openKeyring({ root, store: memoryKeyStore() })
  await initKeyring(keyring)
  await initIndexKeys(keyring)
  for (const index of indexesOf(plan)) await registerIndex(keyring, { ...index, complete: true })
  const client = base.$extends(rowseal({ plan, keyring }))
  const isStrict = setting.isStrict
  return {
    ...twin,
    base,
    client,
    isSealed: true,
    isStrict,
    rotate: () => rotateAll(keyring, client),
  }
}

function indexesOf(plan: Plan): { id: string; normalize: readonly string[]; isUnique: boolean }[] {
  return Object.values(plan.models).flatMap(({ indexes }) =>
    Object.values(indexes)
      .filter(({ slot }) => slot === 1)
      .map(({ id, normalize, unique }) => ({ id, normalize, isUnique: unique })),
  )
}

/** A second version of every key; the unique index that has two columns is searched by its second one. */
async function rotateAll(keyring: Keyring, client: any): Promise<void> {
  await addIndexKey(keyring)
  await activateIndexKey(keyring)
  await moveIndex(keyring, 'Card.numberIndex', 'both-1')
  for (const { id, number } of await client.card.findMany({ omit: { number: false } })) {
    await client.card.update({ where: { id }, data: { number } })
  }
  await moveIndex(keyring, 'Card.numberIndex', 'both-2')
  await rotate(keyring)
}

async function connect(
  provider: Provider,
  { isStrict, omit }: Setting,
  isSealed: boolean,
): Promise<any> {
  const db = await database(provider)
  const schema = isSealed ? sealedSchema(provider) : plainSchema(provider)
  const { PrismaClient, Prisma, plan, ddl } = await generatedClient({
    provider,
    schema,
    plan: isSealed,
    ...(isStrict && { generator: withPreviews(previewsOf(provider)) }),
  })
  await db.exec(provider === 'mysql' ? mariadbTables(isSealed) : ddl)
  const base = new PrismaClient({ adapter: db.adapter(), ...(omit && { omit }) })
  return { db, base, Prisma, plan }
}

/** The block of the generator ends with its provider's name: more follows that, and a comment takes the last quote. */
function withPreviews(names: readonly string[]): 'prisma-client' {
  return `prisma-client"\n  previewFeatures = ${JSON.stringify(names)} //` as 'prisma-client'
}

/** MariaDB has no LATERAL, which joins take. */
const previewsOf = (provider: Provider): string[] =>
  provider === 'postgresql' ? ['strictUndefinedChecks', 'relationJoins'] : ['strictUndefinedChecks']

/** Does the client of a world take `relationLoadStrategy`? */
export const hasJoins = ({ provider, setting }: World): boolean =>
  setting.isStrict && previewsOf(provider).includes('relationJoins')
