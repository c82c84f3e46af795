import {
  compromiseKey as compromise,
  resumeKey as resume,
  suspendKey as suspend,
  type KeyRow,
} from '@rowseal/prisma-extension/keys'
import { contextOf, type MigratorConfig } from '../config.ts'
import { findKey, keyName, type FoundKey, type KeyName } from './find.ts'

export interface SuccessorOptions {
  /** Key id of the version that takes over. Default: the one that waits, or a new one. */
  readonly successor?: number
}

/** What became of a keyring's key versions. */
export interface StateReport {
  /** `<name>/index` for index keys. */
  readonly keyring: string
  /** The versions that this was about, as they now are. */
  readonly keys: readonly KeyName[]
  /** Ids of the blind indexes that are under keys of this keyring. */
  readonly indexes: readonly string[]
}

/**
 * Take the active version out of use; another takes over in the same step.
 *
 * @throws {KeyError} `ERR_KEY_STATE` if it is not active, or the successor cannot become so;
 *   `ERR_KEY_UNKNOWN`, `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEY_UNAVAILABLE` (retryable)
 */
export async function suspendKey(
  config: MigratorConfig,
  keyId: number,
  { successor }: SuccessorOptions = {},
): Promise<StateReport> {
  const found = await findKey(contextOf(config), keyId)
  return reportOf(found, await suspend(found.keyring, keyId, successor))
}

/**
 * Make a suspended version active again: roll a rotation back. The active one becomes suspended in the same step.
 *
 * @throws {KeyError} `ERR_KEY_STATE` if it is not suspended; else as `suspendKey`
 */
export async function resumeKey(config: MigratorConfig, keyId: number): Promise<StateReport> {
  const found = await findKey(contextOf(config), keyId)
  return reportOf(found, await resume(found.keyring, keyId))
}

/**
 * Note that a key version leaked, and with it every version that holds DEKs re-wrapped from it. They open what is
 * under them until it is re-encrypted, which keeps what somebody sealed with the leaked key meanwhile.
 *
 * @throws {KeyError} `ERR_KEY_STATE` if it is destroyed; else as `suspendKey`
 */
export async function compromiseKey(
  config: MigratorConfig,
  keyId: number,
  { successor }: SuccessorOptions = {},
): Promise<StateReport> {
  const found = await findKey(contextOf(config), keyId)
  const rows = await compromise(found.keyring, keyId, successor)
  return reportOf(found, rows.length === 0 ? [found.row] : rows)
}

function reportOf({ keyring, row, holds }: FoundKey, rows: readonly KeyRow[]): StateReport {
  const indexes = holds === 'indexes' ? keyring.index.records().map(({ id }) => id) : []
  return { keyring: row.keyring, keys: rows.map(keyName), indexes }
}
