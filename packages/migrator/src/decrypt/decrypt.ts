import type { MigratorConfig } from '../config.ts'
import type { Direction } from '../engine/direction.ts'
import type { RunDirectionOptions, RunReport } from '../engine/events.ts'
import { runDirection } from '../engine/run.ts'
import { loadTargets, type Target } from '../targets.ts'
import { decryptPass, fieldsToDecrypt } from './strategy.ts'

/** Opens what is sealed in fields that leave Rowseal. */
export const DECRYPT: Direction = {
  name: 'decrypt',
  targets: async (context, models) => {
    const all = await loadTargets(context, models)
    const isOpen = ({ fields }: Target): boolean => fields.some(({ spec }) => spec.seal === 'off')
    // A model that was asked for by name is not left out in silence.
    const about = models !== undefined || !all.some(isOpen) ? all : all.filter(isOpen)
    return about.map((target) => ({ ...target, fields: fieldsToDecrypt(target) }))
  },
  next: (_, target) => decryptPass(target),
  leaves: { isLeft: () => true, isPlaintextLeft: false, isUnknownLeft: true },
}

/**
 * Put plaintext in the place of every sealed value of the fields with `seal: off`, in batches, while the
 * application runs. Blind indexes stay. Can be stopped or killed at any moment and run again.
 *
 * @throws {MigrationError} as `drain`; `ERR_SEAL_ON` if no field of the plan, or of a model that was asked for,
 *   says `seal: off`. Nothing was changed then.
 * @throws {KeyError} if the key store or the root key cannot be used.
 * @throws {TypeError} for an option out of bounds, or a model that does not exist.
 */
export async function decrypt(
  config: MigratorConfig,
  options: RunDirectionOptions = {},
): Promise<RunReport> {
  return (await runDirection(config, DECRYPT, options)).report
}
