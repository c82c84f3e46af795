import {
  placesWhere,
  presentCondition,
  type PageRow,
  type SqlClient,
  type SqlTransaction,
} from '@rowseal/prisma-extension/sql'
import { REFUSAL_CODES } from '../refusals.ts'
import type { Target } from '../targets.ts'
import { hashOf, LOOKED_AT } from './quarantine.ts'
import { RunSql } from './sql.ts'

/** What the database refuses does not show to who only looks. */
const REFUSALS = REFUSAL_CODES.map((code) => `'${code}'`).join(', ')
/** Hashes of keys that are held in memory: some 30 MB. With more entries, the database is asked. */
const MAX_HELD = 200_000
/** Keys that the database is asked for at once. */
const CHUNK = 500

interface Entry {
  readonly record_hash: string
  readonly record_key: string
}

/**
 * What stood in the quarantine of some columns of a model when somebody began to look at its rows. An entry goes
 * away once its row was found good, or is gone. One that is recorded meanwhile, by a run that writes, stays.
 */
export class FormerEntries {
  readonly #sql: RunSql
  readonly #target: Target
  readonly #fields: readonly string[]
  readonly #beganMs: number
  /** Hashes of the keys of records; null if there are too many. */
  readonly #held: ReadonlySet<string> | null

  private constructor(
    sql: RunSql,
    target: Target,
    fields: readonly string[],
    beganMs: number,
    held: ReadonlySet<string> | null,
  ) {
    this.#sql = sql
    this.#target = target
    this.#fields = fields
    this.#beganMs = beganMs
    this.#held = held
  }

  /** @param fields - sealed fields, and columns of blind indexes. */
  static async load(
    client: SqlClient,
    target: Target,
    fields: readonly string[],
    maxHeld = MAX_HELD,
  ): Promise<FormerEntries> {
    const sql = new RunSql(client, target.table.provider)
    const [clock] = await sql.read<{ began: string }>(`SELECT ${sql.text(sql.now, 'began')}`)
    const make = (held: ReadonlySet<string> | null): FormerEntries =>
      new FormerEntries(sql, target, fields, Number(clock!.began), held)
    const all = await make(null).#after('', maxHeld + 1)
    return make(all.length > maxHeld ? null : new Set(all.map(({ record_hash }) => record_hash)))
  }

  /** Those of some rows that have entries. */
  async among(rows: readonly PageRow[]): Promise<PageRow[]> {
    const held = this.#held
    if (held?.size === 0) return []
    const byHash = new Map(rows.map((row) => [hashOf(row.key), row]))
    const hashes = [...byHash.keys()]
    if (held !== null)
      return hashes.filter((hash) => held.has(hash)).map((hash) => byHash.get(hash)!)
    const found: PageRow[] = []
    for (let at = 0; at < hashes.length; at += CHUNK) {
      const some = hashes.slice(at, at + CHUNK)
      const among = ` AND record_hash IN (${some.map(() => '?').join(', ')})`
      for (const entry of await this.#entries(among, some))
        found.push(byHash.get(entry.record_hash)!)
    }
    return found
  }

  /** Keys with entries of rows that are not there any more, or hold nothing, some at a time. */
  async *ofNothing(): AsyncGenerator<(readonly string[])[]> {
    if (this.#held?.size === 0) return
    const { table } = this.#target
    const columns = [...table.sealed, ...table.indexes]
    for (let last = ''; ;) {
      const entries = await this.#after(last, CHUNK)
      if (entries.length === 0) return
      last = entries.at(-1)!.record_hash
      const parsed = entries.map(({ record_key }) => JSON.parse(record_key) as readonly string[])
      // Else the model had another key then.
      const places = [...parsed.keys()].filter((i) => parsed[i]!.length === table.key.length)
      const asked = places.map((place) => parsed[place]!)
      const found = await placesWhere(this.#sql.client, table, asked, presentCondition(columns))
      const held = new Set(found.map((i) => places[i]))
      yield parsed.filter((_, place) => !held.has(place))
    }
  }

  /**
   * Remove entries of one record, in a transaction of the caller's.
   *
   * @param isGone - is there nothing left of it? Else what the database has refused stays.
   */
  async remove(
    tx: SqlTransaction,
    key: readonly string[],
    fields: readonly string[],
    isGone: boolean,
  ): Promise<void> {
    if (fields.length === 0) return
    const names = fields.map(() => '?').join(', ')
    const which = isGone ? '' : ` AND (direction = '${LOOKED_AT}' OR code NOT IN (${REFUSALS}))`
    await this.#sql.run(tx, [
      `DELETE FROM rowseal_quarantine WHERE model = ? AND field IN (${names}) AND record_hash = ? AND found_at_ms < ${this.#beganMs}${which}`,
      ...[this.#target.model, ...fields, hashOf(key)],
    ])
  }

  #after(last: string, count: number): Promise<Entry[]> {
    return this.#entries(` AND record_hash > ? ORDER BY record_hash LIMIT ${count}`, [last])
  }

  #entries(more: string, params: readonly string[]): Promise<Entry[]> {
    const names = this.#fields.map(() => '?').join(', ')
    return this.#sql.read<Entry>(
      `SELECT DISTINCT record_hash, record_key FROM rowseal_quarantine
WHERE model = ? AND field IN (${names}) AND found_at_ms < ${this.#beganMs}${more}`,
      ...[this.#target.model, ...this.#fields, ...params],
    )
  }
}
