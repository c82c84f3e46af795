import type { Keyring, Keyrings } from '@rowseal/prisma-extension'
import {
  anyIndexCondition,
  envelopeCondition,
  indexKeyCondition,
  loadColumn,
  staleCondition,
} from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import { isTableMissing } from '../database-error.ts'
import { MigrationError } from '../errors.ts'
import type { RegisteredField } from '../runs/fields.ts'
import { RunStore } from '../runs/store.ts'
import { assertSeesAll } from '../table-checks.ts'
import { plannedFields } from './fields.ts'

type Places = Pick<Context, 'client' | 'plan'>
type Place = Omit<RegisteredField, 'isDropped'>

/**
 * Refuse to make a keyring for a database that already holds values of one: its key store is another one, or was
 * lost, and a new keyring would hide that. Looks for one value in each column, of whatever plan.
 *
 * @throws {MigrationError} `ERR_KEYRING_LOST`
 */
export async function assertNothingLost(context: Context): Promise<void> {
  const missing: Keyring[] = []
  const known: number[] = []
  for (const keyring of context.keyrings.values()) {
    if (await keyring.refresh()) {
      await keyring.index.refresh()
      known.push(...[...keyring.keys(), ...keyring.index.keys()].map(({ keyId }) => keyId))
    } else missing.push(keyring)
  }
  const [first] = missing
  if (first === undefined) return
  // Beside other keyrings the fields of this one count; in an empty key store every field does.
  const isEmpty = (await first.store.nextKeyId()) === 1
  const names = new Set(missing.flatMap(({ name, index }) => [name, index.name]))
  for (const field of await fieldsOf(context)) {
    if (!isEmpty && !names.has(field.keyring)) continue
    if (await holdsUnknown(context, field, known)) throw lost(first, field)
  }
}

/** As `assertNothingLost`, for all keyrings of a store: refuses if it has none and the database holds values. */
export async function assertNoneLost(context: Places, { store }: Keyrings): Promise<void> {
  if ((await store.nextKeyId()) !== 1) return
  for (const field of await fieldsOf(context))
    if (await holdsUnknown(context, field, [])) throw lost({ name: field.keyring, store }, field)
}

async function fieldsOf(context: Places): Promise<readonly Place[]> {
  const { client, plan } = context
  try {
    const registered = await new RunStore(client, plan.provider).fields.list()
    return [...plannedFields(context), ...registered.filter(({ isDropped }) => !isDropped)]
  } catch (error) {
    if (isTableMissing(error)) return plannedFields(context)
    throw error
  }
}

/** Is there a value under a key that is not one of these? */
async function holdsUnknown(
  { client, plan }: Places,
  field: Place,
  known: readonly number[],
): Promise<boolean> {
  const found = await loadColumn(client, plan.provider, field)
  if (found === null) return false
  const { table, column } = found
  await assertSeesAll(client, `${field.model}.${field.field}`, table)
  const isIndex = field.kind === 'index'
  const any = isIndex ? anyIndexCondition(table, column) : envelopeCondition(table, column)
  const ours = (isIndex ? indexKeyCondition : staleCondition)(table, column, known)
  const rows = await client.$queryRawUnsafe<unknown[]>(
    `SELECT 1 AS found FROM ${table.name} AS t WHERE ${any} AND NOT (${ours}) LIMIT 1`,
  )
  return rows.length > 0
}

function lost(
  { name, store }: Pick<Keyring, 'name' | 'store'>,
  { model, field }: Place,
): MigrationError {
  return new MigrationError(
    'ERR_KEYRING_LOST',
    `${model}.${field} holds values under keys that the ${store.name} does not have, and it has no keyring "${name}".`,
    {
      fix: 'Connect to the key store that belongs to this database, or restore it. If those values may stay unreadable: `npx rowseal init --accept-unreadable`.',
      field: `${model}.${field}`,
    },
  )
}
