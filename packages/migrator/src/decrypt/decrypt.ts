import type { MigratorConfig } from '../config.ts'
import {
  runDirection,
  type Direction,
  type DirectionOptions,
  type DirectionReport,
} from '../direction.ts'
import type { SealedChange } from '../drain/reencrypt.ts'
import type { Target } from '../targets.ts'
import { decryptPass, fieldsToDecrypt } from './strategy.ts'

/** Opens what is sealed in fields that leave Rowseal. */
export const DECRYPT: Direction<SealedChange> = {
  name: 'decrypt',
  prepare: (_, all, isAsked) => {
    const isOpen = ({ fields }: Target): boolean => fields.some(({ spec }) => spec.seal === 'off')
    // A model that was asked for by name is not left out in silence.
    const about = isAsked || !all.some(isOpen) ? all : all.filter(isOpen)
    return about.map((target) => ({ ...target, fields: fieldsToDecrypt(target) }))
  },
  pass: (_, target) => decryptPass(target),
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
export function decrypt(
  config: MigratorConfig,
  options: DirectionOptions = {},
): Promise<DirectionReport> {
  return runDirection(config, options, DECRYPT)
}
