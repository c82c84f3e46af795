import type { Keyring } from '@rowseal/prisma-extension'
import type { KeyRow } from '@rowseal/prisma-extension/keys'
import { staleCondition } from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import type { StaleKeys } from '../drain/reencrypt.ts'
import { staleKeysOf } from '../drain/stale-keys.ts'
import { MigrationError } from '../errors.ts'
import { countRows, type Target } from '../targets.ts'
import type { ValueKeyring } from '../tenants.ts'

const DRAIN = 'Run `npx rowseal drain`, which re-encrypts them under fresh DEKs'

/**
 * The key ids that are stale, as the key store says now, once it is sure that the root key can move the
 * values of all of them as they are.
 *
 * @throws {MigrationError} `ERR_REWRAP_REFUSED` if a row has a stale value that it cannot: one whose DEK leaked,
 *   or is not wrapped by the root key, or has to come under an active version that has other DEKs.
 * @throws {KeyError} as `staleKeysOf`
 */
export async function rewrappableKeysOf(context: Context, target: Target): Promise<StaleKeys> {
  const stale = await staleKeysOf(target)
  for (const [values, keyIds] of stale)
    for (const keyId of keyIds) {
      const reason = reasonAgainst(values, keyId)
      if (reason !== null) await assertNone(context, target, values, keyId, reason)
    }
  return stale
}

/**
 * Refuse a plan whose DEKs no root key wraps.
 *
 * @throws {MigrationError} `ERR_REWRAP_REFUSED`
 */
export function assertAnyByRoot(targets: readonly Target[]): void {
  const keyrings = new Set(targets.flatMap(({ fields }) => fields.map(({ values }) => values)))
  const rows = [...keyrings].flatMap((values) => values.keys())
  if (rows.some(({ suite, state }) => suite === 0x02 && state === 'active')) return
  const names = [...keyrings].map(({ name }) => `"${name}"`).join(', ')
  throw refusal(
    `Keyring ${names} wraps its DEKs itself, so there is nothing that the KMS could re-wrap.`,
    `${DRAIN}, without a call of the KMS.`,
  )
}

/**
 * Refuse a value under a key that had none when the pass began.
 *
 * @throws {MigrationError} `ERR_REWRAP_REFUSED`
 */
export function assertMovable(values: ValueKeyring, keyId: number, label: string): void {
  const reason = reasonAgainst(values, keyId)
  if (reason === null) return
  throw refusal(`${label} has values under key ${keyId}, which ${reason}${SO}`, `${DRAIN}.`, label)
}

const SO = ': they cannot be re-wrapped.'

/** Why values under a key cannot be moved as they are, as the end of a sentence; null if they can. */
function reasonAgainst(values: ValueKeyring, keyId: number): string | null {
  const keyring = values.holder(keyId)
  const row = rowOf(keyring, keyId)
  if (keyring === null || row === undefined) return 'is in no keyring'
  if (row.state === 'compromised') return 'leaked, and the DEKs under it with it'
  if (row.suite !== 0x02) return 'wraps its DEKs itself, not by the KMS'
  if (rowOf(keyring, keyring.activeKeyId)?.suite !== 0x02)
    return 'has DEKs of the KMS, and those of the active version are not'
  return keyring.root.rebind === undefined
    ? `has a root key (${keyring.root.provider}) that cannot do it`
    : null
}

function rowOf(keyring: Keyring | null, keyId: number | null): KeyRow | undefined {
  return keyring?.keys().find((row) => row.keyId === keyId)
}

async function assertNone(
  context: Context,
  target: Target,
  values: ValueKeyring,
  keyId: number,
  reason: string,
): Promise<void> {
  for (const { label, column } of target.fields.filter((field) => field.values === values)) {
    const rows = await countRows(context, target, staleCondition(target.table, column, [keyId]))
    if (rows === 0) continue
    const message = `${label} has values in ${rows} rows under key ${keyId}, which ${reason}${SO}`
    throw refusal(message, `${DRAIN}.`, label)
  }
}

function refusal(message: string, fix: string, field?: string): MigrationError {
  return new MigrationError('ERR_REWRAP_REFUSED', message, {
    fix,
    ...(field === undefined ? {} : { field }),
  })
}
