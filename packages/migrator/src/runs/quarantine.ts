import { createHash } from 'node:crypto'
import type { Provider } from '@rowseal/prisma-extension/plan'
import type { SqlClient, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { areThere } from './dialect.ts'
import { RunSql } from './sql.ts'

/** A value that something is wrong with. */
export interface Quarantined {
  readonly model: string
  /** A sealed field, or a column of a blind index. */
  readonly field: string
  /** In text form, in the order of the model's key. */
  readonly key: readonly string[]
  readonly code: string
}

/** What `verify` and whoever else only looks records as. */
export const LOOKED_AT = 'verify'

/** In the place of what was recorded of the same value. */
const REPLACE: Readonly<Record<Provider, string>> = {
  postgresql: `ON CONFLICT (model, field, record_hash) DO UPDATE
SET direction = excluded.direction, code = excluded.code, found_at_ms = excluded.found_at_ms`,
  sqlite: `ON CONFLICT (model, field, record_hash) DO UPDATE
SET direction = excluded.direction, code = excluded.code, found_at_ms = excluded.found_at_ms`,
  mysql: `ON DUPLICATE KEY UPDATE direction = VALUES(direction), code = VALUES(code), found_at_ms = VALUES(found_at_ms)`,
}

/** Where bad values are: table, field, record, who found it and the error's code. No content. */
export class Quarantine {
  readonly #sql: RunSql

  constructor(client: SqlClient, provider: Provider) {
    this.#sql = new RunSql(client, provider)
  }

  /**
   * Record values in a transaction of the caller's, in place of what was recorded of them.
   *
   * @param direction - of the run that cannot go on with them.
   */
  async record(
    tx: SqlTransaction,
    bad: readonly Quarantined[],
    direction = LOOKED_AT,
  ): Promise<void> {
    const { provider, now } = this.#sql
    for (const { model, field, key, code } of bad)
      await this.#sql.run(tx, [
        `INSERT INTO rowseal_quarantine (model, field, record_hash, record_key, direction, code, found_at_ms)
VALUES (?, ?, ?, ?, ?, ?, ${now}) ${REPLACE[provider]}`,
        ...[model, field, hashOf(key), JSON.stringify(key), direction, code],
      ])
  }

  /** By the clock of the database, in milliseconds since 1970. */
  async now(): Promise<number> {
    const [row] = await this.#sql.read<{ now: string }>(
      `SELECT ${this.#sql.text(this.#sql.now, 'now')}`,
    )
    return Number(row!.now)
  }

  /** Number of recorded values, by `Model.field`; none if the tables are not there. */
  async counts(): Promise<ReadonlyMap<string, number>> {
    if (!(await areThere(this.#sql.client))) return new Map()
    const rows = await this.#sql.read<{ model: string; field: string; n: bigint | number }>(
      'SELECT model, field, count(*) AS n FROM rowseal_quarantine GROUP BY model, field',
    )
    return new Map(rows.map(({ model, field, n }) => [`${model}.${field}`, Number(n)]))
  }
}

/** What a record goes by in the quarantine. */
export function hashOf(key: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(key)).digest('hex')
}
