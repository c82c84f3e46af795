import type { MigratorConfig } from '../config.ts'
import type { FencedColumn } from '../fence/report.ts'
import { fenceStatus } from '../fence/status.ts'
import type { ScannedColumn } from './scan.ts'

/** What keeps values under a key from coming back. */
export interface Proof {
  /** Does the database refuse them in every column that was looked through? */
  readonly isProven: boolean
  readonly columns: readonly FencedColumn[]
  /** `Model.field` of columns without a fence. */
  readonly unfenced: readonly string[]
}

/** @param scanned - every column that may hold values under the key. */
export async function proofOf(
  config: MigratorConfig,
  keyId: number,
  scanned: readonly ScannedColumn[],
): Promise<Proof> {
  const { columns, isProven } = await fenceStatus(config, keyId)
  const nameOf = (one: { table: string; column: string }): string =>
    JSON.stringify([one.table, one.column])
  const holding = new Set(columns.filter(({ state }) => state === 'holds').map(nameOf))
  const unfenced = scanned
    .filter((column) => !holding.has(nameOf(column)))
    .map(({ model, field }) => `${model}.${field}`)
  return { isProven: isProven && unfenced.length === 0, columns, unfenced }
}
