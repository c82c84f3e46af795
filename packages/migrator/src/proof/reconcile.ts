import { isList, type ColumnValue, type PageRow } from '@rowseal/prisma-extension/sql'
import type { Checkpoint } from '../runs/checkpoint.ts'
import type { Slice } from '../engine/divide.ts'
import type { Batch, Change, Strategy, StrategyField } from '../engine/strategy.ts'

/**
 * What became of the values of a field, in rows. Every row that was read and holds a value of it is one of the
 * four:
 *
 *   read = changed + superseded + fresh + quarantined
 *
 * A row that was beaten by somebody is read again by a later pass, and counts again. What is in quarantine is
 * read by every pass and counts once, as it does in `quarantined` of the run.
 */
export interface FieldReport {
  readonly field: string
  /** Rows read, for this field or another one of the row, that hold a value of it. */
  readonly read: number
  readonly changed: number
  /** Left alone because somebody else wrote or locked the row. */
  readonly superseded: number
  /** There was nothing to do to its value. */
  readonly fresh: number
  readonly quarantined: number
}

type Counter = Exclude<keyof FieldReport, 'field'>
type Tally = Checkpoint['tally']

const COUNTERS = ['read', 'changed', 'superseded', 'fresh', 'quarantined'] as const
/** Before the counters of what every pass meets anew. */
const LEFT = 'left '

/** Counts what becomes of the fields of a page, as its batches are committed. */
export class Reconciliation<C extends Change> {
  readonly #fields: readonly StrategyField<C>[]
  readonly #rows: readonly PageRow[]
  readonly #changes: ReadonlyMap<number, C>
  /** By row and name of the field. */
  readonly #bad: ReadonlySet<string>

  readonly #isFirstPass: boolean
  readonly #columns: Strategy<C>['columns']
  /** Rows of which something was written, or would have been but for somebody else. */
  readonly #tried = new Set<number>()
  /** Rows of which the database refused something. */
  readonly #refused = new Set<number>()

  constructor(
    { fields = [], columns }: Strategy<C>,
    { pass }: Pick<Checkpoint, 'pass'>,
    rows: readonly PageRow[],
    batch: Batch<C>,
  ) {
    this.#fields = fields
    this.#columns = columns
    this.#isFirstPass = pass === 1
    this.#rows = rows
    this.#changes = new Map(batch.changes.map((change) => [change.row, change]))
    this.#bad = new Set(batch.bad.map(({ row, field }) => `${row} ${field}`))
  }

  /** @param lost - of the changes, the places of the rows that were not written. */
  tally({ changes, bad, from, to, isLast }: Slice<C>, lost: ReadonlySet<number>): Tally {
    const counts = new Map<string, number>()
    const refused = bad.filter(({ row, field }) => !this.#isBad(row, field))
    for (const { row } of changes) this.#tried.add(row)
    for (const { row } of refused) this.#refused.add(row)
    for (const each of this.#fields) {
      const { name } = each.field
      const note = (what: Counter, prefix = ''): void => {
        for (const counter of ['read', what]) {
          const key = `${prefix}${counter} ${name}`
          counts.set(key, (counts.get(key) ?? 0) + 1)
        }
      }
      for (const change of changes)
        if (each.next(change) !== null && !this.#isBad(change.row, name))
          note(lost.has(change.row) ? 'superseded' : 'changed')
      for (const { field } of refused) if (this.#isOf(each, field)) note('quarantined', LEFT)
      if (isLast) for (let row = from; row < to; row++) this.#unchanged(each, row, note)
    }
    return Object.fromEntries(counts)
  }

  #unchanged(
    each: StrategyField<C>,
    row: number,
    note: (what: Counter, prefix?: string) => void,
  ): void {
    const value = this.#rows[row]!.values[each.places[0]!] ?? null
    const change = this.#changes.get(row)
    if (isEmpty(value)) return
    if (this.#isBad(row, each.field.name)) note('quarantined', LEFT)
    else if (change === undefined || each.next(change) === null) {
      // A row with nothing but values in quarantine was counted by the first pass.
      const isOnlyBad = change === undefined || (this.#refused.has(row) && !this.#tried.has(row))
      if (this.#isFirstPass || !isOnlyBad) note('fresh')
    }
  }

  /** Is it the name of a field, or of the column of one of its indexes? */
  #isOf({ places }: StrategyField<C>, name: string): boolean {
    return places.some((place) => this.#columns[place]!.field === name)
  }

  #isBad(row: number, field: string): boolean {
    return this.#bad.has(`${row} ${field}`)
  }
}

function isEmpty(value: ColumnValue | null): boolean {
  return value === null || (isList(value) && value.length === 0)
}

/** What the next pass goes on counting from: without what it meets anew. */
export function carried(tally: Tally): Tally {
  return Object.fromEntries(Object.entries(tally).filter(([name]) => !name.startsWith(LEFT)))
}

/** What the tallies of all parts of a run say together. */
export function reconciled(fields: readonly string[], tallies: readonly Tally[]): FieldReport[] {
  const sum = (name: string): number =>
    tallies.reduce((total, tally) => total + (tally[name] ?? 0) + (tally[LEFT + name] ?? 0), 0)
  return fields.map((field) => {
    const counts = COUNTERS.map((counter) => [counter, sum(`${counter} ${field}`)] as const)
    return { field, ...(Object.fromEntries(counts) as Record<Counter, number>) }
  })
}
