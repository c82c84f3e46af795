import type { Provider } from '@rowseal/prisma-extension/plan'
import type { SqlClient, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { MigrationError } from '../errors.ts'
import { RUN_FORMAT, runTables } from './ddl.ts'
import { areThere, NOW, numbered, transactionOf } from './dialect.ts'
import { isDead } from './owner.ts'
import { FieldRegister } from './fields.ts'
import { Quarantine } from './quarantine.ts'

/**
 * Who may write to the sealed fields of a model. One row per model, whatever the direction:
 *
 *   no row, or no owner          free            claim: owner set, epoch + 1
 *   owner, heartbeat in time     taken           claim refused: ERR_RUN_STATE
 *   owner, heartbeat lapsed      abandoned       claim: owner replaced, epoch + 1
 *   owner dead on this host      abandoned       the same, at once
 *
 * Every write of a run is made together with an update that only matches its own epoch. A former owner
 * that wakes up matches nothing and rolls back.
 */

/** After this long without a heartbeat a run counts as abandoned. */
export const HEARTBEAT_LAPSE_MS = 15_000

export type Outcome = 'running' | 'done' | 'incomplete' | 'stopped' | 'failed'

/** A claim on a model, ours until somebody takes it over. */
export interface Run {
  readonly model: string
  readonly epoch: number
  readonly owner: string
  /** What the run before left, for `resumable`; null at first. */
  readonly checkpoint: string | null
}

/** The last run of a model. */
export interface RunInfo {
  readonly model: string
  readonly direction: string
  readonly outcome: string
  /** `host:pid:id`; null if nobody has it. */
  readonly owner: string | null
  readonly isAlive: boolean
  /** When it was claimed. */
  readonly since: string
}

interface Row {
  direction: string
  outcome: string
  format: string
  epoch: string
  owner: string | null
  checkpoint: string | null
  silent_ms: string
  since_ms: string
}

export class RunStore {
  readonly quarantine: Quarantine
  readonly fields: FieldRegister
  readonly #client: SqlClient
  readonly #provider: Provider

  constructor(client: SqlClient, provider: Provider) {
    this.#client = client
    this.#provider = provider
    this.quarantine = new Quarantine(client, provider)
    this.fields = new FieldRegister(client, provider)
  }

  ddl(): readonly string[] {
    return runTables(this.#provider)
  }

  /** @returns false if the tables were there. */
  async init(): Promise<boolean> {
    if (await areThere(this.#client)) return false
    for (const statement of this.ddl()) await this.#client.$executeRawUnsafe(statement)
    return true
  }

  /** @throws {MigrationError} `ERR_RUN_TABLES` */
  async assertExists(): Promise<void> {
    if (await areThere(this.#client)) return
    throw new MigrationError('ERR_RUN_TABLES', 'This database has no tables for runs.', {
      fix: 'Run `npx rowseal init`.',
    })
  }

  /**
   * Take a model, for one run at a time.
   *
   * @throws {MigrationError} `ERR_RUN_STATE` if another run has it, `ERR_CHECKPOINT_NEWER`
   */
  async claim(model: string, direction: string, owner: string): Promise<Run> {
    const row = await this.#read(model)
    if (row === null) {
      await this.#write([
        `INSERT INTO rowseal_runs (model, format, direction, epoch, owner, claimed_at_ms, heartbeat_at_ms, outcome)
SELECT ?, ${RUN_FORMAT}, ?, 1, ?, ${this.#now}, ${this.#now}, 'running'${this.#provider === 'mysql' ? ' FROM DUAL' : ''}
WHERE NOT EXISTS (SELECT 1 FROM rowseal_runs WHERE model = ?)`,
        [model, direction, owner, model],
      ]).catch(() => undefined) // two at once: the read below tells who was first
    } else {
      this.#assertFree(model, row)
      await this.#write([
        `UPDATE rowseal_runs SET format = ${RUN_FORMAT}, direction = ?, epoch = epoch + 1, owner = ?,
claimed_at_ms = ${this.#now}, heartbeat_at_ms = ${this.#now}, outcome = 'running' WHERE model = ? AND epoch = ${row.epoch}`,
        [direction, owner, model],
      ])
    }
    const mine = await this.#read(model)
    if (mine?.owner === owner)
      return { model, owner, epoch: Number(mine.epoch), checkpoint: mine.checkpoint }
    if (mine !== null) this.#assertFree(model, mine)
    throw new MigrationError('ERR_RUN_STATE', `The run on ${model} could not be claimed.`, {
      fix: 'Run the same command again.',
      retryable: true,
    })
  }

  /** Say that the run is alive. False if it is no longer ours. */
  async beat(run: Run): Promise<boolean> {
    const count = await this.#write([
      `UPDATE rowseal_runs SET heartbeat_at_ms = ${this.#now} WHERE ${this.#own(run)}`,
      [run.model],
    ])
    return count === 1
  }

  /**
   * Write something together with the checkpoint, or nothing at all.
   *
   * @param work - gives the checkpoint to write.
   * @throws {MigrationError} `ERR_RUN_STATE` if the run was taken over. Everything is rolled back.
   */
  async commit(run: Run, work: (tx: SqlTransaction) => Promise<object>): Promise<void> {
    await this.#client.$transaction(async (tx) => {
      const checkpoint = JSON.stringify(await work(tx))
      const count = await tx.$executeRawUnsafe(
        this.#sql(
          `UPDATE rowseal_runs SET checkpoint = ?, heartbeat_at_ms = ${this.#now} WHERE ${this.#own(run)}`,
        ),
        checkpoint,
        run.model,
      )
      if (count !== 1) throw takenOver(run)
    }, transactionOf(this.#provider))
  }

  /** Give the model back. Does nothing if it was taken over. A finished run leaves no checkpoint. */
  async release(run: Run, outcome: Outcome): Promise<void> {
    const keep = outcome === 'stopped' || outcome === 'failed'
    await this.#write([
      `UPDATE rowseal_runs SET owner = NULL, outcome = ?, heartbeat_at_ms = ${this.#now}${keep ? '' : ', checkpoint = NULL'}
WHERE ${this.#own(run)}`,
      [outcome, run.model],
    ])
  }

  /** The last run of each model; none if the tables are not there. */
  async list(): Promise<RunInfo[]> {
    if (!(await areThere(this.#client))) return []
    const rows = await this.#client.$queryRawUnsafe<(Row & { model: string })[]>(
      `SELECT ${this.#columns} FROM rowseal_runs ORDER BY model`,
    )
    return rows.map((row) => ({
      model: row.model,
      direction: row.direction,
      outcome: row.outcome,
      owner: row.owner,
      isAlive: row.owner !== null && !isAbandoned(row, row.owner),
      since: new Date(Number(row.since_ms)).toISOString(),
    }))
  }

  #assertFree(model: string, row: Row): void {
    if (Number(row.format) > RUN_FORMAT)
      throw new MigrationError(
        'ERR_CHECKPOINT_NEWER',
        `A newer version of Rowseal left a checkpoint for ${model} (format ${row.format}).`,
        { fix: 'Update @rowseal/migrator.' },
      )
    const { owner } = row
    if (owner === null || isAbandoned(row, owner)) return
    const since = new Date(Number(row.since_ms)).toISOString()
    throw new MigrationError(
      'ERR_RUN_STATE',
      `Another run writes to ${model}: ${owner} (host:pid:id), since ${since}.`,
      {
        fix: `Wait until it has ended, or end it; ${HEARTBEAT_LAPSE_MS / 1000} s later its run is free.`,
      },
    )
  }

  async #read(model: string): Promise<Row | null> {
    const rows = await this.#client.$queryRawUnsafe<Row[]>(
      this.#sql(`SELECT ${this.#columns} FROM rowseal_runs WHERE model = ?`),
      model,
    )
    return rows[0] ?? null
  }

  /** On libsql a lone statement may be lost without an error after SQLITE_BUSY; a commit fails loudly. */
  async #write([sql, params]: [string, unknown[]]): Promise<number> {
    return this.#client.$transaction(async (tx) => {
      await tx.$queryRawUnsafe('SELECT 1')
      return tx.$executeRawUnsafe(this.#sql(sql), ...params)
    }, transactionOf(this.#provider))
  }

  #own(run: Run): string {
    return `model = ? AND epoch = ${run.epoch}`
  }

  /** Numbers as text: libsql throws for some, and the clock of the database is subtracted there. */
  get #columns(): string {
    const text = (sql: string, name: string): string =>
      `CAST(${sql} AS ${this.#provider === 'mysql' ? 'CHAR' : 'TEXT'}) AS ${name}`
    return [
      'model, direction, outcome, owner, checkpoint',
      text('format', 'format'),
      text('epoch', 'epoch'),
      text('claimed_at_ms', 'since_ms'),
      text(`${this.#now} - heartbeat_at_ms`, 'silent_ms'),
    ].join(', ')
  }

  get #now(): string {
    return NOW[this.#provider]
  }

  #sql(text: string): string {
    return numbered(this.#provider, text)
  }
}

function isAbandoned(row: Row, owner: string): boolean {
  return Number(row.silent_ms) > HEARTBEAT_LAPSE_MS || isDead(owner)
}

/** @returns the error for a run whose epoch is no longer ours. */
export function takenOver({ model }: Run): MigrationError {
  return new MigrationError(
    'ERR_RUN_STATE',
    `Another run has taken over ${model}. The batch in hand was rolled back.`,
    { fix: 'Leave it to that run.' },
  )
}
