import type { Target } from '../targets.ts'
import type { ValueKeyring } from '../tenants.ts'
import type { StaleKeys } from './reencrypt.ts'

/**
 * The key ids whose values are to be moved, as the key store says now.
 *
 * @throws {KeyError} `ERR_KEYRING_MISSING`, `ERR_KEY_MISMATCH`, `ERR_KEY_UNAVAILABLE`
 */
export async function staleKeysOf({ fields }: Target): Promise<StaleKeys> {
  const stale = new Map<ValueKeyring, ReadonlySet<number>>()
  for (const keyring of new Set(fields.map((field) => field.values))) {
    await keyring.refresh()
    await keyring.verify()
    stale.set(keyring, new Set(keyring.staleKeyIds()))
  }
  return stale
}
