import { loadColumn } from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import { indexesOf } from '../blind-indexes.ts'
import type { RegisteredField } from '../runs/fields.ts'
import { RunStore } from '../runs/store.ts'
import { assertSameTables } from '../same-table.ts'

type PlannedField = Omit<RegisteredField, 'isDropped'>

/** Every column of a plan that holds values under a key, sealed fields before blind indexes. */
export function plannedFields({ plan }: Pick<Context, 'plan'>): PlannedField[] {
  return Object.entries(plan.models).flatMap(([model, source]) => {
    const place = (field: string): Pick<PlannedField, 'schema' | 'table' | 'column'> => ({
      schema: source.schema ?? null,
      table: source.table,
      column: source.columns[field]?.column ?? field,
    })
    const sealed = Object.entries(source.sealed).map(
      ([field, { type, keyring }]): PlannedField => ({
        ...place(field),
        ...{ model, field, type, keyring, kind: 'sealed', indexId: null },
      }),
    )
    const indexes = indexesOf(model, source).flatMap(({ id, field, columns }) =>
      columns.flatMap((column): PlannedField[] => {
        if (column === null) return []
        const keyring = `${source.sealed[field]?.keyring ?? ''}/index`
        const rest = { model, field: column.name, keyring, type: 'String', kind: 'index' } as const
        return [{ ...place(column.name), ...rest, indexId: id }]
      }),
    )
    return [...sealed, ...indexes]
  })
}

/**
 * Enter the plan's columns in the register. What writes to a database does it first, so that whatever a plan
 * ever sealed is known when a key is to go. A column that the database does not have holds nothing: the plan may
 * be that of another database, and what is entered blocks keys until somebody says that it is gone.
 *
 * @throws {MigrationError} `ERR_RUN_TABLES`; `ERR_PLAN_DATABASE` if the search path leads to other tables
 */
export async function noteFields({ client, plan }: Context): Promise<RunStore> {
  const store = new RunStore(client, plan.provider)
  await store.assertExists()
  await assertSameTables({ client, plan })
  const known = new Set((await store.fields.list()).map(placeOf))
  const there: PlannedField[] = []
  for (const field of plannedFields({ plan }))
    if (known.has(placeOf(field)) || (await loadColumn(client, plan.provider, field)) !== null)
      there.push(field)
  await store.fields.note(there)
  return store
}

/** Which column it is, whatever the plan calls it. */
export function placeOf({ schema, table, column, kind }: PlannedField): string {
  return JSON.stringify([schema, table, column, kind])
}
