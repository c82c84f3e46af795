import { countStatement } from '@rowseal/prisma-extension/sql'
import { byKey } from '../by-key.ts'
import type { Context } from '../config.ts'
import type { Target, TargetField } from '../targets.ts'

/** What a table held at one moment after a run. */
export interface After {
  /** ISO 8601, by the clock of this host. */
  readonly at: string
  readonly fields: readonly FieldAfter[]
  /** Values that the run is about: 0 is a fact, as of that moment. */
  readonly left: number
}

/** Values of a field by the version of their key; elements for lists. */
export interface FieldAfter {
  readonly field: string
  readonly versions: readonly {
    readonly keyId: number
    /** Null if the keyring has no such key. */
    readonly version: number | null
    readonly count: number
  }[]
  readonly plaintext: number
  /** Begins like an envelope and is none. */
  readonly malformed: number
  /** For lists: rows without elements. */
  readonly null: number
  /** Those that the run is about. */
  readonly left: number
}

/** Which values a direction is to leave none of. */
export interface Leaves {
  readonly isLeft: (field: TargetField, keyId: number) => boolean
  readonly isPlaintextLeft: boolean
  /** Under keys that the keyring of the field does not have. */
  readonly isUnknownLeft: boolean
}

/**
 * Count the values of a model by key version, plaintext too, in one statement, so in one snapshot of the
 * database: whatever is said of two fields is true of the same moment. Reads the whole table.
 */
export async function countAfter(
  { client }: Pick<Context, 'client'>,
  { table, fields }: Target,
  leaves: Leaves,
): Promise<After> {
  const at = new Date().toISOString()
  const counts = fields.map(
    ({ column }, i) =>
      `SELECT '${i}' AS field, c${i}.* FROM (${countStatement(table, column)}) AS c${i}`,
  )
  const rows = await client.$queryRawUnsafe<{ field: string; kind: string; count: string }[]>(
    counts.join(' UNION ALL '),
  )
  const counted = fields.map((field, i) => {
    const own = rows.filter((row) => Number(row.field) === i)
    return { field, counts: new Map(own.map(({ kind, count }) => [kind, Number(count)])) }
  })
  await learnKeys(counted)
  const found = counted.map(({ field, counts }) => fieldAfter(field, counts, leaves))
  return { at, fields: found, left: found.reduce((sum, { left }) => sum + left, 0) }
}

/** Read the keyrings that lack a key once more: a version that was made meanwhile is not unknown. */
async function learnKeys(
  counted: readonly { readonly field: TargetField; readonly counts: ReadonlyMap<string, number> }[],
): Promise<void> {
  const lacking = counted.filter(({ field, counts }) => {
    const known = new Set(field.values.keys().map(({ keyId }) => keyId))
    return byKey(counts).some(({ keyId }) => !known.has(keyId))
  })
  for (const values of new Set(lacking.map(({ field }) => field.values))) await values.refresh()
}

function fieldAfter(
  field: TargetField,
  counts: ReadonlyMap<string, number>,
  { isLeft, isPlaintextLeft, isUnknownLeft }: Leaves,
): FieldAfter {
  const known = new Map(field.values.keys().map(({ keyId, version }) => [keyId, version]))
  const versions = byKey(counts).map(({ keyId, count }) => {
    return { keyId, version: known.get(keyId) ?? null, count }
  })
  const sealed = versions.filter(
    ({ keyId, version }) => isLeft(field, keyId) || (isUnknownLeft && version === null),
  )
  const plaintext = counts.get('plaintext') ?? 0
  return {
    field: field.name,
    versions,
    plaintext,
    malformed: counts.get('malformed') ?? 0,
    null: counts.get('null') ?? 0,
    left: sealed.reduce((sum, { count }) => sum + count, isPlaintextLeft ? plaintext : 0),
  }
}
