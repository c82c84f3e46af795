import type { Keyring } from '@rowseal/prisma-extension'
import {
  cancelKeyringEnd,
  closeKeyring,
  destroyKeyring as destroy,
  type KeyRow,
} from '@rowseal/prisma-extension/keys'
import { openOne, type Context, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { chosenKeyring } from '../rotate.ts'
import { DAY_MS, waitDaysOf } from './destroy.ts'
import { keyName, type KeyName } from './find.ts'
import { scanFor, type ScannedColumn } from './scan.ts'

/** What is about to happen, for whoever is asked. */
export interface Shredding {
  /** `schedule`: nothing of the keyring opens, reversibly. `delete`: its KEKs are deleted for good. */
  readonly step: 'schedule' | 'delete'
  readonly keyring: string
  readonly keys: readonly KeyName[]
  readonly destroyAt: string
  /** Does the root key itself wrap DEKs of it? Then whoever may use that opens them without these keys. */
  readonly isRootWrapped: boolean
  /** Rows that become unreadable, in every column of this database that was ever registered. */
  readonly columns: readonly ScannedColumn[]
}

export interface ShredOptions {
  /** As for `destroyKey`. Days, 7 to 30. Default: 30. */
  readonly waitDays?: number
  /** Asked before each step; nothing is done if it says no. Default: yes. */
  readonly confirm?: (shredding: Shredding) => Promise<boolean>
}

export interface ShredReport extends Omit<Shredding, 'step' | 'destroyAt'> {
  /** As of `destroyKey`. */
  readonly outcome: 'scheduled' | 'waiting' | 'destroyed' | 'declined'
  /** When the KEKs may be deleted; null if they are. */
  readonly destroyAt: string | null
}

/**
 * Shred what a whole keyring protects, as a tenant's data, in two calls: the first lets it seal and open nothing
 * from then on, reversibly; the second, once the waiting period is over, deletes the wrapped KEKs of all its
 * versions and index keys.
 *
 * @param name - of the keyring.
 * @throws {TypeError} if no keyring is called so, or for a waiting period out of bounds.
 * @throws {MigrationError} `ERR_FIELD_MISSING` `ERR_RUN_TABLES` `ERR_DATABASE_FAILED` `ERR_DATABASE_BUSY`
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEYRING_MISSING`
 */
export async function destroyKeyring(
  config: MigratorConfig,
  name: string,
  options: ShredOptions = {},
): Promise<ShredReport> {
  const waitDays = waitDaysOf(options)
  const context = await openOne(config, name)
  try {
    const keyring = chosenKeyring(context, name)
    return await step(context, keyring, waitDays, options)
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}

/**
 * Let a keyring open again that is about to be destroyed. It seals again once it is rotated.
 *
 * @throws as `destroyKeyring`
 */
export async function cancelDestroyKeyring(
  config: MigratorConfig,
  name: string,
): Promise<readonly KeyName[]> {
  const rows = await cancelKeyringEnd(chosenKeyring(await openOne(config, name), name))
  return rows.map(keyName)
}

async function step(
  context: Context,
  keyring: Keyring,
  waitDays: number,
  { confirm }: ShredOptions,
): Promise<ShredReport> {
  const rows = await rowsOf(keyring)
  const live = rows.filter(({ state }) => state !== 'destroyed')
  const ids = live.map(({ keyId }) => keyId)
  const columns = ids.length === 0 ? [] : await scanFor(context, ids)
  const isRootWrapped = rows.some(({ suite }) => suite === 0x02)
  const report = (outcome: ShredReport['outcome'], after: readonly KeyRow[]): ShredReport => {
    const destroyAt = lastOf(after)?.toISOString() ?? null
    const keys = after.map(keyName)
    return { outcome, keyring: keyring.name, keys, destroyAt, isRootWrapped, columns }
  }
  if (live.length === 0) return report('destroyed', rows)
  // One that is not scheduled yet, such as a version that came since, begins anew.
  const isScheduled = live.every(({ destroyAt }) => destroyAt !== null)
  const at = isScheduled ? lastOf(live)! : new Date(Date.now() + waitDays * DAY_MS)
  if (isScheduled && at > new Date()) return report('waiting', rows)
  const shredding: Shredding = {
    step: isScheduled ? 'delete' : 'schedule',
    keyring: keyring.name,
    keys: live.map(keyName),
    destroyAt: at.toISOString(),
    isRootWrapped,
    columns,
  }
  if (confirm !== undefined && !(await confirm(shredding))) return report('declined', rows)
  if (isScheduled) return report('destroyed', await destroy(keyring))
  return report('scheduled', await closeKeyring(keyring, at))
}

async function rowsOf(keyring: Keyring): Promise<readonly KeyRow[]> {
  if (!(await keyring.refresh())) await keyring.verify()
  await keyring.index.refresh()
  return [...keyring.keys(), ...keyring.index.keys()]
}

function lastOf(rows: readonly KeyRow[]): Date | undefined {
  const times = rows.flatMap(({ destroyAt }) => (destroyAt === null ? [] : [destroyAt.getTime()]))
  return times.length === 0 ? undefined : new Date(Math.max(...times))
}
