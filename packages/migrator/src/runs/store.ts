import type { Provider } from '@rowseal/prisma-extension/plan'
import type { SqlClient, SqlTransaction } from '@rowseal/prisma-extension/sql'
import { MigrationError } from '../errors.ts'
import { RUN_FORMAT, runTables } from './ddl.ts'
import { areThere } from './dialect.ts'
import { FieldRegister } from './fields.ts'
import { couldNot, newer, otherPlan, paused, taken } from './errors.ts'
import { cutParts } from './cut-parts.ts'
import { hold, moveIn } from './move.ts'
import { Parts, type Part, type PartInfo, type Range, type RunId } from './parts.ts'
import { isEnd } from './progress.ts'
import { Quarantine } from './quarantine.ts'
import {
  columnsOf,
  idOf,
  infoOf,
  OF_RUN,
  QUEUE_LAYOUT,
  type Row,
  type RunRow,
  type RunSpec,
} from './run-row.ts'
import { settle } from './settle.ts'
import { RunSql } from './sql.ts'
import { isActive, statesBefore, type RunState } from './states.ts'
import { assertStrict } from './strict.ts'

export type { RunRow, RunSpec } from './run-row.ts'

/** Layouts of runs that one command begins; of shards each is begun by itself. */
const BEGUN_BY_ONE: readonly string[] = ['whole', QUEUE_LAYOUT]

/** Two at once: each has lost as often as the other has won. */
const MAX_TRIES = 10

/** The last run over each model: one that writes to its sealed fields, whatever its direction, and one that reads. */
export class RunStore {
  readonly parts: Parts
  readonly quarantine: Quarantine
  readonly fields: FieldRegister
  readonly #sql: RunSql

