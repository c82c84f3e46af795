import type { IndexViews } from '../query/index.ts'
import { indexDuplicate } from './constraint-errors.ts'
import { fenceViolation } from './fence-errors.ts'
import type { Context, HookParams } from './operation.ts'

/** How often an upsert is sent that lost against the other of two constraints that say the same. */
const MAX_TRIES = 5

/**
 * Send an operation. A duplicate in a blind index is reported for its field.
 *
 * While a unique index is written to both its columns, or beside a field in the clear that is unique too,
 * PostgreSQL's own upsert watches one of two constraints only: of two at once, the second may be told of a
 * duplicate in the other. On a plain column it would have updated, so it is sent again. Not inside a
 * transaction, which PostgreSQL has broken off then.
 */
export async function send(
  { plan }: Pick<Context, 'plan'>,
  views: IndexViews,
  { operation, query, __internalParams }: HookParams,
  args: Record<string, unknown>,
): Promise<unknown> {
  const mayRepeat = operation === 'upsert' && __internalParams?.transaction === undefined
  for (let tries = 1; ; tries++) {
    try {
      return await query(args)
    } catch (error) {
      const duplicate = indexDuplicate(plan, error)
      if (duplicate === null) throw fenceViolation(plan, error) ?? error
      const isDoubled =
        duplicate.isInClear || duplicate.indexes.some((index) => views.writesBoth(index))
      if (!mayRepeat || !isDoubled || tries === MAX_TRIES) throw duplicate.named()
    }
  }
}
