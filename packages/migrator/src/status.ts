import {
  countByIndex,
  findStalenessIndexes,
  type StalenessState,
} from '@rowseal/prisma-extension/sql'
import { byKey } from './by-key.ts'
import { isPool, openContext, type Context, type MigratorConfig } from './config.ts'
import { asMigrationError } from './database-error.ts'
import { unknownOf, type UnknownValues } from './drain/unknown.ts'
import { cryptoperiodOf, type DueOptions } from './due.ts'
import { rootKeysOf, type RootKeyStatus } from './keys/root-keys.ts'
import { unplannedFields, type UnplannedField } from './keys/unplanned.ts'
import { runInfos, type RunInfo } from './runs/list.ts'
import { RunStore } from './runs/store.ts'
import { keyringStatuses, keyStatuses, type KeyringStatus, type KeyStatus } from './status-keys.ts'
import { indexStatuses, type IndexStatus } from './status-indexes.ts'
import { loadTargets, type TargetField, type Target } from './targets.ts'

export interface FieldStatus {
  readonly model: string
  readonly field: string
  /** `tenant/*` for a field under the keyrings of all tenants. */
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
  /** Its staleness index. `rowseal ddl index` prints one that is `missing` or `invalid`. */
  readonly stalenessIndex: StalenessState
}

export interface StatusReport {
  readonly keys: readonly KeyStatus[]
  /** The keyrings, with those of index keys. */
  readonly keyrings: readonly KeyringStatus[]
  /** What the KMS says of the root keys. */
  readonly rootKeys: readonly RootKeyStatus[]
  readonly fields: readonly FieldStatus[]
  /** Sealed values of fields that left the plan; not looked for where models are named. */
  readonly unplanned: readonly UnplannedField[]
  /** The blind indexes. */
  readonly indexes: readonly IndexStatus[]
  readonly runs: readonly RunInfo[]
  readonly stale: number
  /** Values under keys that the keyring of their field does not have. */
  readonly unknown: readonly UnknownValues[]
}

/**
 * Count the values of every sealed field, and of every blind index, by key version. Reads whole
 * tables, except by the staleness indexes of PostgreSQL and SQLite; writes nothing.
 *
 * @param models - default: all with sealed fields. What is said of keys then is about those only.
 * @throws {MigrationError} `ERR_PLAN_DATABASE` `ERR_DATABASE_FAILED` `ERR_CONFIG_INVALID`
 * @throws {KeyError} if the key store cannot be read, or has no such keyring.
 */
export async function status(
  config: MigratorConfig,
  models?: readonly string[],
  options: DueOptions = {},
): Promise<StatusReport> {
  cryptoperiodOf(options)
  const context = await openContext(config)
  try {
    for (const keyring of context.keyrings.values())
      if (!(await keyring.refresh())) await keyring.verify()
    const targets = await loadTargets(context, models)
    const store = new RunStore(context.client, context.plan.provider)
    const quarantined = await store.quarantine.counts()
    const fields: FieldStatus[] = []
    for (const target of targets)
      fields.push(...(await fieldStatuses(context, target, quarantined)))
    // Those of tenants are each tenant's own, and are counted by `verify`.
    const single = targets.map((target) => ({
      ...target,
      indexes: target.indexes.filter(({ field }) => field.values.only !== null),
    }))
    const indexed = new Set(single.flatMap(({ indexes }) => indexes.map(({ field }) => field)))
    for (const { keyring } of indexed) await keyring.index.refresh()
    const indexes = await indexStatuses(context, single, quarantined)
    const keyrings = [...context.keyrings.values()]
    const rootKeys = await rootKeysOf(keyrings)
    const unplanned = models === undefined ? await unplannedFields(context) : []
    const counts = countsOf(fields, unplanned, indexes)
    const [isWhole, isOfTenants] = [models === undefined, isPool(config.keyring)]
    return {
      keys: keyrings.flatMap((keyring) =>
        keyStatuses(keyring, { counts, isWhole, isOfTenants, rootKeys }, options),
      ),
      keyrings: keyrings.flatMap(keyringStatuses),
      rootKeys,
      fields,
      unplanned,
      indexes,
      runs: await runInfos(store),
      stale: fields.reduce((sum, field) => sum + field.stale, 0),
      unknown: unknownOf(
        context,
        fields.map((field) => ({ model: field.model, fields: [field] })),
      ),
    }
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}

async function fieldStatuses(
  { client }: Context,
  target: Target,
  quarantined: ReadonlyMap<string, number>,
): Promise<FieldStatus[]> {
  const { table, source } = target
  const found = await findStalenessIndexes(client, table, source)
  const states = new Map(found.map(({ field, state }) => [field, state]))
  const statuses: FieldStatus[] = []
  for (const field of target.fields) {
    const index = states.get(field.name) ?? 'missing'
    const rows = await countByIndex(client, table, field.column, index === 'present')
    const counts = new Map(rows.map(({ kind, count }) => [kind, Number(count)]))
    statuses.push(fieldStatus(target, field, counts, quarantined.get(field.label) ?? 0, index))
  }
  return statuses
}

function fieldStatus(
  { model }: Target,
  { name, values: keyring }: TargetField,
  counts: ReadonlyMap<string, number>,
  quarantined: number,
  stalenessIndex: StalenessState,
): FieldStatus {
  const rows = new Map(keyring.keys().map((row) => [row.keyId, row]))
  const versions = byKey(counts).map(({ keyId, count }) => {
    return { keyId, version: rows.get(keyId)?.version ?? null, count }
  })
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
    stalenessIndex,
  }
}

/** Values by key id, which names one key of whatever keyring. */
function countsOf(
  fields: readonly FieldStatus[],
  unplanned: readonly UnplannedField[],
  indexes: readonly IndexStatus[],
): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  const columns = indexes.flatMap((index) => index.columns)
  const planned = [...fields, ...columns].flatMap(({ versions }) => versions)
  for (const { keyId, count } of [...planned, ...unplanned.flatMap(({ keys }) => keys)])
    counts.set(keyId, (counts.get(keyId) ?? 0) + count)
  return counts
}
