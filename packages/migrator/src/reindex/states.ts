import type { IndexPhase, IndexRecord, KeyRow } from '@rowseal/prisma-extension/keys'
import { MigrationError } from '../errors.ts'
import type { TargetIndex } from '../targets.ts'
import { nextPhase, wantedOf, type Wanted } from './rotation.ts'

/** How far an index is, as the key store says. */
export interface IndexState {
  readonly index: TargetIndex
  readonly record: IndexRecord
  /** The active index key. */
  readonly active: KeyRow
  /** All index key versions. */
  readonly rows: readonly KeyRow[]
  readonly wanted: Wanted
  /** Where it goes once its rows are as wanted; null if there is nowhere to go. */
  readonly next: IndexPhase | null
  /** Of the index keys and records that this was read from. */
  readonly revision: number
}

/**
 * Read the key store, and say how far each index is.
 *
 * @throws {MigrationError} `ERR_PLAN_DATABASE` if an index is in a second column that the plan lacks.
 */
export async function statesOf(indexes: readonly TargetIndex[]): Promise<IndexState[]> {
  for (const keyring of new Set(indexes.map(({ field }) => field.keyring)))
    await keyring.index.refresh()
  return indexes.map((index) => {
    const { keyring } = index.field
    const record = keyring.index.records().find(({ id }) => id === index.id)!
    const rows = keyring.index.keys()
    const active = rows.find(({ state }) => state === 'active')!
    const hasSecond = index.columns[1] !== null
    const wanted = wantedOf(record, active.keyId)
    if (wanted[1] !== null && !hasSecond) throw secondMissing(index)
    const next = nextPhase(record, rows, hasSecond)
    const { revision } = keyring.index.stats()!
    return { index, record, active, rows, wanted, next, revision }
  })
}

/** Is an index still where it was, under the same keys, and as complete at least? */
export function isUnmoved(before: IndexState | undefined, now: IndexState): boolean {
  if (before === undefined) return false
  const { lookup, writes, complete } = now.record
  return (
    (complete || !before.record.complete) &&
    before.record.lookup === lookup &&
    before.record.writes === writes &&
    before.wanted.join() === now.wanted.join()
  )
}

/** The error for a plan without the second column of an index that is in it. */
export function secondMissing({ label }: TargetIndex): MigrationError {
  return new MigrationError(
    'ERR_PLAN_DATABASE',
    `Index ${label} is in its second column, or on the way there, and the plan has none.`,
    { fix: 'Bring the column with `slot: 2` back.', field: label },
  )
}