  constructor(client: SqlClient, provider: Provider) {
    this.#sql = new RunSql(client, provider)
    this.parts = new Parts(this.#sql)
    this.quarantine = new Quarantine(client, provider)
    this.fields = new FieldRegister(client, provider)
  }

  ddl(): readonly string[] {
    return runTables(this.#sql.provider)
  }

  /**
   * @returns false if the tables were there.
   * @throws {MigrationError} `ERR_RUN_TABLES` if one of them is of an earlier format.
   */
  async init(): Promise<boolean> {
    if (await areThere(this.#sql.client)) return false
    for (const statement of this.ddl()) await this.#sql.client.$executeRawUnsafe(statement)
    await this.assertExists()
    return true
  }

  /** @throws {MigrationError} `ERR_RUN_TABLES` */
  async assertExists(): Promise<void> {
    if (await areThere(this.#sql.client)) return
    throw new MigrationError('ERR_RUN_TABLES', 'This database has no tables for runs.', {
      fix: 'Run `npx rowseal init`.',
    })
  }

  /**
   * Go on with the run that is there, or begin another.
   *
   * @param cut - gives the ranges of the parts of a new run, in order; null for one without rows.
   * @throws {MigrationError} `ERR_RUN_STATE` if another run has the model, `ERR_CHECKPOINT_NEWER`,
   *   `ERR_CHECKPOINT_PLAN` if the one that is there was begun under another plan, `ERR_CONFIG_INVALID` if
   *   MySQL would cut values off.
   */
  async begin(spec: RunSpec, cut: () => Promise<readonly (Range | null)[]>): Promise<RunRow> {
    if (spec.kind === 'write') await assertStrict(this.#sql)
    let isRestart = spec.restart === true
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const row = await this.find(spec)
      if (row !== null && (await this.#isEnded(row))) continue
      if (row !== null && (await this.isUnfinished(row))) {
        const goesOn = await this.#goesOn(row, { ...spec, restart: isRestart })
        if (goesOn && row.state !== 'failed') return row
        if (goesOn) await this.move(row, 'running', null)
      } else if (row === null) await this.#insert(spec, await cut())
      else await this.#replace(row, spec, await cut())
      // The run that is there now is the new one, or somebody else's who was faster.
      isRestart = false
    }
    throw couldNot(spec, 'begun')
  }

  /**
   * The last run over a model; null if there was none.
   *
   * @throws {MigrationError} `ERR_CHECKPOINT_NEWER`
   */
  async find({ model, kind }: Omit<RunId, 'run'>): Promise<RunRow | null> {
    const sql = `SELECT ${columnsOf(this.#sql)} FROM rowseal_runs WHERE model = ? AND kind = ?`
    const [row] = await this.#sql.read<Row>(sql, model, kind)
    if (row === undefined) return null
    if (Number(row.format) > RUN_FORMAT) throw newer(model, row.format)
    return infoOf(row)
  }

  /** The last runs of each model; none if the tables are not there. */
  async list(): Promise<RunRow[]> {
    if (!(await areThere(this.#sql.client))) return []
    const sql = `SELECT ${columnsOf(this.#sql)} FROM rowseal_runs ORDER BY model, kind DESC`
    return (await this.#sql.read<Row>(sql)).map(infoOf)
  }

  /**
   * Bring a run into another state, by a conditional write.
   *
   * @param reason - for people.
   * @param from - only from one of these. Default: all from which that is possible (`TRANSITIONS`).
   * @returns false if it was in none of them.
   */
  async move(
    run: RunId,
    state: RunState,
    reason: string | null,
    from: readonly RunState[] = statesBefore(state),
  ): Promise<boolean> {
    if (from.length === 0) return false
    return this.#sql.transaction(async (tx) => {
      await tx.$queryRawUnsafe('SELECT 1')
      if (!(await moveIn(this.#sql, tx, run, state, reason, from))) return false
      // Whoever works on it finds that it does not any more, and rolls back.
      if (state === 'cancelled')
        await this.#sql.run(tx, [
          'UPDATE rowseal_parts SET epoch = epoch + 1, owner = NULL WHERE model = ? AND kind = ? AND run = ?',
          ...idOf(run),
        ])
      return true
    })
  }

  /**
   * The run of a part has failed.
   *
   * @throws {MigrationError} `ERR_RUN_STATE` if the part was taken over: then nothing was changed.
   */
  async fail(part: Part, reason: string): Promise<void> {
    await this.parts.write(part, async (tx) => {
      await moveIn(this.#sql, tx, part, 'failed', reason, statesBefore('failed'))
    })
  }

  /**
   * Bring a run to its end by what its parts are. Meanwhile none of those that have ended is opened again.
   *
   * @param judge - null to leave the run as it is.
   */
  async end(
    run: RunId,
    judge: (parts: readonly PartInfo[]) => { state: RunState; reason: string | null } | null,
  ): Promise<void> {
    await this.#sql.transaction(async (tx) => {
      if (!(await hold(this.#sql, tx, run, ['finishing']))) return
      const end = judge(await this.parts.list(run, tx))
      if (end !== null) await moveIn(this.#sql, tx, run, end.state, end.reason, ['finishing'])
    })
  }

  /** Set what its workers take as pace with their next batches. @returns false if the run is another's. */
  async setPace(run: RunId, pace: string | null): Promise<boolean> {
    return (
      (await this.#sql.write([
        `UPDATE rowseal_runs SET pace = ? WHERE ${OF_RUN}`,
        pace,
        ...idOf(run),
      ])) === 1
    )
  }

  /**
   * Brings a run to its end whose worker was gone just before: what was done then says nothing of now, so another
   * one is begun. Not for shards. @returns false for any other run.
   */
  async #isEnded(row: RunRow): Promise<boolean> {
    if (!isActive(row.state) || !BEGUN_BY_ONE.includes(row.layout)) return false
    if (!(await this.parts.list(row)).every(({ progress }) => isEnd(progress))) return false
    await settle(this, row)
    const now = await this.find(row)
    return now === null || now.run !== row.run || !isActive(now.state)
  }

  /** Has it been left, or ended with an error, before all was done? */
  async isUnfinished(row: RunRow): Promise<boolean> {
    if (isActive(row.state)) return true
    if (row.state !== 'failed') return false
    return (await this.parts.list(row)).some(({ progress }) => !isEnd(progress))
  }

  /** Is it the run that is meant? Else makes room for that if it may. */
  async #goesOn(row: RunRow, spec: RunSpec): Promise<boolean> {
    const isSame = row.direction === spec.direction && row.layout === spec.layout
    if (isSame && row.plan === spec.plan && spec.restart !== true) return true
    const worker = (await this.parts.list(row)).find(({ isAlive }) => isAlive)
    if (worker !== undefined) throw taken(row, worker.owner!)
    if (spec.restart !== true) {
      if (row.state === 'paused') throw paused(row)
      if (isSame) throw otherPlan(row)
    }
    await this.move(row, 'cancelled', `left, and ${spec.direction} was begun`)
    return false
  }

  async #insert(spec: RunSpec, ranges: readonly (Range | null)[]): Promise<void> {
    const { model, kind, direction, layout, plan } = spec
    const now = this.#sql.now
    const begin = async (tx: SqlTransaction): Promise<void> => {
      await this.#sql.run(tx, [
        `INSERT INTO rowseal_runs (model, kind, format, run, direction, layout, plan, state, began_at_ms, changed_at_ms)
VALUES (?, ?, ${RUN_FORMAT}, 1, ?, ?, ?, 'planned', ${now}, ${now})`,
        ...[model, kind, direction, layout, plan],
      ])
      await cutParts(this.#sql, tx, { model, kind, run: 1 }, ranges)
    }
    try {
      await this.#sql.transaction(begin)
    } catch (error) {
      // Two at once: the caller looks who was first.
      if ((await this.find(spec)) === null) throw error
    }
  }

  async #replace(row: RunRow, spec: RunSpec, ranges: readonly (Range | null)[]): Promise<void> {
    const { direction, layout, plan } = spec
    const now = this.#sql.now
    await this.#sql.transaction(async (tx) => {
      await tx.$queryRawUnsafe('SELECT 1')
      const count = await this.#sql.run(tx, [
        `UPDATE rowseal_runs SET format = ${RUN_FORMAT}, run = run + 1, direction = ?, layout = ?, plan = ?, state = 'planned',
reason = NULL, pace = NULL, began_at_ms = ${now}, changed_at_ms = ${now} WHERE ${OF_RUN} AND state = ?`,
        ...[direction, layout, plan, ...idOf(row), row.state],
      ])
      if (count === 1) await cutParts(this.#sql, tx, { ...row, run: row.run + 1 }, ranges)
    })
  }
}
