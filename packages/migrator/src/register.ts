import type { Keyring } from '@rowseal/prisma-extension'
import { registerIndex } from '@rowseal/prisma-extension/keys'
import { anyRowStatement } from '@rowseal/prisma-extension/sql'
import { indexesOf, type PlannedIndex } from './blind-indexes.ts'
import { keyringOf, type Context } from './config.ts'
import { isTableMissing } from './database-error.ts'

/** A blind index as the key store has it after `init`. */
export interface IndexRegistration {
  /** `Model.column` of its first column. */
  readonly index: string
  readonly keyring: string
  /** Did this call register it? */
  readonly isCreated: boolean
  /** Has every row its value? Look-ups are refused until then. */
  readonly isComplete: boolean
}

/** A blind index of the plan, with where it belongs. */
export interface PlacedIndex extends PlannedIndex {
  readonly model: string
  readonly keyring: Keyring
}

/**
 * All blind indexes of a plan, in its order.
 *
 * @throws {MigrationError} `ERR_CONFIG_INVALID` for a keyring that is not there.
 */
export function placedIndexes(context: Context): PlacedIndex[] {
  return Object.entries(context.plan.models).flatMap(([model, source]) =>
    indexesOf(model, source).map((index) => {
      const { keyring } = source.sealed[index.field]!
      return { ...index, model, keyring: keyringOf(context, keyring, `${model}.${index.field}`) }
    }),
  )
}

/**
 * Register every blind index of the plan. One whose table is empty is complete from the start: whoever
 * knows of the index writes no row before it is registered. A field that allows plaintext may get rows
 * from those who do not know of it.
 *
 * @throws {KeyError} `ERR_INDEX_STATE` if one is registered with other normalizers.
 */
export async function registerAll(context: Context): Promise<IndexRegistration[]> {
  const registrations: IndexRegistration[] = []
  for (const index of placedIndexes(context)) {
    const { label, model, id, field, normalize, isUnique, keyring } = index
    const source = context.plan.models[model]!
    const complete = source.sealed[field]!.plaintext === 'refuse' && (await isEmpty(context, model))
    const given = { id, normalize, isUnique, complete }
    const { record, created } = await registerIndex(keyring, given)
    registrations.push({
      index: label,
      keyring: keyring.name,
      isCreated: created,
      isComplete: record.complete,
    })
  }
  return registrations
}

/** False too if there is no table yet: another database may have it. */
async function isEmpty({ client, plan }: Context, model: string): Promise<boolean> {
  const sql = anyRowStatement(plan.provider, plan.models[model]!)
  try {
    return (await client.$queryRawUnsafe<unknown[]>(sql)).length === 0
  } catch (error) {
    if (isTableMissing(error)) return false
    throw error
  }
}
