import type { UnplannedField } from '../keys/unplanned.ts'
import { count } from './output.ts'

/** Sealed values of fields that are not in the plan. */
export function renderUnplanned(fields: readonly UnplannedField[]): string[] {
  const lines = fields.flatMap(({ model, field, keys }) =>
    keys.map(
      ({ keyId, count: n }) =>
        `${count(n)} values of ${model}.${field} are under key ${keyId}, and the plan does not have this field: nothing opens, moves or seals it.`,
    ),
  )
  if (lines.length === 0) return []
  return [
    [
      ...lines,
      'Annotate it again and run `npx prisma generate`. To leave Rowseal: annotate it with @encrypted(seal: off), deploy, and run `npx rowseal decrypt` first.',
    ].join('\n'),
  ]
}
