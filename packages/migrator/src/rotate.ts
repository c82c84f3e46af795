import type { Keyring } from '@rowseal/prisma-extension'
import { rotate as rotateKeyring, type KeyRow } from '@rowseal/prisma-extension/keys'
import { contextOf, type Context, type MigratorConfig } from './config.ts'

export interface RotateReport {
  readonly keyring: string
  readonly from: { readonly keyId: number; readonly version: number }
  readonly to: { readonly keyId: number; readonly version: number }
}

/**
 * Make a new key version active. Values sealed before are then stale: `drain` moves them.
 *
 * @param name - of the keyring; may be left out if there is one.
 * @throws {TypeError} if no keyring is called so, or there are several and none was named.
 * @throws {KeyError} `ERR_KEYRING_MISSING` `ERR_KEYRING_CONFLICT` (retryable) `ERR_KEY_UNAVAILABLE`
 *   (retryable) `ERR_KEY_MISMATCH`
 */
export async function rotate(config: MigratorConfig, name?: string): Promise<RotateReport> {
  const keyring = chosenKeyring(contextOf(config), name)
  const { from, to } = await rotateKeyring(keyring)
  return { keyring: keyring.name, from: versionOf(from), to: versionOf(to) }
}

/** @throws {TypeError} if no keyring is called so, or there are several and none was named. */
export function chosenKeyring({ keyrings }: Context, name: string | undefined): Keyring {
  const names = [...keyrings.keys()].join(', ')
  const [only] = keyrings.size === 1 ? keyrings.values() : []
  const keyring = name === undefined ? only : keyrings.get(name)
  if (keyring === undefined)
    throw new TypeError(
      name === undefined
        ? `Name the keyring to rotate: ${names}.`
        : `There is no keyring "${name}". There are: ${names}.`,
    )
  return keyring
}

export function versionOf({ keyId, version }: KeyRow): RotateReport['to'] {
  return { keyId, version }
}
