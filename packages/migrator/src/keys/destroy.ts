import { KeyError } from '@rowseal/prisma-extension'
import {
  cancelDestruction,
  destroyKey as destroy,
  isIndexKeyring,
  scheduleDestruction,
  type KeyRow,
} from '@rowseal/prisma-extension/keys'
import { contextOf, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { integer } from '../engine/options.ts'
import { findKey, keyName, kindOf, type FoundKey, type KeyName } from './find.ts'
import { proofOf, type Proof } from './proof.ts'
import { assertUnused, scanFor, type ScannedColumn } from './scan.ts'

export const DAY_MS = 86_400_000
const [MIN_DAYS, MAX_DAYS] = [7, 30]

/** What is about to happen, for whoever is asked. */
export interface Destruction {
  /** `schedule`: the key stops opening, reversibly. `delete`: its KEK is deleted for good. */
  readonly step: 'schedule' | 'delete'
  readonly key: KeyName
  /** When the KEK may be deleted. */
  readonly destroyAt: string
  /**
   * Backups of the database made between these two may hold values under the key, and cannot be read without
   * it: from when it became active until no value named it any more.
   */
  readonly backups: { readonly from: string | null; readonly to: string }
  readonly columns: readonly ScannedColumn[]
  readonly proof: Proof
}

export interface DestroyOptions {
  /** How long the key opens nothing before its KEK may be deleted. Days, 7 to 30. Default: 30. */
  readonly waitDays?: number
  /** Asked before each step; nothing is done if it says no. Default: yes. */
  readonly confirm?: (destruction: Destruction) => Promise<boolean>
}

export interface DestroyReport extends Omit<Destruction, 'step' | 'destroyAt'> {
  /**
   * `scheduled`: it opens nothing from now on. `waiting`: it was scheduled before, and the period is not over.
   * `destroyed`: its KEK is gone. `declined`: nothing was done.
   */
  readonly outcome: 'scheduled' | 'waiting' | 'destroyed' | 'declined'
  /** When the KEK may be deleted; null if it is. */
  readonly destroyAt: string | null
  /** Whole days since it last was the active version; null if it never was. */
  readonly waitedDays: number | null
}

/**
 * Destroy a key version in two calls: the first looks for values that name it, and lets it open nothing from then
 * on, reversibly; the second, once the waiting period is over, looks again and deletes its wrapped KEK. A
 * tombstone stays.
 *
 * @param keyId - of a deactivated or compromised KEK or index key.
 * @throws {MigrationError} as `retireKey`
 * @throws {KeyError} `ERR_KEY_STATE` if it is neither, or destroyed; `ERR_KEY_UNKNOWN`,
 *   `ERR_KEYRING_CONFLICT` (retryable)
 * @throws {TypeError} for a waiting period out of bounds.
 */
export async function destroyKey(
  config: MigratorConfig,
  keyId: number,
  options: DestroyOptions = {},
): Promise<DestroyReport> {
  const waitDays = waitDaysOf(options)
  const context = contextOf(config)
  try {
    const found = await findKey(context, keyId)
    assertEnding(found.row)
    const columns = await scanFor(context, [keyId], kindOf(found))
    assertUnused(columns, found.row)
    const proof = await proofOf(config, keyId, columns)
    return await step(found, { columns, proof }, waitDays, options)
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}

/**
 * Let a key version open again whose destruction is under way.
 *
 * @throws {KeyError} `ERR_KEY_STATE` if it is not, `ERR_KEY_UNKNOWN`, `ERR_KEYRING_CONFLICT` (retryable)
 */
export async function cancelDestroy(config: MigratorConfig, keyId: number): Promise<KeyName> {
  const { keyring } = await findKey(contextOf(config), keyId)
  return keyName(await cancelDestruction(keyring, keyId))
}

/** @throws {TypeError} naming the option. */
export function waitDaysOf({ waitDays = MAX_DAYS }: Pick<DestroyOptions, 'waitDays'>): number {
  return integer('waitDays', waitDays, MAX_DAYS, MIN_DAYS)
}

async function step(
  { keyring, row }: FoundKey,
  seen: Pick<Destruction, 'columns' | 'proof'>,
  waitDays: number,
  { confirm }: DestroyOptions,
): Promise<DestroyReport> {
  const { keyId } = row
  const destroyAt = row.destroyAt ?? new Date(Date.now() + waitDays * DAY_MS)
  const report = (outcome: DestroyReport['outcome'], after: KeyRow = row): DestroyReport => ({
    outcome,
    key: keyName(after),
    destroyAt: after.destroyAt?.toISOString() ?? null,
    backups: backupsOf(row),
    waitedDays: daysSince(row.suspendedAt),
    ...seen,
  })
  if (row.destroyAt !== null && row.destroyAt > new Date()) return report('waiting')
  const destruction: Destruction = {
    step: row.destroyAt === null ? 'schedule' : 'delete',
    key: keyName(row),
    destroyAt: destroyAt.toISOString(),
    backups: backupsOf(row),
    ...seen,
  }
  if (confirm !== undefined && !(await confirm(destruction))) return report('declined')
  if (destruction.step === 'schedule')
    return report('scheduled', await scheduleDestruction(keyring, keyId, destroyAt, row))
  return report('destroyed', await destroy(keyring, keyId, new Date(), row))
}

/** When a version was deactivated none named it. Of a leaked one it is known only now. */
function backupsOf({ state, stateAt, activatedAt }: KeyRow): Destruction['backups'] {
  const to = state === 'deactivated' ? stateAt : new Date()
  return { from: activatedAt?.toISOString() ?? null, to: to.toISOString() }
}

function daysSince(at: Date | null): number | null {
  return at === null ? null : Math.floor((Date.now() - at.getTime()) / DAY_MS)
}

function assertEnding({ keyId, keyring, state }: KeyRow): void {
  if (state === 'deactivated' || state === 'compromised') return
  const index = isIndexKeyring(keyring) ? ' --index' : ''
  const fixes: Partial<Record<typeof state, string>> = {
    'pre-activation': `It waits to become active, which \`npx rowseal rotate${index}\` makes it. If it leaked: \`npx rowseal keys compromise ${keyId}\`.`,
    active: 'Let another version take over, move its values, and retire it first.',
    suspended: `Retire it first: \`npx rowseal keys retire ${keyId}\`.`,
  }
  const fix = fixes[state] ?? 'Nothing is left to do.'
  throw new KeyError('ERR_KEY_STATE', `Key ${keyId} of keyring "${keyring}" is ${state}.`, { fix })
}
