import type { Provider } from '@rowseal/prisma-extension/plan'
import type { SqlClient, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { areThere, NOW, numbered, transactionOf } from './dialect.ts'

/** A value that something is wrong with. */
export interface Quarantined {
  readonly model: string
  /** A sealed field, or a column of a blind index. */
  readonly field: string
  /** In text form, in the order of the model's key. */
  readonly key: readonly string[]
  readonly code: string
}

/** Where bad values are: table, field, record and the error's code. No content. */
export class Quarantine {
  readonly #client: SqlClient
  readonly #provider: Provider

  constructor(client: SqlClient, provider: Provider) {
    this.#client = client
    this.#provider = provider
  }

  /** Record values in a transaction of the caller's, in place of what was recorded of them. */
  async record(tx: SqlTransaction, bad: readonly Quarantined[]): Promise<void> {
    for (const { model, field, key, code } of bad) {
      const at = [model, field, JSON.stringify(key)]
      await tx.$executeRawUnsafe(
        this.#sql(
          'DELETE FROM rowseal_quarantine WHERE model = ? AND field = ? AND record_key = ?',
        ),
        ...at,
      )
      await tx.$executeRawUnsafe(
        this.#sql(
          `INSERT INTO rowseal_quarantine (model, field, record_key, code, found_at_ms) VALUES (?, ?, ?, ?, ${NOW[this.#provider]})`,
        ),
        ...at,
        code,
      )
    }
  }

  /** Replace what is recorded of some fields of a model. */
  async replace(
    model: string,
    fields: readonly string[],
    bad: readonly Quarantined[],
  ): Promise<void> {
    await this.#client.$transaction(async (tx) => {
      // Two statements at least: on libsql a lone one may be lost without an error.
      await tx.$queryRawUnsafe('SELECT 1')
      for (const field of fields)
        await tx.$executeRawUnsafe(
          this.#sql('DELETE FROM rowseal_quarantine WHERE model = ? AND field = ?'),
          model,
          field,
        )
      await this.record(tx, bad)
    }, transactionOf(this.#provider))
  }

  /** Number of recorded values, by `Model.field`; none if the tables are not there. */
  async counts(): Promise<ReadonlyMap<string, number>> {
    if (!(await areThere(this.#client))) return new Map()
    const rows = await this.#client.$queryRawUnsafe<
      { model: string; field: string; n: bigint | number }[]
    >('SELECT model, field, count(*) AS n FROM rowseal_quarantine GROUP BY model, field')
    return new Map(rows.map(({ model, field, n }) => [`${model}.${field}`, Number(n)]))
  }

  #sql(text: string): string {
    return numbered(this.#provider, text)
  }
}
