import { KeyError, type Keyring } from '@rowseal/prisma-extension'
import type { KeyRow } from '@rowseal/prisma-extension/keys'
import type { ModelSource } from '@rowseal/prisma-extension/plan'
import {
  fencedRowsStatement,
  fencesOf,
  findFences,
  loadTable,
  type Fence,
  type FoundFence,
  type Table,
} from '@rowseal/prisma-extension/sql'
import { contextOf, type Context, type MigratorConfig } from '../config.ts'
import { findKey } from '../keys/find.ts'

/** A key version that is to be fenced, and all columns that may hold values under it. */
export interface FenceJob {
  readonly context: Context
  readonly keyId: number
  readonly row: KeyRow
  readonly keyring: Keyring
  /** `indexes` for an index key. */
  readonly holds: 'sealed' | 'indexes'
  readonly targets: readonly FenceTarget[]
}

/** One table. */
export interface FenceTarget {
  readonly model: string
  readonly source: ModelSource
  readonly table: Table
  readonly fences: readonly Fence[]
}

/**
 * Every sealed column of the plan counts for a KEK, whichever keyring its field names now, and every blind
 * index for an index key: a field may have had another keyring before.
 *
 * @throws {KeyError} `ERR_KEY_UNKNOWN` if none of the keyrings has the key, and what reading them throws.
 * @throws {TableError} if the database does not have what the plan says.
 */
export async function fenceJob(config: MigratorConfig, keyId: number): Promise<FenceJob> {
  const context = contextOf(config)
  const found = await findKey(context, keyId)
  const { client, plan } = context
  const targets: FenceTarget[] = []
  for (const [model, source] of Object.entries(plan.models)) {
    if (Object.keys(source[found.holds]).length === 0) continue
    const table = await loadTable(client, plan.provider, source, model)
    targets.push({ model, source, table, fences: fencesOf(table, source, found.holds, keyId) })
  }
  return { context, keyId, targets, ...found }
}

/**
 * Refuse to fence a key under which instances write.
 *
 * @throws {KeyError} `ERR_KEY_STATE`
 */
export function assertUnused({ keyId, row, keyring, holds }: FenceJob): void {
  const { keyring: name, state } = row
  if (state === 'active' || state === 'pre-activation')
    throw new KeyError('ERR_KEY_STATE', `Key ${keyId} of keyring "${name}" is ${state}.`, {
      fix: `Fence it when another key has taken over: \`npx rowseal rotate${holds === 'sealed' ? '' : ' --index'}\`.`,
    })
  const pinned = holds === 'indexes' ? keyring.index.records() : []
  const record = pinned.find(({ keys }) => keys.includes(keyId))
  if (record === undefined) return
  throw new KeyError('ERR_KEY_STATE', `Index ${record.id} is still written under key ${keyId}.`, {
    fix: '`npx rowseal reindex` brings it under the active one.',
  })
}

/** What the catalog has of a table's fences. */
export function foundFences({ context }: FenceJob, target: FenceTarget): Promise<FoundFence[]> {
  return findFences(context.client, target.table, target.source, target.fences)
}

/** Rows with a value under the key, by column in the order of the table's fences. */
export async function countFenced(
  client: Pick<Context['client'], '$queryRawUnsafe'>,
  { table, fences }: FenceTarget,
): Promise<number[]> {
  const sql = fencedRowsStatement(table, fences)
  const [row] = await client.$queryRawUnsafe<Record<string, string>[]>(sql)
  return fences.map((_, i) => Number(row?.[`c${i}`] ?? 0))
}
