import { rewrapKeys as rewrap, type Rewrapped } from '@rowseal/prisma-extension/keys'
import { contextOf, type MigratorConfig } from '../config.ts'
import { rootKeysOf, type RootKeyStatus } from './root-keys.ts'

export interface RewrapReport {
  /** The key versions that were under another root key; `keyId` 0 is the key that authenticates the key store. */
  readonly moved: readonly Rewrapped[]
  readonly rootKeys: readonly RootKeyStatus[]
}

/**
 * Bring all KEKs and index keys under the root key that is used now. No value changes, and a KMS does it without
 * giving a key out.
 *
 * @throws {KeyError} `ERR_KEYRING_MISSING`, before anything is moved; `ERR_KEYRING_CONFLICT` (retryable), what the
 *   root key throws. What was moved stays so.
 */
export async function rewrapKeys(config: MigratorConfig): Promise<RewrapReport> {
  const { keyrings } = contextOf(config)
  // Nothing to move in a key store that has no such keyring would read as all being moved.
  for (const keyring of keyrings.values()) if (!(await keyring.refresh())) await keyring.verify()
  const moved: Rewrapped[] = []
  for (const keyring of keyrings.values()) moved.push(...(await rewrap(keyring)))
  return { moved, rootKeys: await rootKeysOf(keyrings.values()) }
}
