import { KeyError } from '../errors.ts'
import type { CompiledPlan, FieldPlan } from '../query/index.ts'
import { fenceIn, fenceName } from '../sql/index.ts'

/**
 * A fence of the database refused a value (docs/spec/fences.md): it was sealed under a key that was retired
 * before it arrived. Prisma calls that P2039, on SQLite a foreign key; its details may quote the row.
 *
 * The keyring is read anew in the background, so that the next try seals under the active key.
 *
 * @returns null if the error is about something else.
 */
export function fenceViolation(plan: CompiledPlan, error: unknown): KeyError | null {
  const fence = fenceIn(messageOf(error))
  const found = fence && find(plan, fence.name, fence.keyId)
  if (fence === null || found === null) return null
  const { field, isIndex } = found
  const keys = isIndex ? field.keyring.index : field.keyring
  keys.refresh().catch(() => undefined) // counted in stats; sealing reads anew in any case
  return new KeyError(
    'ERR_KEY_STATE',
    `${field.label}: the database refuses what is under key ${fence.keyId}, which was retired. Nothing was written.`,
    {
      field: field.label,
      fix: 'Run the operation again, with the whole transaction if it was in one: it seals under the active key then.',
      retryable: true,
    },
  )
}

/** The driver's own text; a message of Prisma quotes the caller's source. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const { meta } = error as { meta?: { driverAdapterError?: { cause?: Record<string, unknown> } } }
  const text = meta?.driverAdapterError?.cause?.['originalMessage']
  return typeof text === 'string' ? text : ''
}

function find(
  plan: CompiledPlan,
  name: string,
  keyId: number,
): { readonly field: FieldPlan; readonly isIndex: boolean } | null {
  for (const { source, sealed, indexes } of plan.values()) {
    const isIt = (column: string): boolean => fenceName(source, column, keyId) === name
    for (const [column, field] of sealed) if (isIt(column)) return { field, isIndex: false }
    for (const [column, { field }] of indexes) if (isIt(column)) return { field, isIndex: true }
  }
  return null
}
