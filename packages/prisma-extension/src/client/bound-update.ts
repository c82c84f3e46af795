import type { Via } from '../keys/types.ts'
import {
  boundTexts,
  contended,
  halfWritten,
  hasNested,
  holds,
  RecordPending,
  type Collected,
  type Current,
  type ModelPlan,
} from '../query/index.ts'
import { isInBatch, readRecord, type InternalParams } from './internals.ts'

/**
 * An update whose `where` does not say what a value is bound to:
 *
 *   collect → the record is read → collect → write where it is still as it was read
 *     → not found, and it is another one by now → once more, from the reading on
 *     → found and not written (MySQL)           → once more
 *
 * Inside an interactive transaction there is no second attempt: what a failed one has written would stay.
 */
export class BoundUpdate {
  #current: Current
  #pending: RecordPending | null = null
  #attempts = 0
  readonly #client: object
  readonly #via: Via | undefined

  constructor(client: object, via: Via | undefined, params: InternalParams | undefined) {
    this.#client = client
    this.#via = via
    this.#current = isInBatch(params) ? BATCH : UNREAD
  }

  /** Walk the arguments, after reading the record if that is needed. No I/O otherwise, and nothing awaited. */
  collect(
    walk: (current: Current) => Collected | Promise<Collected>,
  ): Collected | Promise<Collected> {
    const again = (error: unknown): Promise<Collected> => this.#collectAfter(error, walk)
    try {
      const collected = walk(this.#current)
      return collected instanceof Promise ? collected.catch(again) : collected
    } catch (error) {
      return again(error)
    }
  }

  async #collectAfter(
    error: unknown,
    walk: (current: Current) => Collected | Promise<Collected>,
  ): Promise<Collected> {
    if (!(error instanceof RecordPending)) throw error
    this.#pending = error
    this.#current = await this.#read(error)
    return walk(this.#current)
  }

  /**
   * Look at the record that an update handed out.
   *
   * @param record - the whole of it.
   * @throws {NotWritten} if it is not what was written: see `Proof`.
   * @throws {QueryError} `ERR_RECORD_BINDING` if what is nested in the update was.
   */
  assertWritten({ proof, args }: Collected, record: unknown): void {
    if (this.#pending === null || proof === null || holds(proof, args, record)) return
    const { model } = this.#pending
    if (this.#via === undefined && hasNested(model, args)) throw halfWritten(model)
    throw new NotWritten()
  }

  /**
   * Is it worth collecting and writing again, after an error of Prisma's?
   *
   * @throws {QueryError} `ERR_RECORD_BINDING`, retryable, if others change the record all the time.
   */
  async isOvertaken(error: unknown): Promise<boolean> {
    if (this.#pending === null || !this.#mayBeOvertaken(error)) return false
    const next = await this.#read(this.#pending)
    const isOther = next.state === 'read' && !isSame(next, this.#current)
    if (!isOther && !(error instanceof NotWritten)) return false
    if (this.#via !== undefined || ++this.#attempts === MAX_ATTEMPTS) {
      throw contended(this.#pending.model)
    }
    this.#current = next
    return true
  }

  #mayBeOvertaken(error: unknown): boolean {
    if (error instanceof NotWritten) return true
    const { code } = Object(error) as { code?: unknown }
    if (code === NOT_FOUND) return true
    // PostgreSQL takes no further statement in a transaction after this.
    return code === DUPLICATE && this.#via === undefined
  }

  async #read({ model, where }: RecordPending): Promise<Current> {
    const select = Object.fromEntries(Object.keys(model.source.bound).map((name) => [name, true]))
    const row = await readRecord(this.#via, this.#client, delegateOf(model), { where, select })
    return row === null ? ABSENT : { state: 'read', texts: boundTexts(model, row) }
  }
}

/** An update that MySQL did not do, without saying so. */
class NotWritten extends Error {}

/** An update that finds no record. */
const NOT_FOUND = 'P2025'
/** An upsert that finds none, and creates one beside it. */
const DUPLICATE = 'P2002'
const MAX_ATTEMPTS = 5

const UNREAD: Current = { state: 'unread' }
const BATCH: Current = { state: 'batch' }
const ABSENT: Current = { state: 'absent' }

function isSame(a: Current, b: Current): boolean {
  if (a.state !== 'read' || b.state !== 'read') return a.state === b.state
  return Object.entries(a.texts).every(([column, text]) => b.texts[column] === text)
}

function delegateOf({ name }: ModelPlan): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
