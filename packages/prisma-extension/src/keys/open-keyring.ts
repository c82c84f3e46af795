import { Keyring } from './keyring.ts'
import { checkOptions, type KeyringOptions } from './options.ts'

/**
 * Open a keyring. Reads the store and unwraps the active KEK, so that a wrong root key is said here
 * and not at the first read. If the keyring does not exist yet it opens all the same, because
 * `rowseal init` loads the same module: its first use looks again.
 *
 * @throws {KeyError} `ERR_KEY_MISMATCH` for a wrong root key or an edited key store,
 *   `ERR_ROOT_KEY_REGION`, `ERR_KEY_UNAVAILABLE` (retryable), `ERR_STORE_NEWER`
 * @throws {TypeError} for an option out of bounds.
 */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const keyring = new Keyring(checkOptions(options))
  await keyring.root.regions() // refuses one that is not allowed, before any call
  if (await keyring.refresh()) await keyring.verify()
  return keyring
}
