import type { Plan } from '@rowseal/prisma-extension/plan'
import type { SqlClient, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { areThere } from '../runs/dialect.ts'
import { hashOf, type Quarantined } from '../runs/quarantine.ts'
import { RunSql } from '../runs/sql.ts'
import { adviceOn } from './advice.ts'

/** Which entries: all that fit each of what is given. */
export interface QuarantineFilter {
  readonly models?: readonly string[]
  /** `Model.field`, or `field` of whatever model; also columns of blind indexes. */
  readonly fields?: readonly string[]
  readonly codes?: readonly string[]
}

/** A value that something is wrong with. No content. */
export interface QuarantineEntry extends Quarantined {
  /** The key by the fields of the model; by places, if the plan has no such model. */
  readonly record: Readonly<Record<string, string>>
  /** Who met it: `encrypt`, `drain`, `rewrap`, `reindex`, `decrypt` or `verify`. */
  readonly direction: string
  /** ISO 8601, by the clock of the database. */
  readonly foundAt: string
  /** What to do about it. */
  readonly fix: string
}

/** Where a page ends: model, field and record, as the table has them. */
export type Place = readonly [model: string, field: string, recordKey: string]

interface Row {
  readonly model: string
  readonly field: string
  readonly record_key: string
  readonly direction: string
  readonly code: string
  readonly found_ms: string
}

/** The entries of a quarantine, in the order of model, field and text of the key. */
export class Entries {
  readonly #sql: RunSql
  readonly #plan: Plan

  constructor(client: SqlClient, plan: Plan) {
    this.#sql = new RunSql(client, plan.provider)
    this.#plan = plan
  }

  /** Are the tables of runs there? */
  exist(): Promise<boolean> {
    return areThere(this.#sql.client)
  }

  /** @param after - the place of the last one of the page before; null for the first page. */
  async page(
    filter: QuarantineFilter & { readonly directions?: readonly string[] },
    after: Place | null,
    limit: number,
    before?: number,
  ): Promise<QuarantineEntry[]> {
    const { where, params } = conditionOf(filter)
    const order = ['model', 'field', 'record_key'].map((name) => this.#bytewise(name))
    const conditions = [
      where,
      ...(after === null ? [] : [`(${order.join(', ')}) > (?, ?, ?)`]),
      ...(before === undefined ? [] : [`found_at_ms < ${before}`]),
    ]
    const rows = await this.#sql.read<Row>(
      `SELECT model, field, record_key, direction, code, ${this.#sql.text('found_at_ms', 'found_ms')}
FROM rowseal_quarantine WHERE ${conditions.join(' AND ')} ORDER BY ${order.join(', ')} LIMIT ${limit}`,
      ...[...params, ...(after ?? [])],
    )
    return rows.map((row) => this.#entry(row))
  }

  /** How many there are, by code, the most first. */
  async counts(
    filter: QuarantineFilter,
  ): Promise<{ readonly code: string; readonly count: number }[]> {
    const { where, params } = conditionOf(filter)
    const rows = await this.#sql.read<{ code: string; n: bigint | number }>(
      `SELECT code, count(*) AS n FROM rowseal_quarantine WHERE ${where} GROUP BY code ORDER BY n DESC, code`,
      ...params,
    )
    return rows.map(({ code, n }) => ({ code, count: Number(n) }))
  }

  /** How many records of a model have entries. */
  async records(model: string): Promise<number> {
    const [row] = await this.#sql.read<{ n: bigint | number }>(
      'SELECT count(DISTINCT record_hash) AS n FROM rowseal_quarantine WHERE model = ?',
      model,
    )
    return Number(row!.n)
  }

  /** Models and directions that have entries. */
  async groups(
    filter: QuarantineFilter,
  ): Promise<{ readonly model: string; readonly direction: string }[]> {
    const { where, params } = conditionOf(filter)
    return this.#sql.read(
      `SELECT DISTINCT model, direction FROM rowseal_quarantine WHERE ${where} ORDER BY model, direction`,
      ...params,
    )
  }

  /**
   * Remove entries in a transaction of the caller's.
   *
   * @param before - milliseconds since 1970: one that was recorded again since stays.
   * @returns how many were removed.
   */
  async remove(
    tx: SqlTransaction,
    entries: readonly Quarantined[],
    before: number,
  ): Promise<number> {
    let removed = 0
    for (const { model, field, key } of entries)
      removed += await this.#sql.run(tx, [
        `DELETE FROM rowseal_quarantine WHERE model = ? AND field = ? AND record_hash = ? AND found_at_ms < ${before}`,
        ...[model, field, hashOf(key)],
      ])
    return removed
  }

  #entry({ model, field, record_key: text, direction, code, found_ms: ms }: Row): QuarantineEntry {
    const key = JSON.parse(text) as string[]
    const names = this.#plan.models[model]?.key ?? []
    const record = Object.fromEntries(key.map((part, i) => [names[i] ?? String(i), part]))
    const foundAt = new Date(Number(ms)).toISOString()
    return { model, field, key, record, code, direction, foundAt, fix: adviceOn(code) }
  }

  /** MySQL's and SQLite's tables compare so by themselves. */
  #bytewise(name: string): string {
    return this.#sql.provider === 'postgresql' ? `${name} COLLATE "C"` : name
  }
}

export function placeOf({ model, field, key }: Quarantined): Place {
  return [model, field, JSON.stringify(key)]
}

/** A condition with `?` for its parameters. */
function conditionOf(filter: QuarantineFilter & { readonly directions?: readonly string[] }): {
  readonly where: string
  readonly params: readonly string[]
} {
  const { models, fields, codes, directions } = filter
  const among = (column: string, values: readonly string[]): string =>
    values.length === 0 ? '1 = 0' : `${column} IN (${values.map(() => '?').join(', ')})`
  const params: string[] = []
  const conditions = ['1 = 1']
  for (const [column, values] of Object.entries({
    model: models,
    code: codes,
    direction: directions,
  }))
    if (values !== undefined) {
      conditions.push(among(column, values))
      params.push(...values)
    }
  if (fields !== undefined) {
    const each = fields.map((name) => {
      const [field = '', model] = name.split('.').reverse()
      params.push(...(model === undefined ? [field] : [model, field]))
      return model === undefined ? 'field = ?' : '(model = ? AND field = ?)'
    })
    conditions.push(each.length === 0 ? '1 = 0' : `(${each.join(' OR ')})`)
  }
  return { where: conditions.join(' AND '), params }
}
