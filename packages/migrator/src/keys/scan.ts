import type { KeyRow } from '@rowseal/prisma-extension/keys'
import {
  countRowsStatement,
  indexKeyCondition,
  loadColumn,
  staleCondition,
} from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import { MigrationError } from '../errors.ts'
import type { RegisteredField } from '../runs/fields.ts'
import { assertSeesAll } from '../table-checks.ts'
import { noteFields, plannedFields } from './fields.ts'

/** What a scan found in one column. */
export interface ScannedColumn {
  readonly model: string
  /** The sealed field, or the column of a blind index. */
  readonly field: string
  /** As the database names them. */
  readonly table: string
  readonly column: string
  readonly kind: 'sealed' | 'index'
  /** False if it left the plan. */
  readonly isPlanned: boolean
  /** Rows with a value under one of the keys. */
  readonly rows: number
}

/**
 * Look through every column of this database that was ever registered for values under some keys. Reads whole
 * tables.
 *
 * @param kind - `sealed` for KEKs, `index` for index keys; undefined for both.
 * @throws {MigrationError} `ERR_FIELD_MISSING` if one of the columns is not there and nobody declared it
 *   dropped; `ERR_RUN_TABLES`
 */
export async function scanFor(
  context: Context,
  keyIds: readonly number[],
  kind?: RegisteredField['kind'],
): Promise<ScannedColumn[]> {
  const { client, plan } = context
  const store = await noteFields(context)
  const planned = new Set(plannedFields(context).map(nameOf))
  const columns: ScannedColumn[] = []
  const missing: RegisteredField[] = []
  for (const field of await store.fields.list()) {
    if (field.isDropped || field.kind !== (kind ?? field.kind)) continue
    const found = await loadColumn(client, plan.provider, field)
    if (found === null) {
      missing.push(field)
      continue
    }
    await assertSeesAll(client, `${field.model}.${field.field}`, found.table)
    const condition = field.kind === 'sealed' ? staleCondition : indexKeyCondition
    const sql = countRowsStatement(found.table, condition(found.table, found.column, keyIds))
    const [row] = await client.$queryRawUnsafe<{ count: string }[]>(sql)
    const { model, table, column } = field
    const isPlanned = planned.has(nameOf(field))
    const rows = Number(row?.count ?? 0)
    columns.push({ model, field: field.field, table, column, kind: field.kind, isPlanned, rows })
  }
  if (missing.length > 0) throw gone(missing)
  return columns
}

/**
 * @param key - that was looked for, for the message.
 * @throws {MigrationError} `ERR_KEY_IN_USE` with `counts` if a scan found anything.
 */
export function assertUnused(
  columns: readonly ScannedColumn[],
  { keyId, keyring, destroyAt }: Pick<KeyRow, 'keyId' | 'keyring' | 'destroyAt'>,
): void {
  const used = columns.filter(({ rows }) => rows > 0)
  if (used.length === 0) return
  const counts: Record<string, number> = {}
  for (const { model, field, rows } of used)
    counts[`${model}.${field}`] = (counts[`${model}.${field}`] ?? 0) + rows
  const where = Object.entries(counts).map(([name, n]) => `${name}: ${n.toLocaleString('en-US')}`)
  const isGone = used.some(({ isPlanned }) => !isPlanned)
  const isIndex = used.some(({ kind }) => kind === 'index')
  const command = isIndex ? '`npx rowseal reindex`' : '`npx rowseal drain`'
  throw new MigrationError(
    'ERR_KEY_IN_USE',
    `Values are under key ${keyId} of keyring "${keyring}" in so many rows: ${where.join(', ')}.`,
    {
      fix:
        destroyAt !== null
          ? `\`npx rowseal keys destroy ${keyId} --cancel\` lets them open again, then ${command} moves them.`
          : isGone
            ? 'Some of these fields are not in the plan: bring them back and run `npx rowseal drain`, or delete the values.'
            : `${command} moves them; what does not open is in \`npx rowseal runs quarantine list\`.`,
      counts,
    },
  )
}

function gone(missing: readonly RegisteredField[]): MigrationError {
  const names = new Set(missing.map(({ model, field }) => `${model}.${field}`))
  const what = missing.map(({ model, field, table, column }) => {
    return `${model}.${field} (column ${column} of ${table})`
  })
  return new MigrationError(
    'ERR_FIELD_MISSING',
    `Values were under keys in columns that this database does not have: ${what.join(', ')}.`,
    {
      fix: `If they were dropped, or renamed: \`npx rowseal keys forget ${[...names].join(' ')}\`. If not, connect to the database that has them.`,
    },
  )
}

function nameOf({ model, field, table, column, kind }: Omit<RegisteredField, 'isDropped'>): string {
  return JSON.stringify([model, field, table, column, kind])
}
