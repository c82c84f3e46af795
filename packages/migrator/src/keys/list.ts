import type { Keyring } from '@rowseal/prisma-extension'
import type { KeyRow, KeyState, Suite } from '@rowseal/prisma-extension/keys'
import { openContext, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { ageDaysOf, dueReasons, type DueOptions, type DueReason } from '../due.ts'
import { status } from '../status.ts'
import { rootKeysOf, type RootKeyStatus } from './root-keys.ts'

export interface ListedKey {
  readonly keyId: number
  readonly version: number
  readonly state: KeyState
  readonly suite: Suite
  /** Days since the version became active; null if it never was. */
  readonly ageDays: number | null
  /** DEKs that it wrapped at most. Index keys wrap none. */
  readonly uses: number
  readonly rootKeyId: string
  /** Why it should be rotated. */
  readonly due: readonly DueReason[]
  readonly compromisedAt: string | null
  /** It opens nothing, and may be deleted from then on. */
  readonly destroyAt: string | null
  /** Values under it, in all fields of this plan; null unless they were to be counted. */
  readonly values: number | null
}

export interface ListedKeyring {
  /** `<name>/index` for the keys of blind indexes. */
  readonly keyring: string
  /** To be kept outside of the store, as `minRevision` (for index keys `minIndexRevision`) of `openKeyring`. */
  readonly revision: number
  /** False if it seals nothing any more. */
  readonly isOpen: boolean
  readonly keys: readonly ListedKey[]
}

export interface KeysReport {
  readonly keyrings: readonly ListedKeyring[]
  readonly rootKeys: readonly RootKeyStatus[]
}

export interface ListOptions extends DueOptions {
  /** Count the values under each key, which reads whole tables. Default: false. */
  readonly count?: boolean
}

/**
 * Every key version of every keyring, and what the KMS says of the root keys.
 *
 * @throws {KeyError} if the key store cannot be read, or has no such keyring.
 */
export async function listKeys(
  config: MigratorConfig,
  options: ListOptions = {},
): Promise<KeysReport> {
  const { keyrings, plan } = await openContext(config)
  try {
    const counts = options.count === true ? await countsOf(config) : null
    const listed: ListedKeyring[] = []
    for (const keyring of keyrings.values()) {
      if (!(await keyring.refresh())) await keyring.verify()
      listed.push(listedRing(keyring.name, keyring.keys(), revisionOf(keyring), counts, options))
      if (!(await keyring.index.refresh())) continue
      const { index } = keyring
      const revision = index.stats()?.revision ?? 0
      listed.push(listedRing(index.name, index.keys(), revision, counts, options))
    }
    return { keyrings: listed, rootKeys: await rootKeysOf(keyrings.values()) }
  } catch (error) {
    throw asMigrationError(error, plan.provider === 'sqlite', 'try again')
  }
}

function revisionOf(keyring: Keyring): number {
  return keyring.stats().revision ?? 0
}

async function countsOf(config: MigratorConfig): Promise<ReadonlyMap<number, number>> {
  const { keys } = await status(config)
  return new Map(keys.map(({ keyId, values }) => [keyId, values]))
}

function listedRing(
  keyring: string,
  rows: readonly KeyRow[],
  revision: number,
  counts: ReadonlyMap<number, number> | null,
  options: DueOptions,
): ListedKeyring {
  const due = dueReasons(rows, options)
  const keys = rows.map((row) => ({
    keyId: row.keyId,
    version: row.version,
    state: row.state,
    suite: row.suite,
    ageDays: ageDaysOf(row),
    uses: row.uses,
    rootKeyId: row.rootKeyId,
    due: row.state === 'active' ? due : [],
    compromisedAt: row.compromisedAt?.toISOString() ?? null,
    destroyAt: row.destroyAt?.toISOString() ?? null,
    values: counts === null ? null : (counts.get(row.keyId) ?? 0),
  }))
  return { keyring, revision, isOpen: rows.some(({ state }) => state === 'active'), keys }
}
