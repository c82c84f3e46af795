import { rewrapDeks } from '@rowseal/prisma-extension/keys'
import { swapIn } from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import { partsOf, sealedFields, type SealedChange, type StaleKeys } from '../drain/reencrypt.ts'
import { staleWhere } from '../drain/strategy.ts'
import type { Strategy } from '../engine/strategy.ts'
import type { Target } from '../targets.ts'
import { rewrappableKeysOf } from './keys.ts'
import { rewrapRows, type Rewrap } from './rewrap-rows.ts'

/** Move every value that is under a stale key to the active one, with the DEK and the ciphertext that it has. */
export function rewrapStrategy(
  context: Context,
  target: Target,
  stale: StaleKeys,
  rewrap: Rewrap = rewrapDeks,
): Strategy<SealedChange> {
  const { table, fields } = target
  const names = fields.map(({ name }) => name)
  const ids = [...stale.values()].flatMap((keyIds) => [...keyIds]).sort((a, b) => a - b)
  return {
    target: `rewrap ${ids.join(' ')}`,
    columns: table.sealed,
    where: staleWhere(target, stale),
    prepare: (rows) => rewrapRows(context, target, rows, stale, rewrap),
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

/**
 * The same for a plan: DEKs stay as they are, so that the KMS is not called, and the key store is not told that
 * the active version has DEKs of others. What a run would call is counted.
 *
 * @throws as `rewrappableKeysOf`
 */
export async function rewrapDryPass(
  context: Context,
  target: Target,
): Promise<Strategy<SealedChange>> {
  let kmsCalls = 0
  const keep: Rewrap = (keyring, deks) => {
    kmsCalls += new Set(deks.map(({ wrapped }) => Buffer.from(wrapped).toString('hex'))).size
    return Promise.resolve(deks.map((dek) => ({ ...dek, keyId: keyring.activeKeyId! })))
  }
  const stale = await rewrappableKeysOf(context, target)
  const strategy = rewrapStrategy(context, target, stale, keep)
  return {
    ...strategy,
    prepare: async (rows) => {
      kmsCalls = 0
      return { ...(await strategy.prepare(rows)), kmsCalls }
    },
  }
}
