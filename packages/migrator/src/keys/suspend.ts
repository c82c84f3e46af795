import { KeyError } from '@rowseal/prisma-extension'
import {
  addIndexKey,
  compromiseKey as compromise,
  resumeKey as resume,
  suspendKey as suspend,
  type KeyRow,
} from '@rowseal/prisma-extension/keys'
import { contextOf, type MigratorConfig } from '../config.ts'
import { MigrationError } from '../errors.ts'
import { unfenceStatements } from '../fence/statements.ts'
import { distributed, type RotateOptions } from '../rotate.ts'
import { findKey, keyName, type FoundKey, type KeyName } from './find.ts'

/** Only an index key is waited for, with `now`, `signal` and `onEvent` as for `rotate`. */
export interface SuccessorOptions extends Pick<RotateOptions, 'now' | 'signal' | 'onEvent'> {
  /** Key id of the version that takes over. Default: the one that waits, or a new one. */
  readonly successor?: number
}

/** What became of a keyring's key versions. */
export interface StateReport {
  /** `stopped`: the index key that is to take over is stored, and nothing else was changed. */
  readonly outcome: 'done' | 'stopped'
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
 * @throws {KeyError} `ERR_KEY_STATE` if it is not active, or the successor cannot become so, or is fenced;
 *   `ERR_KEY_UNKNOWN`, `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEY_UNAVAILABLE` (retryable)
 */
export async function suspendKey(
  config: MigratorConfig,
  keyId: number,
  options: SuccessorOptions = {},
): Promise<StateReport> {
  return replaced(config, keyId, options, suspend)
}

/**
 * Make a suspended version active again: roll a rotation back. The active one becomes suspended in the same step.
 *
 * @throws {KeyError} `ERR_KEY_STATE` if it is not suspended; else as `suspendKey`
 */
export async function resumeKey(config: MigratorConfig, keyId: number): Promise<StateReport> {
  const found = await findKey(contextOf(config), keyId)
  await assertUnfenced(config, found.row)
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
  options: SuccessorOptions = {},
): Promise<StateReport> {
  return replaced(config, keyId, options, compromise)
}

/** Let `change` take a version out of use, once what takes over may do so. */
async function replaced(
  config: MigratorConfig,
  keyId: number,
  options: SuccessorOptions,
  change: typeof suspend,
): Promise<StateReport> {
  const found = await findKey(contextOf(config), keyId)
  const { successor } = options
  if (successor !== undefined)
    await assertUnfenced(config, (await findKey(contextOf(config), successor)).row)
  const next = await nextOf(found, options)
  if (next === null) return { ...reportOf(found, [found.row]), outcome: 'stopped' }
  const rows = await change(found.keyring, keyId, next.successor)
  return reportOf(found, rows.length === 0 ? [found.row] : rows)
}

/**
 * What takes over. Instances that have not read an index key yet find nothing of what is written under it, and
 * would not say so: it takes over when all have had time to.
 *
 * @returns null if told to stop.
 */
async function nextOf(
  { keyring, row, holds }: FoundKey,
  options: SuccessorOptions,
): Promise<Pick<SuccessorOptions, 'successor'> | null> {
  if (holds !== 'indexes' || row.state !== 'active') return options
  const { successor } = options
  const to =
    successor === undefined
      ? await addIndexKey(keyring, row.keyId)
      : keyring.index.keys().find(({ keyId }) => keyId === successor)
  // Any other is matched by all, or refused.
  if (to?.state !== 'pre-activation') return options
  return (await distributed(keyring, to, options)) ? { successor: to.keyId } : null
}

/** Nothing could be written under a key that the database refuses. */
async function assertUnfenced(config: MigratorConfig, { keyId, state }: KeyRow): Promise<void> {
  // In any other state it is refused for that.
  if (state !== 'suspended') return
  const { change } = await unfenceStatements(config, keyId).catch((error: unknown) => {
    // Where the plan does not fit the database, taking a rotation back is not to wait for that.
    if (error instanceof MigrationError && error.code === 'ERR_PLAN_DATABASE') return { change: [] }
    throw error
  })
  if (change.length === 0) return
  throw new KeyError('ERR_KEY_STATE', `The database refuses every value under key ${keyId}.`, {
    fix: `Take its fences down first: \`npx rowseal ddl fence ${keyId} --drop\` prints how.`,
  })
}

function reportOf({ keyring, row, holds }: FoundKey, rows: readonly KeyRow[]): StateReport {
  const indexes = holds === 'indexes' ? keyring.index.records().map(({ id }) => id) : []
  return { outcome: 'done', keyring: row.keyring, keys: rows.map(keyName), indexes }
}
