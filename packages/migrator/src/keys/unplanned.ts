import { countByIndex, loadColumn } from '@rowseal/prisma-extension/sql'
import { byKey } from '../by-key.ts'
import type { Context } from '../config.ts'
import { isTableMissing } from '../database-error.ts'
import { RunStore } from '../runs/store.ts'
import { placeOf, plannedFields } from './fields.ts'

/** A field that left the plan, and still holds sealed values. */
export interface UnplannedField {
  /** As the plan named them that had it last. */
  readonly model: string
  readonly field: string
  /** Its values by key id; elements for lists. */
  readonly keys: readonly { readonly keyId: number; readonly count: number }[]
}

/**
 * Sealed values in columns that were registered and are not in the plan: no run moves them, and no client opens
 * them. Reads the whole tables of such columns; columns that are gone are left out.
 */
export async function unplannedFields({
  client,
  plan,
}: Pick<Context, 'client' | 'plan'>): Promise<UnplannedField[]> {
  const planned = new Set(plannedFields({ plan }).map(placeOf))
  const registered = await new RunStore(client, plan.provider).fields
    .list()
    .catch((error: unknown) => {
      if (isTableMissing(error)) return []
      throw error
    })
  const fields: UnplannedField[] = []
  for (const place of registered) {
    if (place.isDropped || place.kind !== 'sealed' || planned.has(placeOf(place))) continue
    const found = await loadColumn(client, plan.provider, place)
    if (found === null) continue
    const rows = await countByIndex(client, found.table, found.column, false)
    const keys = byKey(new Map(rows.map(({ kind, count }) => [kind, Number(count)])))
    const { model, field } = place
    if (keys.length > 0) fields.push({ model, field, keys })
  }
  return fields
}
