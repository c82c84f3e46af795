import { KeyError } from '@rowseal/prisma-extension'
import { retireKey as retire } from '@rowseal/prisma-extension/keys'
import { contextOf, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { integer } from '../engine/options.ts'
import { applyFence } from '../fence/apply.ts'
import type { WaitEvent } from '../engine/events.ts'
import { pause, Waits } from '../waits.ts'
import { findKey, keyName, kindOf, type FoundKey, type KeyName } from './find.ts'
import { proofOf, type Proof } from './proof.ts'
import { assertUnused, scanFor, type ScannedColumn } from './scan.ts'

export interface RetireOptions {
  /** Have the database refuse every value under the key from now on. Default: false. */
  readonly fence?: boolean
  /** Do not wait until every instance follows: there are none, or they were all started anew. Default: false. */
  readonly now?: boolean
  /** As for `reindex`. Milliseconds, 0 to 3,600,000. Default: 5,000. */
  readonly maxTransactionMs?: number
  /** Ends the wait. Nothing was changed then. */
  readonly signal?: AbortSignal
  /** Called while it waits. Must not throw. */
  readonly onEvent?: (event: WaitEvent) => void
}

export interface RetireReport {
  readonly outcome: 'done' | 'stopped'
  readonly key: KeyName
  /** Every column that was looked through; none holds a value under the key. Empty if stopped. */
  readonly columns: readonly ScannedColumn[]
  readonly proof: Proof
}

/**
 * Deactivate a suspended key version that no value names any more: it never seals again. Looks through every
 * column of this database that was ever registered, once no instance seals under it.
 *
 * @param keyId - of a KEK or an index key.
 * @throws {MigrationError} `ERR_KEY_IN_USE` with `counts` while any value names it; `ERR_FIELD_MISSING`
 *   `ERR_RUN_TABLES` `ERR_DATABASE_FAILED` `ERR_DATABASE_BUSY` `ERR_CONFIG_INVALID`
 * @throws {KeyError} `ERR_KEY_STATE` if it is not suspended, or a unique index is under it;
 *   `ERR_KEY_UNKNOWN`, `ERR_KEYRING_CONFLICT` (retryable)
 */
export async function retireKey(
  config: MigratorConfig,
  keyId: number,
  options: RetireOptions = {},
): Promise<RetireReport> {
  const context = contextOf(config)
  try {
    const found = await findKey(context, keyId)
    assertSuspended(found)
    const { keyring, row } = found
    const scan = (): Promise<ScannedColumn[]> => scanFor(context, [keyId], kindOf(found))
    const ms = waitOf(found, options)
    // Nobody waits for a refusal.
    if (ms > 0) assertUnused(await scan(), row)
    if (!(await followed(ms, keyId, options))) {
      const proof = await proofOf(config, keyId, [])
      return { outcome: 'stopped', key: keyName(row), columns: [], proof }
    }
    if (options.fence === true) await applyFence(config, keyId)
    const columns = await scan()
    assertUnused(columns, row)
    const key = keyName(await retire(keyring, keyId, row))
    return { outcome: 'done', key, columns, proof: await proofOf(config, keyId, columns) }
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}

function assertSuspended({ row, holds }: FoundKey): void {
  const { keyId, keyring, state } = row
  if (state === 'suspended') return
  const rotate = `npx rowseal rotate${holds === 'indexes' ? ' --index' : ''}`
  const fixes: Partial<Record<typeof state, string>> = {
    active: `Let another version take over first: \`${rotate}\`.`,
    'pre-activation': `\`${rotate}\` makes it active.`,
    deactivated: `It was retired before. Next: \`npx rowseal keys destroy ${keyId}\`.`,
    compromised: `It is destroyed without being retired: \`npx rowseal keys destroy ${keyId}\`.`,
  }
  throw new KeyError('ERR_KEY_STATE', `Key ${keyId} of keyring "${keyring}" is ${state}.`, {
    fix: fixes[state] ?? 'Nothing is left to do.',
  })
}

/** Milliseconds until no instance seals under a key any more. */
function waitOf(
  { keyring, row }: FoundKey,
  { now, maxTransactionMs = 5_000 }: RetireOptions,
): number {
  const transactionMs = integer('maxTransactionMs', maxTransactionMs, 3_600_000, 0)
  if (now === true) return 0
  return new Waits().left('', keyring.index.maxAgeMs + transactionMs, row.suspendedAt)
}

/** @returns false if told to stop. */
async function followed(
  ms: number,
  keyId: number,
  { signal, onEvent }: RetireOptions,
): Promise<boolean> {
  if (ms === 0) return true
  onEvent?.({ type: 'wait', ms, reason: `until no instance seals under key ${keyId}` })
  return pause(ms, signal)
}
