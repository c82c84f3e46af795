import {
  envelopeCondition,
  swapIn,
  type ColumnScalar,
  type PageRow,
} from '@rowseal/prisma-extension/sql'
import { partsOf, sealedFields, swapRows, type SealedChange } from '../drain/reencrypt.ts'
import type { Batch, Strategy } from '../engine/strategy.ts'
import { collect, named, open, type Site } from '../engine/values.ts'
import { MigrationError } from '../errors.ts'
import type { Target, TargetField } from '../targets.ts'
import { plainValue } from './plain.ts'

/**
 * Put the value in the place of every envelope of some fields. Their blind indexes stay as they are: the
 * extension goes on writing and searching them.
 */
export function decryptStrategy(
  target: Target,
  fields: readonly TargetField[],
): Strategy<SealedChange> {
  const { table } = target
  const names = fields.map(({ name }) => name)
  return {
    target: `decrypt ${JSON.stringify(names)}`,
    columns: fields.map(({ column }) => column),
    where: envelopeWhere(target, fields),
    prepare: (rows) => openRows(target, fields, rows),
    write: (tx, changes) => swapIn(tx, table, names, changes),
    parts: partsOf(names),
    fields: sealedFields(fields, 'plaintext'),
  }
}

/** A condition on the rows that hold at least one envelope, or what begins like one. */
export function envelopeWhere({ table }: Target, fields: readonly TargetField[]): string {
  return fields.map(({ column }) => envelopeCondition(table, column)).join(' OR ')
}

/**
 * The fields of a model that the application seals no more (`seal: off`), in the order of the plan.
 *
 * @throws {MigrationError} `ERR_SEAL_ON` if there are none.
 */
export function fieldsToDecrypt({ model, fields }: Target): readonly TargetField[] {
  const open = fields.filter(({ spec }) => spec.seal === 'off')
  if (open.length > 0) return open
  const labels = fields.map(({ label }) => label)
  throw new MigrationError(
    'ERR_SEAL_ON',
    `The application still seals what it writes to ${labels.join(', ')}, so ${model} would never be done.`,
    {
      field: labels[0]!,
      fix: 'Annotate each field that is to leave with `@encrypted(seal: off)`, generate, and deploy that first.',
    },
  )
}

/**
 * The strategy for a pass that begins now, with keys as the key store says.
 *
 * @throws {KeyError} `ERR_KEYRING_MISSING`, `ERR_KEY_MISMATCH`, `ERR_KEY_UNAVAILABLE`
 * @throws {MigrationError} `ERR_SEAL_ON`
 */
export async function decryptPass(target: Target): Promise<Strategy<SealedChange>> {
  const fields = fieldsToDecrypt(target)
  for (const keyring of new Set(fields.map(({ values }) => values))) {
    await keyring.refresh()
    await keyring.verify()
  }
  return decryptStrategy(target, fields)
}

/** What does not open, and what the column cannot hold unsealed, is bad and stays. */
async function openRows(
  { table: { provider } }: Target,
  fields: readonly TargetField[],
  rows: readonly PageRow[],
): Promise<Batch<SealedChange>> {
  const { sites, bad } = collect(fields, rows, () => true)
  const values: { site: Site; value: ColumnScalar }[] = []
  const unopened = await open(fields, sites, (site, plaintext) => {
    values.push({ site, value: plainValue(provider, fields[site.field]!, plaintext) })
  })
  return {
    changes: swapRows(fields, rows, values),
    bad: named(fields, [...bad, ...unopened]),
  }
}
