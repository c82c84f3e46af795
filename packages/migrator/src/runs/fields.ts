import type { Provider, SealedType } from '@rowseal/prisma-extension/plan'
import type { SqlClient, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { isDuplicate } from '../database-error.ts'
import { NOW, numbered, transactionOf } from './dialect.ts'

/** A column that holds or held values under a key of ours. */
export interface RegisteredField {
  /** Of the database; null for the one that the connection has. */
  readonly schema: string | null
  readonly table: string
  readonly column: string
  /** `sealed`: envelopes. `index`: values of a blind index. */
  readonly kind: 'sealed' | 'index'
  /** As the plan that was seen last names them. */
  readonly model: string
  readonly field: string
  readonly type: SealedType
  /** The keyring that the plan names; a tenant's field may be under others. */
  readonly keyring: string
  /** Of a blind index: the id of its record in the key store. */
  readonly indexId: string | null
  /** Somebody said that column and values are gone. */
  readonly isDropped: boolean
}

interface Row {
  schema_name: string
  table_name: string
  column_name: string
  kind: string
  model: string
  field: string
  type: string
  keyring: string
  index_id: string | null
  is_dropped: bigint | number | boolean
}

/**
 * Every column that a plan ever sealed, in this database: a key is looked for in all of them before it goes.
 * Whatever leaves the plan stays here, until somebody says that it is gone.
 */
export class FieldRegister {
  readonly #client: SqlClient
  readonly #provider: Provider

  constructor(client: SqlClient, provider: Provider) {
    this.#client = client
    this.#provider = provider
  }

  /** All of them, those that were dropped too. */
  async list(): Promise<RegisteredField[]> {
    const isDropped = 'CASE WHEN dropped_at_ms IS NULL THEN 0 ELSE 1 END AS is_dropped'
    const rows = await this.#client.$queryRawUnsafe<Row[]>(
      `SELECT schema_name, table_name, column_name, kind, model, field, type, keyring, index_id, ${isDropped}
FROM rowseal_fields ORDER BY model, field, kind, schema_name, table_name, column_name`,
    )
    return rows.map((row) => ({
      schema: row.schema_name === '' ? null : row.schema_name,
      table: row.table_name,
      column: row.column_name,
      kind: row.kind === 'index' ? 'index' : 'sealed',
      model: row.model,
      field: row.field,
      type: row.type as SealedType,
      keyring: row.keyring,
      indexId: row.index_id,
      isDropped: Number(row.is_dropped) === 1,
    }))
  }

  /** Remember fields. Those that are known get the names they have now; of those that were dropped it is taken back. */
  async note(fields: readonly Omit<RegisteredField, 'isDropped'>[]): Promise<void> {
    const known = new Map((await this.list()).map((field) => [placeOf(field), field]))
    const changed = fields.filter((field) => !isKnown(known.get(placeOf(field)), field))
    if (changed.length === 0) return
    await this.#write(async (tx) => {
      for (const field of changed) await this.#put(tx, field, known.has(placeOf(field)))
    }).catch(async (error: unknown) => {
      if (!isDuplicate(error)) throw error
      // Two at once: the other one was faster.
      const now = new Set((await this.list()).map(placeOf))
      if (!changed.every((field) => now.has(placeOf(field)))) throw error
    })
  }

  /** Note that a column is gone, with all values that were in it. @param by - who says so. */
  async drop(fields: readonly RegisteredField[], by: string): Promise<void> {
    await this.#write(async (tx) => {
      for (const field of fields)
        await tx.$executeRawUnsafe(
          this.#sql(
            `UPDATE rowseal_fields SET dropped_at_ms = ${NOW[this.#provider]}, dropped_by = ? WHERE ${WHERE}`,
          ),
          by,
          ...keyOf(field),
        )
    })
  }

  async #put(
    tx: SqlTransaction,
    field: Omit<RegisteredField, 'isDropped'>,
    isThere: boolean,
  ): Promise<void> {
    const { model, type, keyring, indexId } = field
    const values = [model, field.field, type, keyring, indexId, ...keyOf(field)]
    const sql = isThere
      ? `UPDATE rowseal_fields SET model = ?, field = ?, type = ?, keyring = ?, index_id = ?, dropped_at_ms = NULL, dropped_by = NULL WHERE ${WHERE}`
      : `INSERT INTO rowseal_fields (model, field, type, keyring, index_id, schema_name, table_name, column_name, kind, first_seen_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ${NOW[this.#provider]})`
    await tx.$executeRawUnsafe(this.#sql(sql), ...values)
  }

  /** Two statements at least: on libsql a lone one may be lost without an error. */
  async #write(work: (tx: SqlTransaction) => Promise<void>): Promise<void> {
    await this.#client.$transaction(async (tx) => {
      await tx.$queryRawUnsafe('SELECT 1')
      await work(tx)
    }, transactionOf(this.#provider))
  }

  #sql(text: string): string {
    return numbered(this.#provider, text)
  }
}

const WHERE = 'schema_name = ? AND table_name = ? AND column_name = ? AND kind = ?'

type Place = Pick<RegisteredField, 'schema' | 'table' | 'column' | 'kind'>

function keyOf({ schema, table, column, kind }: Place): string[] {
  return [schema ?? '', table, column, kind]
}

function placeOf(field: Place): string {
  return JSON.stringify(keyOf(field))
}

function isKnown(
  known: RegisteredField | undefined,
  field: Omit<RegisteredField, 'isDropped'>,
): boolean {
  return (
    known !== undefined &&
    !known.isDropped &&
    known.model === field.model &&
    known.field === field.field &&
    known.type === field.type &&
    known.keyring === field.keyring &&
    known.indexId === field.indexId
  )
}
