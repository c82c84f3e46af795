import {
  isList,
  jsonText,
  listTriggers,
  readRows,
  type ColumnScalar,
  type ColumnValue,
  type PageRow,
  type SealedColumn,
  type SqlClient,
  type SqlTransaction,
} from '@rowseal/prisma-extension/sql'
import type { Change, Strategy } from '../engine/strategy.ts'
import type { Target } from '../targets.ts'
import { failed } from './failed.ts'
import { isSameJson } from './same-json.ts'

/** A change whose row does not hold what it was to put there, and a field of which that is so. */
interface Unlike<C> {
  readonly change: C
  readonly field: string
}

/** Read the rows of some changes again, and find those that do not hold now what was to be written. */
async function readBack<C extends Change>(
  tx: SqlTransaction,
  { table }: Target,
  { columns, fields = [] }: Strategy<C>,
  rows: readonly PageRow[],
  changes: readonly C[],
): Promise<Unlike<C>[]> {
  const keys = changes.map(({ row }) => rows[row]!.key)
  const found = await readRows(tx, table, columns, keys)
  return changes.flatMap((change, i) => {
    const held = found[i] ?? null
    const unlike = fields.find((each) =>
      each.next(change)?.some((value, at) => {
        const place = each.places[at]!
        return held === null || !isSame(columns[place]!, held[place] ?? null, value)
      }),
    )
    return unlike === undefined ? [] : [{ change, field: unlike.field.label }]
  })
}

/**
 * Which changes of a batch were not written, by the places of their rows: the database says only how many, so
 * their rows are read again.
 *
 * @param written - the number of those that were.
 * @param isReadBack - is every row read again, to see that it holds what was written?
 * @throws {MigrationError} `ERR_PROOF_FAILED` if more rows are not as they should be than were left alone.
 */
export async function lostOf<C extends Change>(
  tx: SqlTransaction,
  target: Target,
  strategy: Strategy<C>,
  rows: readonly PageRow[],
  changes: readonly C[],
  written: number,
  isReadBack: boolean,
): Promise<ReadonlySet<number>> {
  const missing = changes.length - written
  if (strategy.fields === undefined || (missing === 0 && !isReadBack)) return new Set()
  const unlike = await readBack(tx, target, strategy, rows, changes)
  if (isReadBack && unlike.length > missing)
    throw failed(unlike[0]!.field, 'is not what the database held after')
  return new Set(unlike.map(({ change }) => change.row))
}

/** Has the table triggers, which may put something else into a row than is written? */
export async function mayBeChanged(client: SqlClient, { table, source }: Target): Promise<boolean> {
  return (await listTriggers(client, table, source)).length > 0
}

/** Is it the same to whoever reads it? A database may keep JSON in a form of its own. */
function isSame(column: SealedColumn, a: ColumnValue | null, b: ColumnValue | null): boolean {
  if (a === null || b === null) return a === b
  if (!isList(a) && !isList(b)) return isSameScalar(column, a, b)
  if (!isList(a) || !isList(b) || a.length !== b.length) return false
  return a.every((element, i) => isSame(column, element, b[i]!))
}

function isSameScalar({ kind }: SealedColumn, a: ColumnScalar, b: ColumnScalar): boolean {
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (kind === 'text') return a === b
  const [one, other] = [jsonText(a), jsonText(b)]
  return one === other || isSameJson(one, other)
}
