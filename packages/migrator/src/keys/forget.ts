import { hostname, userInfo } from 'node:os'
import { unregisterIndex } from '@rowseal/prisma-extension/keys'
import { loadColumn } from '@rowseal/prisma-extension/sql'
import { contextOf, type Context, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { MigrationError } from '../errors.ts'
import { retrying } from '../reindex/conflicts.ts'
import type { RegisteredField } from '../runs/fields.ts'
import { noteFields, placeOf, plannedFields } from './fields.ts'

export interface ForgetReport {
  /** `Model.field` as it was given. */
  readonly field: string
  /** Columns that keys are looked for in no more. */
  readonly columns: readonly { readonly table: string; readonly column: string }[]
  /** Ids of blind indexes for which no key is kept any more. */
  readonly indexes: readonly string[]
}

/**
 * Declare that a column is gone with all values that were in it, so that no key is looked for there and none is
 * kept for its blind index.
 *
 * @param label - `Model.field`: a sealed field or the column of a blind index, of which the register has a
 *   column that neither the plan nor the database has any more.
 * @param by - who says so. Default: user and host of this process.
 * @throws {TypeError} if it is not registered, or the plan has it.
 * @throws {MigrationError} `ERR_KEY_IN_USE` if the database still has the column; `ERR_RUN_TABLES`
 */
export async function forgetField(
  config: MigratorConfig,
  label: string,
  by = `${userInfo().username}@${hostname()}`,
): Promise<ForgetReport> {
  const context = contextOf(config)
  try {
    const store = await noteFields(context)
    const all = await store.fields.list()
    // Where a column was renamed, the plan has the field, and the register its former column as well.
    const planned = plannedFields(context)
    const places = new Set(planned.map(placeOf))
    const fields = all.filter(
      (field) => nameOf(field) === label && !field.isDropped && !places.has(placeOf(field)),
    )
    if (fields.length === 0) {
      if (planned.some((field) => nameOf(field) === label))
        throw new TypeError(`${label} is in the plan. Remove it from the schema first.`)
      const known = all.filter(({ isDropped }) => !isDropped).map(nameOf)
      throw new TypeError(`${label} is not registered. There are: ${known.join(', ')}.`)
    }
    for (const field of fields) await assertGone(context, field)
    await store.fields.drop(fields, by)
    const indexes = await unregister(context, await store.fields.list(), fields)
    return {
      field: label,
      columns: fields.map(({ table, column }) => ({ table, column })),
      indexes,
    }
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}

async function assertGone({ client, plan }: Context, field: RegisteredField): Promise<void> {
  if ((await loadColumn(client, plan.provider, field)) === null) return
  const { table, column } = field
  throw new MigrationError(
    'ERR_KEY_IN_USE',
    `Table ${table} still has the column ${column}, which may hold values under any key.`,
    {
      fix: 'Drop the column first. While it is there, it is looked through.',
      field: nameOf(field),
    },
  )
}

/** Blind indexes of which no column is left. */
async function unregister(
  { keyrings }: Context,
  all: readonly RegisteredField[],
  gone: readonly RegisteredField[],
): Promise<string[]> {
  const ids: string[] = []
  for (const id of new Set(gone.map(({ indexId }) => indexId))) {
    if (id === null || all.some(({ indexId, isDropped }) => indexId === id && !isDropped)) continue
    for (const keyring of keyrings.values()) {
      if (!(await keyring.index.refresh())) continue
      if (await retrying(() => unregisterIndex(keyring, id))) ids.push(id)
    }
  }
  return ids
}

function nameOf({ model, field }: Pick<RegisteredField, 'model' | 'field'>): string {
  return `${model}.${field}`
}
