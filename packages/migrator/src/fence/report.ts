import type { FenceState, FoundFence } from '@rowseal/prisma-extension/sql'
import type { KeyState } from '@rowseal/prisma-extension/keys'
import { MigrationError } from '../errors.ts'
import type { FenceJob, FenceTarget } from './job.ts'

/** What keeps values under one key out of one column. */
export interface FencedColumn {
  readonly model: string
  /** The sealed field, or the column of a blind index. */
  readonly field: string
  /** As the database names them. */
  readonly table: string
  readonly column: string
  /** Name of the constraint; triggers have `_i` and `_u` behind it. */
  readonly fence: string
  readonly kind: 'constraint' | 'triggers'
  readonly state: FenceState
  /** Rows with a value under the key. */
  readonly values: number
}

export interface FenceReport {
  /** `<name>/index` for an index key. */
  readonly keyring: string
  readonly keyId: number
  readonly keyState: KeyState
  /** Every column that may hold values under the key. */
  readonly columns: readonly FencedColumn[]
  /** Does every fence hold, and is no value under the key? Then none ever will be. */
  readonly isProven: boolean
}

export function reportOf({ keyId, row }: FenceJob, columns: readonly FencedColumn[]): FenceReport {
  // Of a plan without such columns nothing is proven.
  const isProven =
    columns.length > 0 && columns.every(({ state, values }) => state === 'holds' && values === 0)
  return { keyring: row.keyring, keyId, keyState: row.state, columns, isProven }
}

export function columnsOf(
  { model, source, table }: FenceTarget,
  found: readonly FoundFence[],
  values: readonly number[],
): FencedColumn[] {
  return found.map(({ fence, state }, i) => ({
    model,
    field: fence.field,
    table: source.table,
    column: source.columns[fence.field]?.column ?? fence.field,
    fence: fence.name,
    kind: table.provider === 'postgresql' ? 'constraint' : 'triggers',
    state,
    values: values[i] ?? 0,
  }))
}

/**
 * The error that says where values name a key.
 *
 * @param counts - by `Model.field`; those that are 0 are left out.
 */
export function keyInUse(
  { keyId, row, holds }: Pick<FenceJob, 'keyId' | 'row' | 'holds'>,
  counts: Readonly<Record<string, number>>,
): MigrationError {
  const used = Object.entries(counts).filter(([, count]) => count > 0)
  const where = used.map(([field, count]) => `${field}: ${count.toLocaleString('en-US')}`)
  return new MigrationError(
    'ERR_KEY_IN_USE',
    `Values are under key ${keyId} of keyring "${row.keyring}" in so many rows: ${where.join(', ')}.`,
    {
      fix:
        holds === 'sealed'
          ? '`npx rowseal drain` re-encrypts them. `npx rowseal verify` finds what does not open.'
          : '`npx rowseal reindex` brings them under the active key.',
      counts: Object.fromEntries(used),
    },
  )
}
