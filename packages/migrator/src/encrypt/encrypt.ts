import type { Context, MigratorConfig } from '../config.ts'
import type { Direction } from '../engine/direction.ts'
import type { RunDirectionOptions, RunReport } from '../engine/events.ts'
import { runDirection } from '../engine/run.ts'
import { registerIndexes } from '../reindex/register.ts'
import { loadTargets, type Target } from '../targets.ts'
import { fieldsToEncrypt } from './fields.ts'
import { encryptDryPass, encryptPass } from './strategy.ts'

/** Seals what is not. Blind indexes that are not registered are, so that they can be filled. */
export const ENCRYPT: Direction = {
  name: 'encrypt',
  targets: async (context, models) => {
    const targets = await targetsOf(context, models)
    const fields = new Set(targets.flatMap((target) => target.fields))
    const indexes = targets.flatMap((target) => target.indexes)
    await registerIndexes(indexes.filter(({ field }) => fields.has(field)))
    return targets
  },
  next: (_, target) => encryptPass(target),
  dry: { targets: targetsOf, next: (_, target) => encryptDryPass(target) },
  leaves: { isLeft: () => false, isPlaintextLeft: true, isUnknownLeft: false },
}

async function targetsOf(
  context: Context,
  models: readonly string[] | undefined,
): Promise<Target[]> {
  const all = await loadTargets(context, models)
  return all.flatMap((target) => {
    const fields = fieldsToEncrypt(target).map(({ field }) => field)
    return fields.length === 0 ? [] : [{ ...target, fields }]
  })
}

/**
 * Seal every value that is not sealed yet, and fill the blind indexes of its field, in batches, while the
 * application runs: also one of an older version, whose rows are met by a later pass. Can be stopped or killed
 * at any moment and run again. Whether an index is complete is for `reindex` to say.
 *
 * @throws {MigrationError} as `drain`; `ERR_CONFIG_INVALID` too for fields under the keyring of each tenant.
 * @throws {KeyError} if the key store or the root key cannot be used; `ERR_INDEX_STATE` for an index with
 *   other normalizers than it has values of, or (retryable) that is rotated offline.
 * @throws {TypeError} for an option out of bounds, or a model that does not exist.
 */
export async function encrypt(
  config: MigratorConfig,
  options: RunDirectionOptions = {},
): Promise<RunReport> {
  return (await runDirection(config, ENCRYPT, options)).report
}
