import type { KeyColumn, SealedColumn, SwapGroup } from '@rowseal/prisma-extension/sql'
import { MigrationError } from '../errors.ts'
import type { Target, TargetField, TargetIndex, TargetIndexColumn } from '../targets.ts'

/** A field to encrypt, with the columns that change with it. */
export interface FieldWork {
  readonly field: TargetField
  readonly columns: readonly ColumnWork[]
  /** Places of what it binds among the bound columns of a table. */
  readonly bound: readonly number[]
  readonly group: SwapGroup
}

/** One column of a blind index. */
export interface ColumnWork extends TargetIndexColumn {
  readonly index: TargetIndex
  /** 0 for the first one of its index. */
  readonly slot: number
}

/**
 * The fields of a model that the application seals, in the order of the plan. Those with `seal: off` are not
 * among them.
 *
 * @throws {MigrationError} `ERR_CONFIG_INVALID` if one is under the keyring of each tenant.
 */
export function fieldsToEncrypt({ fields, indexes, table }: Target): FieldWork[] {
  const sealed = fields.filter(({ spec }) => spec.seal === 'on')
  return sealed.map((field) => {
    if (field.values.only === null) throw ofTenants(field)
    const columns = indexes
      .filter((index) => index.field === field)
      .flatMap((index) =>
        index.columns.flatMap((column, slot) =>
          column === null ? [] : [{ ...column, index, slot }],
        ),
      )
    const all = [field.column, ...columns.map(({ column }) => column)]
    const bound = field.spec.bind.map((name) => table.bound.findIndex((one) => one.field === name))
    const binding: readonly KeyColumn[] = bound.map((place) => table.bound[place]!)
    return { field, columns, bound, group: { compared: all, set: all, bound: binding } }
  })
}

/** What a page of these fields is read with. */
export function columnsOf(work: readonly FieldWork[]): SealedColumn[] {
  return work.flatMap(({ group }) => group.compared)
}

function ofTenants({ label }: TargetField): MigrationError {
  return new MigrationError(
    'ERR_CONFIG_INVALID',
    `${label} is under the keyring of each tenant, and nothing in a value that is not sealed says whose it is.`,
    {
      field: label,
      fix: 'Write those records again through the extension, each within its tenant: what it writes is sealed.',
    },
  )
}
