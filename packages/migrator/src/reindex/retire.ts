import type { Keyring } from '@rowseal/prisma-extension'
import { retireIndexKeys, type KeyRow } from '@rowseal/prisma-extension/keys'
import { indexKeyCondition } from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import { placedIndexes } from '../register.ts'
import { countRows, loadTargets, type Target } from '../targets.ts'
import { pause } from '../waits.ts'
import { retrying } from './conflicts.ts'
import { keyChangedAt, keyChangeOf } from './follow.ts'
import type { ModelJob } from './model-run.ts'
import type { ReindexReport } from './options.ts'

type RetireJob = Pick<ModelJob, 'context' | 'options' | 'checked' | 'waits'>

/** Deactivate the suspended index keys that no value of any model names any more, once nobody writes under them. */
export async function retireKeys(job: RetireJob): Promise<ReindexReport['retired']> {
  const { context } = job
  const retired: ReindexReport['retired'][number][] = []
  for (const keyring of new Set(placedIndexes(context).map((index) => index.keyring))) {
    const seen = await versionsOf(keyring)
    if (!seen.some(isFormer) || !(await follow(job, keyring))) continue
    // Values of an index that this plan does not have are out of sight.
    if (!isWholeInSight(context, keyring)) continue
    const targets = await loadTargets(context, undefined, 'indexes')
    const unused: number[] = []
    for (const { keyId } of seen.filter(isFormer))
      if (!(await isUsed(context, targets, keyring, keyId))) unused.push(keyId)
    if (unused.length === 0) continue
    const keyIds = await retrying(() => retireIndexKeys(keyring, unused, seen))
    retired.push(...keyIds.map((keyId) => ({ keyring: keyring.name, keyId })))
  }
  return retired
}

async function versionsOf({ index }: Keyring): Promise<readonly KeyRow[]> {
  await index.refresh()
  return index.keys()
}

function isFormer({ state }: KeyRow): boolean {
  return state === 'suspended'
}

/** Wait until every instance writes under the active index key. @returns false if told to stop. */
async function follow(
  { options, checked, waits }: RetireJob,
  { index }: Keyring,
): Promise<boolean> {
  if (options.now === true) return true
  const rows = index.keys()
  const change = keyChangeOf(index.name, rows.find(({ state }) => state === 'active')!.keyId)
  const ms = waits.left(change, index.maxAgeMs + checked.maxTransactionMs, keyChangedAt(rows))
  if (ms === 0) return true
  options.onEvent?.({ type: 'wait', ms, reason: 'until every instance follows' })
  return pause(ms, options.signal)
}

function isWholeInSight(context: Context, keyring: Keyring): boolean {
  const planned = new Set(placedIndexes(context).map(({ id }) => id))
  return keyring.index.records().every(({ id }) => planned.has(id))
}

async function isUsed(
  context: Context,
  targets: readonly Target[],
  keyring: Keyring,
  keyId: number,
): Promise<boolean> {
  for (const target of targets) {
    const columns = target.indexes
      .filter(({ field }) => field.keyring === keyring)
      .flatMap((index) => index.columns.filter((column) => column !== null))
    if (columns.length === 0) continue
    const where = columns.map(({ column }) => indexKeyCondition(target.table, column, [keyId]))
    if ((await countRows(context, target, where.join(' OR '))) > 0) return true
  }
  return false
}
