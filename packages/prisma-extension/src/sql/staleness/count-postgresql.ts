import type { SqlClient } from '../client.ts'
import type { CountRow } from '../count.ts'
import type { SealedColumn, Table } from '../table.ts'
import { CountStatements, type CountedRow } from './count-statements.ts'

/**
 * PostgreSQL reads the row behind each entry of an index on an expression. So what most rows have is not
 * counted, but is what all rows less all others are:
 *
 *   list the prefixes that are there, one step in the index each → take the kind that a sample has most of
 *   → in one statement: all rows, each of the other kinds, and the prefixes that are there now
 *   → the same prefixes? else again, and after a few times the table is read
 */
const MAX_TRIES = 3
const MAX_PREFIXES = 64

/** Null if there are too many prefixes, or others come and go. */
export async function countOnPostgresql(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  table: Table,
  column: SealedColumn,
): Promise<CountRow[] | null> {
  const statements = new CountStatements(table, column, MAX_PREFIXES + 1)
  const list = async (sql: string): Promise<string[]> => {
    const rows = await client.$queryRawUnsafe<{ readonly prefix: string }[]>(sql)
    return rows.map(({ prefix }) => prefix)
  }
  let prefixes = await list(statements.list())
  for (let tries = 0; tries < MAX_TRIES && prefixes.length <= MAX_PREFIXES; tries++) {
    const kinds = ['plaintext', 'null', ...prefixes]
    const [most = ''] = await list(statements.most())
    const rest = kinds.includes(most) ? most : kinds.at(-1)!
    const { sql, params } = statements.count(kinds, rest)
    const rows = await client.$queryRawUnsafe<CountedRow[]>(sql, ...params)
    const seen = rows.flatMap(({ prefix }) => (prefix === null ? [] : [prefix]))
    if (isSame(seen, prefixes)) return countsOf(rows, kinds, rest)
    prefixes = seen
  }
  return null
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted())
}

function countsOf(rows: readonly CountedRow[], kinds: readonly string[], rest: string): CountRow[] {
  const counts = new Map<string, number>()
  const add = (name: string, count: number): unknown =>
    counts.set(name, (counts.get(name) ?? 0) + count)
  let left = 0
  for (const { prefix, kind, count } of rows) {
    if (prefix !== null) continue
    const name = kinds[kind]
    left += name === undefined ? Number(count) : -Number(count)
    if (name !== undefined) add(nameOf(name), Number(count))
  }
  add(nameOf(rest), left)
  return [...counts].flatMap(([kind, count]) => (count === 0 ? [] : [{ kind, count: `${count}` }]))
}

/** Of a prefix (in hex for bytes) the key id. */
function nameOf(kind: string): string {
  if (kind === 'null' || kind === 'plaintext') return kind
  const [, text, bytes] = /^(?:rs1[.]([0-9a-f]{8})[.]|525301([0-9a-f]{8}))$/.exec(kind) ?? []
  return text ?? bytes ?? 'malformed'
}
