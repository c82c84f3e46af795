import type { SqlTransaction } from '@rowseal/prisma-extension/sql'
import { resumable } from './checkpoint.ts'
import { couldNot, HEARTBEAT_LAPSE_MS, taken, takenOver } from './errors.ts'
import { isDead } from './owner.ts'
import { hold } from './move.ts'
import { isEnd, type Ended, type Progress } from './progress.ts'
import { idOf, OF_RUN } from './run-row.ts'
import type { Bound, RunSql } from './sql.ts'
import { ACTIVE } from './states.ts'

/**
 * Who works on a key range of a run:
 *
 *   no owner                     free            claim: owner set, epoch + 1
 *   owner, heartbeat in time     taken           claim refused: ERR_RUN_STATE
 *   owner, heartbeat lapsed      abandoned       claim: owner replaced, epoch + 1
 *   owner dead on this host      abandoned       the same, at once
 *
 * Every write of a worker is made together with an update that only matches its own epoch. A former owner
 * that wakes up matches nothing and rolls back.
 */

/** What a run is known by: the n-th over a model, of those that write or those that read. */
export interface RunId {
  readonly model: string
  readonly kind: 'write' | 'read'
  readonly run: number
}

/** A range of keys in text form: behind `after`, up to and with `until`; null for the ends of the table. */
export interface Range {
  readonly after: readonly string[] | null
  readonly until: readonly string[] | null
}

/** A claim on a part, ours until somebody takes it over. */
export interface Part extends RunId {
  readonly direction: string
  readonly part: number
  readonly epoch: number
  readonly owner: string
  readonly range: Range
  /** When it was claimed. */
  readonly progress: Progress
  /** What the worker before left, for `resumable`; null at first. */
  readonly checkpoint: string | null
}

/** A part as it stands. */
export interface PartInfo {
  readonly part: number
  readonly epoch: number
  /** `host:pid:id`; null if nobody works on it. */
  readonly owner: string | null
  readonly isAlive: boolean
  readonly progress: Progress
  readonly checkpoint: string | null
}

interface Row {
  part: string
  run: string
  epoch: string
  silent_ms: string
  owner: string | null
  after_key: string | null
  until_key: string | null
  progress: Progress
  checkpoint: string | null
}

export class Parts {
  readonly #sql: RunSql

  constructor(sql: RunSql) {
    this.#sql = sql
  }

