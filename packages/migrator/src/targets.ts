import { EnvelopeError, type Keyring } from '@rowseal/prisma-extension'
import { valueAad } from '@rowseal/prisma-extension/envelope'
import type { ModelSource, Plan, SealedField } from '@rowseal/prisma-extension/plan'
import { indexesOf, type PlannedColumn, type PlannedIndex } from './blind-indexes.ts'
import {
  countRangeStatement,
  loadTable,
  type KeyRange,
  type PageRow,
  type SealedColumn,
  type Table,
} from '@rowseal/prisma-extension/sql'
import { keyringOf, valuesUnder, type Context } from './config.ts'
import type { ValueKeyring } from './tenants.ts'
import { assertSameTables } from './same-table.ts'
import { assertUsable } from './table-checks.ts'

/** A sealed field, with all that opening and sealing its values takes. */
export interface TargetField {
  /** `Model.field`. */
  readonly label: string
  readonly name: string
  readonly spec: SealedField
  /** What its values are under. */
  readonly values: ValueKeyring
  /** @throws {MigrationError} `ERR_CONFIG_INVALID` if its values are under those of all tenants. */
  readonly keyring: Keyring
  readonly column: SealedColumn
  /**
   * What its values in a row are bound to, in the order of its annotation; null if to nothing.
   *
   * @param bound - of the row, as `PageRow` has them.
   * @throws {EnvelopeError} `ERR_ENVELOPE_AUTH` if one that the field binds is NULL.
   */
  boundTo(bound: PageRow['bound']): readonly string[] | null
  /** What its values in a row authenticate. Parameters and errors as of `boundTo`. */
  aad(suite: 0x01 | 0x02, bound: PageRow['bound']): Uint8Array
}

/** A blind index, with all that filling it takes. */
export interface TargetIndex extends Omit<PlannedIndex, 'field' | 'columns'> {
  readonly field: TargetField
  /** By slot: the first is `columns[0]`. */
  readonly columns: readonly [TargetIndexColumn, TargetIndexColumn | null]
}

export interface TargetIndexColumn extends PlannedColumn {
  readonly column: SealedColumn
}

/** A model with sealed fields, and the table it really has. */
export interface Target {
  readonly model: string
  readonly source: ModelSource
  readonly table: Table
  readonly fields: readonly TargetField[]
  readonly indexes: readonly TargetIndex[]
}

const KINDS = { sealed: 'sealed fields', indexes: 'blind indexes' } as const

/**
 * The models with sealed fields (or blind indexes), in the order of the plan.
 *
 * @param only - names of models; undefined for all.
 * @throws {TypeError} if a name is none of a model with such fields.
 * @throws {MigrationError} `ERR_PLAN_DATABASE`, `ERR_CONFIG_INVALID` for a keyring that is not there.
 */
export async function loadTargets(
  context: Context,
  only?: readonly string[],
  kind: keyof typeof KINDS = 'sealed',
): Promise<Target[]> {
  const targets: Target[] = []
  const names = modelsOf(context.plan, only, kind)
  await assertSameTables(context, names)
  for (const name of names) targets.push(await loadTarget(context, name))
  return targets
}

/**
 * The names of the models with sealed fields (or blind indexes), in the order of the plan.
 *
 * @throws {TypeError} if a name is none of a model with such fields.
 */
export function modelsOf(
  { models }: Plan,
  only?: readonly string[],
  kind: keyof typeof KINDS = 'sealed',
): string[] {
  const names = Object.keys(models).filter(
    (name) => Object.keys(models[name]?.[kind] ?? {}).length > 0,
  )
  for (const name of only ?? [])
    if (!names.includes(name))
      throw new TypeError(
        `${name} is no model with ${KINDS[kind]}. There are: ${names.join(', ') || 'none'}.`,
      )
  return names.filter((name) => only?.includes(name) ?? true)
}

async function loadTarget(context: Context, model: string): Promise<Target> {
  const source = context.plan.models[model]!
  const table = await loadTable(context.client, context.plan.provider, source, model)
  await assertUsable(context.client, model, source, table)
  const fields = table.sealed.map((column) => {
    const spec = source.sealed[column.field]!
    return targetField(context, `${model}.${column.field}`, spec, column, table)
  })
  return { model, source, table, fields, indexes: targetIndexes(model, source, table, fields) }
}

function targetIndexes(
  model: string,
  source: ModelSource,
  table: Table,
  fields: readonly TargetField[],
): TargetIndex[] {
  const withColumn = (planned: PlannedColumn): TargetIndexColumn => ({
    ...planned,
    column: table.indexes.find(({ field }) => field === planned.name)!,
  })
  return indexesOf(model, source).map(({ columns: [first, second], ...index }) => ({
    ...index,
    field: fields.find(({ name }) => name === index.field)!,
    columns: [withColumn(first), second && withColumn(second)],
  }))
}

function targetField(
  context: Context,
  label: string,
  spec: SealedField,
  column: SealedColumn,
  table: Table,
): TargetField {
  const values = valuesUnder(context, spec.keyring, label)
  return {
    label,
    name: column.field,
    spec,
    values,
    get keyring() {
      return keyringOf(context, spec.keyring, label)
    },
    column,
    ...bindingOf(label, spec, table),
  }
}

function bindingOf(
  label: string,
  { id, bind }: SealedField,
  table: Table,
): Pick<TargetField, 'boundTo' | 'aad'> {
  const aads = { 0x01: valueAad(0x01, id), 0x02: valueAad(0x02, id) }
  if (bind.length === 0) return { boundTo: () => null, aad: (suite) => aads[suite] }
  const places = bind.map((name) => table.bound.findIndex(({ field }) => field === name))
  const boundTo = (bound: PageRow['bound']): string[] =>
    places.map((place, i) => {
      const text = bound[place]
      if (typeof text === 'string') return text
      throw new EnvelopeError(
        'ERR_ENVELOPE_AUTH',
        `${label} is bound to ${bind[i]}, which is NULL.`,
        {
          field: label,
          fix: 'Give the column a value, and write the field anew.',
        },
      )
    })
  const parts = (bound: PageRow['bound']): Buffer[] =>
    boundTo(bound).map((text) => Buffer.from(text))
  return { boundTo, aad: (suite, bound) => valueAad(suite, id, parts(bound)) }
}

/** Count the rows of a table, or of a range of it, where a condition on `t` is true. */
export async function countRows(
  { client }: Context,
  { table }: Target,
  where: string,
  range: KeyRange = { after: null },
): Promise<number> {
  const { sql, params } = countRangeStatement(table, where, range)
  const rows = await client.$queryRawUnsafe<{ count: string }[]>(sql, ...params)
  return Number(rows[0]?.count ?? 0)
}
