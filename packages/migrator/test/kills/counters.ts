import { setTimeout as sleep } from 'node:timers/promises'
import { oneOf } from './random.ts'

export interface CounterOptions {
  /** A Prisma client with Rowseal. */
  readonly client: any
  /** SQL that locks a row within a transaction; null where transactions go one after the other. */
  readonly lock: ((id: number) => string) | null
  /** Rows that several count in. */
  readonly ids: readonly number[]
  readonly random: () => number
  /** Milliseconds between increments, at most. */
  readonly restMs: number
}

/** What was counted in each row: by increments that were acknowledged, and by those of which nobody knows. */
export interface Counted {
  readonly acknowledged: Map<number, number>
  readonly unknown: Map<number, number>
}

export function nothingCounted(ids: readonly number[]): Counted {
  const zero = (): Map<number, number> => new Map(ids.map((id) => [id, 0]))
  return { acknowledged: zero(), unknown: zero() }
}

/**
 * Counts in rows in which others count too: reads the number inside of a sealed value and writes the next one,
 * within a transaction that has locked the row. If any write to a row is undone, its number is too small for ever.
 */
export class Counter {
  readonly #options: CounterOptions
  readonly #counted: Counted
  #isStopped = false
  readonly #ended: Promise<void>
  /** Increments that were refused and may be sent again. */
  refused = 0

  constructor(options: CounterOptions, counted: Counted) {
    this.#options = options
    this.#counted = counted
    this.#ended = this.#run()
    // Thrown again by `stop`.
    this.#ended.catch(() => undefined)
  }

  /** @throws what it has seen that must not be. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#ended
  }

  async #run(): Promise<void> {
    const { ids, random, restMs } = this.#options
    const { acknowledged, unknown } = this.#counted
    while (!this.#isStopped) {
      const id = oneOf(random, ids)
      const least = acknowledged.get(id)!
      try {
        const before = await this.#increment(id)
        acknowledged.set(id, acknowledged.get(id)! + 1)
        if (before < least) throw new Error(`Row ${id} was at ${least}, and is back at ${before}.`)
      } catch (error) {
        const { retryable, code } = Object(error) as { retryable?: boolean; code?: string }
        if (retryable !== true && !/^P2034$|^P2028$/.test(String(code))) throw error
        this.refused++
        unknown.set(id, unknown.get(id)! + 1)
      }
      await sleep(random() * restMs)
    }
  }

  /** @returns the number before. */
  #increment(id: number): Promise<number> {
    const { client, lock } = this.#options
    return client.$transaction(
      async (tx: any) => {
        if (lock !== null) await tx.$queryRawUnsafe(lock(id))
        const { text } = await tx.note.findUnique({ where: { id }, select: { text: true } })
        const before = numberIn(text)
        await tx.note.update({ where: { id }, data: { text: `count ${before + 1}` } })
        return before
      },
      { maxWait: 30_000, timeout: 30_000 },
    )
  }
}

/** @throws if it is none. */
export function numberIn(text: string): number {
  const [, digits] = /^count (\d+)$/.exec(text) ?? []
  if (digits === undefined) throw new Error('A row that is counted in holds something else.')
  return Number(digits)
}