  /**
   * Take a part, for one worker at a time.
   *
   * @param target - what passes look for. A part that ended after something else is opened again.
   * @returns null if nothing is left to do in it.
   * @throws {MigrationError} `ERR_RUN_STATE` if another worker has it, the run is another's now, or it is over and
   *   the part would have to be opened again.
   */
  async claim(
    run: RunId & { readonly since: Date; readonly direction: string },
    part: number,
    owner: string,
    target: string,
  ): Promise<Part | null> {
    const row = await this.#read(run, part)
    if (row === undefined) throw takenOver(run)
    const isEnded = isEnd(row.progress)
    // One without a checkpoint had no rows from the start.
    const isDone = row.checkpoint === null || resumable(row.checkpoint, target) !== null
    if (isEnded && isDone) return null
    assertFree(run, row)
    await this.#sql.transaction(async (tx) => {
      await tx.$queryRawUnsafe('SELECT 1')
      // Whoever brings a run to its end by its parts holds it too.
      if (isEnded && !(await hold(this.#sql, tx, run, ACTIVE))) throw couldNot(run, 'claimed')
      await this.#sql.run(tx, [
        `UPDATE rowseal_parts SET epoch = epoch + 1, owner = ?, heartbeat_at_ms = ${this.#sql.now}${isEnded ? `, progress = 'open'` : ''}
WHERE ${OF_PART} AND epoch = ${Number(row.epoch)}`,
        ...[owner, ...valuesOf(run, part)],
      ])
    })
    const mine = await this.#read(run, part)
    if (mine?.owner !== owner) {
      if (mine !== undefined) assertFree(run, mine)
      throw couldNot(run, 'claimed')
    }
    const { model, kind, direction } = run
    const range = { after: keyOf(mine.after_key), until: keyOf(mine.until_key) }
    const { progress, checkpoint } = mine
    const epoch = Number(mine.epoch)
    const id = { model, kind, run: run.run, direction, part }
    return { ...id, epoch, owner, range, progress, checkpoint }
  }

  /** Say that the worker is alive. False if the part is no longer ours. */
  async beat(part: Part): Promise<boolean> {
    return (await this.#update(part, `heartbeat_at_ms = ${this.#sql.now}`)) === 1
  }

  /** Note that a part was gone over once. */
  async swept(part: Part): Promise<void> {
    await this.#update(part, `progress = 'swept'`)
  }

  /**
   * Write something together with the checkpoint, or nothing at all.
   *
   * @param work - gives the checkpoint to write.
   * @throws {MigrationError} `ERR_RUN_STATE` if the part was taken over. Everything is rolled back.
   */
  async commit(part: Part, work: (tx: SqlTransaction) => Promise<object>): Promise<void> {
    await this.#sql.transaction(async (tx) => {
      const checkpoint = JSON.stringify(await work(tx))
      await this.#assertOurs(tx, part, 'checkpoint = ?, ', checkpoint)
    })
  }

  /**
   * Write something that the checkpoint does not tell of, or nothing at all.
   *
   * @throws {MigrationError} as `commit`
   */
  async write(part: Part, work: (tx: SqlTransaction) => Promise<void>): Promise<void> {
    await this.#sql.transaction(async (tx) => {
      await work(tx)
      await this.#assertOurs(tx, part)
    })
  }

  /**
   * Give a part back.
   *
   * @param ended - what became of it, and the last checkpoint; null if somebody is to go on with it.
   * @returns false if it was taken over: then nothing was done.
   */
  async release(part: Part, ended: Ended | null): Promise<boolean> {
    const set = `owner = NULL, heartbeat_at_ms = ${this.#sql.now}`
    if (ended === null) return (await this.#update(part, set)) === 1
    const checkpoint = JSON.stringify(ended.checkpoint)
    const all = `${set}, progress = '${ended.end}', checkpoint = ?`
    return (await this.#sql.write(own(part, all, checkpoint))) === 1
  }

  /** The parts of a run, in order. @param tx - a transaction of the caller's. */
  async list(run: RunId, tx?: SqlTransaction): Promise<PartInfo[]> {
    const sql = `SELECT ${this.#columns} FROM rowseal_parts WHERE ${OF_RUN} ORDER BY rowseal_parts.part`
    const rows = await this.#sql.readIn<Row>(tx ?? this.#sql.client, sql, ...idOf(run))
    return rows.map(infoOf)
  }

  /** A part as it stands; null if the run is another's now. */
  async find(run: RunId, part: number): Promise<PartInfo | null> {
    const row = await this.#read(run, part)
    return row === undefined ? null : infoOf(row)
  }

  async #read(run: RunId, part: number): Promise<Row | undefined> {
    const sql = `SELECT ${this.#columns} FROM rowseal_parts WHERE ${OF_PART}`
    return (await this.#sql.read<Row>(sql, ...valuesOf(run, part)))[0]
  }

  /** @param set - what to write of the part besides, with a comma behind it. */
  async #assertOurs(
    tx: SqlTransaction,
    part: Part,
    set = '',
    ...params: readonly unknown[]
  ): Promise<void> {
    const beat = `${set}heartbeat_at_ms = ${this.#sql.now}`
    const count = await this.#sql.run(tx, own(part, beat, ...params))
    if (count !== 1) throw takenOver(part)
  }

  #update(part: Part, set: string): Promise<number> {
    return this.#sql.write(own(part, set))
  }

  get #columns(): string {
    return [
      'owner, after_key, until_key, progress, checkpoint',
      ...['part', 'run', 'epoch'].map((name) => this.#sql.text(name, name)),
      this.#sql.text(`${this.#sql.now} - heartbeat_at_ms`, 'silent_ms'),
    ].join(', ')
  }
}

const OF_PART = `${OF_RUN} AND part = ?`

function valuesOf(run: RunId, part: number): unknown[] {
  return [...idOf(run), part]
}

function own(part: Part, set: string, ...params: unknown[]): Bound {
  const where = `${OF_PART} AND epoch = ${part.epoch}`
  return [`UPDATE rowseal_parts SET ${set} WHERE ${where}`, ...params, ...valuesOf(part, part.part)]
}

function keyOf(text: string | null): readonly string[] | null {
  return text === null ? null : (JSON.parse(text) as string[])
}

function infoOf(row: Row): PartInfo {
  const { owner, progress, checkpoint } = row
  const [part, epoch] = [Number(row.part), Number(row.epoch)]
  return { part, epoch, owner, isAlive: isAlive(row), progress, checkpoint }
}

function isAlive({ owner, silent_ms }: Row): boolean {
  return owner !== null && Number(silent_ms) <= HEARTBEAT_LAPSE_MS && !isDead(owner)
}

function assertFree(run: RunId & { readonly since: Date }, row: Row): void {
  if (isAlive(row)) throw taken(run, row.owner!)
}
