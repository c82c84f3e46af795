import { groupSwapIn, plaintextCondition } from '@rowseal/prisma-extension/sql'
import type { Strategy, StrategyField } from '../engine/strategy.ts'
import type { Target } from '../targets.ts'
import { duplicates, parts } from './duplicates.ts'
import { columnsOf, fieldsToEncrypt, type FieldWork } from './fields.ts'
import { indexProof, indexValues } from './index-values.ts'
import { sealRows, type EncryptChange } from './seal-rows.ts'

/** Seal every value that is not, and fill the blind indexes of its field in the same statement. */
export function encryptStrategy(
  target: Target,
  fields: readonly FieldWork[],
): Strategy<EncryptChange> {
  const { table } = target
  const groups = fields.map(({ group }) => group)
  return {
    target: `encrypt ${JSON.stringify(fields.map(({ field }) => field.name))}`,
    columns: columnsOf(fields),
    where: plaintextWhere(target, fields),
    prepare: (rows) => sealRows(table.provider, fields, rows),
    write: (tx, changes) => groupSwapIn(tx, table, groups, changes),
    parts: parts(fields),
    fields: changedFields(fields),
    duplicates: duplicates(target, fields),
  }
}

function changedFields(fields: readonly FieldWork[]): StrategyField<EncryptChange>[] {
  let place = 0
  return fields.map((work, at) => ({
    field: work.field,
    places: work.group.set.map(() => place++),
    becomes: 'sealed',
    next: ({ swaps }) => swaps[at]?.next ?? null,
    ...(work.columns.length === 0 ? {} : { indexProof: () => indexProof(work) }),
  }))
}

/** A condition on the rows that hold at least one value that is not sealed. */
export function plaintextWhere({ table }: Target, fields: readonly FieldWork[]): string {
  return fields.map(({ field }) => plaintextCondition(table, field.column)).join(' OR ')
}

/**
 * The strategy for a pass that begins now, with keys and blind indexes as the key store says.
 *
 * @throws {KeyError} `ERR_KEYRING_MISSING`, `ERR_KEY_MISMATCH`, `ERR_KEY_UNAVAILABLE`, `ERR_INDEX_STATE`
 * @throws {MigrationError} `ERR_CONFIG_INVALID`, `ERR_PLAN_DATABASE`
 */
export async function encryptPass(target: Target): Promise<Strategy<EncryptChange>> {
  const fields = fieldsToEncrypt(target)
  const isIndexed = ({ columns }: FieldWork): boolean => columns.length > 0
  for (const keyring of new Set(fields.map(({ field }) => field.keyring))) {
    await keyring.refresh()
    await keyring.verify()
  }
  for (const keyring of new Set(fields.filter(isIndexed).map(({ field }) => field.keyring)))
    await keyring.index.refresh()
  await indexValues(fields) // what cannot be indexed now is refused before anything is read
  return encryptStrategy(target, fields)
}

/** As `encryptPass`, without blind indexes where these cannot be filled yet: they are registered by a run. */
export async function encryptDryPass(target: Target): Promise<Strategy<EncryptChange>> {
  try {
    return await encryptPass(target)
  } catch (error) {
    if ((Object(error) as { code?: unknown }).code !== 'ERR_INDEX_STATE') throw error
    return encryptStrategy(target, fieldsToEncrypt({ ...target, indexes: [] }))
  }
}
