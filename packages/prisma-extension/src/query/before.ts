import { NOTHING_GIVEN, type Given, type Unknown } from './binding.ts'
import { comparesExactly, condition, impossible, pinned } from './bound-values.ts'
import type { ModelPlan } from './compile.ts'
import { RecordPending, type Current } from './current.ts'
import { isAbsent, isPlainObject, type PlainObject } from './special.ts'

/** How a record is named that an update is about. */
export interface Named {
  readonly where: unknown
  /** Foreign keys it has because it lies below another record. */
  readonly above?: Given
  /** For a top-level update or upsert: the record as it was read. */
  readonly current?: Current
  /** Several records, of which `where` says what they have in common. */
  readonly isMany?: boolean
  /**
   * Prisma writes by the key what it found by `where`, so `where` tells of key columns alone what holds at
   * the moment of writing.
   */
  readonly isByKey?: boolean
}

/** What is known of the bound columns of a record before an update. */
export class Before {
  readonly isMany: boolean
  readonly #model: ModelPlan
  readonly #named: Named
  /** What is taken for granted beside `where`, and so must hold when the record is written. */
  readonly #conditions = new Map<string, PlainObject[]>()

  constructor(model: ModelPlan, named: Named) {
    this.#model = model
    this.#named = named
    this.isMany = named.isMany === true
  }

  /** Is there no such record, so that whatever is written is not stored? */
  get isAbsent(): boolean {
    return this.#named.current?.state === 'absent'
  }

  /** What `where` says of a column, which needs no condition beside it. */
  pinned(column: string): string | null {
    const { where, isByKey } = this.#named
    const isKept = isByKey !== true || this.#model.source.key.includes(column)
    return isKept ? pinned(this.#model, where, column) : null
  }

  /** The columns that `where` leaves open. */
  get open(): readonly string[] {
    return [...this.#conditions.keys()]
  }

  /**
   * The text of a bound column; null if it is not known.
   *
   * @throws {RecordPending} if the record must be read first.
   */
  text(column: string): string | null {
    const { where, above = NOTHING_GIVEN, current, isByKey } = this.#named
    const text = this.pinned(column)
    if (text !== null || isByKey === true) return text
    const given = above.get(column)?.() ?? null
    if (given !== null) return this.#require(column, given)
    if (current?.state === 'unread') throw new RecordPending(this.#model, where)
    if (current?.state === 'read') return this.#require(column, current.texts[column] ?? null)
    if (current?.state !== 'absent') return null
    this.#conditions.set(column, impossible(this.#model, column))
    return ''
  }

  /** Add to the `where` of an update what was taken for granted. Gives back the same object if that is nothing. */
  constrain(args: PlainObject): PlainObject {
    const conditions = [...this.#conditions.values()].flat()
    if (conditions.length === 0) return args
    const where = isPlainObject(args['where']) ? args['where'] : {}
    const given = where['AND']
    const others = isAbsent(given) ? [] : Array.isArray(given) ? (given as unknown[]) : [given]
    return { ...args, where: { ...where, AND: [...others, ...conditions] } }
  }

  readonly unknown: Unknown = {
    why: 'and this update does not say which record it has',
    fix: (column) => this.#fix(column),
  }

  #fix(column: string): string {
    const { isByKey, current } = this.#named
    if (!comparesExactly(this.#model, column)) {
      return `Update each ${this.#model.name} by itself and outside of batches: on MySQL, where may find another spelling of ${column} than it names.`
    }
    if (isByKey === true) return `Update records one by one, with ${column} in where.`
    const name = `Name ${column} in where`
    return current?.state === 'batch' ? `${name}, or take the update out of the batch.` : `${name}.`
  }

  #require(column: string, text: string | null): string | null {
    if (text !== null) this.#conditions.set(column, [condition(this.#model, column, text)])
    return text
  }
}
