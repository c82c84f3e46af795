import type { Keyring } from '@rowseal/prisma-extension'
import type { KeyRow, KeyState } from '@rowseal/prisma-extension/keys'
import { countStatement, type CountRow } from '@rowseal/prisma-extension/sql'
import { contextOf, type Context, type MigratorConfig } from './config.ts'
import { asMigrationError } from './database-error.ts'
import { RunStore, type RunInfo } from './runs/store.ts'
import { indexStatuses, type IndexStatus } from './status-indexes.ts'
import { loadTargets, type TargetField, type Target } from './targets.ts'

export interface KeyStatus {
  /** `<name>/index` for the keys of blind indexes. */
  readonly keyring: string
  readonly keyId: number
  readonly version: number
  readonly state: KeyState
  readonly createdAt: string
  /** Days since the version became active; null if it never was. */
  readonly ageDays: number | null
  readonly rootKeyId: string
  /** Values under it, in all fields of this plan. */
  readonly values: number
}

export interface FieldStatus {
  readonly model: string
  readonly field: string
  readonly keyring: string
  /** Values by the version of their key; elements for lists. */
  readonly versions: readonly {
    readonly keyId: number
    /** Null if the keyring has no such key. */
    readonly version: number | null
    readonly count: number
  }[]
  /** Under a version that may open but is not the active one. */
  readonly stale: number
  /** Under a key id that the keyring does not have. */
  readonly unknown: number
  readonly plaintext: number
  /** For lists: rows without elements. */
  readonly null: number
  /** Starts like an envelope and is none. */
  readonly malformed: number
  /** Recorded by the last drain or verify. */
  readonly quarantined: number
}

export interface StatusReport {
  readonly keys: readonly KeyStatus[]
  readonly fields: readonly FieldStatus[]
  /** The blind indexes. */
  readonly indexes: readonly IndexStatus[]
  readonly runs: readonly RunInfo[]
  readonly stale: number
}

/**
 * Count the values of every sealed field, and of every blind index, by key version. Reads whole tables;
 * writes nothing.
 *
 * @param models - default: all with sealed fields.
 * @throws {MigrationError} `ERR_PLAN_DATABASE` `ERR_DATABASE_FAILED` `ERR_CONFIG_INVALID`
 * @throws {KeyError} if the key store cannot be read, or has no such keyring.
 */
export async function status(
  config: MigratorConfig,
  models?: readonly string[],
): Promise<StatusReport> {
  const context = contextOf(config)
  try {
    for (const keyring of context.keyrings.values())
      if (!(await keyring.refresh())) await keyring.verify()
    const targets = await loadTargets(context, models)
    const store = new RunStore(context.client, context.plan.provider)
    const quarantined = await store.quarantine.counts()
    const fields: FieldStatus[] = []
    for (const target of targets)
      for (const field of target.fields) {
        const counts = await countValues(context, target, field)
        fields.push(fieldStatus(target, field, counts, quarantined.get(field.label) ?? 0))
      }
    const indexed = new Set(targets.flatMap(({ indexes }) => indexes.map(({ field }) => field)))
    for (const { keyring } of indexed) await keyring.index.refresh()
    const indexes = await indexStatuses(context, targets, quarantined)
    return {
      keys: [...context.keyrings.values()].flatMap((keyring) => [
        ...keyStatuses(keyring.name, keyring.keys(), versionsOf(fields, keyring)),
        ...keyStatuses(keyring.index.name, keyring.index.keys(), indexVersionsOf(indexes, keyring)),
      ]),
      fields,
      indexes,
      runs: await store.list(),
      stale: fields.reduce((sum, field) => sum + field.stale, 0),
    }
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}

async function countValues(
  { client }: Context,
  { table }: Target,
  { column }: TargetField,
): Promise<ReadonlyMap<string, number>> {
  const rows = await client.$queryRawUnsafe<CountRow[]>(countStatement(table, column))
  return new Map(rows.map(({ kind, count }) => [kind, Number(count)]))
}

function fieldStatus(
  { model }: Target,
  { name, keyring }: TargetField,
  counts: ReadonlyMap<string, number>,
  quarantined: number,
): FieldStatus {
  const rows = new Map(keyring.keys().map((row) => [row.keyId, row]))
  const versions = [...counts]
    .filter(([kind]) => /^[0-9a-f]{8}$/.test(kind))
    .map(([kind, count]) => {
      const keyId = parseInt(kind, 16)
      return { keyId, version: rows.get(keyId)?.version ?? null, count }
    })
    .sort((a, b) => a.keyId - b.keyId)
  const sum = (isCounted: (version: (typeof versions)[number]) => boolean): number =>
    versions.filter(isCounted).reduce((total, { count }) => total + count, 0)
  return {
    model,
    field: name,
    keyring: keyring.name,
    versions,
    stale: sum(({ keyId }) => keyring.isStale(keyId)),
    unknown: sum(({ version }) => version === null),
    plaintext: counts.get('plaintext') ?? 0,
    null: counts.get('null') ?? 0,
    malformed: counts.get('malformed') ?? 0,
    quarantined,
  }
}

type Versions = readonly { readonly keyId: number; readonly count: number }[]

function versionsOf(fields: readonly FieldStatus[], { name }: Keyring): Versions {
  return fields.filter(({ keyring }) => keyring === name).flatMap(({ versions }) => versions)
}

function indexVersionsOf(indexes: readonly IndexStatus[], { name }: Keyring): Versions {
  return indexes
    .filter(({ keyring }) => keyring === name)
    .flatMap(({ columns }) => columns.flatMap(({ versions }) => versions))
}

function keyStatuses(keyring: string, rows: readonly KeyRow[], versions: Versions): KeyStatus[] {
  return rows.map((row) => ({
    keyring,
    keyId: row.keyId,
    version: row.version,
    state: row.state,
    createdAt: row.createdAt.toISOString(),
    ageDays:
      row.activatedAt === null
        ? null
        : Math.floor((Date.now() - row.activatedAt.getTime()) / 86_400_000),
    rootKeyId: row.rootKeyId,
    values: versions
      .filter(({ keyId }) => keyId === row.keyId)
      .reduce((sum, { count }) => sum + count, 0),
  }))
}
