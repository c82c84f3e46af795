import { INDEX_VALUE_CHARS } from '../envelope/index.ts'
import { QueryError } from '../errors.ts'
import type { Via } from '../keys/types.ts'
import type { ModelSource, Provider } from '../plan/index.ts'
import type { CompiledPlan, FieldPlan, SealSite } from '../query/index.ts'
import { queryRaw } from './internals.ts'

/**
 * With `skipDuplicates`, Prisma writes INSERT IGNORE on MySQL, which cuts off what is too long for its column in
 * strict mode too. So what is sealed is measured against the columns before, as they were when the client wrote
 * so to their table first.
 *
 * @returns null where the database cuts nothing off.
 */
export function columnCheck(client: object, provider: Provider): AssertFits | null {
  if (provider !== 'mysql') return null
  const known = new Map<ModelSource, Lengths>()
  const lengthsOf = async (source: ModelSource, via: Via | undefined): Promise<Lengths> => {
    const lengths = known.get(source) ?? (await readLengths(client, source, via))
    known.set(source, lengths)
    return lengths
  }
  /** Of fields whose index columns have room: what is written there is always as long. */
  const rooms = new WeakMap<FieldPlan, Room>()
  const roomOf = async (
    plan: CompiledPlan,
    field: FieldPlan,
    via: Via | undefined,
  ): Promise<Room> => {
    const source = sourceOf(plan, field)
    const room = { source, lengths: await lengthsOf(source, via) }
    for (const column of field.indexes.flatMap(({ columns }) => columns))
      if (column !== null) assertRoom(room, field, column.name, INDEX_VALUE_CHARS)
    rooms.set(field, room)
    return room
  }
  return async (plan, args, sites, via) => {
    if (!skipsDuplicates(args)) return
    for (const { field, target, key } of sites) {
      const room = rooms.get(field) ?? (await roomOf(plan, field, via))
      const { length } = target[key] as string | Uint8Array
      assertRoom(room, field, field.name, length)
    }
  }
}

/** @throws {QueryError} `ERR_VALUE_CUT_OFF` */
export type AssertFits = (
  plan: CompiledPlan,
  args: object,
  sites: readonly SealSite[],
  via: Via | undefined,
) => Promise<void>

/** Characters or bytes, by the database's name of a column; absent for one without a bound. */
type Lengths = ReadonlyMap<string, number>

/** The columns of a model, and how much they hold. */
interface Room {
  readonly source: ModelSource
  readonly lengths: Lengths
}

const COLUMNS = `SELECT COLUMN_NAME AS name, CAST(CHARACTER_MAXIMUM_LENGTH AS CHAR) AS most
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?`

async function readLengths(
  client: object,
  { schema, table }: ModelSource,
  via: Via | undefined,
): Promise<Lengths> {
  const rows = await queryRaw(via, client, COLUMNS, schema ?? null, table)
  const bounded = rows.filter(({ most }) => most !== null)
  return new Map(bounded.map(({ name, most }) => [String(name), Number(most)]))
}

/** Of the operation itself, or of one that is nested in its data. */
function skipsDuplicates(args: unknown): boolean {
  if (typeof args !== 'object' || args === null || ArrayBuffer.isView(args)) return false
  if (Object.hasOwn(args, 'skipDuplicates')) return true
  return Object.values(args).some(skipsDuplicates)
}

function sourceOf(plan: CompiledPlan, field: FieldPlan): ModelSource {
  for (const { source, sealed } of plan.values())
    if (sealed.get(field.name) === field) return source
  throw new TypeError(`The plan has no field ${field.label}.`)
}

function assertRoom(
  { source, lengths }: Room,
  field: FieldPlan,
  name: string,
  length: number,
): void {
  const column = source.columns[name]?.column ?? name
  const most = lengths.get(column) ?? Infinity
  if (length <= most) return
  throw new QueryError(
    'ERR_VALUE_CUT_OFF',
    `${field.label}: column ${column} of ${source.table} has room for ${most}, and what would be written has ${length}. With skipDuplicates MySQL would cut it off.`,
    { fix: 'Widen the column by a migration.', field: field.label },
  )
}
