import type { Keyrings } from '@rowseal/prisma-extension'
import {
  indexesUnder,
  initIndexKeys,
  initKeyring,
  plannedName,
} from '@rowseal/prisma-extension/keys'
import { contextOf, databaseOf, fixedNames, isPool, type MigratorConfig } from './config.ts'
import { asMigrationError } from './database-error.ts'
import { assertNothingLost, assertNoneLost } from './keys/lost.ts'
import { plannedFields } from './keys/fields.ts'
import { placedIndexes, registerAll, type IndexRegistration } from './register.ts'
import { RunStore } from './runs/store.ts'
import { assertSameTables } from './same-table.ts'

export interface InitReport {
  readonly keyrings: readonly {
    readonly keyring: string
    readonly activeKeyId: number
    /** False if it was there. */
    readonly isCreated: boolean
  }[]
  /** False if they were there. */
  readonly areRunTablesCreated: boolean
  /** The blind indexes of the plan, in its order. */
  readonly indexes: readonly IndexRegistration[]
}

export interface InitOptions {
  /**
   * Make a new keyring although the database holds values that the key store has no key for. They stay
   * unreadable. Default: false.
   */
  readonly acceptUnreadable?: boolean
  /**
   * With `openKeyrings`: name of a keyring to create, such as `tenant/acme`. Those that fields name are created
   * in any case.
   */
  readonly keyring?: string
}

/**
 * Create the key store's tables, the tables of runs, and the first key version of each keyring; for
 * keyrings with blind indexes also the first index key, and register the indexes. Leaves alone what is
 * there.
 *
 * @throws {TypeError} if a keyring is named and the configuration has all of them already.
 * @throws {KeyError} if the root key is not the one the key store was made with, or cannot be used;
 *   `ERR_INDEX_STATE` for an index that is registered with other normalizers.
 * @throws {MigrationError} `ERR_KEYRING_LOST` if the database holds sealed values and the key store has no
 *   keyring; `ERR_PLAN_DATABASE` if the search path leads to other tables; `ERR_DATABASE_FAILED` `ERR_DATABASE_BUSY` `ERR_CONFIG_INVALID`
 */
export async function init(config: MigratorConfig, options: InitOptions = {}): Promise<InitReport> {
  if (isPool(config.keyring)) return initPool(config, config.keyring, options)
  const context = contextOf(config)
  if (options.keyring !== undefined) throw new TypeError('Keyrings by name come from openKeyrings.')
  try {
    await assertSameTables(context)
    if (options.acceptUnreadable !== true) await assertNothingLost(context)
    const keyrings: InitReport['keyrings'][number][] = []
    for (const [name, keyring] of context.keyrings) {
      const { created } = await initKeyring(keyring)
      keyrings.push({ keyring: name, activeKeyId: keyring.activeKeyId ?? 0, isCreated: created })
    }
    const store = new RunStore(context.client, context.plan.provider)
    const areRunTablesCreated = await store.init()
    await store.fields.note(plannedFields(context))
    for (const keyring of new Set(placedIndexes(context).map((index) => index.keyring)))
      await initIndexKeys(keyring)
    return { keyrings, areRunTablesCreated, indexes: await registerAll(context) }
  } catch (error) {
    throw asMigrationError(
      error,
      context.plan.provider === 'sqlite',
      'run `npx rowseal init` again',
    )
  }
}

async function initPool(
  config: MigratorConfig,
  pool: Keyrings,
  { keyring: name, acceptUnreadable }: InitOptions,
): Promise<InitReport> {
  const { client, plan } = databaseOf(config)
  try {
    await assertSameTables({ client, plan })
    await pool.store.init()
    if (acceptUnreadable !== true) await assertNoneLost({ client, plan }, pool)
    const store = new RunStore(client, plan.provider)
    const areRunTablesCreated = await store.init()
    await store.fields.note(plannedFields({ plan }))
    const keyrings: InitReport['keyrings'][number][] = []
    const indexes: IndexRegistration[] = []
    for (const one of [...fixedNames(plan), ...(name === undefined ? [] : [name])]) {
      const { keyring, created } = await pool.create(one, plan)
      keyrings.push({ keyring: one, activeKeyId: keyring.activeKeyId ?? 0, isCreated: created })
      if (indexesUnder(plan, plannedName(one)).length > 0) await keyring.index.refresh()
      for (const { id, complete } of keyring.index.records())
        indexes.push({ index: id, keyring: one, isCreated: created, isComplete: complete })
    }
    return { keyrings, areRunTablesCreated, indexes }
  } catch (error) {
    throw asMigrationError(error, plan.provider === 'sqlite', 'run `npx rowseal init` again')
  }
}

/** The statements that `init` would run before it makes key versions. Asks nothing of the database. */
export function initStatements(config: MigratorConfig): readonly string[] {
  const { client, plan, keyring } = config
  const stores = isPool(keyring)
    ? [keyring.store]
    : [...contextOf(config).keyrings.values()].map(({ store }) => store)
  const runs = new RunStore(client, plan.provider)
  return [...new Set([...stores.flatMap((store) => store.ddl()), ...runs.ddl()])]
}
