import { swapIn } from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import { partsOf, sealedFields, type SealedChange, type StaleKeys } from '../drain/reencrypt.ts'
import { staleWhere } from '../drain/strategy.ts'
import type { Strategy } from '../engine/strategy.ts'
import type { Target } from '../targets.ts'
import { rewrappableKeysOf } from './keys.ts'
import { rewrapRows } from './rewrap-rows.ts'

/** Move every value that is under a stale key to the active one, with the DEK and the ciphertext that it has. */
export function rewrapStrategy(
  context: Context,
  target: Target,
  stale: StaleKeys,
): Strategy<SealedChange> {
  const { table, fields } = target
  const names = fields.map(({ name }) => name)
  const ids = [...stale.values()].flatMap((keyIds) => [...keyIds]).sort((a, b) => a - b)
  return {
    target: `rewrap ${ids.join(' ')}`,
    columns: table.sealed,
    where: staleWhere(target, stale),
    prepare: (rows) => rewrapRows(context, target, rows, stale),
    write: (tx, changes) => swapIn(tx, table, names, changes),
    parts: partsOf(names),
    fields: sealedFields(fields, 'sealed'),
  }
}

/**
 * The strategy for a pass that begins now, with keys as the key store says.
 *
 * @throws as `rewrappableKeysOf`
 */
export async function rewrapPass(
  context: Context,
  target: Target,
): Promise<Strategy<SealedChange>> {
  return rewrapStrategy(context, target, await rewrappableKeysOf(context, target))
}
