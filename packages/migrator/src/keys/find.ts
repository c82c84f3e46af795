import { KeyError, type Keyring } from '@rowseal/prisma-extension'
import type { KeyRow } from '@rowseal/prisma-extension/keys'
import type { Context } from '../config.ts'

/** A key version, and where it belongs. */
export interface FoundKey {
  readonly keyring: Keyring
  readonly row: KeyRow
  /** `indexes` for an index key. */
  readonly holds: 'sealed' | 'indexes'
}

/**
 * The key version of that id, as the store has it now.
 *
 * @throws {KeyError} `ERR_KEY_UNKNOWN` if none of the keyrings has it, and what reading them throws.
 * @throws {TypeError} if it can be no key id.
 */
export async function findKey({ keyrings }: Context, keyId: number): Promise<FoundKey> {
  if (!Number.isInteger(keyId) || keyId < 1 || keyId > 0xffff_ffff)
    throw new TypeError('A key id is a whole number from 1 to 4294967295.')
  for (const keyring of keyrings.values()) {
    await keyring.refresh()
    const row = keyring.keys().find((key) => key.keyId === keyId)
    if (row !== undefined) return { keyring, row, holds: 'sealed' }
    await keyring.index.refresh()
    const index = keyring.index.keys().find((key) => key.keyId === keyId)
    if (index !== undefined) return { keyring, row: index, holds: 'indexes' }
  }
  throw new KeyError('ERR_KEY_UNKNOWN', `No keyring of the configuration has key ${keyId}.`, {
    fix: '`npx rowseal keys list` shows all keys.',
  })
}

/** What holds values under a key, as the register calls it. */
export function kindOf({ holds }: Pick<FoundKey, 'holds'>): 'sealed' | 'index' {
  return holds === 'indexes' ? 'index' : 'sealed'
}

/** A key version for reports. */
export interface KeyName {
  /** `<name>/index` for an index key. */
  readonly keyring: string
  readonly keyId: number
  readonly version: number
  readonly state: KeyRow['state']
}

export function keyName({ keyring, keyId, version, state }: KeyRow): KeyName {
  return { keyring, keyId, version, state }
}
