import type { Statement } from '../client.ts'
import { Params, withName } from '../dialect.ts'
import { bytesLiteral, MAGIC_HEX, prefixOf } from '../prefix.ts'
import type { SealedColumn, Table } from '../table.ts'

/** What `CountStatements.count` gives: a prefix that is there, or a count. */
export interface CountedRow {
  /** As text; in hex for bytes. Null for a count. */
  readonly prefix: string | null
  /** Place in the list of kinds, -1 for all rows. */
  readonly kind: number
  readonly count: string
}

/** Percent of the table's pages. A small table may give none, and then it does not matter. */
const SAMPLE_PERCENT = 0.01

/** Statements for PostgreSQL that count by the staleness index of a column. Kinds are prefixes, `null` and `plaintext`. */
export class CountStatements {
  readonly #table: string
  readonly #column: SealedColumn
  readonly #limit: number
  /** Name of the prefixes that are listed. */
  readonly #steps: string
  /** The prefix, as the index has it. */
  readonly #prefix: string
  /** Where prefixes begin like that of an envelope: from the first up to and without the second. */
  readonly #magic: readonly [string, string]

  /** @param limit - of prefixes that are listed. */
  constructor(table: Table, column: SealedColumn, limit: number) {
    this.#table = `${table.name} AS t`
    this.#steps = withName(table, 'rowseal_s')
    this.#column = column
    this.#limit = limit
    this.#prefix = prefixOf('postgresql', column, `t.${column.name}`)
    this.#magic =
      column.kind === 'bytes'
        ? [bytesLiteral('postgresql', MAGIC_HEX), bytesLiteral('postgresql', '525302')]
        : ["'rs1.'", "'rs1/'"]
  }

  /** The prefixes that begin like that of an envelope. Gives rows `{ prefix }`. */
  list(): string {
    return `${this.#listed()} SELECT ${this.#shown()} AS prefix FROM ${this.#steps} LIMIT ${this.#limit}`
  }

  /** The kind that a sample of the table has most of: a row `{ prefix }`, or none. */
  most(): string {
    const [from, to] = this.#magic
    const kind = `CASE WHEN p IS NULL THEN 'null' WHEN p >= ${from} AND p < ${to} THEN ${this.#shown()} ELSE 'plaintext' END`
    return `SELECT ${kind} AS prefix FROM (SELECT ${this.#prefix} AS p FROM ${this.#table} TABLESAMPLE SYSTEM (${SAMPLE_PERCENT})) AS s GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`
  }

  /** Counts all rows and each kind but one, and lists again. Gives `CountedRow`s. */
  count(kinds: readonly string[], rest: string): Statement {
    const params = new Params('postgresql')
    const count = (place: number, where: string): string =>
      `SELECT NULL, ${place}, count(*)::text FROM ${this.#table} WHERE ${where}`
    const counts = kinds.flatMap((kind, i) =>
      kind === rest ? [] : this.#conditions(kind, params).map((where) => count(i, where)),
    )
    const listed = `SELECT prefix, -1 AS kind, '0' AS count FROM (SELECT ${this.#shown()} AS prefix FROM ${this.#steps} LIMIT ${this.#limit}) AS s`
    const all = [`${this.#listed()} ${listed}`, count(-1, 'true'), ...counts]
    return { sql: all.join(' UNION ALL '), params: params.list }
  }

  /** The rows that meet one of these. JSON's own null has no prefix, but is plaintext. */
  #conditions(kind: string, params: Params): readonly string[] {
    const isNull = `t.${this.#column.name} IS NULL`
    const [from, to] = this.#magic
    if (kind === 'null') return [`${this.#prefix} IS NULL AND ${isNull}`]
    if (kind === 'plaintext') {
      const outside = [`${this.#prefix} < ${from}`, `${this.#prefix} >= ${to}`]
      return this.#column.kind === 'jsonb'
        ? [...outside, `${this.#prefix} IS NULL AND NOT (${isNull})`]
        : outside
    }
    const param = `${params.add(kind)}::text`
    return [
      `${this.#prefix} = ${this.#column.kind === 'bytes' ? `decode(${param}, 'hex')` : param}`,
    ]
  }

  /** Each step looks up the next prefix. */
  #listed(): string {
    const [from, to] = this.#magic
    const next = (after: string): string =>
      `SELECT ${this.#prefix} AS p FROM ${this.#table} WHERE ${this.#prefix} ${after} AND ${this.#prefix} < ${to} ORDER BY ${this.#prefix} LIMIT 1`
    return `WITH RECURSIVE ${this.#steps} AS ((${next(`>= ${from}`)}) UNION ALL (SELECT n.p FROM ${this.#steps} AS s, LATERAL (${next('> s.p')}) AS n))`
  }

  #shown(): string {
    return this.#column.kind === 'bytes' ? "encode(p, 'hex')" : 'p'
  }
}
