import { initIndexKeys, registerIndex } from '@rowseal/prisma-extension/keys'
import type { TargetIndex } from '../targets.ts'
import { retrying } from './conflicts.ts'

/**
 * Register the indexes that are not. They may be searched once `reindex` has found them complete.
 *
 * @throws {KeyError} `ERR_INDEX_STATE` if one is registered with other normalizers.
 */
export async function registerIndexes(indexes: readonly TargetIndex[]): Promise<void> {
  for (const keyring of new Set(indexes.map(({ field }) => field.keyring)))
    await initIndexKeys(keyring)
  for (const { id, normalize, isUnique, field } of indexes)
    await retrying(() => registerIndex(field.keyring, { id, normalize, isUnique, complete: false }))
}
