import { phaseOf, type IndexPhase, type IndexRecord } from '@rowseal/prisma-extension/keys'
import {
  indexCountStatement,
  indexStaleCondition,
  type CountRow,
  type WantedIndex,
} from '@rowseal/prisma-extension/sql'
import { byKey } from './by-key.ts'
import type { Context } from './config.ts'
import { wantedOf } from './reindex/rotation.ts'
import { countRows, type Target, type TargetIndex, type TargetIndexColumn } from './targets.ts'

/** How far a blind index is, and what its columns hold. */
export interface IndexStatus {
  readonly model: string
  /** `Model.column` of its first column. */
  readonly index: string
  /** The sealed field. */
  readonly field: string
  readonly keyring: string
  readonly isUnique: boolean
  readonly isRegistered: boolean
  /** Has every row its value? Look-ups are refused until then. */
  readonly isComplete: boolean
  /** Of a unique index. */
  readonly phase: IndexPhase | null
  /** By slot. */
  readonly columns: readonly IndexColumnStatus[]
  /** Rows without a value in the column that look-ups use. */
  readonly missing: number
  /** Rows that `reindex` would rewrite, as far as key ids tell. */
  readonly pending: number
  /** Recorded by the last reindex or verify. */
  readonly quarantined: number
}

export interface IndexColumnStatus {
  readonly column: string
  /** Values by the version of their index key. */
  readonly versions: readonly {
    readonly keyId: number
    /** Null if the keyring has no such index key. */
    readonly version: number | null
    readonly count: number
  }[]
  /** Rows with a value of the field and none here. */
  readonly missing: number
  /** Rows with none of the field and a value here. */
  readonly left: number
  /** What no index can have written. */
  readonly malformed: number
}

/** @param quarantined - by `Model.column`. */
export async function indexStatuses(
  context: Context,
  targets: readonly Target[],
  quarantined: ReadonlyMap<string, number>,
): Promise<IndexStatus[]> {
  const statuses: IndexStatus[] = []
  for (const target of targets)
    for (const index of target.indexes)
      statuses.push(await indexStatus(context, target, index, quarantined))
  return statuses
}

async function indexStatus(
  context: Context,
  target: Target,
  index: TargetIndex,
  quarantined: ReadonlyMap<string, number>,
): Promise<IndexStatus> {
  const { model } = target
  const slots = index.columns.filter((column) => column !== null)
  const columns: IndexColumnStatus[] = []
  for (const column of slots) columns.push(await columnStatus(context, target, index, column))
  const record = index.field.keyring.index.records().find(({ id }) => id === index.id) ?? null
  const noted = slots.map(({ name }) => quarantined.get(`${model}.${name}`) ?? 0)
  return {
    model,
    index: index.label,
    field: index.field.name,
    keyring: index.field.keyring.name,
    isUnique: index.isUnique,
    isRegistered: record !== null,
    isComplete: record?.complete ?? false,
    phase: record === null ? null : phaseOf(record),
    columns,
    missing: columns[(record?.lookup ?? 1) - 1]?.missing ?? 0,
    pending: await pendingRows(context, target, index, record),
    quarantined: noted.reduce((sum, n) => sum + n, 0),
  }
}

async function columnStatus(
  { client }: Context,
  { table }: Target,
  { field }: TargetIndex,
  { name, column }: TargetIndexColumn,
): Promise<IndexColumnStatus> {
  const rows = await client.$queryRawUnsafe<CountRow[]>(
    indexCountStatement(table, field.column, column),
  )
  const counts = new Map(rows.map(({ kind, count }) => [kind, Number(count)]))
  const known = new Map(field.keyring.index.keys().map((row) => [row.keyId, row.version]))
  const versions = byKey(counts).map(({ keyId, count }) => {
    return { keyId, version: known.get(keyId) ?? null, count }
  })
  const [missing, left, malformed] = ['missing', 'left', 'malformed'].map(
    (kind) => counts.get(kind) ?? 0,
  ) as [number, number, number]
  return { column: name, versions, missing, left, malformed }
}

async function pendingRows(
  context: Context,
  target: Target,
  { columns, field }: TargetIndex,
  record: IndexRecord | null,
): Promise<number> {
  const active = field.keyring.index.keys().find(({ state }) => state === 'active')?.keyId ?? 0
  const wanted = record === null ? [active, null] : wantedOf(record, active)
  const work = columns.flatMap((column, slot): WantedIndex[] =>
    column === null ? [] : [{ column: column.column, keyId: wanted[slot] ?? null }],
  )
  return countRows(context, target, indexStaleCondition(target.table, field.column, work))
}
